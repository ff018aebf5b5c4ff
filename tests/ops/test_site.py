"""Pages without a browser: structure, states, languages, hostile names, scope, sign-in."""

import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import HttpConfig, Services
from dashboards.ops.language import COOKIE as LANGUAGE_COOKIE
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Severity, Verdict
from tests.api.conftest import COOKIE, client_of, granted, opened
from tests.api.fake_city import EVIL, FakeCity, small_city
from tests.api.fake_minutes import Counted
from tests.ops.html import look, parse

PAGES = [
    "/",
    "/at/binhai",
    "/at/binhai/east",
    "/at/binhai/east/no1",
    "/at/binhai/east/no3",
    "/at/binhai/west/no5",
    "/at/binhai/west/no6",
    "/at/binhai/north/no7",
    "/at/binhai/north/no8",
    "/at/binhai/north/evil",
    "/links/no3/c-3-2",
    "/links/evil/c-1-1",
    "/at/binhai/nowhere",
]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_whole(operator: httpx.AsyncClient, path: str, language: str) -> None:
    page = await look(operator, path, language=language, status=404 if "nowhere" in path else 200)
    assert page.one("html").attributes["lang"] == language
    assert len(page.all("h1")) == 1
    assert page.one("main").attributes["id"] == "main"
    assert page.all("a", href="#main")
    assert page.one("title").text
    assert len(page.all(aria_live="polite")) == 1
    for node in page.walk():
        assert "style" not in node.attributes, "style-src 'self' forbids it"
        assert not any(name.startswith("on") for name in node.attributes)
        for name in ("src", "href", "action"):
            address = node.attributes.get(name, "")
            assert not re.match(r"(https?:)?//", address), f"external: {address}"
        if node.tag == "script":
            assert node.attributes.get("src") or node.attributes["type"] == "application/json"
        if node.tag == "svg":
            assert node.attributes.get("aria-hidden") == "true"
        if node.tag == "input" and node.attributes.get("type") != "hidden":
            assert node.attributes.get("id") in {"q", "code"}
    ids = [node.attributes["id"] for node in page.walk() if "id" in node.attributes]
    assert len(ids) == len(set(ids))


async def test_the_city_answers_its_questions(operator: httpx.AsyncClient) -> None:
    page = await look(operator, "/")
    assert page.one("h1").text == "2 of 8 schools harmed"
    lead = page.all("p", **{"class": "lead num"})
    assert lead[0].text.startswith("6 of 8 schools report · newest data 4 s ago")
    uplinks, classes = page.all("section", data_tier="uplink")[0], page.all(data_tier="class")[0]
    assert [
        uplinks.one(data_f=f).text for f in ("good", "total", "bad", "unknown", "unverified")
    ] == ["4", "6", "1", "1", "2"]
    assert [classes.one(data_f=f).text for f in ("good", "total")] == ["71", "78"]
    worst = page.one(**{"data-worst-list": ""}).all("li")
    assert [row.attributes["data-worst"] for row in worst] == ["no5", "no3"]
    assert worst[1].one(data_f="worst").text == "3年2班 100 Mbit/s instead of 1 Gbit/s"
    assert re.fullmatch(r"since \d\d:\d\d", worst[1].one(data_f="since").text)
    rows = page.one(**{"data-school-list": ""}).all("li")
    assert [row.attributes["data-verdict"] for row in rows] == ["bad"] * 2 + ["unknown"] * 2 + [
        "good"
    ] * 4


async def test_the_school_says_one_sentence_first(operator: httpx.AsyncClient) -> None:
    page = await look(operator, "/at/binhai/east/no3")
    headline = page.one("h1")
    assert headline.one(data_f="main").text == "2 of 18 classes harmed"
    assert re.fullmatch(
        r"3年2班 100 Mbit/s instead of 1 Gbit/s, since \d\d:\d\d",
        headline.one(data_f="detail").text,
    )
    slow = page.one("li", data_link="no3/c-3-2")
    assert slow.one(data_f="speed").text == "100 Mbit/s"
    assert slow.one(data_f="contract").text == "1 Gbit/s"
    assert slow.one(data_f="why").text == "100 Mbit/s instead of 1 Gbit/s"
    assert slow.one(data_f="evidence").text == "negotiated 4 s ago probed 12 s ago"
    offline = slow.one(data_board="no3/board/b-3-2")
    assert offline.one(data_f="word").text == "offline"
    silent = page.one("li", data_switch="no3/switch/acc-3")
    assert silent.one(data_f="error").text.startswith("no answer from")


