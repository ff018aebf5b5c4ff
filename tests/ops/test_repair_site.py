"""The pages of repairs without a browser: what is shown to whom, forms, refusals, hostile names."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import Services
from controller.trust.approval_model import Step, StepError
from controller.views import LinkView
from dashboards.ops.repair_pages import LINK_INTENTS, of_link, stopped_of
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of, opened
from tests.api.fake_city import EVIL, FakeCity
from tests.api.fake_enforcement import (
    EVILS,
    LINES,
    NO3,
    PROVED,
    RUNNING,
    UNDONE,
    WAITING,
    FakeApprovals,
    FakeEnforcement,
    action,
)
from tests.ops.fake_incidents import FakeIncidents
from tests.ops.html import Node, look, parse

TRY = {"school": "no3", "intent": "bounce-port", "switch": "acc-2", "port": "GE0/0/3"}


@pytest.fixture
def repairs(services: Services, clock: ManualClock) -> FakeEnforcement:
    now = clock.wall_ns() / 1e9
    services.enforcement = made = FakeEnforcement(now)
    services.incidents = FakeIncidents(now)
    return made


@pytest.fixture
def approvals(services: Services, clock: ManualClock, repairs: FakeEnforcement) -> FakeApprovals:
    assert repairs.stops == []
    services.approvals = made = FakeApprovals(clock.wall_ns() / 1e9)
    return made


def signed_in(
    app: FastAPI, services: Services, *roles: Role, actor: str = "account:chen", scope: str = ""
) -> httpx.AsyncClient:
    grants = [Grant(role, ScopePath.parse(scope)) for role in roles]
    token, _ = services.sessions.open(actor, name=actor.partition(":")[2], grants=grants)
    return client_of(app, token)


@pytest.fixture
async def chen(
    app: FastAPI, services: Services, approvals: FakeApprovals
) -> AsyncIterator[httpx.AsyncClient]:
    """May ask and approve everywhere, by an account."""
    assert approvals.steps == []
    async with signed_in(app, services, Role.OPERATOR, Role.APPROVER) as client:
        yield client


async def post(
    client: httpx.AsyncClient, path: str, status: int = 303, **form: str
) -> httpx.Response:
    answer = await client.post(path, data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == status, answer.text
    return answer


def part(page: Node, name: str) -> Node:
    return page.one(id=f"repairs-{name}")


def ids(page: Node, name: str) -> list[str]:
    return [
        one.attributes["data-action"]
        for one in part(page, name).all("li", **{"class": "card repair"})
    ]


async def test_everything_has_its_place(chen: httpx.AsyncClient) -> None:
    page = await look(chen, "/repairs")
    assert page.one("h1").text.startswith("2 repairs wait for approval")
    assert set(ids(page, "waiting")) == {WAITING, EVILS}
    assert ids(page, "busy") == [RUNNING]
    assert set(ids(page, "recent")) == {PROVED, UNDONE}
    waiting = part(page, "waiting")
    for line in LINES:
        assert line.partition(": ")[2] in waiting.text
    assert "One person approves" in waiting.text
    assert "two people approve" in waiting.text
    proposals = part(page, "proposals").text
    assert "lessons are being held" in proposals
    assert "Class hours at no3 until 12:00." in proposals
    assert "People mend this, not software" in proposals
    assert "proved after" in part(page, "recent").text
    assert not page.all("img")
    assert not page.all("script", type="")


async def test_the_same_in_chinese(chen: httpx.AsyncClient) -> None:
    page = await look(chen, "/repairs?scope=binhai/east/no3", language="zh-CN")
    assert "1 项修复等待批准" in page.one("h1").text
    assert "正在上课" in part(page, "proposals").text
    assert "让端口重新协商。" in part(page, "proposals").text
    assert "Class hours" not in page.text


async def test_empty_says_something_useful(operator: httpx.AsyncClient, services: Services) -> None:
    page = await look(operator, "/repairs")
    assert page.one("h1").text.startswith("Nothing to repair")
    assert page.all("a", href="/handbook/repairs.md")
    assert "Stop all repairs" in page.text  # a stop is always at hand
    assert services.enforcement.standing(ScopePath()).stops == ()


async def test_the_approval_names_the_plan_that_was_shown(
    chen: httpx.AsyncClient, approvals: FakeApprovals
) -> None:
    page = await look(chen, f"/repairs/{WAITING}")
    form = page.one("form", action=f"/repairs/{WAITING}/approve")
    plan = form.one("input", name="plan").attributes["value"]
    assert plan == approvals.actions[WAITING].plan
    done = await post(chen, f"/repairs/{WAITING}/approve", plan=plan)
    assert done.headers["location"] == f"/repairs/{WAITING}"
    assert approvals.steps == [("approve", "account:chen", WAITING, plan)]
    other = parse((await post(chen, f"/repairs/{WAITING}/approve", 409, plan="0" * 64)).text)
    assert "The plan is another one." in other.one("p", role="alert").text
    await post(chen, f"/repairs/{WAITING}/approve", 422, plan="x")
    assert len(approvals.steps) == 1


async def test_a_refusal_needs_a_reason_and_keeps_what_was_typed(
    chen: httpx.AsyncClient, approvals: FakeApprovals
) -> None:
    await post(chen, f"/repairs/{WAITING}/refuse", 422, reason="  ")
    approvals.refuses = StepError(Step.OVER, "It is over.")
    answer = parse((await post(chen, f"/repairs/{WAITING}/refuse", 409, reason="why <b>")).text)
    assert answer.one("textarea", name="reason").text == "why <b>"
    assert approvals.steps == []
    approvals.refuses = None
    await post(chen, f"/repairs/{WAITING}/refuse", reason="not in exam week")
    assert approvals.steps == [("refuse", "account:chen", WAITING, "not in exam week")]


async def test_who_asked_takes_back_and_does_not_approve(
    app: FastAPI, services: Services, approvals: FakeApprovals, clock: ManualClock
) -> None:
    mine = action(clock.wall_ns() / 1e9, requester="account:chen")
    approvals.actions[WAITING] = mine
    async with signed_in(app, services, Role.OPERATOR, Role.APPROVER) as chen:
        page = await look(chen, f"/repairs/{WAITING}")
        assert not page.all("form", action=f"/repairs/{WAITING}/approve")
        assert "somebody else approves" in page.text
        await post(chen, f"/repairs/{WAITING}/withdraw")
    assert approvals.steps == [("withdraw", "account:chen", WAITING, "")]


@pytest.mark.parametrize(
    ("roles", "actor", "buttons"),
    [
        ((Role.VIEWER,), "account:wu", set()),
        ((Role.OPERATOR,), "account:wu", set()),
        ((Role.APPROVER,), "code", set()),
        ((Role.APPROVER,), "account:wu", {"approve", "refuse"}),
    ],
)
async def test_buttons_are_for_who_may(
    app: FastAPI,
    services: Services,
    approvals: FakeApprovals,
    roles: tuple[Role, ...],
    actor: str,
    buttons: set[str],
) -> None:
    async with signed_in(app, services, *roles, actor=actor) as client:
        for path in ("/repairs", f"/repairs/{WAITING}"):
            page = await look(client, path)
            forms = {one.attributes["action"] for one in page.all("form")}
            found = {one.rpartition("/")[2] for one in forms if WAITING in one}
            assert found == buttons
        if not buttons:
            await post(client, f"/repairs/{WAITING}/approve", 403, plan="0" * 64)
    assert approvals.steps == []


async def test_a_viewer_elsewhere_sees_nothing_of_it(
    app: FastAPI, services: Services, approvals: FakeApprovals
) -> None:
    async with client_of(app, opened(services, Role.VIEWER, "binhai/west")) as west:
        page = await look(west, "/repairs")
        assert ids(page, "waiting") == ids(page, "recent") == []
        assert not page.all("form", action="/repairs/stop")
        await look(west, f"/repairs/{WAITING}", status=404)
        await post(west, "/repairs/try", 404, **TRY)
    assert approvals.steps == []


async def test_the_red_stop(
    app: FastAPI, services: Services, chen: httpx.AsyncClient, repairs: FakeEnforcement
) -> None:
    page = await look(chen, "/repairs")
    form = page.one("form", action="/repairs/stop")
    assert "Nothing" not in page.one("h1").text
    assert form.one("textarea", name="reason").attributes["required"] == ""
    await post(chen, "/repairs/stop", 422, where="binhai", reason=" ")
    assert repairs.stops == []
    await post(chen, "/repairs/stop", where="binhai", reason="exam <b>")
    assert [(str(one.scope), one.reason) for one in repairs.stops] == [("binhai", "exam <b>")]
    page = await look(chen, "/repairs")
    assert page.one("h1").text == "Stopped: nothing is repaired in 滨海市"
    stands = part(page, "stops")
    assert "exam <b>" in stands.text
    assert "chen" in stands.text
    assert stands.all("form", action="/repairs/resume")
    for path in ("/", "/at/binhai/east/no3", f"/repairs/{WAITING}"):
        assert (await look(chen, path)).all("a", **{"class": "tool stopped"})
    async with signed_in(app, services, Role.OPERATOR, scope="binhai/east") as other:
        page = await look(other, "/repairs")
        assert not page.all("form", action="/repairs/resume")
        assert "lets it go on" in part(page, "stops").text
        await post(other, "/repairs/resume", 404, where="binhai", reason="x")
    async with signed_in(app, services, Role.VIEWER) as viewer:
        page = await look(viewer, "/")
        assert not page.all("a", **{"class": "tool stopped"})
        assert not (await look(viewer, "/repairs")).all("form", action="/repairs/stop")
    done = await post(chen, "/repairs/resume", where="binhai", reason="over", scope="binhai/east")
    assert done.headers["location"] == "/repairs?scope=binhai/east"
    assert repairs.stops == []


async def test_who_operates_a_school_stops_that_school_from_the_page_of_the_city(
    app: FastAPI, services: Services, approvals: FakeApprovals, repairs: FakeEnforcement
) -> None:
    grants = [Grant(Role.VIEWER, ScopePath()), Grant(Role.OPERATOR, NO3)]
    token, _ = services.sessions.open("account:xu", name="xu", grants=grants)
    async with client_of(app, token) as client:
        page = await look(client, "/repairs")
        offered = [one.attributes["value"] for one in page.all("option")]
        assert offered == [str(NO3)]
        await post(client, "/repairs/stop", 403, where="binhai", reason="x")
        await post(client, "/repairs/stop", where=str(NO3), reason="x")
    assert [one.scope for one in repairs.stops] == [NO3]
    assert approvals.steps == []


async def test_a_course_with_its_transcript(chen: httpx.AsyncClient) -> None:
    page = await look(chen, f"/repairs/{PROVED}")
    course = page.one(id="repair-course")
    assert "proved: good, and still good after the hold" in page.one("h1").text
    assert "TenOne knew it 2.0 s after the fault" in course.text
    assert EVIL.split(">")[0] in course.text
    assert course.all("details")
    page = await look(chen, f"/repairs/{UNDONE}")
    assert "Pair C: broken" in page.text
    assert "put back: everything is as before" in page.one("h1").text
    assert "Nothing was typed" in (await look(chen, f"/repairs/{WAITING}")).text
    await look(chen, f"/repairs/{EVILS}")


async def test_a_dry_run_and_the_request_that_follows(
    chen: httpx.AsyncClient, approvals: FakeApprovals, repairs: FakeEnforcement
) -> None:
    link = await look(chen, "/links/no3/c-3-2")
    form = link.one("form", action="/repairs/try")
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert fields["link"] == "no3/c-3-2"
    page = parse((await post(chen, "/repairs/try", 200, **fields | {"intent": "bounce-port"})).text)
    assert repairs.asked[0][0] == "no3"
    assert "until_ms" not in repairs.asked[0][2]
    for line in LINES:
        assert line.partition(": ")[2] in page.text
    assert "What would hold it back now" in page.text
    wanted = page.one("form", action="/repairs/ask")
    body = {one.attributes["name"]: one.attributes["value"] for one in wanted.all("input")}
    odd = parse((await post(chen, "/repairs/ask", 409, reason="odd", **body)).text)
    assert "The port is not there." in odd.one("p", role="alert").text
    assert odd.one("textarea", name="reason").text == "odd"
    await post(chen, "/repairs/ask", 422, reason=" ", **body)
    done = await post(chen, "/repairs/ask", 303, reason="3-2 is slow", **body)
    assert done.headers["location"] == f"/repairs/{WAITING}"
    assert approvals.steps == [("request", "account:chen", "bounce-port", body["retry"])]


async def test_a_window_of_exam_priority_has_an_end(
    chen: httpx.AsyncClient, repairs: FakeEnforcement, clock: ManualClock
) -> None:
    form = TRY | {"intent": "exam-priority", "hours": "2"}
    page = parse((await post(chen, "/repairs/try", 200, **form)).text)
    until = str(clock.wall_ns() // 1_000_000 + 2 * 3_600_000)
    assert repairs.asked[-1][2]["until_ms"] == until
    assert page.one("input", name="until_ms").attributes["value"] == until
    assert page.one("input", id="hours").attributes["value"] == "2"
    await post(chen, "/repairs/try", 422, **form | {"hours": "99"})
    await post(chen, "/repairs/try", 200, **TRY | {"intent": "save-configuration"})
    assert "port" not in repairs.asked[-1][2]


async def test_what_cannot_be_tried_is_said(
    chen: httpx.AsyncClient, operator: httpx.AsyncClient, repairs: FakeEnforcement
) -> None:
    page = parse((await post(chen, "/repairs/try", 409, **TRY | {"intent": "reboot"})).text)
    assert "There is no intent" in page.one("p", role="alert").text
    await post(chen, "/repairs/try", 422, **TRY | {"intent": "UPPER"})
    page = parse((await post(operator, "/repairs/try", 200, **TRY)).text)
    assert not page.all("form", action="/repairs/ask")
    assert "a code is nobody" in page.text
    assert len(repairs.asked) == 2


async def test_an_incident_shows_what_is_done_about_it(chen: httpx.AsyncClient) -> None:
    page = await look(chen, "/incidents/no3-000000000001")
    shown = page.one(id="incident-repairs")
    assert "Let the port negotiate again" in shown.text
    assert [
        one.attributes["data-action"] for one in shown.all("li") if "data-action" in one.attributes
    ] == [WAITING]
    page = await look(chen, "/incidents/no6-000000000003")
    assert page.one(id="incident-repairs").text == ""
    shown = (await look(chen, "/incidents/no5-000000000002")).one(id="incident-repairs")
    assert "Carry a module" in shown.text


def test_a_link_without_a_port_is_not_tried(
    services: Services, city: FakeCity, repairs: FakeEnforcement
) -> None:
    token = opened(services, Role.OPERATOR)
    session = services.sessions.find(token)
    assert session is not None
    links: list[LinkView] = list(city.links(NO3))
    bound = next(one for one in links if one.binding is not None)
    assert of_link(services, session, NO3, bound).may_try
    unbound = [one for one in city.links(ScopePath()) if one.binding is None]
    assert not any(of_link(services, session, NO3, one).may_try for one in unbound)
    assert Intent.SAVE_CONFIGURATION not in LINK_INTENTS
    assert stopped_of(services, session) == len(repairs.stops) == 0
    assert stopped_of(services, None) is None
