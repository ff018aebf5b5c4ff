"""The city's certificate authority: what it signs, and how. No I/O, no clock.

X.509 v3 as RFC 5280 profiles it, ECDSA on P-256 with SHA-256. A machine's certificate says who the
city enrolled; nothing in it is taken from the machine's request but the key. Times are seconds
of the epoch.
"""

import ipaddress
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tenone.trust.enrolment import new_key, spki_hash
from tenone.trust.names import MachineKind, MachineName

DAY = 86_400
BACKDATED_SECONDS = 300
"""A certificate is valid from a little before it was made: clocks differ."""
ROOT_SECONDS = 3650 * DAY
RENEW_AT = 2 / 3
"""The share of its life after which a certificate is renewed."""
TOLD_BELOW = 1 / 3
"""The share of its life left below which somebody should be told."""
LIFETIMES: Mapping[MachineKind, int] = MappingProxyType(
    {
        MachineKind.AGENT: 7 * DAY,
        MachineKind.DEVICE: 30 * DAY,
        MachineKind.SERVER: 90 * DAY,
        MachineKind.SERVICE: 90 * DAY,
    }
)
CRL_SECONDS = 7 * DAY
"""A broker refuses everybody once its list is older, so this outlasts a long weekend."""
SERIAL_BITS = 128


class CaError(Exception):
    """The authority cannot do what is asked; one sentence."""


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority: a root of ours, or an intermediate of somebody else's."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | None
    """None where only its certificate is here: it is trusted and issues nothing any more."""
    above: tuple[x509.Certificate, ...] = ()
    """From its issuer up to the root; empty for a root."""

    @property
    def spki(self) -> bytes:
        """SHA-256 of its public key: what an enrolment token names."""
        return spki_hash(self.certificate.public_key())

    @property
    def id(self) -> str:
        """A short name of its key, for files and addresses."""
        return self.spki.hex()[:16]

    @property
    def fingerprint(self) -> str:
        """``AB:CD:...``, the SHA-256 of its certificate, as browsers show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def root(self) -> x509.Certificate:
        """What others are told to trust."""
        return self.above[-1] if self.above else self.certificate

    @property
    def signing_key(self) -> ec.EllipticCurvePrivateKey:
        """Its key; raises :class:`CaError` where it is not here."""
        if self.key is None:
            raise CaError(f"the key of the authority {self.id} is not here: it can sign nothing")
        return self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Whom a certificate is for."""

    machine: MachineName
    city: str
    dns: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revoked:
    """One certificate that no longer counts."""

    serial: int
    at: int


def make_root(city: str, now: int, *, lifetime: int = ROOT_SECONDS) -> Authority:
    """A new root of the city; it signs machines' certificates itself and no other authority."""
    key = new_key()
    public = key.public_key()
    # The number tells two roots of one city apart where people look at them.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"TenOne {city}"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"TenOne {city} {spki_hash(public).hex()[:8]}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(new_serial())
        .not_valid_before(_moment(now - BACKDATED_SECONDS))
        .not_valid_after(_moment(now + lifetime))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def issue(
    authority: Authority,
    names: Names,
    key: ec.EllipticCurvePublicKey,
    *,
    now: int,
    lifetime: int | None = None,
    crl_url: str | None = None,
) -> x509.Certificate:
    """A machine's certificate; raises :class:`CaError` where the authority itself is over."""
    if spki_hash(key) == authority.spki:
        raise CaError("the request's key is the authority's own")
    until = int(authority.certificate.not_valid_after_utc.timestamp())
    not_after = min(now + (lifetime or LIFETIMES[names.machine.kind]), until)
    if not_after <= now:
        raise CaError(
            f"the authority {authority.id} has itself expired: make a new one with "
            "'tenone enrol ca new'"
        )
    is_server = names.machine.kind is MachineKind.SERVER
    usage = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    subject = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"TenOne {names.city}"),
        x509.NameAttribute(NameOID.COMMON_NAME, names.machine.common_name),
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(authority.certificate.subject)
        .public_key(key)
        .serial_number(new_serial())
        .not_valid_before(_moment(now - BACKDATED_SECONDS))
        .not_valid_after(_moment(not_after))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_key(authority), critical=False)
    )
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(authority.signing_key, hashes.SHA256())


def make_crl(
    authority: Authority,
    revoked: Iterable[Revoked],
    *,
    now: int,
    number: int,
    lifetime: int = CRL_SECONDS,
) -> x509.CertificateRevocationList:
    """The list of what ``authority`` signed and no longer stands by (RFC 5280, section 5)."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(_moment(now - BACKDATED_SECONDS))
        .next_update(_moment(now + lifetime))
        .add_extension(_authority_key(authority), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for one in sorted(revoked, key=lambda each: each.serial):
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial)
        builder = builder.add_revoked_certificate(entry.revocation_date(_moment(one.at)).build())
    return builder.sign(authority.signing_key, hashes.SHA256())


def signed_by(certificate: x509.Certificate, authority: Authority) -> bool:
    """Whether ``authority`` signed ``certificate``."""
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def new_serial() -> int:
    """128 random bits: nobody can guess or choose one."""
    return secrets.randbits(SERIAL_BITS) or 1


def renew_after(certificate: x509.Certificate) -> float:
    """When a certificate shall be renewed, seconds of the epoch."""
    start = certificate.not_valid_before_utc.timestamp()
    return start + RENEW_AT * (certificate.not_valid_after_utc.timestamp() - start)


def pem(*certificates: x509.Certificate) -> bytes:
    """PEM, one after the other."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def _alternatives(names: Names) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = [x509.UniformResourceIdentifier(names.machine.urn(names.city))]
    found += [x509.DNSName(one) for one in names.dns]
    return found + [x509.IPAddress(ipaddress.ip_address(one)) for one in names.addresses]


def _authority_key(authority: Authority) -> x509.AuthorityKeyIdentifier:
    extensions = authority.certificate.extensions
    try:
        own = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        own = x509.SubjectKeyIdentifier.from_public_key(_public(authority))
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _public(authority: Authority) -> ec.EllipticCurvePublicKey:
    key = authority.certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CaError("the authority's key is not one of ECDSA")
    return key


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