@pytest.mark.parametrize(
    ("path", "link", "mark", "word", "fresh"),
    [
        ("/at/binhai/east/no1", "no1/c-1-1", "ok", "Good", "yes"),
        ("/at/binhai/north/no7", "no7/c-1-1", "unverified", "Unverified", "yes"),
        ("/at/binhai/east/no3", "no3/c-3-2", "warn", "Warning", "yes"),
        ("/at/binhai/west/no5", "no5/uplink", "crit", "Critical", "yes"),
        ("/at/binhai/west/no6", "no6/uplink", "unknown", "Unknown", "no"),
        ("/at/binhai/east/no3", "no3/c-1-8", "unknown", "Unknown", "no"),
    ],
)
async def test_shape_and_word_say_the_state(
    operator: httpx.AsyncClient, path: str, link: str, mark: str, word: str, fresh: str
) -> None:
    row = (await look(operator, path)).one("li", data_link=link)
    who = row.all("span", **{"class": "cell who"})[0]
    assert who.one("use").attributes["href"] == f"#m-{mark}"
    assert who.one(data_f="word").text == word
    assert row.attributes["data-fresh"] == fresh


async def test_stale_is_never_shown_as_good(operator: httpx.AsyncClient, city: FakeCity) -> None:
    city.set_link("no1/c-1-1", stale=True)
    row = (await look(operator, "/at/binhai/east/no1")).one("li", data_link="no1/c-1-1")
    who = row.all("span", **{"class": "cell who"})[0]
    assert who.one("use").attributes["href"] == "#m-stale"
    assert who.one(data_f="word").text == "No fresh data"
    assert row.attributes["data-fresh"] == "no"


async def test_a_silent_gateway_is_said_above_all(operator: httpx.AsyncClient) -> None:
    page = await look(operator, "/at/binhai/west/no6")
    assert "silent" in page.one(**{"data-silent": ""}).text
    assert page.all(data_agent="no6")[0].one(data_f="word").text == "silent"


@pytest.mark.parametrize("path", ["/", "/at/binhai/north/evil", "/links/evil/c-1-1"])
async def test_hostile_names_are_text(operator: httpx.AsyncClient, path: str) -> None:
    response = await operator.get(path, headers={"Accept": "text/html"})
    assert "<script>alert" not in response.text
    assert "<img" not in response.text
    page = parse(response.text)
    assert not page.all("img")
    assert EVIL.split("<img")[0] in page.text.replace("> ", ">") or EVIL in page.text


async def test_messages_for_the_browser_cannot_end_their_script(
    operator: httpx.AsyncClient,
) -> None:
    page = await look(operator, "/", language="zh-CN")
    messages = json.loads(page.one("script", id="messages").text)
    assert messages["Good"] == "达标"


@pytest.mark.parametrize(
    ("header", "cookie", "tag"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", None, "zh-CN"),
        ("en-US,en;q=0.9", None, "en"),
        ("fr;q=1, en;q=0.2, zh;q=0.4", None, "zh-CN"),
        ("fr", None, "zh-CN"),
        ("", None, "zh-CN"),
        ("en;q=x, ;;, zh;q=0", None, "zh-CN"),
        ("zh-CN", "en", "en"),
        ("en", "klingon", "en"),
    ],
)
async def test_the_language_is_asked_for_or_kept(
    anyone: httpx.AsyncClient, header: str, cookie: str | None, tag: str
) -> None:
    if cookie is not None:
        anyone.cookies.set(LANGUAGE_COOKIE, cookie)
    response = await anyone.get("/sign-in", headers={"Accept-Language": header})
    assert parse(response.text).one("html").attributes["lang"] == tag
    assert response.headers["content-language"] == tag


async def test_the_language_switch_goes_back_where_it_was(anyone: httpx.AsyncClient) -> None:
    page = await look(anyone, "/sign-in?next=/at/binhai", language="en")
    switch = page.one("a", hreflang="zh-CN").attributes["href"]
    response = await anyone.get(switch)
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in?next=/at/binhai")
    assert parse((await anyone.get("/sign-in")).text).one("html").attributes["lang"] == "zh-CN"
    elsewhere = await anyone.get("/language/en?next=//evil.example")
    assert elsewhere.headers["location"] == "/"
    assert (await anyone.get("/language/xx")).status_code == 404


