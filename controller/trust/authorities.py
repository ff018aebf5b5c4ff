"""The authorities of a city on disk: which one issues, which ones are trusted.

::

    ca/authorities.json          which one issues, which are trusted
    ca/told                      what the ledger knows of that
    ca/<id>/certificate.pem      the authority's own certificate
    ca/<id>/above.pem            from its issuer up to the root, where it is no root
    ca/<id>/key.pem              mode 0600; sealed by the vault, under a passphrase, or both

A new root takes over in three steps, so that no handshake is refused in between: it is *trusted*
beside the old one until every machine has heard of it (:meth:`add`), then it *issues*
(:meth:`switch`), and when nothing of the old one is valid any more that one is *retired*.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller.trust.ca import Authority, CaError, make_root, pem, signed_by
from tenone.trust.enrolment import EnrolmentError, load_certificates, spki_hash
from tenone.trust.files import OPEN, KeyFileError, read_open, write_whole
from tenone.trust.sealed_files import SealedFiles

STATE_FILE = "authorities.json"
TOLD_FILE = "told"
"""The hash of the state that the ledger has; who made an authority need not be the controller."""
FORMAT = 1


@dataclass(frozen=True, slots=True)
class _State:
    issuing: str
    trusted: tuple[str, ...]
    since: Mapping[str, int] = field(default_factory=dict)
    """When each came to be trusted here, seconds of the epoch."""


class Authorities:
    """The folder. Methods block; raises :class:`CaError` throughout.

    ``passphrase`` and ``files`` seal the keys; without both that is left to the file's mode.
    """

    def __init__(
        self,
        folder: Path,
        city: str,
        passphrase: bytes | None = None,
        files: SealedFiles | None = None,
    ) -> None:
        self.folder = folder
        self._city = city
        self._passphrase = passphrase
        self._files = files or SealedFiles()
        self._loaded: dict[str, Authority] = {}
        self._state: _State | None = None
        self._seen: tuple[int, int] = (0, 0)

    @property
    def is_sealed(self) -> bool:
        """Whether keys are written under a passphrase."""
        return self._passphrase is not None

    def exists(self) -> bool:
        """Whether there is an authority already."""
        return (self.folder / STATE_FILE).exists()

    def open(self, now: int) -> None:
        """Read the folder; the first time, make a root."""
        if not self.exists():
            root = make_root(self._city, now)
            self._keep(root)
            self._write(_State(root.id, (root.id,), {root.id: now}))
        self.reload()

    def reload(self) -> bool:
        """Read what another process changed; whether anything was."""
        path = self.folder / STATE_FILE
        try:
            status = path.stat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen == self._seen:
                return False
            said = json.loads(read_open(path))
            state = _State(
                str(said["issuing"]),
                tuple(str(one) for one in said["trusted"]),
                {str(one): int(at) for one, at in said["since"].items()},
            )
        except (
            OSError, KeyFileError, ValueError, KeyError, TypeError, AttributeError
        ) as error:  # fmt: skip
            raise CaError(
                f"{path} cannot be read ({error}): restore the folder {self.folder} from its backup"
            ) from error
        self._loaded = {
            one: self._load(one, needs_key=one == state.issuing) for one in state.trusted
        }
        if state.issuing not in self._loaded:
            raise CaError(f"{path} names an authority as issuing that it does not trust")
        self._state, self._seen = state, seen
        return True

    @property
    def issuing(self) -> Authority:
        """The one that signs."""
        return self._loaded[self._read_state.issuing]

    @property
    def trusted(self) -> tuple[Authority, ...]:
        """All that count, the issuing one first."""
        rest = [one for one in self._loaded.values() if one.id != self.issuing.id]
        return (self.issuing, *rest)

    def since(self, authority_id: str) -> int:
        """When an authority came to be trusted here: who renewed later has heard of it."""
        self._known(authority_id)
        return self._read_state.since[authority_id]

    @property
    def bundle(self) -> bytes:
        """The roots that machines and brokers are told to trust, PEM."""
        roots: list[x509.Certificate] = []
        for authority in self.trusted:
            if authority.root not in roots:
                roots.append(authority.root)
        return pem(*roots)

    def chain(self, certificate: x509.Certificate) -> bytes:
        """What the holder of ``certificate`` shows: it and all above it but the root, PEM."""
        authority = self.issuer_of(certificate)
        if authority is None:
            raise CaError("the certificate is not of an authority of this city")
        between = (authority.certificate, *authority.above)[:-1]
        return pem(certificate, *between)

    def issuer_of(self, certificate: x509.Certificate) -> Authority | None:
        """Which of the trusted ones signed it; None: none."""
        return next((one for one in self.trusted if signed_by(certificate, one)), None)

    # -- for the ledger

    def untold(self) -> str | None:
        """The state's hash, if it is not the one the ledger was last told; else None."""
        try:
            state = hashlib.sha256(read_open(self.folder / STATE_FILE)).hexdigest()
            told = self.folder / TOLD_FILE
            if told.exists() and read_open(told).decode("ascii", "replace") == state:
                return None
        except KeyFileError as error:
            raise CaError(str(error)) from error
        return state

    def mark_told(self, state: str) -> None:
        """The ledger has it."""
        try:
            write_whole(self.folder / TOLD_FILE, state.encode("ascii"), mode=OPEN)
        except KeyFileError as error:
            raise CaError(str(error)) from error

    # -- one takes over from another ------------------------------------------------------

    def add(self, now: int) -> Authority:
        """Make a new root that is trusted beside the others and issues nothing yet."""
        fresh = make_root(self._city, now)
        self._keep(fresh)
        self._trust(fresh, now)
        return fresh

    def bring(
        self, certificates: bytes, key: bytes, passphrase: bytes | None, *, now: int
    ) -> Authority:
        """Take in an authority made elsewhere: its certificate first, then those above it."""
        try:
            own, *above = load_certificates(certificates)
            private = serialization.load_pem_private_key(key, passphrase)
        except (EnrolmentError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise CaError(f"the authority cannot be taken in: {error}") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise CaError("the authority's key is not one of ECDSA: make one on P-256")
        if spki_hash(private.public_key()) != spki_hash(own.public_key()):
            raise CaError("key and certificate of the authority do not belong together")
        brought = Authority(own, private, tuple(above))
        _check_authority(brought)
        self._keep(brought)
        self._trust(brought, now)
        return brought

    def switch(self, authority_id: str) -> None:
        """Let another trusted one issue from now on."""
        self._known(authority_id)
        self._load(authority_id, needs_key=True)
        state = self._read_state
        self._write(_State(authority_id, state.trusted, state.since))
        self.reload()

    def retire(self, authority_id: str) -> None:
        """Trust one no longer."""
        self._known(authority_id)
        state = self._read_state
        if authority_id == state.issuing:
            raise CaError(
                f"the authority {authority_id} issues: let another one do so first, with "
                "'tenone enrol ca switch'"
            )
        left = tuple(one for one in state.trusted if one != authority_id)
        self._write(_State(state.issuing, left, state.since))
        self.reload()

    # -- files ------------------------------------------------------------------------------

    @property
    def _read_state(self) -> _State:
        if self._state is None:
            raise CaError("the authorities have not been read yet")
        return self._state

    def _known(self, authority_id: str) -> None:
        if authority_id not in self._loaded:
            names = ", ".join(self._loaded)
            raise CaError(f"there is no authority {authority_id[:32]!r}: there are {names}")

    def _trust(self, authority: Authority, now: int) -> None:
        state = _State(authority.id, ())
        if self.exists():
            self.reload()
            state = self._read_state
        trusted = (*(one for one in state.trusted if one != authority.id), authority.id)
        self._write(_State(state.issuing, trusted, {authority.id: now, **state.since}))
        self.reload()

    def _keep(self, authority: Authority) -> None:
        sealing: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if self._passphrase is not None:
            sealing = serialization.BestAvailableEncryption(self._passphrase)
        key = authority.signing_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing
        )
        home = self.folder / authority.id
        try:
            self._files.write(home / "key.pem", _what(authority.id), key)
            if authority.above:
                write_whole(home / "above.pem", pem(*authority.above), mode=OPEN)
            write_whole(home / "certificate.pem", pem(authority.certificate), mode=OPEN)
        except KeyFileError as error:
            raise CaError(f"the city's certificate authority: {error}") from error

    def _write(self, state: _State) -> None:
        body = {
            "format": FORMAT,
            "issuing": state.issuing,
            "trusted": list(state.trusted),
            "since": {one: state.since[one] for one in state.trusted},
        }
        try:
            write_whole(self.folder / STATE_FILE, json.dumps(body).encode(), mode=OPEN)
        except KeyFileError as error:
            raise CaError(f"the city's certificate authority: {error}") from error

    def _load(self, authority_id: str, *, needs_key: bool) -> Authority:
        home = self.folder / authority_id
        try:
            (own,) = load_certificates(read_open(home / "certificate.pem"))
            above: Iterable[x509.Certificate] = ()
            if (home / "above.pem").exists():
                above = load_certificates(read_open(home / "above.pem"))
            found = Authority(own, self._load_key(home / "key.pem", authority_id), tuple(above))
        except (KeyFileError, EnrolmentError, ValueError) as error:
            raise CaError(f"the city's certificate authority in {home}: {error}") from error
        if found.id != authority_id:
            raise CaError(f"{home} holds the authority {found.id}: somebody changed the folder")
        if found.key is None and needs_key:
            raise CaError(f"{home / 'key.pem'} is missing: restore it from its backup")
        if found.key is not None:
            _check_authority(found)
        return found

    def _load_key(self, path: Path, authority_id: str) -> ec.EllipticCurvePrivateKey | None:
        if not path.exists():
            return None
        data = self._files.read(path, _what(authority_id))
        sealed = b"ENCRYPTED" in data
        try:
            key = serialization.load_pem_private_key(data, self._passphrase if sealed else None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            why = "is sealed and trust.ca.passphrase is " + (
                "not set" if self._passphrase is None else "another one"
            )
            raise KeyFileError(f"{path} {why if sealed else 'is damaged'}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeyFileError(f"{path} is not a key of ECDSA")
        return key


def _what(authority_id: str) -> str:
    return f"authority {authority_id}"


def _check_authority(authority: Authority) -> None:
    """That it may sign certificates and lists, and that those above it vouch for it."""
    if spki_hash(authority.signing_key.public_key()) != authority.spki:
        raise CaError(f"key and certificate of the authority {authority.id} do not belong together")
    extensions = authority.certificate.extensions
    try:
        is_ca = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        is_ca, usage = False, None
    if not is_ca or usage is None or not usage.key_cert_sign or not usage.crl_sign:
        raise CaError(
            "this certificate is not of an authority that may sign certificates and revocation "
            "lists (basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign)"
        )
    below = authority.certificate
    for above in authority.above:
        if not signed_by(below, Authority(above, None)):
            raise CaError("each certificate above the authority must have signed the one before")
        below = above
    if not signed_by(below, Authority(below, None)):
        raise CaError("the last certificate above the authority must be a root")
