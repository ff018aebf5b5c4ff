"""The vault keeps values, gives them to its key only, and finds every change."""

import base64
import json
import os
import random
import threading
from pathlib import Path

import pytest

from tenone.trust import vault_file
from tenone.trust.envelope import KeyKey, Suite
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault, VaultError, alone
from tenone.trust.vault_file import MAGIC, opened

NOW = 1_790_000_000


@pytest.fixture
def key() -> KeyKey:
    return KeyKey.fresh()


@pytest.fixture(params=list(Suite))
def vault(request: pytest.FixtureRequest, tmp_path: Path, key: KeyKey) -> Vault:
    vault = Vault.create(tmp_path / "vault", key, suite=request.param)
    vault.put("snmp-core", Secret("canary-one"), now=NOW)
    vault.put("mqtt", Secret("canary-密码"), now=NOW)
    vault.put("snmp-core", Secret("canary-two"), now=NOW + 1, following=True)
    return vault


def test_kept_and_found_again(vault: Vault, key: KeyKey) -> None:
    again = Vault.open(vault.path, key)
    assert again.get("snmp-core") == Secret("canary-one")
    assert again.get("mqtt") == Secret("canary-密码")
    both = again.versions("snmp-core")
    assert (both.current_number, both.next_number) == (1, 2)
    assert both.next == Secret("canary-two")
    assert again.check() == 3
    data = vault.path.read_bytes()
    for value in (b"canary", base64.b64encode(b"canary-one")[:10], key.text.encode(), key.octets):
        assert value not in data
    listed = Vault.listing(vault.path)
    assert [(one.name, one.current, one.next) for one in listed] == [
        ("mqtt", 1, 0),
        ("snmp-core", 1, 2),
    ]


def test_versions_move_on(vault: Vault, key: KeyKey) -> None:
    assert vault.promote("snmp-core") == 2
    both = Vault.open(vault.path, key).versions("snmp-core")
    assert (both.current, both.current_number) == (Secret("canary-two"), 2)
    assert both.next is None
    with pytest.raises(VaultError, match="no next value"):
        vault.promote("snmp-core")
    assert vault.put("snmp-core", Secret("three"), now=NOW) == 3, "no number twice"
    vault.remove("mqtt")
    with pytest.raises(VaultError, match="no secret 'mqtt'"):
        Vault.open(vault.path, key).get("mqtt")


def test_rotation_leaves_the_values_alone(vault: Vault, key: KeyKey) -> None:
    before, _, _ = opened(vault.path.read_bytes())
    other = KeyKey.fresh()
    vault.rewrap(other)
    after, _, _ = opened(vault.path.read_bytes())
    for name, kept in before.secrets.items():
        for number, one in kept.versions.items():
            assert after.secrets[name].versions[number].sealed == one.sealed
            assert after.secrets[name].versions[number].wrapped != one.wrapped
    with pytest.raises(VaultError, match="sealed with another key"):
        Vault.open(vault.path, key)
    assert Vault.open(vault.path, other).check() == 3
    vault.put("later", Secret("x"), now=NOW)
    assert Vault.open(vault.path, other).get("later") == Secret("x")


def test_every_byte_counts(vault: Vault, key: KeyKey) -> None:
    """Each byte changed in each of three ways, and each length cut: found, in one sentence."""
    data = vault.path.read_bytes()
    draw = random.Random(4)
    found = 0
    for place in range(len(data)):
        for _ in range(3):
            changed = bytearray(data)
            changed[place] ^= draw.randrange(1, 256)
            vault.path.write_bytes(changed)
            with pytest.raises(VaultError) as caught:
                Vault.open(vault.path, key)
            said = str(caught.value)
            assert "\n" not in said
            assert str(vault.path) in said
            found += 1
    for cut in range(0, len(data), 7):
        vault.path.write_bytes(data[:cut])
        with pytest.raises(VaultError):
            Vault.open(vault.path, key)
    vault.path.write_bytes(data + b"\n")
    with pytest.raises(VaultError):
        Vault.open(vault.path, key)
    assert found == 3 * len(data)


def _resealed(data: bytes, change: object, key: KeyKey) -> bytes:
    """The file as somebody who has the key's code, or broke it, would leave it."""
    content, body, _ = opened(data)
    assert callable(change)
    document = json.loads(body[len(MAGIC) :])
    change(document)
    body = MAGIC + json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return vault_file.closed(body, key.mac(content.suite, content.vault_id, body))