async def test_signing_in_by_the_form(services: Services, anyone: httpx.AsyncClient) -> None:
    page = await look(anyone, "/sign-in?next=/at/binhai/east")
    goal = page.one("input", name="goal").attributes["value"]
    code = services.sessions.issue_code(granted(Role.OPERATOR))
    response = await anyone.post("/sign-in", data={"code": code, "goal": goal})
    assert (response.status_code, response.headers["location"]) == (303, "/at/binhai/east")
    assert (await anyone.get("/")).status_code == 200
    assert (await anyone.get("/sign-in")).headers["location"] == "/"
    out = await anyone.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in anyone.cookies


async def test_a_wrong_code_says_so_and_keeps_the_goal(anyone: httpx.AsyncClient) -> None:
    for attempt in range(6):
        response = await anyone.post(
            "/sign-in",
            data={"code": "NOPE", "goal": "/at/binhai"},
            headers={"Accept-Language": "en"},
        )
        page = parse(response.text)
        assert page.one("input", name="goal").attributes["value"] == "/at/binhai"
        words = page.one(role="alert").text
        limited = attempt == 5
        assert response.status_code == (429 if limited else 403)
        assert ("Too many" if limited else "wrong, used or too old") in words


async def test_the_form_does_not_send_people_elsewhere(
    services: Services, anyone: httpx.AsyncClient
) -> None:
    code = services.sessions.issue_code(granted(Role.OPERATOR))
    response = await anyone.post("/sign-in", data={"code": code, "goal": "https://evil.example"})
    assert response.headers["location"] == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/at/binhai",
        "/at/binhai/west",
        "/at/binhai/west/no5",
        "/links/no5/uplink",
        "/at/Bad Path",
        "/x",
    ],
)
async def test_outside_the_scope_there_is_a_page_that_says_so(
    east: httpx.AsyncClient, path: str
) -> None:
    status = 400 if "Bad" in path else 404
    page = await look(east, path, status=status)
    assert page.all("a", href="/")
    assert "海滨" not in page.text


async def test_a_district_viewer_starts_in_the_district(east: httpx.AsyncClient) -> None:
    page = await look(east, "/")
    assert page.one("nav").text == "东城区"
    assert "海滨" not in page.text
    school = await look(east, "/at/binhai/east/no3")
    assert [a.attributes["href"] for a in school.one("nav").all("a")] == [
        "/",
        "/at/binhai/east/no3",
    ]


async def test_a_school_viewer_starts_in_the_school(app: FastAPI, services: Services) -> None:
    scope = ScopePath.parse("binhai/east/no3")
    token = opened(services, Role.VIEWER, str(scope))
    async with client_of(app, token) as client:
        page = await look(client, "/")
        assert page.one("h1").one(data_f="main").text == "2 of 18 classes harmed"
        panel = await look(client, "/links/no3/c-3-2")
        assert not [node for node in panel.walk() if "data-recheck" in node.attributes]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("state=bad", ["no5", "no3"]),
        ("state=good&district=east", ["no1", "no12"]),
        ("q=seventh", ["no7"]),
        ("q=no12", ["no12"]),
        ("q=%20%E5%85%AD%20", ["no6"]),
        ("district=north&state=unknown", ["no8"]),
        ("state=nonsense&district=east&q=", ["no3", "no1", "no12"]),
    ],
)
async def test_filters(operator: httpx.AsyncClient, query: str, ids: list[str]) -> None:
    page = await look(operator, f"/?{query}")
    rows = page.one(**{"data-school-list": ""}).all("li")
    assert [row.attributes["data-school"] for row in rows] == ids
    assert page.one(id="schools").attributes["data-part"] == "yes"


async def test_a_filter_that_fits_nothing_says_so(operator: httpx.AsyncClient) -> None:
    page = await look(operator, "/?q=%3Cscript%3Ex")
    assert "No school fits this filter" in page.one(id="schools").text
    assert page.one("input", id="q").attributes["value"] == "<script>x"


async def test_empty_states_tell_the_next_step(operator: httpx.AsyncClient, city: FakeCity) -> None:
    assert "tenone check school.yaml" in (await look(operator, "/at/binhai/north/no8")).text
    city.schools_by_id.clear()
    page = await look(operator, "/")
    assert page.one("h1").text == "No school here yet"
    assert "tenone agent -c school.yaml" in page.text


