"""The folder of an identity: taken whole or not, refused where it does not fit together."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from agents.identity import (
    APPROVAL_KEYS_FILE,
    IDENTITY_FILE,
    NEXT_KEY_FILE,
    TRUST_FILE,
    IdentityError,
    next_key,
    read_identity,
    take_papers,
)
from drivers.wire.endpoint import EndpointError, endpoint_of
from tenone.config import Broker, Tls
from tenone.trust.enrolment import key_pem, new_key, spki_hash
from tenone.trust.envelope import KeyKey, Suite
from tenone.trust.sealed_files import SealedFiles, is_sealed
from tests.agents.papers import NO3, Issuer


def test_papers_become_an_identity(tmp_path: Path) -> None:
    issuer, folder = Issuer(), tmp_path / "identity"
    key = next_key(folder)
    assert spki_hash(next_key(folder).public_key()) == spki_hash(key.public_key()), "the same one"
    papers = issuer.papers(key) | {"approval_keys": "tenone-approval-keys 1\n"}
    made = take_papers(folder, papers, key, NO3, controller="https://c")
    assert str(made.machine) == "agent:no3"
    assert made.city == "binhai"
    assert (folder / IDENTITY_FILE).stat().st_mode & 0o777 == 0o600
    assert not (folder / NEXT_KEY_FILE).exists()
    assert (folder / APPROVAL_KEYS_FILE).exists()
    assert read_identity(folder).certificate == made.certificate
    assert made.start < made.renew_after < made.end
    assert not made.is_low(made.renew_after - 1)
    assert made.is_low(made.renew_after + 1)
    second = next_key(folder)
    take_papers(folder, issuer.papers(second), second, NO3, controller="https://c")
    assert read_identity(folder).certificate != made.certificate


Papers = dict[str, object]
WRONG: dict[str, Callable[[Papers, Issuer, ec.EllipticCurvePrivateKey], Papers]] = {
    "nothing": lambda _papers, _issuer, _key: {},
    "no text": lambda papers, _issuer, _key: papers | {"ca": 5},
    "no ASCII": lambda papers, _issuer, _key: papers | {"ca": "é"},
    "no PEM": lambda papers, _issuer, _key: papers | {"certificate": "x"},
    "another key": lambda _papers, issuer, _key: issuer.papers(new_key()),
    "another school": lambda _papers, issuer, key: issuer.papers(key, "no4"),
    "another authority": lambda papers, _issuer, key: (
        papers | {"certificate": Issuer().papers(key)["certificate"]}
    ),
}


@pytest.mark.parametrize("wrong", list(WRONG))
def test_wrong_papers_change_nothing(tmp_path: Path, wrong: str) -> None:
    issuer = Issuer()
    first = next_key(tmp_path)
    before = take_papers(tmp_path, issuer.papers(first), first, NO3, controller="https://c")
    files = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    key = new_key()
    with pytest.raises(IdentityError):
        take_papers(
            tmp_path, WRONG[wrong](issuer.papers(key), issuer, key), key, NO3, controller="x"
        )
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == files
    assert read_identity(tmp_path).certificate == before.certificate


def _swap_key(folder: Path) -> None:
    text = (folder / IDENTITY_FILE).read_bytes()
    certificate = text[text.index(b"-----BEGIN CERTIFICATE") :]
    (folder / IDENTITY_FILE).write_bytes(key_pem(new_key()) + certificate)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "nothing": lambda folder: (folder / IDENTITY_FILE).unlink(),
    "open to all": lambda folder: (folder / IDENTITY_FILE).chmod(0o644),
    "torn": lambda folder: (folder / IDENTITY_FILE).write_bytes(b"-----BEGIN"),
    "no trust": lambda folder: (folder / TRUST_FILE).unlink(),
    "torn trust": lambda folder: (folder / TRUST_FILE).write_bytes(b""),
    "another key": _swap_key,
    "no name": lambda folder: (folder / IDENTITY_FILE).write_bytes(
        key_pem(new_key()) + Issuer().root.certificate.public_bytes(Encoding.PEM)
    ),
}


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_a_damaged_folder_says_what_to_do(tmp_path: Path, damage: str) -> None:
    issuer, key = Issuer(), next_key(tmp_path)
    take_papers(tmp_path, issuer.papers(key), key, NO3, controller="https://c")
    DAMAGE[damage](tmp_path)
    with pytest.raises(IdentityError, match=r"enrol"):
        read_identity(tmp_path)


def test_a_torn_next_key_is_made_anew(tmp_path: Path) -> None:
    first = next_key(tmp_path)
    (tmp_path / NEXT_KEY_FILE).write_bytes(b"torn")
    assert next_key(tmp_path).private_numbers() != first.private_numbers()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(IdentityError, match="cannot be made"):
        next_key(tmp_path / "file")


def test_sealed_where_there_is_a_vault(tmp_path: Path) -> None:
    """What a gateway without one has is taken over, and the broker is shown it all the same."""
    key = KeyKey.fresh()
    issuer, folder, files = Issuer(), tmp_path / "i", SealedFiles(lambda: (Suite.AES, key))
    first = next_key(folder)
    made = take_papers(folder, issuer.papers(first), first, NO3, controller="https://c")
    assert not is_sealed((folder / IDENTITY_FILE).read_bytes())
    assert read_identity(folder, files).certificate == made.certificate
    second = next_key(folder, files)
    for name in (IDENTITY_FILE, NEXT_KEY_FILE):
        assert is_sealed((folder / name).read_bytes()), name
    take_papers(folder, issuer.papers(second), second, NO3, controller="https://c", files=files)
    assert b"PRIVATE" not in (folder / IDENTITY_FILE).read_bytes()
    pem = folder / IDENTITY_FILE
    broker = Broker(host="b", tls=Tls(ca=folder / TRUST_FILE, certificate=pem, key=pem))
    assert endpoint_of(broker, files).tls is not None
    with pytest.raises(EndpointError, match="name that vault"):
        endpoint_of(broker, SealedFiles())
    with pytest.raises(IdentityError, match="name that vault"):
        read_identity(folder)
