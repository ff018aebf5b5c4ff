"""R16 on the real path of repairs: what happens to each deed while the ledger cannot be written.

The rooms, records, API and ledger are the real ones, on a disk that is full or a folder that is
gone; only the agent is played. Nothing that changes a switch begins; a stop holds all the same;
what is measured, judged and told to people goes on; what waited goes on when the ledger does.
"""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from controller.trust.approval_model import Action, ActionState
from controller.trust.book import Book
from controller.trust.entries import Entry, LedgerError
from controller.trust.ledger import AuditLedger
from controller.trust.verify import rows_of, verify
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict
from tests.api.test_configurations import B as HASH
from tests.api.test_configurations import FakeConfigurations
from tests.enforcement.town import NO1, SLOW, RepairTown
from tests.trust.acting import BASE, WatchedLedger

ACTIONS = "/api/v1/actions"
WEST = {"scope": "binhai/west/no2", "reason": "exam"}
PADDING = Entry(act="test.write", actor="system", detail={"text": "x" * 3000})


class Closed:
    """A town with a real ledger, and its API."""

    def __init__(self, town: RepairTown, ledger: AuditLedger, place: Path) -> None:
        self.town = town
        self.ledger = ledger
        self.place = place
        self.configurations = FakeConfigurations()
        self.configurations.known["no1"] = replace(self.configurations.known["no3"], school="no1")
        self.waiting: Action

    def client(self, account: str, *roles: Role) -> httpx.AsyncClient:
        town = self.town
        services = Services(
            city=town.town.city,
            hub=Hub(town.clock, town.town.city),
            sessions=Sessions(town.clock),
            trend=Trend(town.clock, town.town.city),
            clock=town.clock,
            approvals=town.approvals,
            enforcement=town.room,
            configurations=self.configurations,
            ledger=self.ledger,
            notes=self.ledger,
        )
        grants = [Grant(role, ScopePath.parse("binhai")) for role in roles]
        token, _ = services.sessions.open(f"account:{account}", name=account, grants=grants)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(services), raise_app_exceptions=False),
            base_url=BASE,
            headers={"Origin": BASE},
            cookies={"tenone": token},
        )

    def acts(self) -> list[tuple[str, str]]:
        """What the ledger holds on disk, and how it ended."""
        bodies = [json.loads(row.body) for row in rows_of(self.place)]
        return [(one["act"], one["outcome"]) for one in bodies]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A tmpfs that can be filled, and what makes room again."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=True)

    def heal() -> None:
        subprocess.run(["mount", "-o", "remount,size=16m", str(place)], check=True)

    try:
        yield place / "ledger", heal
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


class Inline:
    """Does a thread's work at once."""

    async def __call__(self, work: Callable[..., Any], *args: Any) -> Any:
        return work(*args)

    def end(self) -> None:
        """There is none."""


@asynccontextmanager
async def closed(
    folder: Path, place: Path, break_it: Callable[[AuditLedger], Awaitable[None]], **rules: Any
) -> AsyncIterator[Closed]:
    """A town whose ledger cannot be written any more, with an action that waits for approval."""
    town = RepairTown(folder, **rules)
    ledger = AuditLedger(Book(place, city="binhai", boot="b"), town.clock)

    ledger._in_thread = Inline()  # type: ignore[assignment] # the clock is manual: a thread takes time unseen
    town.house = replace(town.house, ledger=ledger, notes=ledger)
    await ledger.open()
    async with Supervisor(town.clock) as tasks:
        tasks.start("ledger", ledger.run)
        async with town:
            made = Closed(town, ledger, place)
            made.waiting = await town.ask("bounce-port", "GE2")
            await break_it(ledger)
            assert ledger.figures.trouble
            yield made
    await ledger.close()


async def until_full(ledger: AuditLedger) -> None:
    for padding in (PADDING, replace(PADDING, detail={})):  # until not even a small one fits
        for _ in range(1000):
            try:
                await ledger.write(padding)
            except LedgerError as error:
                assert "full" in str(error)  # noqa: PT017 - the first that fails
                break
        else:
            raise AssertionError("it was never full")


def away(place: Path) -> None:
    place.rename(place.with_name("away"))


def back(place: Path) -> None:
    place.with_name("away").rename(place)


def moved(place: Path) -> Callable[[AuditLedger], Awaitable[None]]:
    async def move(ledger: AuditLedger) -> None:
        away(place)
        with pytest.raises(LedgerError):
            await ledger.write(PADDING)

    return move


async def request(made: Closed) -> int:
    before = len(await made.town.actions())
    async with made.client("li", Role.OPERATOR) as li:
        body = {
            "school": "no1", "intent": "bounce-port", "reason": "slow",
            "parameters": {"switch": "sw1", "port": "GE1"}, "retry": "retry-0001",
        }  # fmt: skip
        status = (await li.post(ACTIONS, json=body)).status_code
    assert len(await made.town.actions()) == before, "no action came of it"
    return status


