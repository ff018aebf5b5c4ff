"""The lists of revoked certificates: made, written for a broker, served, renewed in time.

A broker that checks them refuses *everybody* of an authority whose list is missing or too old, so
the file holds a list of every trusted authority, and is written again long before it ends.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from controller.trust.authorities import Authorities
from controller.trust.ca import CRL_SECONDS, CaError, make_crl
from controller.trust.machine_records import MachineRecords
from tenone.trust.files import OPEN, KeyFileError, write_whole

CRL_FILE = "crl.pem"
RENEW_SECONDS = CRL_SECONDS // 14
"""Half a day: a controller that was away for days still finds it valid."""
MS = 1_000_000


@dataclass(slots=True)
class Lists:
    """What was made last."""

    pem: bytes = b""
    der: dict[str, bytes] = field(default_factory=dict)
    """By authority."""
    issuing: str = ""
    made: int = 0
    """Seconds of the epoch; 0: never."""
    number: int = 0
    """Of all of them (RFC 5280, 5.2.3)."""

    @property
    def until(self) -> int:
        """When they end."""
        return self.made + CRL_SECONDS


class CrlKeeper:
    """Makes and writes them. Blocks; runs in the records' thread."""

    def __init__(
        self, authorities: Authorities, records: MachineRecords, copy_to: Path | None
    ) -> None:
        self._authorities = authorities
        self._records = records
        self._copy_to = copy_to
        self._number = 0
        self._stale = False
        self.lists = Lists()

    @property
    def path(self) -> Path:
        """Where it always lies, PEM: one list after the other."""
        return self._authorities.folder / CRL_FILE

    @property
    def is_written(self) -> bool:
        """Whether the last attempt to make and write them succeeded."""
        return not self._stale

    def due(self, now: int) -> bool:
        """Whether it is time for new ones, also because the last could not be written."""
        return self._stale or now - self.lists.made >= RENEW_SECONDS or now < self.lists.made

    def make(self, now_ns: int) -> Lists:
        """Make and write them; raises :class:`CaError` and :class:`StoreError`."""
        self._stale = True
        now = now_ns // 1_000_000_000
        revoked = self._records.revoked(now)
        # Ever growing, also across restarts (RFC 5280, 5.2.3).
        self._number = max(self._number + 1, now_ns // MS)
        made = Lists(issuing=self._authorities.issuing.id, made=now, number=self._number)
        texts: list[bytes] = []
        for authority in self._authorities.trusted:
            if authority.key is None:
                continue
            crl = make_crl(authority, revoked.get(authority.id, ()), now=now, number=self._number)
            made.der[authority.id] = crl.public_bytes(Encoding.DER)
            texts.append(crl.public_bytes(Encoding.PEM))
        made.pem = b"".join(texts)
        try:
            for path in {self.path, self._copy_to or self.path}:
                write_whole(path, made.pem, mode=OPEN)
        except KeyFileError as error:
            raise CaError(f"the list of revoked certificates: {error}") from error
        self.lists, self._stale = made, False
        return made
