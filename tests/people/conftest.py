"""A desk of accounts on real tables, hashing cheaply, with a ledger that can be made to fail."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import pyotp
import pytest
from argon2 import PasswordHasher

from controller.api.session_records import RecordsSessionStore
from controller.api.sessions import Session, Sessions
from controller.store.records import SqlRecords
from controller.trust.entries import Entry, LedgerError
from controller.trust.people import second
from controller.trust.people.desk import People
from controller.trust.people.parts import Checker, Parts, Seal
from controller.trust.people.passwords import Hashing
from controller.trust.people.records import AccountRecords
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath

P = ParamSpec("P")
T = TypeVar("T")
PASSWORD = "a long walk by the sea"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ROOT = ScopePath()


async def at_once(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the records' thread does, here and now."""
    return work(*args, **kwargs)


class Told:
    """A ledger in memory; ``broken`` makes it refuse."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.broken = False

    async def write(self, entry: Entry) -> None:
        if self.broken:
            raise LedgerError("the ledger's disk is full")
        self.entries.append(entry)

    @property
    def acts(self) -> list[str]:
        return [entry.act for entry in self.entries]


class House:
    """People with a clock, and the ways tests make and use accounts."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.sql = SqlRecords(f"sqlite:///{folder / 'records.db'}")
        self.sql.start()
        self.records = AccountRecords(self.sql.engine)
        self.sessions = Sessions(self.clock, RecordsSessionStore(self.sql.engine))
        self.ledger = Told()
        parts = Parts(
            records=self.records,
            in_records=at_once,
            clock=self.clock,
            ledger=self.ledger,
            checker=Checker(Hashing(CHEAP)),
            seal=Seal(b"k" * 32),
            city="binhai",
        )
        self.people = People(parts, self.sessions)
        self.secrets: dict[str, str] = {}

    def account(self, name: str, *grants: Grant, factor: bool = True) -> None:
        """A usable account, made at the records."""
        self.records.create(name, name.title(), grants, self.now)
        self.records.set_password(name, CHEAP.hash(PASSWORD))
        if factor:
            secret = self.secrets[name] = second.new_secret()
            self.records.set_second(name, self.people.parts.seal.shut(name, secret), 0, ())

    def code(self, name: str) -> str:
        return pyotp.TOTP(self.secrets[name]).at(int(self.now))

    async def sign_in(self, name: str, password: str = PASSWORD) -> Session:
        code = self.code(name) if name in self.secrets else ""
        _, session = await self.people.door.sign_in(name, password, code, "client")
        self.clock.advance(60)
        return session

    @property
    def now(self) -> float:
        return self.clock.wall_ns() / 1e9


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.account("keeper", Grant(Role.SECURITY_ADMIN, ROOT))
    yield made
    made.sql.close()