async def test_all_good_is_said_and_unverified_is_not_hidden(
    operator: httpx.AsyncClient, city: FakeCity
) -> None:
    for school_id in list(city.schools_by_id):
        if school_id not in {"no1", "no12"}:
            del city.schools_by_id[school_id]
    page = await look(operator, "/")
    assert page.one("h1").text == "All 2 schools hold the promise"
    assert page.one("h1").one("use").attributes["href"] == "#m-ok"
    calm = page.one(**{"data-worst-calm": ""})
    assert "hidden" not in calm.attributes
    city.set_link("no1/uplink", verified=False)
    page = await look(operator, "/")
    assert page.one("h1").one("use").attributes["href"] == "#m-unverified"
    assert page.one("h1").text == "1 of 2 schools hold the promise, 1 unverified"
    school = await look(operator, "/at/binhai/east/no1")
    assert school.one("h1").one("use").attributes["href"] == "#m-unverified"


@pytest.mark.parametrize(
    ("language", "path", "sentence"),
    [
        ("en", "/", "All 1 schools negotiate what was promised; none is tested yet"),
        ("zh-CN", "/", "1 所学校协商值均达标，尚未实测"),
        (
            "en",
            "/at/binhai/north/no7",
            "All 5 links negotiate what was promised; none is tested yet",
        ),
        ("zh-CN", "/at/binhai/north/no7", "5 条链路协商值均达标，尚未实测"),
    ],
)
async def test_what_is_only_negotiated_is_not_said_to_hold_the_promise(
    operator: httpx.AsyncClient, city: FakeCity, language: str, path: str, sentence: str
) -> None:
    for school_id in set(city.schools_by_id) - {"no7"}:
        del city.schools_by_id[school_id]
    page = await look(operator, path, language=language)
    assert page.one("h1").text == sentence
    if path == "/":
        hero = page.all(data_overview="")[0]
        assert hero.one(data_f="schools_verified").text == "0"
        assert hero.one(data_f="schools_unverified").text == "1"


async def test_links_without_fresh_data_are_not_good(
    operator: httpx.AsyncClient, city: FakeCity
) -> None:
    city.set_link("no1/uplink", stale=True)
    page = await look(operator, "/at/binhai/east/no1")
    assert page.one("h1").text == "1 of 7 links without fresh data"


async def test_chinese_pages_use_chinese_names(operator: httpx.AsyncClient) -> None:
    for language, school, district in (
        ("zh-CN", "第七中学", "北部新区"),
        ("en", "Seventh Middle School", "Northern New Area"),
    ):
        page = await look(operator, "/at/binhai/north/no7", language=language)
        assert page.one("title").text == f"{school} · TenOne"
        crumbs = page.one("nav", **{"class": "crumbs"}).all("a")
        assert [crumb.text for crumb in crumbs] == ["滨海市", district, school]
        page = await look(operator, "/", language=language)
        assert page.one("li", data_school="no7").one(data_f="name").text == school
        assert page.one("li", data_overview="binhai/north").one("a").text == district
        options = [option.text for option in page.one("select", name="district").all("option")]
        assert district in options
        panel = await look(operator, "/links/no7/uplink", language=language)
        assert school in panel.one("h2", id="panel-title").text


async def test_the_agents_own_words_are_marked_and_their_meaning_is_said(
    operator: httpx.AsyncClient,
) -> None:
    page = await look(operator, "/at/binhai/east/no3", language="zh-CN")
    line = page.one("li", data_switch="no3/switch/acc-3").one(data_f="error-line")
    assert "hidden" not in line.attributes
    assert line.one(data_f="error-cause").text == "读不到交换机：请检查电源、管理地址和团体字。"
    own = line.one("q")
    assert own.attributes["lang"] == "en"
    assert own.text == "no answer from 10.3.0.13:161 within 2.0 s x 3"
    fine = page.one("li", data_switch="no3/switch/core-1").one(data_f="error-line")
    assert "hidden" in fine.attributes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"no5/c-1-1": Verdict.BAD}, "The uplink and 1 of 5 classes are harmed"),
        ({}, "The uplink is harmed"),
        ({"no5/uplink": Verdict.UNKNOWN}, "1 of 6 links unknown"),
        ({"no5/uplink": Verdict.GOOD}, "5 of 6 links hold the promise, 1 unverified"),
    ],
)
async def test_school_sentences(
    operator: httpx.AsyncClient, city: FakeCity, changes: dict[str, Verdict], sentence: str
) -> None:
    for link, verdict in changes.items():
        city.set_link(link, verdict=verdict, severity=Severity.NONE)
    page = await look(operator, "/at/binhai/west/no5")
    assert page.one("h1").one(data_f="main").text == sentence


