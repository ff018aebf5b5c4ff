"""Factory manifests: which keys the maker burnt into which devices, signed by the city.

A maker delivers a JSON list of serial number, kind and public key (or its hash). The city signs it
after its own check of the delivery; from then on whoever holds such a key can be enrolled as that
device and as nothing else. No I/O.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from controller.trust.ca import Authority
from tenone.trust.enrolment import EnrolmentError, spki_hash
from tenone.trust.names import MachineName, shown
from tenone.vocabulary.scope import DeviceKind, IdentifierError, slug

FORMAT = 1
MAX_DEVICES = 100_000
MAX_BYTES = 64 * 1024 * 1024
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = {"serial", "kind", "school", "key_sha256", "public_key"}

SchoolOf = Callable[[str, str], str | None]
"""``school_of(kind, serial)``: whose configuration lists that device."""


class ManifestError(ValueError):
    """A manifest that cannot be used; one sentence that names the row."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One key and the machine it is of."""

    key: str
    """SHA-256 of its SubjectPublicKeyInfo, hex."""
    machine: MachineName


def read_list(data: bytes, school_of: SchoolOf) -> tuple[Bound, ...]:
    """A maker's list: ``[{"serial", "kind", "key_sha256" or "public_key", "school"?}]``."""
    if len(data) > MAX_BYTES:
        raise ManifestError(f"the list is larger than {MAX_BYTES} bytes")
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError):
        raise ManifestError("the list is no JSON") from None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_DEVICES:
        raise ManifestError(f"a list of 1 to {MAX_DEVICES} devices is expected")
    found = tuple(_bound(number, row, school_of) for number, row in enumerate(rows, 1))
    for what in ({one.key for one in found}, {one.machine for one in found}):
        if len(what) != len(found):
            raise ManifestError("a key or a device stands twice in the list")
    return found


def sign(bound: Sequence[Bound], city: str, authority: Authority) -> str:
    """The manifest: what was read, and the city's signature over it."""
    text = _text(bound, city)
    signature = authority.signing_key.sign(text, ec.ECDSA(hashes.SHA256()))
    body = {
        "format": FORMAT,
        "city": city,
        "authority": authority.id,
        "devices": [{"machine": str(one.machine), "key_sha256": one.key} for one in bound],
        "signature": base64.b64encode(signature).decode("ascii"),
    }
    return json.dumps(body, indent=1)


def verify(data: bytes, city: str, authorities: Sequence[Authority]) -> tuple[Bound, ...]:
    """What a signed manifest says, if one of ``authorities`` signed it for this city."""
    try:
        body = json.loads(data[: MAX_BYTES + 1])
        bound = tuple(
            Bound(_hash(str(one["key_sha256"])), MachineName.parse(str(one["machine"])))
            for one in body["devices"]
        )
        signature = base64.b64decode(str(body["signature"]), validate=True)
        of, by = str(body["city"]), str(body["authority"])
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise ManifestError(
            "this is no signed manifest: 'tenone enrol manifest sign' makes one"
        ) from error
    if of != city:
        raise ManifestError(f"the manifest is of the city {shown(of)}, not {city}")
    signer = next((one for one in authorities if one.id == by), None)
    key = None if signer is None else signer.certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ManifestError("the manifest is not signed by an authority of this city")
    try:
        key.verify(signature, _text(bound, city), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ManifestError("the signature does not fit the manifest: it was changed") from None
    for one in bound:
        if one.machine.school is None:
            raise ManifestError(f"{one.machine} is made at no factory: a city names it itself")
    return bound


def manifest_id(data: bytes) -> str:
    """What the records call it."""
    return hashlib.sha256(data).hexdigest()


def _bound(number: int, row: object, school_of: SchoolOf) -> Bound:
    if not isinstance(row, Mapping) or not set(row) <= _FIELDS:
        raise ManifestError(f"row {number} holds other fields than {', '.join(sorted(_FIELDS))}")
    try:
        serial, kind = slug(str(row["serial"]), "serial"), str(row["kind"])
        school = row.get("school") or school_of(kind, serial)
        key = _key(row)
        if school is None:
            raise ManifestError(
                f"row {number}: no school's configuration lists {kind}/{serial}: add it there, or "
                "write 'school' in the row"
            )
        if kind == DeviceKind.GATEWAY:
            return Bound(key, MachineName.agent(str(school)))
        return Bound(key, MachineName.device(str(school), kind, serial))
    except KeyError as error:
        raise ManifestError(f"row {number} lacks {error}") from None
    except (IdentifierError, EnrolmentError) as error:
        raise ManifestError(f"row {number}: {error}") from None


def _key(row: Mapping[object, object]) -> str:
    given = row.get("key_sha256"), row.get("public_key")
    match given:
        case str() as text, None:
            return _hash(text.lower())
        case None, str() as pem:
            try:
                return spki_hash(load_pem_public_key(pem.encode("ascii"))).hex()
            except (ValueError, UnsupportedAlgorithm) as error:
                raise EnrolmentError("the public key cannot be read") from error
        case _:
            raise EnrolmentError("write either 'key_sha256' or 'public_key'")


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise EnrolmentError("a key's hash is 64 hexadecimal digits, SHA-256 of its DER form")
    return text


def _text(bound: Sequence[Bound], city: str) -> bytes:
    lines = [f"tenone-manifest {FORMAT}", f"city {city}"]
    lines += [f"{one.key} {one.machine}" for one in bound]
    return "".join(f"{line}\n" for line in lines).encode("ascii")
