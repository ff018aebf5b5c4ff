"""References into a vault, and what is said where one leads nowhere."""

from pathlib import Path

import pytest

from tenone.config import ConfigError, SecretError, load_school
from tenone.config.secret import SecretRef, VaultPlace
from tenone.trust.envelope import KeyKey
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault

SCHOOL = """\
schema_version: 1
school: {{id: no3, name: No. 3, district: d1, city: c1}}
uplink: {{broker: {{host: city.example, username: no3, password: 'vault:broker'}}}}
{vault}
"""


@pytest.fixture
def key(tmp_path: Path) -> KeyKey:
    key = KeyKey.fresh()
    (tmp_path / "key").write_text(f"{key.text}\n")
    (tmp_path / "key").chmod(0o600)
    return key


def school(tmp_path: Path, vault: str) -> Path:
    file = tmp_path / "school.yaml"
    file.write_text(SCHOOL.format(vault=vault))
    return file


def password(file: Path) -> SecretRef:
    found = load_school(file).uplink.broker.password
    assert found is not None
    return found


def test_a_secret_of_the_vault(tmp_path: Path, key: KeyKey) -> None:
    Vault.create(tmp_path / "v", key).put("broker", Secret("canary"), now=0)
    reference = password(school(tmp_path, "vault: {path: v, key: 'file:key'}"))
    assert str(reference) == "vault:broker"
    assert reference.reveal() == "canary"
    assert "canary" not in repr(reference)
    both = reference.versions()
    assert (both.current, both.current_number, both.next) == (Secret("canary"), 1, None)


def test_by_a_credential_of_systemd(tmp_path: Path, key: KeyKey) -> None:
    Vault.create(tmp_path / "v", key).put("broker", Secret("canary"), now=0)
    (tmp_path / "creds").mkdir()
    (tmp_path / "key").rename(tmp_path / "creds" / "vault-key")
    reference = password(school(tmp_path, "vault: {path: v, key: 'credential:vault-key'}"))
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path / "creds")}
    assert reference.fetch(given).use() == "canary"
    with pytest.raises(SecretError, match="LoadCredential=vault-key:PATH"):
        reference.fetch({})
    with pytest.raises(SecretError, match="credential vault-key cannot be read"):
        reference.fetch({"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize(
    ("vault", "says"),
    [
        ("", "there is no vault here"),
        ("vault: {path: v, key: 'vault:other'}", "a vault cannot hold its own key"),
        ("vault: {path: v, key: 'canary-plain'}", "must be a reference"),
        ("vault: {path: v}", "'key' is missing"),
        ("vault: v", "vault"),
    ],
)
def test_what_is_no_vault(tmp_path: Path, vault: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_school(school(tmp_path, vault))
    assert says in str(caught.value)
    assert "canary" not in str(caught.value)


def test_unlocking_errors_are_a_sentence(tmp_path: Path, key: KeyKey) -> None:
    vault = Vault.create(tmp_path / "v", key)
    reference = password(school(tmp_path, "vault: {path: v, key: 'file:key'}"))

    def says(words: str) -> None:
        with pytest.raises(SecretError, match=words) as caught:
            reference.fetch()
        assert "\n" not in str(caught.value)
        assert key.text not in str(caught.value)

    says("no secret 'broker': add it with 'tenone secret set'")
    vault.put("broker", Secret("x"), now=0)
    (tmp_path / "key").write_text("not a key at all")
    says("the vault's key .file:.*key. is none: a key is 64 hex")
    (tmp_path / "key").write_text(KeyKey.fresh().text)
    says("sealed with another key")
    (tmp_path / "key").unlink()
    says("the secret's file .*key cannot be read")
    (tmp_path / "key").write_text(key.text)
    for mode in (0o644, 0o640, 0o602):
        (tmp_path / "key").chmod(mode)
        says("others may read the vault's key .*: run chmod 600 ")
    (tmp_path / "key").chmod(0o400)
    assert reference.fetch() == Secret("x")
    (tmp_path / "v").unlink()
    says("make one with 'tenone secret init'")


def test_no_vault_no_reference(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no vault here"):
        SecretRef.parse("vault:name", tmp_path)
    place = VaultPlace(tmp_path / "v", SecretRef("env", "K"))
    assert SecretRef.parse("vault:name", tmp_path, place).vault is place
    for text in ("vault:", "vault:a/b", "credential:../x", "credential:", "vault:A"):
        with pytest.raises(ValueError, match="must be a reference"):
            SecretRef.parse(text, tmp_path, place)
