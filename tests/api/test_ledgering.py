"""Ledger first, deed second: every request that does something, with a ledger, without, failing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from controller.api.incident_services import NoIncidents
from controller.api.office_services import NoOffice
from controller.api.services import NoReports, NoTopology, Services
from controller.incidents.acts import ActError
from controller.incidents.duty import Duty, DutyRole
from controller.incidents.maintenance import Window
from controller.trust.entries import Entry, LedgerError, Outcome
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import RecordingActions, client_of, opened

NO3 = ScopePath.parse("binhai/east/no3")
WINDOW = Window(
    id="m-1", scope=NO3, link=None, start_ns=0, end_ns=10**19, reason="r", asked_by="a",
    approved_by="b", made_ns=0,
)  # fmt: skip
DUTY = Duty(row=7, scope=NO3, role=DutyRole.HEAD, name="李明", phone="13800000000", valid_from_ns=0)


@dataclass
class Order:
    """What happened, in order: entries and deeds."""

    happened: list[str | Entry] = field(default_factory=list)
    broken: bool = False
    failing: bool = False

    async def write(self, entry: Entry) -> None:
        if self.broken:
            raise LedgerError("the audit ledger cannot be written (database or disk is full)")
        self.happened.append(entry)

    def deed(self, name: str) -> None:
        self.happened.append(name)
        if self.failing:
            raise ActError("not so")


class Works(NoIncidents):
    def __init__(self, order: Order) -> None:
        self.order = order

    def windows(self, _scope: ScopePath) -> list[Window]:
        return [WINDOW]

    async def add_window(self, window: Window) -> Window:
        self.order.deed("add_window")
        return window

    async def end_window(self, _window: str, *, who: str) -> Window:
        self.order.deed("end_window")
        return replace(WINDOW, ended_by=who)


class Register(NoOffice):
    def __init__(self, order: Order) -> None:
        self.order = order

    async def duties(self, _scope: ScopePath) -> list[Duty]:
        return [DUTY]

    async def add_duty(self, duty: Duty) -> Duty:
        self.order.deed("add_duty")
        return duty

    async def end_duty(self, _number: int, _at_ns: int) -> Duty:
        self.order.deed("end_duty")
        return DUTY


class Cables(NoTopology):
    ITEM: Mapping[str, object] = {"id": "d1", "school": "no3"}

    def __init__(self, order: Order) -> None:
        self.order = order

    def drift(self, _scope: ScopePath) -> list[Mapping[str, object]]:
        return [self.ITEM]

    async def accept(self, _drift_id: str, _scope: ScopePath) -> Mapping[str, object]:
        self.order.deed("accept")
        return self.ITEM


class Papers(NoReports):
    def __init__(self, order: Order) -> None:
        self.order = order

    def sla(self, *_asked: object) -> Mapping[str, object]:
        self.order.deed("sla")
        return {}

    def inspection(self, *_asked: object) -> Mapping[str, object]:
        self.order.deed("inspection")
        return {}


class Polls(RecordingActions):
    order: Order

    async def poll_now(self, school: str, switch: str | None) -> Any:
        self.order.deed("poll_now")
        return await super().poll_now(school, switch)


@pytest.fixture
def order(services: Services) -> Order:
    made = Order()
    polls = Polls()
    polls.order = made
    services.ledger = made
    services.incidents = Works(made)
    services.office = Register(made)
    services.topology = Cables(made)
    services.reports = Papers(made)
    services.actions = polls
    return made


PLANNED = {
    "scope": "binhai/east/no3", "start": "2027-01-01T00:00:00Z", "end": "2027-01-01T02:00:00Z",
    "reason": "power", "approved_by": "赵强", "asked_by": "李明",
}  # fmt: skip
ENTERED = {"scope": "binhai/east/no3", "role": "head", "name": "李明", "by": "王芳"}
CASES: list[tuple[str, str, object, str, str]] = [
    ("POST", "maintenance", PLANNED, "maintenance.plan", "add_window"),
    ("POST", "maintenance/m-1/end", {"by": "李明"}, "maintenance.end", "end_window"),
    ("POST", "duty", ENTERED, "duty.enter", "add_duty"),
    ("POST", "duty/7/end", None, "duty.end", "end_duty"),
    ("POST", "drift/d1/accept", None, "drift.accept", "accept"),
    ("POST", "links/no3/c-1-1/recheck", None, "poll.request", "poll_now"),
    ("GET", "reports/sla?scope=binhai/east/no3", None, "report.make", "sla"),
    ("GET", "reports/inspection?scope=binhai/east/no3", None, "report.make", "inspection"),
]


async def ask(
    app: FastAPI, services: Services, method: str, path: str, body: object
) -> httpx.Response:
    token = opened(services, Role.OPERATOR, actor="account:li")
    async with client_of(app, token) as client:
        return await client.request(method, f"/api/v1/{path}", json=body)


@pytest.mark.parametrize(("method", "path", "body", "act", "deed"), CASES)
async def test_the_entry_comes_first(
    app: FastAPI, services: Services, order: Order, method: str, path: str, body: object, act: str,
    deed: str,
) -> None:  # fmt: skip
    answer = await ask(app, services, method, path, body)
    assert answer.status_code in {200, 201}, answer.text
    entry, done = order.happened
    assert isinstance(entry, Entry)
    assert (entry.act, entry.actor, entry.scope) == (act, "account:li", "binhai/east/no3")
    assert entry.outcome is Outcome.DONE
    assert done == deed


@pytest.mark.parametrize(("method", "path", "body", "act", "deed"), CASES)
async def test_without_the_ledger_nothing_is_done(
    app: FastAPI, services: Services, order: Order, method: str, path: str, body: object, act: str,
    deed: str,
) -> None:  # fmt: skip
    order.broken = True
    answer = await ask(app, services, method, path, body)
    assert answer.status_code == 503, f"{act} {deed}: {answer.text}"
    assert answer.headers["retry-after"]
    assert answer.json()["detail"] == (
        "This was not done: the audit ledger cannot be written (database or disk is full)."
    )
    assert order.happened == []


@pytest.mark.parametrize(("method", "path", "body", "act", "deed"), CASES[:3])
async def test_a_deed_that_fails_is_told(
    app: FastAPI, services: Services, order: Order, method: str, path: str, body: object, act: str,
    deed: str,
) -> None:  # fmt: skip
    order.failing = True
    answer = await ask(app, services, method, path, body)
    assert answer.status_code >= 400
    first, done, second = order.happened
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert done == deed
    assert second == replace(first, outcome=Outcome.FAILED)
    assert second.act == act


async def test_no_name_or_telephone_of_the_register_is_in_the_ledger(
    app: FastAPI, services: Services, order: Order
) -> None:
    for method, path, body, _act, _deed in CASES[2:4]:
        await ask(app, services, method, path, body)
    assert "李明" not in repr(order.happened)
    assert "138" not in repr(order.happened)


async def test_looking_goes_on_without_the_ledger(
    app: FastAPI, services: Services, order: Order
) -> None:
    order.broken = True
    for path in ("overview", "links", "incidents", "drift", "maintenance", "duty", "schools"):
        assert (await ask(app, services, "GET", path, None)).status_code == 200, path
