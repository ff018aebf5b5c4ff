"""The folder of the authorities: sealed, taken over, and refused where somebody changed it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from controller.trust.authorities import STATE_FILE, Authorities
from controller.trust.ca import Authority, CaError, Names, issue, make_root, pem
from tenone.trust.enrolment import key_pem, load_certificates, new_key
from tenone.trust.names import MachineName

NOW = 1_790_000_000
NO3 = Names(machine=MachineName.agent("no3"), city="binhai")


def opened(folder: Path, passphrase: bytes | None = None) -> Authorities:
    made = Authorities(folder, "binhai", passphrase)
    made.open(NOW)
    return made


def test_the_first_opening_makes_a_root_and_the_next_finds_it(tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    first = opened(folder)
    second = opened(folder)
    assert first.issuing.id == second.issuing.id
    key = folder / first.issuing.id / "key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o077 == 0
    assert not second.reload(), "nothing changed"
    made = issue(second.issuing, NO3, new_key().public_key(), now=NOW)
    assert second.chain(made) == pem(made), "a root is not sent along"
    assert second.bundle == pem(first.issuing.certificate)


def test_a_sealed_key_needs_its_passphrase(tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    first = opened(folder, b"correct horse")
    assert b"ENCRYPTED" in (folder / first.issuing.id / "key.pem").read_bytes()
    assert first.is_sealed
    assert opened(folder, b"correct horse").issuing.id == first.issuing.id
    with pytest.raises(CaError, match=r"passphrase is another one"):
        opened(folder, b"wrong")
    with pytest.raises(CaError, match=r"passphrase is not set"):
        opened(folder)


def test_one_takes_over_from_another_in_three_steps(tmp_path: Path) -> None:
    here, elsewhere = opened(tmp_path), opened(tmp_path)
    old = here.issuing
    fresh = here.add(NOW + 1)
    assert here.issuing.id == old.id
    assert {one.id for one in here.trusted} == {old.id, fresh.id}
    assert len(load_certificates(here.bundle)) == 2
    assert elsewhere.reload(), "another process sees it"
    assert elsewhere.bundle == here.bundle
    assert (here.since(old.id), here.since(fresh.id)) == (NOW, NOW + 1)
    with pytest.raises(CaError, match="issues"):
        here.retire(old.id)
    here.switch(fresh.id)
    assert here.issuing.id == fresh.id
    assert len(load_certificates(here.bundle)) == 2
    here.retire(old.id)
    assert here.bundle == pem(fresh.certificate)
    assert here.issuer_of(issue(old, NO3, new_key().public_key(), now=NOW)) is None
    for step in (here.switch, here.retire):
        with pytest.raises(CaError, match="there is no authority"):
            step("f" * 16)


def intermediate(
    *, ca: bool = True, usage: bool = True, key: ec.EllipticCurvePrivateKey | None = None
) -> tuple[Authority, Authority]:
    """A root of somebody else's, and what it signed."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Province")])
    top_key, own_key = new_key(), key or new_key()

    def sign(
        subject: x509.Name, public: ec.EllipticCurvePublicKey, *, top: bool
    ) -> x509.Certificate:
        like = make_root("x", NOW).certificate
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(like.not_valid_before_utc)
            .not_valid_after(like.not_valid_after_utc)
            .add_extension(x509.BasicConstraints(ca or top, None), critical=True)
        )
        if usage or top:
            kept = like.extensions.get_extension_for_class(x509.KeyUsage)
            builder = builder.add_extension(kept.value, critical=True)
        return builder.sign(top_key, hashes.SHA256())

    top = sign(name, top_key.public_key(), top=True)
    below = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "City")])
    own = sign(below, own_key.public_key(), top=False)
    return Authority(top, top_key), Authority(own, own_key, (top,))


def test_an_intermediate_made_elsewhere_is_taken_in(tmp_path: Path) -> None:
    top, own = intermediate()
    here = Authorities(tmp_path, "binhai")
    brought = here.bring(
        pem(own.certificate, top.certificate), key_pem(own.signing_key), None, now=NOW
    )
    assert brought.id == own.id == here.issuing.id
    again = opened(tmp_path)
    made = issue(again.issuing, NO3, new_key().public_key(), now=NOW)
    assert again.bundle == pem(top.certificate), "the root is trusted"
    assert again.chain(made) == pem(made, own.certificate), "what is between is sent along"
    assert again.issuer_of(made) is not None


def _rsa_key() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@cache
def _brought() -> dict[str, tuple[bytes, bytes, str]]:
    top, own = intermediate()
    stranger, _ = intermediate()
    key = key_pem(own.signing_key)
    _, no_ca = intermediate(ca=False)
    _, no_usage = intermediate(usage=False)
    return {
        "nothing": (b"", key, "cannot be taken in"),
        "damaged key": (pem(own.certificate), b"x", "cannot be taken in"),
        "RSA": (pem(own.certificate, top.certificate), _rsa_key(), "not one of ECDSA"),
        "two things": (pem(top.certificate), key, "do not belong together"),
        "no CA": (pem(no_ca.certificate, no_ca.root), key_pem(no_ca.signing_key), "CA:TRUE"),
        "no usage": (
            pem(no_usage.certificate, no_usage.root), key_pem(no_usage.signing_key), "keyCertSign",
        ),
        "no root": (pem(own.certificate), key, "must be a root"),
        "another root": (pem(own.certificate, stranger.certificate), key, "must have signed"),
    }  # fmt: skip


@pytest.mark.parametrize("case", list(_brought()))
def test_what_is_no_authority_is_not_taken_in(tmp_path: Path, case: str) -> None:
    certificates, key, sentence = _brought()[case]
    here = Authorities(tmp_path, "binhai")
    with pytest.raises(CaError, match=sentence):
        here.bring(certificates, key, None, now=NOW)
    assert not here.exists()


def _swap_keys(folder: Path, authority: str) -> None:
    (folder / authority / "key.pem").write_bytes(key_pem(new_key()))


DAMAGE: dict[str, Callable[[Path, str], object]] = {
    "state": lambda folder, _: (folder / STATE_FILE).write_text("{"),
    "no key": lambda folder, name: (folder / name / "key.pem").unlink(),
    "another key": _swap_keys,
    "a key for all": lambda folder, name: (folder / name / "key.pem").chmod(0o644),
    "no certificate": lambda folder, name: (folder / name / "certificate.pem").unlink(),
    "another certificate": lambda folder, name: (folder / name / "certificate.pem").write_bytes(
        pem(make_root("binhai", NOW).certificate)
    ),
    "damaged key": lambda folder, name: (folder / name / "key.pem").write_text("x"),
}


@pytest.mark.parametrize("case", list(DAMAGE))
def test_a_folder_that_somebody_changed_is_refused(tmp_path: Path, case: str) -> None:
    made = opened(tmp_path)
    DAMAGE[case](tmp_path, made.issuing.id)
    with pytest.raises(CaError):
        opened(tmp_path)


def test_before_it_is_opened_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CaError, match="not been read"):
        _ = Authorities(tmp_path, "binhai").issuing
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CaError, match="cannot be written"):
        opened(tmp_path / "file" / "ca")
