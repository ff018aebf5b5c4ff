"""Whom ``tenone snmp`` asks, from its options."""

from pathlib import Path

import pytest

from drivers.snmp.errors import BadTarget
from drivers.snmp.message import Version
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from tenone.cli.snmp_target import community_of, target, user_of
from tenone.config import SecretError


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_A", "auth-canary")
    monkeypatch.setenv("TARGET_P", "priv-canary")
    monkeypatch.setenv("TARGET_SHORT", "canary")


def test_a_user_with_everything() -> None:
    text = "user=bob,auth=sha256:env:TARGET_A,priv=aes128:env:TARGET_P,context=c,engine=8000000001"
    assert user_of(text) == User(
        name="bob",
        auth=Auth.SHA256,
        auth_password="auth-canary",
        priv=Priv.AES128,
        priv_password="priv-canary",
        context="c",
        engine_id=bytes.fromhex("8000000001"),
    )


def test_versions() -> None:
    assert target("h", community="public").version is Version.V2C
    assert target("h", community="public", v1=True).version is Version.V1
    asked = target("[fe80::1%lo]:1161", v3="user=bob")
    assert (asked.version, asked.host, asked.port) == (Version.V3, "fe80::1%lo", 1161)
    assert asked.user == User(name="bob")


@pytest.mark.parametrize(
    ("v3", "said"),
    [
        ("", "--v3 takes user=NAME"),
        ("bob", "--v3 takes user=NAME"),
        ("user=a,user=b", "said twice"),
        ("auth=sha256:env:TARGET_A", "needs a user"),
        ("user=a,auth=sha256:canary-word", "never the password"),
        ("user=a,auth=sha2:env:TARGET_A", "none of md5 (old), sha1 (old), sha224"),
        ("user=a,auth=sha256:env:TARGET_SHORT", "shorter than the 8"),
        ("user=a,priv=aes128:env:TARGET_P", "give auth beside priv"),
        ("user=a,auth=sha1:env:TARGET_A,priv=rc4:env:TARGET_P", "none of des (old), aes128"),
        ("user=a,engine=xyz", "--v3: non-hexadecimal"),
        ("user=a,engine=00", "5 to 32 bytes"),
        (f"user={'a' * 33}", "1 to 32 bytes"),
        ("user=a,auth=sha256:env:TARGET_NOT_SET", "TARGET_NOT_SET is not set"),
    ],
)
def test_what_is_no_user_is_one_sentence_without_the_secret(v3: str, said: str) -> None:
    with pytest.raises((BadTarget, SecretError)) as caught:
        target("h", v3=v3)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_user_is_no_community() -> None:
    for more in ({"community": "public"}, {"v1": True}):
        with pytest.raises(BadTarget, match="without -c"):
            target("h", v3="user=a", **more)
    with pytest.raises(BadTarget, match="which community"):
        target("h")


def test_a_secret_is_not_in_what_is_printed() -> None:
    user = user_of("user=bob,auth=sha256:env:TARGET_A,priv=aes128:env:TARGET_P")
    assert "canary" not in repr(target("h", v3="user=bob,auth=sha256:env:TARGET_A"))
    assert "canary" not in repr(user)
    assert "public" not in repr(target("h", community="public"))


def test_a_community_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c").write_text("from-file\n")
    monkeypatch.setenv("RECORD_TEST", "from-env")
    assert community_of("public") == "public"
    assert community_of("env:RECORD_TEST") == "from-env"
    assert community_of(f"file:{tmp_path / 'c'}") == "from-file"
    for missing in ("env:RECORD_TEST_2", "env:", "file:"):
        with pytest.raises(SecretError):
            community_of(missing)
