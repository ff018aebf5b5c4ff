"""Pins: taken only against a fingerprint from elsewhere, never replaced silently."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.hostkeys import (
    HostKey,
    HostKeyChangedError,
    HostKeyError,
    HostKeyStore,
    HostKeyUnknownError,
    place,
)


def key(
    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> HostKey:
    line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return HostKey.of(base64.b64decode(line.split()[1]))


@pytest.fixture
def store(tmp_path: Path) -> HostKeyStore:
    return HostKeyStore(tmp_path / "known_hosts")


@pytest.fixture
def ed() -> HostKey:
    return key(ed25519.Ed25519PrivateKey.generate())


def test_pinned_and_found(store: HostKeyStore, ed: HostKey) -> None:
    with pytest.raises(HostKeyUnknownError, match=r"no SSH host key is pinned for 10.0.0.1: read"):
        store.pinned("10.0.0.1")
    curve = key(ec.generate_private_key(ec.SECP384R1()))
    store.pin("10.0.0.1", 22, ed, ed.fingerprint)
    store.pin("fd00::1", 2222, curve, curve.fingerprint)
    again = HostKeyStore(store.path)
    assert again.pinned("10.0.0.1") == ed
    assert again.pinned("fd00::1", 2222) == curve
    again.check("10.0.0.1", 22, ed)
    with pytest.raises(HostKeyChangedError, match="nothing was sent"):
        again.check("10.0.0.1", 22, curve)
    with pytest.raises(HostKeyUnknownError):
        again.pinned("10.0.0.1", 2222)
    again.unpin("10.0.0.1")
    with pytest.raises(HostKeyUnknownError):
        store.check("10.0.0.1", 22, ed)


def test_no_pin_without_the_right_fingerprint(store: HostKeyStore, ed: HostKey) -> None:
    other = key(rsa.generate_private_key(65537, 2048))
    with pytest.raises(HostKeyChangedError, match="nothing is pinned"):
        store.pin("h", 22, ed, other.fingerprint)
    for wrong in ("", "SHA256:", ed.fingerprint + "=", ed.fingerprint[7:], "MD5:aa:bb", "x" * 50):
        with pytest.raises(HostKeyError, match="a fingerprint is 'SHA256:'"):
            store.pin("h", 22, ed, wrong)
    for host in ("", "h h", "h\n", "*", "!h", "h,i", "@revoked", "|1|x", "-o"):
        with pytest.raises(HostKeyError, match="no host name"):
            store.pin(host, 22, ed, ed.fingerprint)
    assert not store.path.exists()


def test_a_pin_stands(store: HostKeyStore, ed: HostKey) -> None:
    other = key(ed25519.Ed25519PrivateKey.generate())
    store.pin("h", 22, ed, ed.fingerprint)
    store.pin("h", 22, ed, ed.fingerprint)
    before = store.path.read_bytes()
    with pytest.raises(HostKeyError, match="remove that pin first"):
        store.pin("h", 22, other, other.fingerprint)
    assert store.path.read_bytes() == before


def test_a_file_that_is_not_ours(store: HostKeyStore, ed: HostKey) -> None:
    line = f"h {ed.kind} {base64.b64encode(ed.blob).decode()}"
    for content, says in (
        (f"{line}\n{line}\n", "pinned twice"),
        ("h ssh-dss AAAA\n", "no pin as TenOne writes"),
        ("h ssh-ed25519 AAAA\n", "no pin"),
        (f"@revoked {line}\n", "no pin"),
        (f"{line} comment\n", "no pin"),
    ):
        store.path.write_text(content)
        with pytest.raises(HostKeyError, match=says):
            store.pinned("h")
    store.path.write_text(f"# made by hand\n\n{line}\n")
    assert store.pinned("h") == ed
    store.path.unlink()
    store.path.mkdir()
    with pytest.raises(HostKeyError, match="cannot be read"):
        store.pinned("h")


@given(st.binary(max_size=100))
def test_any_bytes(blob: bytes) -> None:
    try:
        found = HostKey.of(blob)
    except HostKeyError:
        return
    assert HostKey(found.kind, blob) == found


def test_places() -> None:
    assert place("10.0.0.1") == "10.0.0.1"
    assert place("fd00::1", 2222) == "[fd00::1]:2222"
