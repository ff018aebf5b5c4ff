"""What the authority signs, looked at by cryptography and by the openssl program."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from controller.trust.ca import (
    BACKDATED_SECONDS,
    DAY,
    LIFETIMES,
    Authority,
    CaError,
    Names,
    Revoked,
    issue,
    make_crl,
    make_root,
    new_serial,
    pem,
    renew_after,
    signed_by,
)
from tenone.trust.enrolment import new_key
from tenone.trust.names import MachineKind, MachineName

NOW = 1_790_000_000
KINDS = (
    MachineName.agent("no3"),
    MachineName.device("no3", "board", "b-0301"),
    MachineName.parse("server:web"),
    MachineName.parse("service:tenone"),
)


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_root("binhai", NOW)


def names(machine: MachineName) -> Names:
    server = machine.kind is MachineKind.SERVER
    return Names(
        machine=machine,
        city="binhai",
        dns=("city.example",) if server else (),
        addresses=("10.0.0.1", "fd00::1") if server else (),
    )


@pytest.mark.parametrize("machine", KINDS, ids=str)
def test_a_certificate_says_who_for_what_and_how_long(
    root: Authority, machine: MachineName
) -> None:
    key = new_key()
    made = issue(
        root, names(machine), key.public_key(), now=NOW, crl_url="https://c.example/api/v1/crl"
    )
    find = made.extensions.get_extension_for_class
    constraints = find(x509.BasicConstraints)
    usage = find(x509.KeyUsage)
    assert constraints.critical
    assert not constraints.value.ca
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert not usage.value.crl_sign
    server = machine.kind is MachineKind.SERVER
    wanted = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    assert list(find(x509.ExtendedKeyUsage).value) == [wanted]
    san = find(x509.SubjectAlternativeName).value
    uris = san.get_values_for_type(x509.UniformResourceIdentifier)
    assert uris == [machine.urn("binhai")]
    above = root.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert find(x509.AuthorityKeyIdentifier).value.key_identifier == above.value.digest
    assert find(x509.SubjectKeyIdentifier).value == x509.SubjectKeyIdentifier.from_public_key(
        key.public_key()
    )
    (point,) = find(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    assert point.full_name[0].value == "https://c.example/api/v1/crl"
    common = made.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert [one.value for one in common] == [machine.common_name]
    assert made.not_valid_before_utc.timestamp() == NOW - BACKDATED_SECONDS
    assert made.not_valid_after_utc.timestamp() == NOW + LIFETIMES[machine.kind]
    assert made.version is x509.Version.v3
    assert signed_by(made, root)
    assert not signed_by(made, make_root("binhai", NOW))


def test_a_root_signs_machines_and_no_authority(root: Authority) -> None:
    find = root.certificate.extensions.get_extension_for_class
    assert find(x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=0)
    assert find(x509.BasicConstraints).critical
    assert find(x509.KeyUsage).value.key_cert_sign
    assert find(x509.KeyUsage).value.crl_sign
    assert root.root == root.certificate
    assert len(root.id) == 16
    with pytest.raises(CaError, match="own"):
        issue(root, names(KINDS[0]), root.signing_key.public_key(), now=NOW)


def test_serials_are_128_random_bits() -> None:
    made = {new_serial() for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(0 < one < 2**128 for one in made)
    ones = sum(one.bit_count() for one in made) / (10_000 * 128)
    assert 0.49 < ones < 0.51


def test_nothing_outlives_the_authority(root: Authority) -> None:
    short = make_root("binhai", NOW, lifetime=DAY)
    made = issue(short, names(KINDS[0]), new_key().public_key(), now=NOW)
    assert made.not_valid_after_utc == short.certificate.not_valid_after_utc
    with pytest.raises(CaError, match="itself expired"):
        issue(short, names(KINDS[0]), new_key().public_key(), now=NOW + DAY)
    with pytest.raises(CaError, match="not here"):
        issue(Authority(root.certificate, None), names(KINDS[0]), new_key().public_key(), now=NOW)


def test_renewal_is_due_at_two_thirds(root: Authority) -> None:
    made = issue(root, names(KINDS[0]), new_key().public_key(), now=NOW, lifetime=3 * DAY)
    whole = 3 * DAY + BACKDATED_SECONDS
    assert renew_after(made) == pytest.approx(NOW - BACKDATED_SECONDS + whole * 2 / 3)


def test_cryptography_verifies_a_server_by_name(root: Authority) -> None:
    made = issue(root, names(KINDS[2]), new_key().public_key(), now=NOW)
    store = Store([root.certificate])
    at = made.not_valid_before_utc

    def verify(host: str) -> None:
        subject = x509.DNSName(host)
        PolicyBuilder().store(store).time(at).build_server_verifier(subject).verify(made, [])

    verify("city.example")
    with pytest.raises(VerificationError):
        verify("other.example")


def test_openssl_agrees_on_chain_purpose_and_list(root: Authority, tmp_path: Path) -> None:
    good = issue(root, names(KINDS[0]), new_key().public_key(), now=NOW)
    bad = issue(root, names(KINDS[0]), new_key().public_key(), now=NOW)
    server = issue(root, names(KINDS[2]), new_key().public_key(), now=NOW)
    crl = make_crl(root, [Revoked(bad.serial_number, NOW)], now=NOW, number=7)
    (tmp_path / "ca.pem").write_bytes(pem(root.certificate))
    (tmp_path / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))

    def verify(certificate: x509.Certificate, purpose: str) -> str:
        path = tmp_path / "leaf.pem"
        path.write_bytes(pem(certificate))
        done = subprocess.run(
            ["openssl", "verify", "-attime", str(NOW), "-CAfile", tmp_path / "ca.pem",
             "-crl_check", "-CRLfile", tmp_path / "crl.pem", "-purpose", purpose,
             "-x509_strict", path],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    assert verify(good, "sslclient").endswith("OK\n")
    assert verify(server, "sslserver").endswith("OK\n")
    assert "certificate revoked" in verify(bad, "sslclient")
    assert "certificate purpose" in verify(good, "sslserver")
    assert "certificate purpose" in verify(server, "sslclient")
    entry = crl.get_revoked_certificate_by_serial_number(bad.serial_number)
    assert entry is not None
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
