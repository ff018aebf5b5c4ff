"""A city's desk for machines on real records, with a clock that is moved by hand."""

import base64
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import ParamSpec, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from controller.store.records import SqlRecords
from controller.trust.authorities import Authorities
from controller.trust.ca import LIFETIMES
from controller.trust.crl import CrlKeeper
from controller.trust.entries import Entry, LedgerError
from controller.trust.machine_desk import DeskParts, MachineDesk
from controller.trust.machine_records import MachineRecords
from controller.trust.papers import Papers
from controller.trust.registry import Registry
from tenone.runtime.clock import ManualClock
from tenone.trust.enrolment import NONCE_BYTES, Renewal, load_certificates, make_csr, new_key
from tenone.trust.names import MachineKind, MachineName
from tenone.vocabulary.scope import ScopePath

P = ParamSpec("P")
T = TypeVar("T")
EAST = ScopePath.parse("binhai/east")


@dataclass
class FakeLedger:
    """Remembers entries; refuses them while ``broken``."""

    entries: list[Entry] = field(default_factory=list)
    broken: bool = False

    async def write(self, entry: Entry) -> None:
        if self.broken:
            raise LedgerError("the audit ledger cannot be written")
        self.entries.append(entry)

    def acts(self) -> list[tuple[str, str, str]]:
        return [(one.act, one.subject, one.outcome.value) for one in self.entries]


@cache
def empty_records() -> Path:
    path = Path(mkdtemp()) / "empty.db"
    made = SqlRecords(f"sqlite:///{path}")
    made.start()
    made.close()
    return path


async def at_once(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return work(*args, **kwargs)


def scope_of(name: MachineName) -> ScopePath | None:
    """Schools no1 to no9 and the city's own exist."""
    if name.school is None:
        return ScopePath.parse("binhai")
    is_here = name.school.startswith("no") and name.school[2:].isdigit()
    return EAST.child(name.school) if is_here else None


@dataclass
class City:
    """Everything of it."""

    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    lifetimes: Mapping[MachineKind, int] = field(default_factory=lambda: LIFETIMES)

    def __post_init__(self) -> None:
        here = self.folder / "records.db"
        if not here.exists():  # made once, copied since
            shutil.copy(empty_records(), here)
        self.sql = SqlRecords(f"sqlite:///{here}")
        self.sql.start()
        self.records = MachineRecords(self.sql)
        self.authorities = Authorities(self.folder / "ca", "binhai")
        self.registry = Registry()
        self.registry.restore(self.records.load(self.now))
        self.crl = CrlKeeper(self.authorities, self.records, self.folder / "broker-crl.pem")
        self.desk = MachineDesk(
            DeskParts(
                city="binhai",
                authorities=self.authorities,
                records=self.records,
                registry=self.registry,
                crl=self.crl,
                clock=self.clock,
                ledger=self.ledger,
                in_records=at_once,
                scope_of=scope_of,
                lifetimes=self.lifetimes,
                crl_url="https://c.example/api/v1/crl",
            )
        )

    @property
    def now(self) -> int:
        return self.clock.wall_ns() // 10**9

    async def enrol(
        self, machine: str = "agent:no3", key: ec.EllipticCurvePrivateKey | None = None
    ) -> "Holder":
        token, _ = await self.desk.token(machine, by="account:wang")
        key = key or new_key()
        papers = await self.desk.enrol(token=token.text, csr=make_csr(key, "x"), client="10.0.0.1")
        return Holder(self, key, papers)

    def close(self) -> None:
        self.sql.close()


@dataclass
class Holder:
    """A machine with its key and papers."""

    city: City
    key: ec.EllipticCurvePrivateKey
    papers: Papers

    @property
    def certificate(self) -> x509.Certificate:
        return load_certificates(self.papers.chain.encode())[0]

    def request(self, csr: str, **other: int) -> Renewal:
        values = {"serial": self.certificate.serial_number, "wall_ns": self.city.clock.wall_ns()}
        values |= other
        nonce = secrets.token_bytes(NONCE_BYTES)
        return Renewal(csr=csr, nonce=nonce, **values)


def renewal_body(
    own: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    following: ec.EllipticCurvePrivateKey,
    wall_ns: int,
) -> dict[str, object]:
    """What is posted to ``/renewals``."""
    asked = Renewal(
        serial=own.serial_number,
        csr=make_csr(following, "x"),
        wall_ns=wall_ns,
        nonce=secrets.token_bytes(NONCE_BYTES),
    )
    return {
        "serial": f"{asked.serial:x}",
        "csr": asked.csr,
        "wall_ns": asked.wall_ns,
        "nonce": asked.nonce.hex(),
        "signature": base64.b64encode(asked.sign(key)).decode(),
    }