def _swap_names(document: dict[str, dict[str, object]]) -> None:
    secrets = document["secrets"]
    secrets["mqtt"], secrets["snmp-core"] = secrets["snmp-core"], secrets["mqtt"]


def _swap_versions(document: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
    versions = document["secrets"]["snmp-core"]["versions"]
    versions["1"], versions["2"] = versions["2"], versions["1"]


def _swap_values(document: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]) -> None:
    one = document["secrets"]["snmp-core"]["versions"]["1"]
    two = document["secrets"]["snmp-core"]["versions"]["2"]
    one["sealed"], two["sealed"] = two["sealed"], one["sealed"]


@pytest.mark.parametrize("change", [_swap_names, _swap_versions, _swap_values])
def test_values_in_anothers_place(vault: Vault, key: KeyKey, change: object) -> None:
    """Even whoever can make the file's code cannot put a value elsewhere unnoticed."""
    vault.path.write_bytes(_resealed(vault.path.read_bytes(), change, key))
    with pytest.raises(VaultError, match="put in another's place"):
        Vault.open(vault.path, key).check()


def test_values_of_another_vault(vault: Vault, key: KeyKey, tmp_path: Path) -> None:
    other = Vault.create(tmp_path / "other", key, suite=opened(vault.path.read_bytes())[0].suite)
    other.put("mqtt", Secret("from elsewhere"), now=NOW)
    theirs = json.loads(opened(other.path.read_bytes())[1][len(MAGIC) :])

    def bring(document: dict[str, dict[str, object]]) -> None:
        document["secrets"]["mqtt"] = theirs["secrets"]["mqtt"]

    vault.path.write_bytes(_resealed(vault.path.read_bytes(), bring, key))
    with pytest.raises(VaultError, match=r"'mqtt'.*put in another's place"):
        Vault.open(vault.path, key).check()


def test_refusals(vault: Vault, key: KeyKey, tmp_path: Path) -> None:
    for name in ("", "A", "a/b", "a b", "-a", "x" * 65, "a\n", "..", "é"):
        with pytest.raises(VaultError, match="no name for a secret"):
            vault.put(name, Secret("canary"), now=NOW)
    for value in ("", "canary" * 20_000):
        with pytest.raises(VaultError, match="bytes long") as caught:
            vault.put("long", Secret(value), now=NOW)
        assert "canary" not in str(caught.value)
    with pytest.raises(VaultError, match="that another could follow"):
        vault.put("fresh", Secret("canary"), now=NOW, following=True)
    with pytest.raises(VaultError, match="already"):
        Vault.create(vault.path, key)
    with pytest.raises(VaultError, match=r"cannot be read .No such file.*tenone secret init"):
        Vault.open(tmp_path / "none", key)
    (tmp_path / "text").write_text("hello\n")
    with pytest.raises(VaultError, match="no vault of this version"):
        Vault.open(tmp_path / "text", key)


class _FullDisk:
    """Takes nothing."""

    def replace(self, *_: object) -> None:
        raise OSError(28, os.strerror(28))


def test_a_write_that_fails_changes_nothing(vault: Vault, key: KeyKey) -> None:
    before = vault.path.read_bytes()
    vault._disk = _FullDisk()  # type: ignore[assignment]  # only what writing needs
    with pytest.raises(VaultError, match=r"cannot be written .No space left"):
        vault.put("mqtt", Secret("new"), now=NOW)
    with pytest.raises(VaultError, match="cannot be written"):
        vault.rewrap(KeyKey.fresh())
    assert vault.get("mqtt") == Secret("canary-密码")
    assert vault.path.read_bytes() == before
    assert Vault.open(vault.path, key).check() == 3


def test_two_at_once_lose_nothing(tmp_path: Path, key: KeyKey) -> None:
    path = tmp_path / "vault"
    Vault.create(path, key)

    def add(who: int) -> None:
        for number in range(5):
            with alone(path):
                Vault.open(path, key).put(f"s{who}-{number}", Secret("x"), now=NOW)

    threads = [threading.Thread(target=add, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Vault.listing(path)) == 20
