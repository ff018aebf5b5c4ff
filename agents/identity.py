"""The folder that says who this gateway is: its key and certificate, and whom it trusts.

::

    identity.pem    key, then certificate and those above it; mode 0600, replaced whole; sealed
                    where the gateway has a vault, as the next key is
    ca.pem          the roots of the city
    crl.pem         the lists of revoked certificates as of the last renewal
    identity.json   machine, controller, when to renew
    next-key.pem    the key of a renewal under way, so that a lost answer can be asked for again
    approval-keys   the city's keys for approvals as of enrolment

New trust is written before the new certificate, so what stands at any moment fits together. The
key never leaves: the city sees its public half alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from drivers.wire.endpoint import IDENTITY
from tenone.trust.enrolment import (
    EnrolmentError,
    check_answer,
    key_pem,
    load_certificates,
    load_key,
    new_key,
    spki_hash,
)
from tenone.trust.files import OPEN, KeyFileError, read_open, write_whole
from tenone.trust.names import MachineName
from tenone.trust.sealed_files import SealedFiles

IDENTITY_FILE = "identity.pem"
TRUST_FILE = "ca.pem"
CRL_FILE = "crl.pem"
ABOUT_FILE = "identity.json"
NEXT_KEY_FILE = "next-key.pem"
WHAT, NEXT_WHAT = IDENTITY, "next key"
APPROVAL_KEYS_FILE = "approval-keys"
RENEW_AT = 2 / 3
LOW_SHARE = 1 / 3


class IdentityError(Exception):
    """The folder holds no identity that can be used; one sentence."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this gateway is."""

    folder: Path
    machine: MachineName
    city: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    trust: bytes
    """PEM."""

    @property
    def start(self) -> float:
        """Seconds of the epoch."""
        return self.certificate.not_valid_before_utc.timestamp()

    @property
    def end(self) -> float:
        """Seconds of the epoch."""
        return self.certificate.not_valid_after_utc.timestamp()

    @property
    def renew_after(self) -> float:
        """When the next certificate is due, seconds of the epoch."""
        return self.start + RENEW_AT * (self.end - self.start)

    def is_low(self, now: float) -> bool:
        """Whether so little is left that somebody should look after it."""
        return self.end - now < LOW_SHARE * (self.end - self.start)


def read_identity(folder: Path, files: SealedFiles | None = None) -> Identity:
    """What ``folder`` holds; raises :class:`IdentityError`."""
    files = files or SealedFiles()
    if not (folder / IDENTITY_FILE).exists():
        raise IdentityError(
            f"this gateway is not enrolled: there is no {folder / IDENTITY_FILE}; ask the city for "
            "a token and run 'tenone enrol --token TOKEN -c school.yaml'"
        )
    try:
        text = files.read(folder / IDENTITY_FILE, WHAT)
        key, certificate = load_key(text), load_certificates(text)[0]
        uris = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        (urn,) = uris.value.get_values_for_type(x509.UniformResourceIdentifier)
        city, machine = MachineName.of_urn(urn)
        trust = read_open(folder / TRUST_FILE)
        load_certificates(trust)
    except (KeyFileError, EnrolmentError, ValueError, x509.ExtensionNotFound) as error:
        raise IdentityError(
            f"the identity in {folder} cannot be used: {error}; enrol again with a new token"
        ) from error
    if spki_hash(key.public_key()) != spki_hash(certificate.public_key()):
        raise IdentityError(
            f"key and certificate in {folder} do not belong together: enrol again with a new token"
        )
    return Identity(folder, machine, city, key, certificate, trust)


def refuse_another(
    folder: Path, machine: MachineName, city: str, files: SealedFiles | None = None
) -> None:
    """Raise IdentityError where ``folder`` holds a good identity of somebody else.

    Enrolling over it would lose that machine's key, and with it its place, without a word.
    """
    try:
        kept = read_identity(folder, files)
    except IdentityError:
        return  # none, or one that can be used for nothing
    if (kept.machine, kept.city) != (machine, city):
        raise IdentityError(
            f"{folder} holds the identity of {kept.machine} in {kept.city}, which {machine} in "
            f"{city} would overwrite: name another folder in uplink.identity, or move this one away"
        )


def next_key(folder: Path, files: SealedFiles | None = None) -> ec.EllipticCurvePrivateKey:
    """The key of the certificate to come; the same one until it has come. IdentityError."""
    path, files = folder / NEXT_KEY_FILE, files or SealedFiles()
    try:
        if path.exists():
            try:
                return load_key(files.read(path, NEXT_WHAT))
            except EnrolmentError:
                path.unlink()  # torn while it was made: it has been used for nothing
        key = new_key()
        files.write(path, NEXT_WHAT, key_pem(key))
    except (KeyFileError, OSError) as error:
        raise IdentityError(f"the key cannot be made: {error}") from error
    return key


def take_papers(
    folder: Path,
    papers: Mapping[str, object],
    key: ec.EllipticCurvePrivateKey,
    urn: str,
    *,
    controller: str,
    files: SealedFiles | None = None,
) -> Identity:
    """Check what the city answered and make it this gateway's identity; raises IdentityError."""
    files = files or SealedFiles()
    texts = {name: papers.get(name) for name in ("certificate", "ca", "crl")}
    if not all(isinstance(one, str) and one.isascii() for one in texts.values()):
        raise IdentityError("the city's answer lacks certificate, ca or crl")
    chain, trust, crl = (str(one).encode("ascii") for one in texts.values())
    try:
        check_answer(chain, trust, key.public_key(), urn)
        about = {"format": 1, "urn": urn, "controller": controller}
        write_whole(folder / ABOUT_FILE, json.dumps(about).encode(), mode=OPEN)
        write_whole(folder / TRUST_FILE, trust, mode=OPEN)
        write_whole(folder / CRL_FILE, crl, mode=OPEN)
        approval = papers.get("approval_keys")
        if isinstance(approval, str) and approval.isascii():
            write_whole(folder / APPROVAL_KEYS_FILE, approval.encode("ascii"), mode=OPEN)
        files.write(folder / IDENTITY_FILE, WHAT, key_pem(key) + chain)
        (folder / NEXT_KEY_FILE).unlink(missing_ok=True)
    except (EnrolmentError, KeyFileError, OSError) as error:
        raise IdentityError(str(error)) from error
    return read_identity(folder, files)
