"""The pages of incidents without a browser: list, filters, one incident, forms, hostile names."""

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import Services
from controller.incidents.model import Act
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened
from tests.api.fake_city import EVIL
from tests.ops.fake_incidents import FakeIncidents
from tests.ops.html import look, parse

SLOW = "no3-000000000001"
UPLINK = "no5-000000000002"


@pytest.fixture
def incidents(services: Services, clock: ManualClock) -> FakeIncidents:
    made = FakeIncidents(clock.wall_ns() / 1e9)
    services.incidents = made
    return made


async def test_the_list_says_a_sentence_each_worst_first(
    operator: httpx.AsyncClient, incidents: FakeIncidents
) -> None:
    page = await look(operator, "/incidents")
    rows = page.all("li", **{"class": "row incident-row"})
    assert [row.attributes["data-incident"] for row in rows] == [one.id for one in incidents.open]
    sentences = [row.one("a").text for row in rows]
    assert sentences[0].startswith("The uplink of 第五小学 has been down since ")
    assert sentences[1].startswith("Nobody has been able to see 第六中学 since ")
    assert "3年2班: the port fell back to 100 Mbit/s at " in sentences[2]
    assert sentences[2].endswith("after 41 damaged frames; most likely the patch cord")
    assert "3 times" in rows[2].text
    assert "李明 has it" in rows[3].text
    assert "Planned work" in rows[4].text
    assert "2 more are harmed by it" in rows[0].text


async def test_the_same_in_chinese(operator: httpx.AsyncClient, incidents: FakeIncidents) -> None:
    page = await look(operator, f"/incidents/{SLOW}", language="zh-CN")
    assert "3年2班：出现 41 个错帧后，端口在 " in page.one("h1").text
    assert "降到 100 Mbit/s，多半是跳线的问题" in page.one("h1").text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=acknowledged", ["no3-000000000004"]),
        ("state=maintenance", ["evil-000000000005"]),
        ("state=resolved", ["no3-000000000009"]),
        ("state=odd", None),
        ("scope=binhai/west", [UPLINK, "no6-000000000003"]),
        ("state=shadowed", []),
    ],
)
async def test_the_list_is_narrowed(
    operator: httpx.AsyncClient, incidents: FakeIncidents, query: str, shown: list[str] | None
) -> None:
    page = await look(operator, f"/incidents?{query}")
    rows = [
        row.attributes["data-incident"]
        for row in page.all("li")
        if "data-incident" in row.attributes
    ]
    assert rows == ([one.id for one in incidents.open] if shown is None else shown)
    if shown == []:
        assert "No incident stands so." in page.one("main").text


async def test_nothing_wrong_says_so(operator: httpx.AsyncClient, incidents: FakeIncidents) -> None:
    incidents.open = []
    assert "Nothing is wrong here now." in (await look(operator, "/incidents")).one("main").text


async def test_city_and_school_count_what_is_open(
    operator: httpx.AsyncClient, incidents: FakeIncidents
) -> None:
    for path, count in (("/", 5), ("/at/binhai/west", 2), ("/at/binhai/east/no3", 2)):
        page = await look(operator, path)
        assert page.one("b", **{"data-incident-count": ""}).text == str(count)
        assert incidents.open


async def test_one_incident_shows_timeline_evidence_and_children(
    operator: httpx.AsyncClient, incidents: FakeIncidents
) -> None:
    page = await look(operator, f"/incidents/{SLOW}")
    text = page.one("main").text
    assert "ab" * 32 in text
    assert "Promised 1 Gbit/s" in text
    assert "It came back, for the 2. time" in text
    assert f"new cord {' '.join(EVIL.split())}" in text
    assert "12ab34cd" not in text
    assert not page.all("script", type="")
    page = await look(operator, f"/incidents/{UPLINK}")
    assert "2 harmed by it" in page.one("main").text
    assert page.all("a", href="/links/no5/c-1-1")
    assert incidents.open


async def test_hostile_names_stay_text(
    operator: httpx.AsyncClient, incidents: FakeIncidents
) -> None:
    for path in ("/incidents", "/incidents/evil-000000000005"):
        page = await look(operator, path)
        assert not page.all("img")
        assert EVIL.split(">")[0] in page.one("main").text
        assert incidents.open


async def test_buttons_work_without_scripts(
    operator: httpx.AsyncClient, incidents: FakeIncidents
) -> None:
    page = await look(operator, f"/incidents/{SLOW}")
    words = {node.attributes["value"] for node in page.all("button", name="word")}
    assert words == {"acknowledge", "assign", "comment", "ticket", "resolve"}
    form = {"word": "acknowledge", "by": "王伟", "version": "1"}
    done = await operator.post(f"/incidents/{SLOW}/act", data=form)
    assert (done.status_code, done.headers["location"]) == (303, f"/incidents/{SLOW}")
    incident, act, who, version, text = incidents.acted[0]
    assert (incident, act, version, text) == (SLOW, Act.ACKNOWLEDGED, 1, "")
    assert who == "王伟 (code)"


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"word": "assign", "by": "Li", "version": "7", "text": "Wang"}, 409, "quicker"),
        ({"word": "resolve", "by": "Li", "version": "1", "text": " "}, 400, "missing"),
        ({"word": "resolve", "by": " ", "version": "1", "text": "why <b>"}, 400, "missing"),
        ({"word": "explode", "by": "Li", "version": "1", "text": "x"}, 400, "missing"),
    ],
)
async def test_a_refusal_is_said_and_what_was_typed_stays(
    operator: httpx.AsyncClient,
    incidents: FakeIncidents,
    form: dict[str, str],
    status: int,
    said: str,
) -> None:
    answer = await operator.post(
        f"/incidents/{SLOW}/act", data=form, headers={"Accept-Language": "en"}
    )
    assert answer.status_code == status
    page = parse(answer.text)
    assert said in page.one("p", role="alert").text
    assert page.one("textarea").text == form["text"].strip()
    assert not incidents.acted


async def test_a_viewer_sees_no_buttons_and_cannot_act(
    app: FastAPI, services: Services, incidents: FakeIncidents
) -> None:
    token = opened(services, Role.VIEWER, "binhai/east")
    async with client_of(app, token) as viewer:
        page = await look(viewer, f"/incidents/{SLOW}")
        assert not page.all("button", name="word")
        form = {"word": "comment", "by": "Li", "text": "x"}
        assert (await viewer.post(f"/incidents/{SLOW}/act", data=form)).status_code == 403
        await look(viewer, f"/incidents/{UPLINK}", status=404)
        await look(viewer, "/incidents?scope=binhai/west", status=404)
    assert not incidents.acted
