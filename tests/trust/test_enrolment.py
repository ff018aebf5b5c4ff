"""Token, request and answer: what is damaged, foreign or forged is refused."""

from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from controller.trust.ca import Authority, Names, issue, make_root, pem
from tenone.trust.enrolment import (
    MAX_PEM,
    EnrolmentError,
    Renewal,
    Token,
    check_answer,
    key_of_csr,
    key_pem,
    load_certificates,
    load_key,
    make_csr,
    new_key,
    pinned,
    spki_hash,
    uris_of,
)
from tenone.trust.names import MachineName

NOW = 1_790_000_000
NO3 = MachineName.agent("no3")
NAMES = Names(machine=NO3, city="binhai")


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_root("binhai", NOW)


def test_a_token_there_and_back_and_never_shown() -> None:
    token = Token.new(b"\1" * 32)
    assert Token.parse(f" {token.text}\n") == token
    assert len(token.text) < 80
    secret = token.text.split(".")[1]
    assert secret not in repr(token)
    assert secret not in token.digest


@given(st.text(max_size=90) | st.binary(max_size=40).map(lambda raw: f"t1.{raw.hex()}.{raw.hex()}"))
def test_other_text_is_no_token_and_is_not_repeated(text: str) -> None:
    with pytest.raises(EnrolmentError) as refused:
        Token.parse(text)
    assert "copy it whole" in str(refused.value)


def test_a_token_cut_or_changed_is_no_token() -> None:
    text = Token.new(b"\1" * 32).text
    for broken in (text[:-1], text[1:], text.replace(".", "", 1), text + ".x", "t2" + text[2:]):
        with pytest.raises(EnrolmentError):
            Token.parse(broken)


def test_the_key_of_a_request() -> None:
    key = new_key()
    assert spki_hash(key_of_csr(make_csr(key, "whatever"))) == spki_hash(key.public_key())


@cache
def _foreign_requests() -> dict[str, str]:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "no3")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)

    def text(csr: x509.CertificateSigningRequest) -> str:
        return csr.public_bytes(serialization.Encoding.PEM).decode()

    good = make_csr(new_key(), "no3")
    der = bytearray(x509.load_pem_x509_csr(good.encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    forged = text(x509.load_der_x509_csr(bytes(der)))
    return {
        "empty": "",
        "no PEM": "hello",
        "not ASCII": "é" + good,
        "too large": good + "x" * MAX_PEM,
        "RSA": text(builder.sign(rsa.generate_private_key(65537, 2048), hashes.SHA256())),
        "P-384": text(builder.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA256())),
        "forged": forged,
        "a key": key_pem(new_key()).decode(),
    }


@pytest.mark.parametrize("name", list(_foreign_requests()))
def test_other_requests_are_refused(name: str) -> None:
    with pytest.raises(EnrolmentError):
        key_of_csr(_foreign_requests()[name])


def test_a_renewal_is_signed_whole(root: Authority) -> None:
    key, other = new_key(), new_key()
    own = issue(root, NAMES, key.public_key(), now=NOW)
    asked = Renewal(serial=own.serial_number, csr="csr", wall_ns=1, nonce=b"n" * 16)
    signature = asked.sign(key)
    assert asked.verify(signature, own)
    changed = (
        Renewal(serial=1, csr="csr", wall_ns=1, nonce=b"n" * 16),
        Renewal(serial=own.serial_number, csr="other", wall_ns=1, nonce=b"n" * 16),
        Renewal(serial=own.serial_number, csr="csr", wall_ns=2, nonce=b"n" * 16),
        Renewal(serial=own.serial_number, csr="csr", wall_ns=1, nonce=b"m" * 16),
    )
    assert not any(one.verify(signature, own) for one in changed)
    assert not asked.verify(asked.sign(other), own)
    assert not asked.verify(b"", own)


def test_only_the_authority_that_the_token_names_is_trusted(root: Authority) -> None:
    rogue = make_root("binhai", NOW)
    both = pem(root.certificate, rogue.certificate)
    assert pinned(both, root.spki) == [root.certificate]
    with pytest.raises(EnrolmentError, match="stand in between"):
        pinned(pem(rogue.certificate), root.spki)
    with pytest.raises(EnrolmentError):
        pinned(b"nothing", root.spki)


def test_the_answer_must_be_of_our_key_our_name_and_the_trusted_authority(root: Authority) -> None:
    key = new_key()
    own = issue(root, NAMES, key.public_key(), now=NOW)
    rogue = make_root("binhai", NOW)
    urn, bundle = NO3.urn("binhai"), pem(root.certificate)
    assert check_answer(pem(own), bundle, key.public_key(), urn) == own
    assert uris_of(own) == [urn]
    assert uris_of(root.certificate) == []
    cases = (
        (pem(own), bundle, new_key(), urn, "another key"),
        (pem(own), bundle, key, MachineName.agent("no4").urn("binhai"), "another machine"),
        (pem(own), pem(rogue.certificate), key, urn, "authority"),
        (b"", bundle, key, urn, "no certificate"),
    )
    for chain, trusted, of, name, sentence in cases:
        with pytest.raises(EnrolmentError, match=sentence):
            check_answer(chain, trusted, of.public_key(), name)


def test_keys_there_and_back() -> None:
    key = new_key()
    assert spki_hash(load_key(key_pem(key)).public_key()) == spki_hash(key.public_key())
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    p384 = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for text in (b"", b"x", sealed, p384):
        with pytest.raises(EnrolmentError):
            load_key(text)
    with pytest.raises(EnrolmentError):
        load_certificates(b"x")
    with pytest.raises(EnrolmentError):
        spki_hash(rsa.generate_private_key(65537, 2048).public_key())
