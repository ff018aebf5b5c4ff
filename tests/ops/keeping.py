"""Real desks of accounts, keys and machines around a small city, for the pages of keepers."""

import shutil
from dataclasses import replace
from pathlib import Path

import pyotp

from controller.api.services import Services
from controller.api.sessions import Session
from controller.store.records import SqlRecords
from controller.trust.keys.desk import Keys
from controller.trust.keys.records import KeyRecords
from controller.trust.machine_standing import Cut, CutState, Refusal, Word
from controller.trust.people import second
from controller.trust.people.desk import People
from controller.trust.people.parts import Checker, Parts, Seal
from controller.trust.people.passwords import Hashing
from controller.trust.people.records import AccountRecords
from controller.trust.registry import Certificate, Machine
from tenone.runtime.clock import Clock
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.people.conftest import CHEAP, PASSWORD, Told, at_once
from tests.trust.city import City, empty_records

DAY = 86_400
NS = 10**9


class Watching:
    """Says of a session what it was told to."""

    def __init__(self) -> None:
        self.cuts: dict[str, Cut] = {}

    def cut_of(self, machine: Machine) -> Cut | None:
        if machine.revoked_ns is None:
            return None
        return self.cuts.get(machine.name, Cut(state=CutState.UNKNOWN))


class Kept:
    """Everything keepers keep; fills ``services`` with it."""

    def __init__(self, services: Services, folder: Path, clock: Clock) -> None:
        self.services, self.clock = services, clock
        self.ledger = Told()
        shutil.copy(empty_records(), folder / "people.db")  # made once a process
        self.sql = SqlRecords(f"sqlite:///{folder / 'people.db'}")
        self.sql.start()
        self.records = AccountRecords(self.sql.engine)
        parts = Parts(
            records=self.records,
            in_records=at_once,
            clock=clock,
            ledger=self.ledger,
            checker=Checker(Hashing(CHEAP)),
            seal=Seal(b"k" * 32),
            city="binhai",
        )
        self.people = services.people = People(parts, services.sessions)
        self.keys = services.keys = Keys(KeyRecords(self.sql.engine), at_once, clock, self.ledger)
        self.machines = City(folder, clock=clock)  # type: ignore[arg-type]  # any clock will do
        services.machines = self.machines.desk
        self.watching = services.machine_sessions = Watching()
        services.ledger = self.ledger

    @property
    def now(self) -> float:
        return self.clock.wall_ns() / NS

    def account(self, name: str, *grants: Grant, factor: bool = True) -> None:
        """A usable account, made at the records."""
        self.records.create(name, name.title(), grants, self.now)
        self.records.set_password(name, CHEAP.hash(PASSWORD))
        if factor:
            secret = second.new_secret()
            codes = [second.digest(str(number)) for number in range(10)]
            self.records.set_second(name, self.people.parts.seal.shut(name, secret), 0, codes)
            assert pyotp.TOTP(secret).now()

    def open(self, name: str, role: Role, *scopes: str, client: str = "10.1.2.3") -> str:
        """The cookie value of a fresh session of an account."""
        grants = [Grant(role, ScopePath.parse(scope)) for scope in scopes or ("",)]
        token, session = self.services.sessions.open(f"account:{name}", name=name, grants=grants)
        self.services.sessions.came_from(session, client, "Chrome, Android")
        return token

    def session(self, token: str) -> Session:
        found = self.services.sessions.find(token)
        assert found is not None
        return found

    def machine(self, name: str, scope: str, *, left: float = 6 * DAY, **changes: object) -> None:
        """A machine with a certificate of seven days, ``left`` seconds of it to go."""
        ends = round(self.now + left)
        issued_ns = (ends - 7 * DAY) * NS
        one = Certificate(
            serial="7a11" * 4,
            authority="a" * 16,
            key="5f" * 32,
            issued_ns=issued_ns,
            not_before=ends - 7 * DAY,
            not_after=ends,
        )
        made = Machine(
            name=name,
            scope=ScopePath.parse(scope),
            certificates=(one,),
            invited_ns=issued_ns,
            enrolled_ns=issued_ns - 30 * DAY * NS,
        )
        self.machines.registry.put(
            replace(made, **changes)  # type: ignore[arg-type]  # fields by name
        )

    def whole_city(self) -> None:
        """Every state a screen must show."""
        self.machine("agent:no1", "binhai/east/no1")
        self.machine("agent:no3", "binhai/east/no3", left=1.2 * DAY)
        self.machine("agent:no12", "binhai/east/no12", left=-3600)
        revoked_ns = round((self.now - 600) * NS)
        self.machine("agent:no5", "binhai/west/no5", revoked_ns=revoked_ns, why="被盗 stolen")
        self.machine("agent:no7", "binhai/north/no7", certificates=(), enrolled_ns=None)
        self.machine("agent:evil", "binhai/north/evil")
        self.machine("device:no1/board/b-1-1", "binhai/east/no1", left=5 * DAY)
        memory = self.machines.desk._parts.memory
        memory.since = self.now - DAY
        text = "the certificate ends in 1.2 days and could not be renewed: no route to host"
        memory.said("no3", Word(at=self.now - 40, text=text))
        for code, client in (("token", "203.0.113.7"), ("renewal", "10.20.0.12")):
            memory.refused(
                Refusal(
                    at=self.now - 300,
                    act="machine.enrol" if code == "token" else "machine.renew",
                    code=code,
                    client=client,
                    machine="" if code == "token" else "agent:no12",
                )
            )

    def close(self) -> None:
        self.machines.close()
        self.sql.close()
