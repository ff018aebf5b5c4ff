"""Repairs over HTTP: standing, proposals, dry runs, courses, the red stop; who may what."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from controller.api.enforcement_schemas import cable_of
from controller.api.enforcement_services import NoEnforcement
from controller.api.services import Services
from controller.store.protocols import StoreError
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened
from tests.api.fake_enforcement import LINES, PROVED, WAITING, FakeApprovals, FakeEnforcement
from tests.trust.acting import WatchedLedger

ACTIONS = "/api/v1/actions"
NO3 = {"scope": "binhai/east/no3", "reason": "exam tomorrow"}
TRY = {"school": "no3", "intent": "bounce-port", "parameters": {"switch": "acc-3", "port": "7"}}


@pytest.fixture
def repairs(services: Services, clock: ManualClock) -> FakeEnforcement:
    now = clock.wall_ns() / 1e9
    services.enforcement = made = FakeEnforcement(now)
    services.approvals = FakeApprovals(now)
    return made


@pytest.fixture
def ledger(services: Services) -> WatchedLedger:
    services.ledger = made = WatchedLedger()
    return made


@pytest.fixture
async def approver(app: FastAPI, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, opened(services, Role.APPROVER, "binhai/east")) as client:
        yield client


async def test_standing_proposals_and_course(
    operator: httpx.AsyncClient, repairs: FakeEnforcement
) -> None:
    stands = (await operator.get(f"{ACTIONS}/standing", params={"scope": "binhai"})).json()
    assert stands["modes"]["restore-negotiation"] == "auto"
    assert (stands["changes_today"], stands["failures_today"], stands["stops"]) == (2, 1, [])
    found = (await operator.get(f"{ACTIONS}/proposals")).json()
    assert found["total"] == len(repairs.kept) == 2
    first, second = found["items"]
    assert [one["guard"] for one in first["held"]] == ["class-hours", "stopped"]
    assert second["intent"] is None
    cut = (await operator.get(f"{ACTIONS}/proposals", params={"limit": 1})).json()
    assert (len(cut["items"]), cut["total"]) == (1, 2)
    course = (await operator.get(f"{ACTIONS}/{PROVED}/course")).json()
    assert [one["step"] for one in course["steps"]][-2:] == ["proved", "done"]
    assert course["faulted"] < course["judged"] < course["proved"]
    waiting = (await operator.get(f"{ACTIONS}/{WAITING}/course")).json()
    assert (waiting["steps"], waiting["link"]) == ([], "no3/c-3-2")


async def test_a_scope_sees_its_own(
    east: httpx.AsyncClient, app: FastAPI, services: Services, repairs: FakeEnforcement
) -> None:
    items = (await east.get(f"{ACTIONS}/proposals")).json()["items"]
    assert [one["school"] for one in items] == ["no3"]
    for query in ("binhai", "binhai/west"):
        for what in ("proposals", "standing"):
            answer = await east.get(f"{ACTIONS}/{what}", params={"scope": query})
            assert answer.status_code == 404
    async with client_of(app, opened(services, Role.VIEWER, "binhai/west")) as west:
        assert (await west.get(f"{ACTIONS}/{PROVED}/course")).status_code == 404
    assert repairs.stops == []


async def test_a_dry_run_says_lines_and_guards_and_keeps_nothing(
    operator: httpx.AsyncClient, repairs: FakeEnforcement, ledger: WatchedLedger
) -> None:
    answer = await operator.post(f"{ACTIONS}/dry-run", json=TRY)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["lines"], body["risk"]) == (list(LINES), "ordinary")
    assert [one["guard"] for one in body["held"]] == ["class-hours", "stopped"]
    assert len(body["plan"]) == 64
    assert ledger.acts() == [("enforcement.dry-run", "code", "done")]
    odd = await operator.post(f"{ACTIONS}/dry-run", json=TRY | {"intent": "reboot"})
    assert (odd.status_code, odd.json()["detail"]) == (409, "There is no intent 'reboot'.")
    assert ledger.acts()[-1] == ("enforcement.dry-run", "code", "failed")
    assert len(repairs.asked) == 2


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.OPERATOR, 200),
        (Role.APPROVER, 200),
        (Role.VIEWER, 403),
        (Role.MAINTAINER, 403),
        (Role.SYSTEM_ADMIN, 403),
        (Role.SECURITY_ADMIN, 404),
    ],
)
async def test_who_may_try(
    app: FastAPI, services: Services, repairs: FakeEnforcement, role: Role, status: int
) -> None:
    async with client_of(app, opened(services, role)) as client:
        assert (await client.post(f"{ACTIONS}/dry-run", json=TRY)).status_code == status
    async with client_of(app, opened(services, role, "binhai/west")) as client:
        assert (await client.post(f"{ACTIONS}/dry-run", json=TRY)).status_code == 404
    assert len(repairs.asked) == (status == 200)


@pytest.mark.parametrize(
    ("role", "stops", "resumes"),
    [
        (Role.OPERATOR, 201, 403),
        (Role.APPROVER, 201, 204),
        (Role.SYSTEM_ADMIN, 201, 204),
        (Role.MAINTAINER, 403, 403),
        (Role.VIEWER, 403, 403),
        (Role.AUDIT_ADMIN, 404, 404),
    ],
)
async def test_who_may_stop_and_who_resumes(
    app: FastAPI,
    services: Services,
    repairs: FakeEnforcement,
    role: Role,
    stops: int,
    resumes: int,
) -> None:
    async with client_of(app, opened(services, role, "binhai/east")) as client:
        answer = await client.post(f"{ACTIONS}/stops", json=NO3)
        assert answer.status_code == stops
        if stops == 201:
            assert answer.json()["reason"] == "exam tomorrow"
            assert [str(one.scope) for one in repairs.stops] == ["binhai/east/no3"]
        # above one's own scope: nobody of a district stops or frees the city
        above = await client.post(f"{ACTIONS}/stops", json=NO3 | {"scope": "binhai"})
        assert above.status_code in {403, 404}
        answer = await client.delete(f"{ACTIONS}/stops", params=NO3)
        assert answer.status_code == resumes
        assert len(repairs.stops) == (stops == 201 and resumes != 204)


async def test_a_stop_waits_for_no_ledger_and_is_told_later(
    approver: httpx.AsyncClient,
    services: Services,
    repairs: FakeEnforcement,
    ledger: WatchedLedger,
) -> None:
    ledger.broken = True
    services.notes = ledger
    assert (await approver.post(f"{ACTIONS}/stops", json=NO3)).status_code == 201
    assert len(repairs.stops) == 1
    assert ledger.entries == []
    (late,) = ledger.notes
    assert (late.act, late.actor, late.detail["told_late"]) == ("enforcement.stop", "code", True)


async def test_a_stop_that_cannot_be_written_down_holds_and_says_so(
    approver: httpx.AsyncClient,
    repairs: FakeEnforcement,
    ledger: WatchedLedger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreError("the records' disk is full")

    monkeypatch.setattr(repairs, "stop", full)
    answer = await approver.post(f"{ACTIONS}/stops", json=NO3)
    assert answer.status_code == 503
    assert "holds from this moment" in answer.text
    assert [one[0] for one in ledger.acts()] == ["enforcement.stop"]


async def test_a_resume_is_ledgered_first(
    approver: httpx.AsyncClient, repairs: FakeEnforcement, ledger: WatchedLedger
) -> None:
    assert (await approver.post(f"{ACTIONS}/stops", json=NO3)).status_code == 201
    shown = (await approver.get(f"{ACTIONS}/standing", params={"scope": "binhai/east"})).json()
    assert shown["stops"][0]["by"] == "code"
    ledger.broken = True
    assert (await approver.delete(f"{ACTIONS}/stops", params=NO3)).status_code == 503
    assert len(repairs.stops) == 1
    ledger.broken = False
    assert (await approver.delete(f"{ACTIONS}/stops", params=NO3)).status_code == 204
    assert [one[0] for one in ledger.acts()] == ["enforcement.stop", "enforcement.resume"]
    assert ledger.entries[-1].detail == {"reason": "exam tomorrow"}
    assert (await approver.delete(f"{ACTIONS}/stops", params=NO3)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scope": "binhai/east/no3/room"}, 400),
        ({"scope": "Nowhere!"}, 400),
        ({"scope": "binhai/east/no99"}, 404),
        ({"reason": ""}, 422),
        ({"reason": "a\x00b"}, 422),
        ({"more": 1}, 422),
    ],
)
async def test_odd_stops(
    operator: httpx.AsyncClient, repairs: FakeEnforcement, body: dict[str, object], status: int
) -> None:
    assert (await operator.post(f"{ACTIONS}/stops", json=NO3 | body)).status_code == status
    assert repairs.stops == []


async def test_a_controller_without_the_room(operator: httpx.AsyncClient) -> None:
    stands = (await operator.get(f"{ACTIONS}/standing", params={"scope": "binhai"})).json()
    assert set(stands["modes"].values()) == {"off"}
    assert (await operator.get(f"{ACTIONS}/proposals")).json() == {"items": [], "total": 0}
    answer = await operator.post(f"{ACTIONS}/dry-run", json=TRY)
    assert answer.status_code == 409
    assert await NoEnforcement().course("a") is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", None),
        ("{", None),
        ("3", None),
        ("[" * 9000, None),
        ('{"a": 1}', {"a": 1}),
        ("[]", []),
        (" " * 30_000, None),
    ],
)
def test_cable_tests_are_read_or_left_out(text: str, read: object) -> None:
    assert cable_of(text) == read