async def test_the_demo_says_that_it_is_one(
    services: Services, operator: httpx.AsyncClient
) -> None:
    assert "simulated" not in (await look(operator, "/")).text
    services.config = HttpConfig(demo=True)
    assert "simulated" in (await look(operator, "/")).text


async def test_the_panel_alone_for_the_dialog(operator: httpx.AsyncClient) -> None:
    response = await operator.get(
        "/links/no3/c-3-2", headers={"HX-Request": "true", "Accept-Language": "en"}
    )
    panel = parse(response.text)
    assert not panel.all("html")
    assert "patch cord" in panel.text
    assert (
        panel.all("button", type="button")[0].attributes["data-recheck"]
        == "/api/v1/links/no3/c-3-2/recheck"
    )
    assert "HX-Request" in response.headers["vary"]


async def test_times_are_the_citys(operator: httpx.AsyncClient, services: Services) -> None:
    local = datetime.fromtimestamp(services.now() - 540, ZoneInfo("Asia/Shanghai"))
    page = await look(operator, "/at/binhai/east/no3")
    assert (
        page.one("li", data_link="no3/c-1-5").all(data_f="since")[0].text == f"since {local:%H:%M}"
    )


async def test_a_crash_on_a_page_is_a_page(
    operator: httpx.AsyncClient, city: FakeCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(city, "schools", lambda _scope: 1 / 0)
    page = await look(operator, "/", status=500)
    assert "failed on this page" in page.text


async def test_nothing_of_a_page_is_kept_in_the_browser(operator: httpx.AsyncClient) -> None:
    """Filters change the address by htmx, which would keep copies of pages for going back."""
    page = await look(operator, "/")
    config = json.loads(page.one("meta", name="htmx-config").attributes["content"])
    assert config["historyCacheSize"] == 0
    assert config["refreshOnHistoryMiss"] is True
    assert config["allowEval"] is False
    for path in ("/", "/at/binhai/east/no3", "/links/no3/c-3-2", "/api/v1/schools"):
        assert (await operator.get(path)).headers["cache-control"] == "no-store"


async def test_the_theme_is_kept(operator: httpx.AsyncClient) -> None:
    assert "data-theme" not in (await look(operator, "/")).one("html").attributes
    operator.cookies.set("tenone-theme", "dark")
    assert (await look(operator, "/")).one("html").attributes["data-theme"] == "dark"
    operator.cookies.set("tenone-theme", '"><script>')
    assert "data-theme" not in (await look(operator, "/")).one("html").attributes


def test_the_small_city_has_every_state() -> None:
    city = small_city(0.0)
    verdicts = {link.verdict for link in city.links(ScopePath())}
    assert verdicts == set(Verdict)
    assert any(link.stale for link in city.links(ScopePath()))
    assert any(
        link.verdict is Verdict.GOOD and not link.verified for link in city.links(ScopePath())
    )


async def test_class_minutes_of_today(services: Services, operator: httpx.AsyncClient) -> None:
    assert not (await look(operator, "/at/binhai/east/no3")).all(data_minutes="")
    services.minutes = Counted()
    for path in ("/", "/at/binhai/east/no3", "/parts/class-minutes/binhai/east/no3"):
        (card,) = (await look(operator, path)).all(data_minutes="")
        assert "90.00 %" in card.text
        assert "known: 95.23 %" in card.text
        causes = [node.text for node in card.one("ul", **{"class": "causes num"}).all("li")]
        assert causes == ["uplink of the school 70.0 % 7", "speed below the contract 30.0 % 3"]
    no5 = await look(operator, "/parts/class-minutes/binhai/west/no5", language="zh-CN")
    assert "今日尚未统计到课时。" in no5.text


async def test_class_minutes_of_another_district_are_not_shown(east: httpx.AsyncClient) -> None:
    await look(east, "/parts/class-minutes/binhai/west/no5", status=404)