async def approval(made: Closed) -> int:
    async with made.client("wang", Role.APPROVER) as wang:
        status = (
            await wang.post(
                f"{ACTIONS}/{made.waiting.id}/approvals", json={"plan": made.waiting.plan}
            )
        ).status_code
    (action,) = [one for one in await made.town.actions() if one.id == made.waiting.id]
    assert action.state is ActionState.WAITING
    return status


async def accept(made: Closed) -> int:
    async with made.client("ma", Role.MAINTAINER) as ma:
        status = (
            await ma.post("/api/v1/configurations/no1/core/accept", json={"hash": HASH})
        ).status_code
    assert made.configurations.asked == []
    return status


async def resume(made: Closed) -> int:
    await made.town.room.stop(NO1, by="Li", reason="look first")
    async with made.client("wang", Role.APPROVER) as wang:
        status = (
            await wang.delete(f"{ACTIONS}/stops", params={"scope": str(NO1), "reason": "seen"})
        ).status_code
    assert [one.scope for one in made.town.room.standing(NO1).stops] == [NO1]
    await made.town.room.resume(NO1, by="Wang")
    return status


async def red_stop(made: Closed) -> int:
    async with made.client("li", Role.OPERATOR) as li:
        status = (await li.post(f"{ACTIONS}/stops", json=WEST)).status_code
    no2 = ScopePath.parse(WEST["scope"])
    assert [one.reason for one in made.town.room.standing(no2).stops] == ["exam"]
    return status


DEEDS: Mapping[str, tuple[Callable[[Closed], Awaitable[int]], int]] = {
    "request": (request, 503),
    "approval": (approval, 503),
    "configuration accept": (accept, 503),
    "resume": (resume, 503),
    "red stop": (red_stop, 201),
}
"""What is asked for, and what is answered; each looks that nothing else happened."""


async def everything(made: Closed, heal: Callable[[], None]) -> None:
    """The table, then a fault that is judged and not repaired, then what goes on by itself."""
    town = made.town
    for name, (deed, wanted) in DEEDS.items():
        status = await deed(made)
        print(f"  {name:22} {status}")
        assert status == wanted, name
    town.columns = dict(SLOW)
    await town.run(30)
    found = town.town.city.link("no1/c301")
    assert found is not None
    assert found[1].verdict is Verdict.BAD, "what is measured is judged"
    assert town.town.room.engine.incidents, "and people are told"
    assert town.agent.acted == [], "nothing was begun"
    assert len(await town.actions()) == 1
    print("  automatic repair       not begun; the link is bad, its incident stands")
    heal()
    await town.run(75)
    assert made.ledger.health().ready
    assert len(town.agent.acted) == 1, "it goes on by itself"
    acts = made.acts()
    assert verify(made.place).bad is None
    assert ("ledger.gap", "failed") in acts
    assert acts.count(("enforcement.stop", "done")) == 1, "told late"
    granted = acts.index(("approval.grant", "done"))
    assert acts.index(("ledger.gap", "failed")) < granted
    print("  after it healed        repaired; the ledger tells of the gap and of the stop")


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a tmpfs")
async def test_a_full_disk(
    tmp_path: Path,
    full: tuple[Path, Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("controller.trust.ledger.RETRY_SECONDS", 0.01)
    place, heal = full
    async with closed(tmp_path, place, until_full, mode="auto") as made:
        await everything(made, heal)


async def test_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.trust.ledger.RETRY_SECONDS", 0.01)
    place = tmp_path / "ledger"
    async with closed(tmp_path, place, moved(place), mode="auto") as made:
        await everything(made, lambda: back(place))


class Failing(WatchedLedger):
    """Takes ``left`` entries, refuses the next ones, and is itself again when it is told so."""

    left = 10**9

    async def write(self, entry: Entry) -> None:
        """See the port."""
        self.broken = self.left <= 0
        self.left -= 1
        await super().write(entry)


@pytest.mark.slow
@pytest.mark.parametrize("taken", range(6))
async def test_it_fails_between_any_two_entries_of_a_repair(tmp_path: Path, taken: int) -> None:
    """Asked for, approved, begun, ended: whichever entry is the first that cannot be written."""
    town = RepairTown(tmp_path, mode="auto")
    ledger = Failing()
    town.house = replace(town.house, ledger=ledger)
    async with town:
        ledger.left = taken
        town.columns = dict(SLOW)
        await town.run(20)
        begun = [one for one in ledger.entries if one.act == "approval.execute"]
        assert len(town.agent.acted) <= len(begun), "nothing was begun without its entry"
        ledger.left = 10**9
        await town.run(200)
        assert len(town.agent.acted) == 1
        states = [one.state for one in await town.actions()]
        assert states.count(ActionState.DONE) == 1, states
