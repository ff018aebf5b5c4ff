"""Certificates of the city's servers (web, broker): kept in files, renewed when it is time.

Used by the controller for its own HTTPS and by ``tenone enrol server`` for brokers.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from controller.trust.authorities import Authorities
from controller.trust.ca import CaError, Names, issue, renew_after
from tenone.trust.enrolment import (
    EnrolmentError,
    key_pem,
    load_certificates,
    load_key,
    new_key,
    spki_hash,
)
from tenone.trust.files import OPEN, KeyFileError, read_open, write_whole
from tenone.trust.names import MachineKind, MachineName
from tenone.trust.sealed_files import SealedFiles

CHAIN_FILE = "certificate.pem"
KEY_FILE = "key.pem"
TRUST_FILE = "ca.pem"
LONGEST_DNS = 253
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS = re.compile(rf"{_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What a server shows."""

    certificate: x509.Certificate
    chain: bytes
    """Its certificate and those between it and the root, PEM."""
    key: bytes = field(repr=False)
    """PEM, PKCS #8."""
    fresh: bool
    """It was made just now, and is not one that was kept."""

    @property
    def renew_after(self) -> float:
        """When to ask again, seconds of the epoch."""
        return renew_after(self.certificate)


def server_certificate(
    authorities: Authorities,
    name: str,
    hosts: Iterable[str],
    folder: Path,
    *,
    city: str,
    now: int,
    lifetime: int | None = None,
    crl_url: str | None = None,
    files: SealedFiles | None = None,
) -> ServerCertificate:
    """The certificate of server ``name`` for ``hosts`` (DNS names and addresses) from ``folder``.

    ``files`` seal its key; a server that is another program needs it in the clear.

    Made anew when there is none, its names are others, 2/3 of its life are over, or another
    authority issues now. Blocks; raises :class:`CaError`.
    """
    names = _names(name, hosts, city)
    files = files or SealedFiles()
    kept = _kept(
        authorities, names, folder, now, lambda: files.read(folder / KEY_FILE, key_of(name))
    )
    if kept is not None:
        return kept
    key = new_key()
    issuing = authorities.issuing
    certificate = issue(
        issuing,
        names,
        key.public_key(),
        now=now,
        lifetime=lifetime,
        crl_url=None if crl_url is None else f"{crl_url}/{issuing.id}",
    )
    chain, private = authorities.chain(certificate), key_pem(key)
    try:
        # The key last: whoever reads both in between sees that they do not belong together.
        write_whole(folder / TRUST_FILE, authorities.bundle, mode=OPEN)
        write_whole(folder / CHAIN_FILE, chain, mode=OPEN)
        files.write(folder / KEY_FILE, key_of(name), private)
    except KeyFileError as error:
        raise CaError(f"the certificate of the server {name}: {error}") from error
    return ServerCertificate(certificate, chain, private, fresh=True)


def key_of(name: str) -> str:
    """What a server's key is called where it is sealed."""
    return f"key of the server {name}"


def _names(name: str, hosts: Iterable[str], city: str) -> Names:
    dns: list[str] = []
    addresses: list[str] = []
    for host in hosts:
        try:
            addresses.append(str(ipaddress.ip_address(host)))
        except ValueError:
            if len(host) > LONGEST_DNS or not _DNS.fullmatch(host.lower()):
                raise CaError(f"{host[:64]!a} is neither a host name nor an address") from None
            dns.append(host.lower())
    if not dns and not addresses:
        raise CaError("a server's certificate needs at least one host name or address")
    return Names(
        machine=MachineName.parse(f"{MachineKind.SERVER.value}:{name}"),
        city=city,
        dns=tuple(sorted(set(dns))),
        addresses=tuple(sorted(set(addresses))),
    )


def _kept(
    authorities: Authorities, names: Names, folder: Path, now: int, key_pem_of: Callable[[], bytes]
) -> ServerCertificate | None:
    """What ``folder`` holds, if it still serves; a damaged one is made anew."""
    if not (folder / KEY_FILE).exists() or not (folder / CHAIN_FILE).exists():
        return None
    try:
        chain = read_open(folder / CHAIN_FILE)
        private = key_pem_of()
        own = load_certificates(chain)[0]
        key = load_key(private)
        if spki_hash(own.public_key()) != spki_hash(key.public_key()):
            return None
        if read_open(folder / TRUST_FILE) != authorities.bundle:
            write_whole(folder / TRUST_FILE, authorities.bundle, mode=OPEN)
    except EnrolmentError:
        return None
    except KeyFileError as error:
        raise CaError(str(error)) from error
    return (
        ServerCertificate(own, chain, private, fresh=False)
        if _still_serves(authorities, own, names, now)
        else None
    )


def _still_serves(authorities: Authorities, own: x509.Certificate, names: Names, now: int) -> bool:
    issuer = authorities.issuer_of(own)
    if issuer is None or issuer.id != authorities.issuing.id or now >= renew_after(own):
        return False
    san = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = tuple(sorted(san.get_values_for_type(x509.DNSName)))
    addresses = tuple(sorted(str(one) for one in san.get_values_for_type(x509.IPAddress)))
    uris = san.get_values_for_type(x509.UniformResourceIdentifier)
    named = (dns, addresses, uris)
    return named == (names.dns, names.addresses, [names.machine.urn(names.city)])
