"""Incidents, maintenance, duty and tickets over HTTP, with the room behind them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from controller.incidents.duty import DutyRecords
from controller.incidents.office import Office
from controller.incidents.tickets import Ticket, TicketRecords, from_csv, to_csv
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of, opened
from tests.api.fake_city import small_city

from .house import Town, at_once

API = "/api/v1"
SLOW: dict[str, Any] = {"speed_mbps": [100, 1000, 10_000]}
NO1 = ScopePath.parse("binhai/east/no1")


class Desk:
    """A town with one slow class, and clients of several people."""

    def __init__(self, town: Town) -> None:
        self.town = town
        city = small_city(town.clock.wall_ns() / 1e9)
        database = town.records.engine
        self.services = Services(
            city=city,
            hub=Hub(town.clock, city, incidents=town.room.changes),
            sessions=Sessions(town.clock),
            trend=Trend(town.clock, city),
            clock=town.clock,
            incidents=town.desk,
            office=Office(
                DutyRecords(database),
                TicketRecords(database),
                in_records=at_once,
                scopes={NO1: 1500, ScopePath.parse("binhai/east"): None},
            ),
        )
        self.app = create_app(self.services)

    def client(self, scope: str, role: Role = Role.OPERATOR) -> httpx.AsyncClient:
        return client_of(self.app, opened(self.services, role, scope))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    town = Town(tmp_path, ManualClock(), Escalation.model_validate({}))
    town.born("no1", "no2")
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    yield Desk(town)
    town.close()


async def test_list_and_one_are_cut_to_the_scope(desk: Desk) -> None:
    async with desk.client("binhai/east") as east, desk.client("binhai/west") as west:
        body = (await east.get(f"{API}/incidents")).json()
        (item,) = body["items"]
        assert (item["link"], item["cause"], body["total"]) == ("no1/c301", "speed", 1)
        one = (await east.get(f"{API}/incidents/{item['id']}")).json()
        assert [line["act"] for line in one["timeline"]] == ["opened", "alarmed", "escalated"]
        assert one["timeline"][2]["fields"] == {"level": "school", "severity": "warning"}
        assert (await west.get(f"{API}/incidents")).json()["items"] == []
        assert (await west.get(f"{API}/incidents/{item['id']}")).status_code == 404
        refused = await west.post(f"{API}/incidents/{item['id']}/comment", json={"by": "Li"})
        assert refused.status_code == 404
        for state, count in (("alarmed", 1), ("acknowledged", 0), ("resolved", 0)):
            answer = await east.get(f"{API}/incidents?state={state}")
            assert answer.json()["total"] == count, state
        assert (await east.get(f"{API}/incidents?state=odd")).status_code == 400
        assert (await east.get(f"{API}/incidents?as_of=2026-01-01")).status_code == 400


async def test_acts_need_an_operator_a_name_and_the_version_seen(desk: Desk) -> None:
    (view,) = desk.town.desk.views(ScopePath())
    path = f"{API}/incidents/{view.id}"
    async with desk.client("binhai", Role.VIEWER) as viewer:
        assert (await viewer.post(f"{path}/acknowledge", json={"by": "Li"})).status_code == 403
    async with desk.client("binhai/east/no1") as school, desk.client("binhai") as city:
        assert (await school.post(f"{path}/acknowledge", json={})).status_code == 422
        first = await school.post(f"{path}/acknowledge", json={"by": "王伟", "version": 1})
        assert first.status_code == 200
        assert first.json()["acknowledged_by"] == "王伟 (code)"
        second = await city.post(f"{path}/assign", json={"by": "Li", "version": 1, "text": "Li"})
        assert second.status_code == 409
        assert "Somebody changed" in second.json()["detail"]
        assert (await city.post(f"{path}/comment", json={"by": "Li"})).status_code == 400
        done = await city.post(f"{path}/resolve", json={"by": "Li", "text": "new cord"})
        assert done.json()["state"] == "resolved"
        timeline = (await city.get(path)).json()["timeline"]
        assert [
            line["fields"].get("level") for line in timeline if line["act"] == "acknowledged"
        ] == [0]
        assert (
            await city.post(f"{path}/resolve", json={"by": "Li", "text": "x"})
        ).status_code == 409
        assert (await city.post(f"{path}/explode", json={"by": "Li"})).status_code == 422


async def test_repair_times_are_told_by_the_level_that_was_responsible(desk: Desk) -> None:
    (view,) = desk.town.desk.views(ScopePath())
    path = f"{API}/incidents/{view.id}/acknowledge"
    async with desk.client("binhai/east") as east, desk.client("binhai/west") as west:
        assert (await east.get(f"{API}/incidents/times")).json()["items"] == []
        assert (await east.post(path, json={"by": "Li"})).status_code == 200
        await desk.town.sweeps(60)
        (item,) = (await east.get(f"{API}/incidents/times")).json()["items"]
        assert (item["level"], item["repairs"]) == ("district", 1)
        assert item["detect_seconds"] > 0
        assert item["verify_seconds"] == pytest.approx(30)
        assert (await west.get(f"{API}/incidents/times?days=7")).json()["total"] == 0
        assert (await west.get(f"{API}/incidents/times?days=0")).status_code == 422


async def test_maintenance_is_planned_inside_the_scope_and_ended(desk: Desk) -> None:
    plan = {
        "link": "no1/c-1-1",
        "start": "2026-09-21T14:13:20Z",
        "end": "2026-09-21T15:00:00Z",
        "reason": "new cable",
        "asked_by": "Li",
        "approved_by": "Wang",
    }
    async with desk.client("binhai/east") as east, desk.client("binhai/west") as west:
        start = desk.town.clock.wall_ns() / 1e9
        times = {"start": start, "end": start + 600}
        made = await east.post(f"{API}/maintenance", json=plan | times)
        assert made.status_code == 201, made.text
        window = made.json()
        assert (window["scope"], window["approved_by"]) == ("binhai/east/no1", "Wang")
        assert (await west.post(f"{API}/maintenance", json=plan | times)).status_code == 404
        assert (await west.get(f"{API}/maintenance")).json()["items"] == []
        assert (await east.get(f"{API}/maintenance?state=running")).json()["total"] == 1
        past = {"start": start - 7200, "end": start - 3600}
        refused = await east.post(f"{API}/maintenance", json=plan | past)
        assert (refused.status_code, "past" in refused.json()["detail"]) == (400, True)
        end = f"{API}/maintenance/{window['id']}/end"
        assert (await west.post(end, json={"by": "Li"})).status_code == 404
        assert (await east.post(end, json={"by": "Li"})).status_code == 200
        assert (await east.post(end, json={"by": "Li"})).status_code == 409


async def test_the_duty_register_keeps_phones_from_viewers_and_flags_gaps(desk: Desk) -> None:
    async with (
        desk.client("binhai/east") as east,
        desk.client("binhai/east", Role.VIEWER) as viewer,
    ):
        gaps = (await east.get(f"{API}/duty/gaps")).json()["items"]
        assert {(one["scope"], one["role"], one["need"]) for one in gaps} == {
            ("binhai/east", "leader", 1),
            ("binhai/east", "head", 1),
            ("binhai/east/no1", "leader", 1),
            ("binhai/east/no1", "head", 1),
            ("binhai/east/no1", "technician", 2),
        }
        body = {"scope": "binhai/east/no1", "role": "technician", "name": "王伟", "by": "Li"}
        entered = await east.post(f"{API}/duty", json=body | {"phone": "+86 139 0000 0000"})
        assert entered.status_code == 201
        assert (await viewer.post(f"{API}/duty", json=body)).status_code == 403
        assert (await east.post(f"{API}/duty", json=body | {"phone": "call me"})).status_code == 422
        (seen,) = (await viewer.get(f"{API}/duty")).json()["items"]
        assert (seen["name"], seen["phone"]) == ("王伟", None)
        (seen,) = (await east.get(f"{API}/duty?state=current")).json()["items"]
        assert seen["phone"] == "+86 139 0000 0000"
        gaps = (await east.get(f"{API}/duty/gaps?scope=binhai/east/no1")).json()["items"]
        assert {"scope": "binhai/east/no1", "role": "technician", "have": 1, "need": 2} in gaps
        assert (await east.post(f"{API}/duty/{seen['id']}/end")).status_code == 200
        assert (await east.post(f"{API}/duty/{seen['id']}/end")).status_code == 409
        assert (await east.post(f"{API}/duty/99/end")).status_code == 404


async def test_a_ticket_is_opened_changed_and_seen_on_the_incident(desk: Desk) -> None:
    (view,) = desk.town.desk.views(ScopePath())
    async with desk.client("binhai/east") as east, desk.client("binhai/west") as west:
        made = await east.post(f"{API}/tickets", json={"incident": view.id, "by": "Li"})
        assert made.status_code == 201
        number = made.json()["number"]
        assert (await east.get(f"{API}/incidents/{view.id}")).json()["ticket"] == number
        change = {"state": "in-progress", "assignee": "ACME", "version": 1, "by": "Li"}
        assert (await west.post(f"{API}/tickets/{number}", json=change)).status_code == 404
        assert (await east.post(f"{API}/tickets/{number}", json=change)).json()["version"] == 2
        assert (await east.post(f"{API}/tickets/{number}", json=change)).status_code == 409
        odd = change | {"state": "odd", "version": 2}
        assert (await east.post(f"{API}/tickets/{number}", json=odd)).status_code == 400
        assert (await east.get(f"{API}/tickets?state=in-progress")).json()["total"] == 1
        assert (await west.get(f"{API}/tickets")).json()["total"] == 0


async def test_metrics_and_the_live_stream_know_what_is_open(desk: Desk) -> None:
    async with desk.client("binhai") as city:
        text = (await city.get("/metrics")).text
    assert 'tenone_incidents_open{cause="speed",district="east",severity="warning"} 1.0' in text
    from controller.api.hub import Topic  # noqa: PLC0415 - only here

    client = desk.services.hub.subscribe(
        Topic((ScopePath.parse("binhai/east"),), frozenset({"incident"}))
    )
    chunk = await client.take()
    assert chunk is not None
    assert b'"kind":"incident"' in chunk
    assert b"no1/c301" in chunk


async def test_what_is_over_is_not_told_to_a_room_that_has_nothing(desk: Desk) -> None:
    await desk.town.sweeps(60)
    async with desk.client("binhai/east") as east:
        assert (await east.get(f"{API}/incidents?state=resolved")).json()["total"] == 1
    async with desk.client("binhai/east/no12") as other:  # it saw all that was over in the city
        for scope in ("", "binhai/east/no12", "binhai/east/no12/library"):
            answer = await other.get(f"{API}/incidents?state=resolved&scope={scope}")
            assert answer.json()["items"] == [], scope


ODD_MOMENTS = ("9998-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
ODD_TEXTS = ("a\x00b", "\x1b[2J", "\u202eevil", "\ud800")


@pytest.mark.parametrize("moment", ODD_MOMENTS)
async def test_moments_that_cannot_be_kept_are_refused(desk: Desk, moment: str) -> None:
    work = {"reason": "r", "asked_by": "Li", "approved_by": "Wang", "start": moment}
    duty = {"scope": "binhai/east", "role": "head", "name": "Li", "by": "Wang"}
    async with desk.client("binhai/east") as east:
        for body in (
            await east.post(f"{API}/maintenance", json=work | {"end": moment}),
            await east.post(f"{API}/duty", json=duty | {"valid_from": moment}),
            await east.post(f"{API}/duty", json=duty | {"valid_to": moment}),
        ):
            assert body.status_code == 400, body.text
            assert "between 1971 and 2199" in body.json()["detail"]


@pytest.mark.parametrize("text", ODD_TEXTS)
async def test_text_that_a_database_or_a_screen_cannot_hold_is_refused(
    desk: Desk, text: str
) -> None:
    (view,) = desk.town.desk.views(ScopePath())
    now = desk.town.clock.wall_ns() / 1e9
    work = {"asked_by": "Li", "approved_by": "W", "start": now, "end": now + 60, "reason": text}
    async with desk.client("binhai/east") as east:

        async def send(path: str, body: dict[str, Any]) -> int:
            content = json.dumps(body)
            headers = {"content-type": "application/json"}
            return (await east.post(f"{API}/{path}", content=content, headers=headers)).status_code

        for word in ("comment", "assign", "ticket", "resolve"):
            said = {"by": "Li", "text": text}
            assert await send(f"incidents/{view.id}/{word}", said) == 422, word
        assert await send("tickets", {"incident": view.id, "by": "Li", "note": text}) == 422
        assert await send("maintenance", work) == 422
        fine = {"by": "Li", "text": "two lines:\r\n\tpatch cord, 配线架"}
        assert await send(f"incidents/{view.id}/comment", fine) == 200


async def test_a_ticket_version_that_no_row_can_have_is_refused(desk: Desk) -> None:
    (view,) = desk.town.desk.views(ScopePath())
    async with desk.client("binhai/east") as east:
        made = await east.post(f"{API}/tickets", json={"incident": view.id, "by": "Li"})
        path = f"{API}/tickets/{made.json()['number']}"
        for version in (10**30, -1):
            body = {"state": "done", "version": version, "by": "Li"}
            assert (await east.post(path, json=body)).status_code == 422


async def test_records_that_fail_say_so_and_repeat_no_phone_number(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with desk.town.records.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE duty"))
    duty = {
        "scope": "binhai/east", "role": "head", "name": "王芳", "phone": "13912345678", "by": "Li",
    }  # fmt: skip
    async with desk.client("binhai/east") as east:
        answer = await east.post(f"{API}/duty", json=duty)
    assert answer.status_code == 503
    for said in (answer.text, caplog.text):
        assert "duty" in said
        assert "13912345678" not in said
        assert "王芳" not in said


def test_csv_carries_what_looks_like_a_formula_there_and_back(desk: Desk) -> None:
    (one,) = desk.town.room.engine.open()
    ticket = Ticket(
        number="t-1", incident=one.id, school="no1", assignee="@wang", note="- new cord",
        made_ns=1, changed_ns=1, changed_by="Li",
    )  # fmt: skip
    text = to_csv([(ticket, one)])
    assert "'- new cord" in text
    (update,) = from_csv(text)
    assert (update.assignee, update.note) == (ticket.assignee, ticket.note)
