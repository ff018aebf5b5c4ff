"""A house with actions: records on disk, a ledger that can fail, a workshop that counts."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import sqlalchemy as sa
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from controller.trust.approval_model import Executed, Plan, PlanError
from controller.trust.approvals import ApprovalsRoom
from controller.trust.entries import Entry, LedgerError
from controller.trust.people.tables import AccountGrantRow, AccountRow
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.trust.approval import Risk, SignedApproval
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.incidents.house import Town
from tests.trust.approving import LINES, STATE

BASE = "http://127.0.0.1:8080"


class WatchedLedger:
    """Keeps entries in memory; fails when it is told to."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.notes: list[Entry] = []
        """What is told late."""
        self.broken = False

    async def write(self, entry: Entry) -> None:
        """See the port."""
        if self.broken:
            raise LedgerError("the ledger's disk is full")
        self.entries.append(entry)

    def note(self, entry: Entry) -> None:
        """See the port."""
        self.notes.append(entry)

    def acts(self) -> list[tuple[str, str, str]]:
        """What was done, by whom, and how it went."""
        return [(one.act, one.actor, one.outcome.value) for one in self.entries]


class CountingWorkshop:
    """Plans the same for everybody and counts executions."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = LINES
        self.facts: Mapping[str, str] = STATE
        self.risk = Risk.ORDINARY
        self.executed: list[SignedApproval] = []
        self.answer = Executed(good=True, sentence="Done.")

    async def plan(self, _school: str, intent: str, _parameters: Mapping[str, str], /) -> Plan:
        """See the port."""
        if intent != "port.renegotiate":
            raise PlanError(f"There is no intent {intent!r}.")
        return Plan(lines=self.lines, facts=self.facts, risk=self.risk)

    async def execute(self, _school: str, document: SignedApproval, /) -> Executed:
        """See the port."""
        self.executed.append(document)
        await asyncio.sleep(0)
        return self.answer


class ActionHouse:
    """The room of actions behind the real API, asked by real sessions."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.town = Town(folder, self.clock, Escalation())
        self.ledger = WatchedLedger()
        self.workshop = CountingWorkshop()
        self.room = self.started()
        self.services = self._services()
        self.app: FastAPI = create_app(self.services)
        self.room_scope = str(self.town.city.scope_of_school("no1") or "")

    def started(self) -> ApprovalsRoom:
        """A room of a controller that has just been started."""
        room = ApprovalsRoom(replace(self.town.house, ledger=self.ledger))
        room.workshop = self.workshop
        room.open()
        return room

    def _services(self) -> Services:
        return Services(
            city=self.town.city,
            hub=Hub(self.clock, self.town.city),
            sessions=Sessions(self.clock),
            trend=Trend(self.clock, self.town.city),
            clock=self.clock,
            approvals=self.room,
            ledger=self.ledger,
        )

    def restart(self) -> None:
        """The controller is killed and started again."""
        self.room = self.started()
        self.services.approvals = self.room

    def client(self, actor: str, *roles: Role, scope: str = "") -> httpx.AsyncClient:
        """A new session of somebody with these roles."""
        grants = [Grant(role, ScopePath.parse(scope)) for role in roles]
        self.account(actor, grants)
        token, _ = self.services.sessions.open(actor, name=actor.partition(":")[2], grants=grants)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=BASE,
            headers={"Origin": BASE},
            cookies={"tenone": token},
        )

    def account(
        self, actor: str, grants: Iterable[Grant] = (), *, enabled: bool = True, made: float = 0.0
    ) -> None:
        """Keep the account behind ``actor``, as it stands from now on."""
        kind, _, name = actor.partition(":")
        if kind != "account":
            return
        with self.town.records.unit() as work:
            work.execute(sa.delete(AccountRow).where(AccountRow.name == name))
            work.execute(sa.delete(AccountGrantRow).where(AccountGrantRow.account == name))
            work.add(AccountRow(
                name=name, display=name, enabled=enabled, second_step=0, provider="", subject="",
                failures=0, locked_until=0.0, version=1, created_at=made,
            ))  # fmt: skip
            for one in set(grants):
                work.add(AccountGrantRow(account=name, role=one.role, scope=str(one.scope)))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Its task runs."""
        task = asyncio.create_task(self.room.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settled(self) -> None:
        """Let the room do what there is to do: some looks, each a second of its clock."""
        async with self.running():
            for _ in range(3):
                for _ in range(20):
                    await asyncio.sleep(0)
                self.clock.advance(1.1)

    def close(self) -> None:
        """Give the files back."""
        self.town.close()


def asked(retry: str = "retry-0001", **changed: object) -> dict[str, object]:
    """The body of a request."""
    body: dict[str, object] = {
        "school": "no1",
        "intent": "port.renegotiate",
        "parameters": {"port": "GE1"},
        "reason": "class 301 is slow",
        "retry": retry,
    }
    return body | changed
