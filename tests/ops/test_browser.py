"""The pages in a real browser: languages, sizes, colours; axe, console, requests, live patches."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from controller.api.services import ActionReply
from controller.encode import switch_json
from controller.trust.machine_records import Issued
from controller.trust.machine_standing import Cut, CutState
from controller.views import Change
from dashboards.ops.assets import DEV_VENDOR
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity, Verdict
from tests.api.conftest import RecordingActions
from tests.api.fake_city import link, switch
from tests.ops.keeping import Kept
from tests.ops.serving import Served, served

CHROMIUM = shutil.which("chromium")
AXE = DEV_VENDOR / "axe.min.js"
LIVE = 'body[data-live="1"]'
SIZES = {"phone": (390, 844), "laptop": (1366, 768), "wall": (1920, 1080)}
PAGES = [
    "/",
    "/at/binhai/east",
    "/at/binhai/east/no3",
    "/at/binhai/west/no6",
    "/at/binhai/north/no8",
    "/at/binhai/north/evil",
    "/links/no3/c-3-2",
    "/at/binhai/nowhere",
    "/incidents",
    "/incidents/no3-000000000001",
    "/incidents/evil-000000000005",
    "/repairs",
    "/repairs/a-0003",
    "/sign-in",
]
KEEPERS = [
    "/start",
    "/machines",
    "/machines/agent:no3",
    "/machines/agent:no5",
    "/machines/agent:no6",
    "/machines/agent:evil",
    "/keys",
    "/users",
    "/users/li",
    "/account",
]
"""Pages of a security administrator, who sees nothing of the city."""
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN_AXE = "async (levels) => (await axe.run(document, {runOnly: levels})).violations"
THUMBED = "button, input, select, summary, .tool, .worst-row a, .row"
SMALL = """(thumbed) => [...document.querySelectorAll(thumbed)]
    .filter((e) => e.offsetParent !== null)
    .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])
    .filter(([, height]) => height < 44)"""
TEXTS = """() => [...document.querySelectorAll('main [data-f]')]
    .filter((e) => !e.children.length && !e.closest('.trend') && !e.matches('.age'))
    .map((e) => `${e.dataset.f}: ${e.textContent}`).join('\\n')"""
MARKS = """() => [...document.querySelectorAll('main use')]
    .map((e) => e.getAttribute('href')).join(' ')"""
BARS = """() => [...document.querySelectorAll('main .bar rect')]
    .map((e) => ['x', 'width'].map((name) => Number(e.getAttribute(name)).toFixed(1)))
    .join(' ')"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not here: no page was looked at"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield running
        running.close()


@pytest.fixture
def site() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture
def kept(site: Served, tmp_path: Path) -> Iterator[Kept]:
    made = site.keep(tmp_path)
    yield made
    made.close()


class Watched:
    """A page whose complaints are kept."""

    def __init__(self, context: BrowserContext, site: Served) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda message: self._said(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((site.url, "data:", "blob:"))
                else self.foreign.append(request.url)
            ),
        )

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)


def open_context(
    browser: Browser,
    site: Served,
    *,
    language: str = "en",
    scheme: str = "light",
    size: str = "laptop",
    token: str | None = "",
) -> BrowserContext:
    width, height = SIZES[size]
    context = browser.new_context(
        locale=language,
        timezone_id="America/New_York",  # the pages say city time whatever the browser's zone
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": height},
        is_mobile=size == "phone",
        has_touch=size == "phone",
    )
    if token is not None:
        value = token or site.session()
        context.add_cookies([{"name": "tenone", "value": value, "url": site.url}])
    return context


@pytest.fixture
def watched(browser: Browser, site: Served) -> Iterator[Watched]:
    context = open_context(browser, site)
    made = Watched(context, site)
    yield made
    assert made.complaints == []
    assert made.foreign == []
    context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_is_clean(
    browser: Browser, site: Served, language: str, scheme: str, size: str
) -> None:
    """Console errors 0, requests elsewhere 0, axe violations 0, nothing wider than the screen."""
    if not AXE.exists():
        pytest.fail("axe-core is missing: python -m dashboards.ops.assets --dev fetches it")
    axe = AXE.read_text(encoding="utf-8")
    for path in PAGES:
        token = None if path == "/sign-in" else ""
        context = open_context(
            browser, site, language=language, scheme=scheme, size=size, token=token
        )
        watched = Watched(context, site)
        page = watched.page
        page.goto(site.url + path)
        if page.locator("body[data-stream]").count():
            page.wait_for_selector(LIVE)
            expect(page.locator("body")).to_have_attribute("data-conn", "live")
        if page.locator("[data-trend-scope]").count():
            page.wait_for_selector(".chart canvas")
        page.evaluate(axe)
        found = page.evaluate(RUN_AXE, LEVELS)
        said = [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
        assert said == [], f"{path}: {said}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        expected = [c for c in watched.complaints if not ("404" in c and path.endswith("nowhere"))]
        assert expected == [], path
        assert watched.foreign == []
        context.close()


@pytest.mark.parametrize("size", ["phone", "laptop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_of_a_keeper_is_clean(
    browser: Browser, site: Served, kept: Kept, language: str, scheme: str, size: str
) -> None:
    axe = AXE.read_text(encoding="utf-8")
    token = kept.open("wang", Role.SECURITY_ADMIN)
    context = open_context(browser, site, language=language, scheme=scheme, size=size, token=token)
    watched = Watched(context, site)
    page = watched.page
    for path in KEEPERS:
        page.goto(site.url + path)
        page.evaluate(
            "document.querySelectorAll('details').forEach((fold) => { fold.open = true })"
        )
        clean(page, axe, path)
        if size == "phone":
            assert page.evaluate(SMALL, THUMBED) == [], path
    page.goto(f"{site.url}/machines/agent:no6")
    page.locator('button[value="invite"]').click()
    page.wait_for_selector("pre.copy")
    clean(page, axe, "a token")
    page.goto(f"{site.url}/keys")
    page.fill("#name", "x")
    page.locator('form[action="/keys"] button').click()
    page.wait_for_selector("pre.copy")
    clean(page, axe, "a key")
    assert watched.complaints == []
    assert watched.foreign == []
    context.close()


def clean(page: Page, axe: str, where: str) -> None:
    """No violation, nothing wider than the screen."""
    page.evaluate(axe)
    found = page.evaluate(RUN_AXE, LEVELS)
    assert [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found] == [], where
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), where


def test_a_stolen_gateway_is_revoked_by_a_thumb(browser: Browser, site: Served, kept: Kept) -> None:
    """From the sign-in to the word that the session was cut, in Chinese, at 390 px."""
    token = kept.open("wang", Role.SECURITY_ADMIN)
    context = open_context(browser, site, language="zh-CN", size="phone", token=token)
    watched = Watched(context, site)
    page = watched.page
    page.goto(site.url)
    expect(page).to_have_url(f"{site.url}/start")
    page.get_by_role("link", name="设备证书", exact=True).first.tap()
    page.fill("#q", "第一")
    page.keyboard.press("Enter")
    page.locator('[data-machine="agent:no1"] .name').tap()
    page.locator("summary.red").tap()
    button = page.get_by_role("button", name="立即吊销")
    button.tap()
    expect(page.locator("#why:invalid")).to_have_count(1)  # no reason, no revocation
    kept.watching.cuts["agent:no1"] = Cut(state=CutState.WAITING)
    site.do(lambda: seeded(kept))
    page.locator("#why").fill("凌晨被盗")
    button.tap()
    expect(page.locator("#machine-state")).to_contain_text("尚不能确认会话已切断")
    expect(page.locator("#machine-state")).to_contain_text("凌晨被盗")
    kept.watching.cuts["agent:no1"] = Cut(state=CutState.CUT, at=time.time())
    expect(page.locator("#machine-state")).to_contain_text("已切断", timeout=15_000)
    assert [one.act for one in kept.machines.ledger.entries][-1] == "machine.revoke"
    assert watched.complaints == []
    context.close()


def seeded(kept: Kept) -> None:
    """Let the records know no1, which the registry alone was told of."""
    found = kept.machines.registry.find("agent:no1")
    assert found is not None
    issued = [
        Issued(certificate=one, machine=found.name, how="token", chain="")
        for one in found.certificates
    ]
    enrolled_ns = found.enrolled_ns or 0
    kept.machines.records.add(issued, found.scope, enrolled_ns)


def test_the_pages_of_keepers_work_without_scripts(
    browser: Browser, site: Served, kept: Kept
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    token = kept.open("wang", Role.SECURITY_ADMIN)
    context.add_cookies([{"name": "tenone", "value": token, "url": site.url}])
    page = context.new_page()
    page.goto(f"{site.url}/machines?state=absent")
    page.click('[data-machine="agent:no6"] a')
    page.click('button[value="invite"]')
    expect(page.locator("pre.copy").first).to_contain_text("tenone enrol --token t1.")
    page.goto(f"{site.url}/keys")
    page.click("[data-key] summary >> nth=0")
    page.locator('button[value="disable"]').first.click()
    expect(page.locator('[data-key][data-state="disabled"]')).to_have_count(2)
    page.goto(f"{site.url}/account")
    page.click('button[value="all"]')
    expect(page.locator(".open-sessions li")).to_have_count(1)
    context.close()


def test_targets_are_large_enough_for_a_thumb(browser: Browser, site: Served) -> None:
    context = open_context(browser, site, size="phone")
    page = context.new_page()
    for path in ("/", "/at/binhai/east/no3", "/repairs"):
        page.goto(site.url + path)
        page.wait_for_selector(LIVE)
        small = page.evaluate(SMALL, THUMBED)
        assert small == []
    context.close()


def test_the_snapshot_says_what_the_server_rendered(watched: Watched, site: Served) -> None:
    """The browser's words and the server's: patching everything must change nothing."""
    page = watched.page
    for path in PAGES[:7]:
        answers = []
        for stream in (False, True):
            if not stream:
                page.route("**/api/v1/events*", lambda route: route.abort())
            page.goto(site.url + path)
            if stream:
                page.wait_for_selector(LIVE)
            answers.append([page.evaluate(ask) for ask in (TEXTS, MARKS, BARS)])
            page.unroute("**/api/v1/events*")
        assert answers[0] == answers[1], path
    watched.complaints.clear()  # the aborted streams


def harm(site: Served, link: str = "no12/c-2-3") -> None:
    site.do(
        lambda: site.services.hub.publish(
            site.city.set_link(
                link,
                verdict=Verdict.BAD,
                severity=Severity.WARNING,
                causes=(Cause.SPEED,),
                negotiated_mbps=100,
                since=time.time(),
            )
        )
    )


def heal(site: Served, link: str) -> None:
    site.do(
        lambda: site.services.hub.publish(
            site.city.set_link(
                link,
                verdict=Verdict.GOOD,
                severity=Severity.NONE,
                causes=(),
                negotiated_mbps=1000,
                duplex="full",
                oper="up",
            )
        )
    )


def test_a_fault_arrives_on_the_city_page_and_goes(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(site.url)
    page.wait_for_selector(LIVE)
    expect(page.locator("h1")).to_have_text("2 of 8 schools harmed")
    harm(site)
    expect(page.locator("h1")).to_have_text("3 of 8 schools harmed")
    row = page.locator('[data-school="no12"]')
    expect(row).to_have_attribute("data-verdict", "bad")
    expect(row.locator(".who use")).to_have_attribute("href", "#m-warn")
    expect(row.locator('[data-f="worst"]')).to_have_text("2年3班 100 Mbit/s instead of 1 Gbit/s")
    expect(page.locator("[data-worst-list] li")).to_have_count(3)
    expect(page.locator('[data-worst="no12"]')).to_contain_text("第十二中学")
    expect(page.locator('.stats [data-tier="class"] [data-f="bad"]')).to_have_text("3")
    order = page.locator("[data-school-list] > li").evaluate_all(
        "rows => rows.map(row => row.dataset.school)"
    )
    assert order.index("no12") < order.index("no6")
    heal(site, "no12/c-2-3")
    expect(page.locator("h1")).to_have_text("2 of 8 schools harmed")
    expect(page.locator("[data-worst-list] li")).to_have_count(2)


def test_a_fault_arrives_on_the_school_page_in_chinese(browser: Browser, site: Served) -> None:
    context = open_context(browser, site, language="zh-CN", size="phone")
    page = context.new_page()
    page.goto(f"{site.url}/at/binhai/east/no12")
    page.wait_for_selector(LIVE)
    expect(page.locator('h1 [data-f="main"]')).to_have_text("41 条链路全部达标")
    harm(site)
    expect(page.locator('h1 [data-f="main"]')).to_have_text("40 个班级中 1 个未达标")
    expect(page.locator('h1 [data-f="detail"]')).to_have_text(
        re.compile(r"2年3班 协商为 100 Mbit/s，应为 1 Gbit/s，\d\d:\d\d 起")
    )
    first = page.locator("[data-link-list]").nth(1).locator("li").first
    expect(first).to_have_attribute("data-link", "no12/c-2-3")
    expect(first.locator('.who [data-f="word"]')).to_have_text("预警")
    context.close()


def test_a_silent_gateway_turns_the_page_grey(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(f"{site.url}/at/binhai/east/no1")
    page.wait_for_selector(LIVE)
    expect(page.locator("[data-silent]")).to_be_hidden()

    def fall_silent() -> None:
        changes = site.city.set_agent("no1", online=False, last_report_age_seconds=95.0)
        for name in list(site.city.schools_by_id["no1"].links):
            changes += site.city.set_link(
                name, verdict=Verdict.UNKNOWN, causes=(Cause.AGENT_SILENT,), stale=True
            )
        site.services.hub.publish(changes)

    site.do(fall_silent)
    expect(page.locator('h1 [data-f="main"]')).to_have_text("7 of 7 links unknown")
    expect(page.locator('[data-link][data-fresh="no"]')).to_have_count(7)
    expect(page.locator("[data-silent]")).to_be_visible()
    assert page.locator("[data-link-list] .who .mark-ok").count() == 0


def test_ages_run_on_and_start_over_when_said_again(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(f"{site.url}/at/binhai/east/no3")
    page.wait_for_selector(LIVE)
    proof = page.locator('[data-link="no3/c-3-2"] [data-f="proof-age"]').first
    gateway = page.locator('.hero [data-f="age"]')
    expect(proof).to_have_text(re.compile(r"^[6-9] s ago"), timeout=10_000)
    expect(gateway).to_have_text(re.compile(r"^[6-9] s ago"))
    site.do(site.services.hub.beat)
    expect(proof).to_have_text(re.compile(r"^[45] s ago"))
    expect(gateway).to_have_text(re.compile(r"^[45] s ago"))


def test_what_comes_later_appears(watched: Watched, site: Served) -> None:
    """A school, a link and a switch that were not there when the page was made."""
    page = watched.page
    later = site.city.schools_by_id.pop("no12")
    page.goto(site.url)
    page.wait_for_selector(LIVE)
    expect(page.locator('[data-school="no12"]')).to_have_count(0)

    def come() -> None:
        site.city.schools_by_id["no12"] = later
        site.services.hub.publish(site.city.changes_above(later))

    site.do(come)
    expect(page.locator('[data-school="no12"]')).to_have_count(1)
    expect(page.locator("h1")).to_have_text("2 of 8 schools harmed")
    empty = site.city.schools_by_id["no8"]
    page.goto(f"{site.url}/at/binhai/north/no8")
    page.wait_for_selector(LIVE)
    expect(page.locator("h1")).to_contain_text("No link is described here yet")

    def describe() -> None:
        empty.links["no8/c-1-1"] = link("no8", "c-1-1", "1-1", time.time())
        empty.switches.append(switch("no8", "acc-1"))
        site.services.hub.publish(site.city.set_link("no8/c-1-1"))
        body = switch_json(empty.switches[0])
        site.services.hub.publish(
            [Change(scope=empty.scope, kind="switch", id="no8/switch/acc-1", body=body)]
        )

    site.do(describe)
    expect(page.locator('[data-link="no8/c-1-1"]')).to_have_count(1)
    expect(page.locator('[data-switch="no8/switch/acc-1"]')).to_have_count(1)
    expect(page.locator('h1 [data-f="main"]')).to_have_text("All 1 links hold the promise")


def test_the_first_school_of_an_empty_city_appears(watched: Watched, site: Served) -> None:
    page = watched.page
    schools = dict(site.city.schools_by_id)
    site.do(site.city.schools_by_id.clear)
    page.goto(site.url)
    page.wait_for_selector(LIVE)
    expect(page.locator("h1")).to_have_text("No school here yet")

    def come() -> None:
        site.city.schools_by_id["no1"] = schools["no1"]
        site.services.hub.publish(site.city.changes_above(schools["no1"]))

    site.do(come)
    expect(page.locator("h1")).to_have_text("All 1 schools hold the promise")
    page.wait_for_selector(LIVE)


def test_losing_the_controller_is_said_and_healed(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(site.url)
    page.wait_for_selector(LIVE)
    banner = page.locator("[data-conn-banner]")
    expect(banner).to_be_hidden()
    page.route("**/api/v1/events*", lambda route: route.abort())
    hub = site.services.hub

    def cut() -> None:
        for client in list(hub._everybody()):
            hub.unsubscribe(client)

    site.do(cut)
    expect(banner).to_be_visible(timeout=15_000)
    expect(banner).to_contain_text("Connection lost. This page shows")
    harm(site)
    page.unroute("**/api/v1/events*")
    expect(banner).to_be_hidden(timeout=20_000)
    expect(page.locator("h1")).to_have_text("3 of 8 schools harmed")
    watched.complaints.clear()  # the aborted streams


def test_an_ended_session_leads_to_the_sign_in_page(browser: Browser, site: Served) -> None:
    token = site.session()
    context = open_context(browser, site, token=token)
    page = context.new_page()
    page.goto(f"{site.url}/at/binhai/east")
    page.wait_for_selector(LIVE)
    session = site.services.sessions.find(token)
    assert session is not None
    site.do(lambda: site.services.sessions.close(session))
    site.do(site.services.hub.beat)
    banner = page.locator("[data-conn-banner]")
    expect(banner).to_contain_text("Your session has ended.")
    banner.locator("a").click()
    expect(page).to_have_url(f"{site.url}/sign-in?next=/at/binhai/east")
    context.close()


def test_signing_in_from_the_printed_address(browser: Browser, site: Served) -> None:
    context = open_context(browser, site, token=None)
    watched = Watched(context, site)
    page = watched.page
    page.goto(f"{site.url}/sign-in#{site.code()}")
    expect(page.locator("#code")).not_to_have_value("")
    assert "#" not in page.url
    page.keyboard.press("Enter")
    page.wait_for_selector(LIVE)
    expect(page.locator("h1")).to_contain_text("schools harmed")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{site.url}/sign-in")
    assert watched.complaints == []
    context.close()


def test_the_dialog_by_keyboard_and_polling_now(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(f"{site.url}/at/binhai/east/no3")
    page.wait_for_selector(LIVE)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog.locator("h2")).to_contain_text("1年5班")
    dialog.get_by_role("button", name="Poll now").click()
    expect(dialog.locator('[data-f="reply"]')).to_contain_text("Done.")
    actions = site.services.actions
    assert isinstance(actions, RecordingActions)
    assert actions.asked == [("no3", "acc-2")]
    heal(site, "no3/c-1-5")
    expect(dialog.locator('[data-f="duplex"]')).to_have_text("full duplex")
    expect(dialog.locator("[data-advice]")).to_be_hidden()
    harm(site, "no3/c-1-5")
    expect(dialog.locator("[data-advice]")).to_contain_text("patch cord")
    actions.reply = ActionReply(state="failed", code="silent", message="The agent is silent.")
    dialog.get_by_role("button", name="Poll now").click()
    expect(dialog.locator('[data-f="reply"]')).to_contain_text("The agent is silent.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    watched.complaints[:] = [c for c in watched.complaints if "502" not in c]


def test_filters_search_and_deep_links(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(site.url)
    page.wait_for_selector(LIVE)
    page.keyboard.press("/")
    page.keyboard.type("seventh")
    rows = page.locator("[data-school-list] > li")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=seventh"))
    page.fill("#q", "")
    page.select_option('select[name="state"]', "bad")
    expect(rows).to_have_count(2)
    page.select_option('select[name="district"]', "east")
    expect(rows).to_have_count(1)
    address = page.url
    rows.first.locator("a").click()
    expect(page.locator("h1")).to_contain_text("classes harmed")
    page.goto(address)
    expect(page.locator("[data-school-list] > li")).to_have_count(1)
    page.goto(f"{site.url}/?q=zzzz")
    expect(page.locator("#schools")).to_contain_text("No school fits this filter")


def test_colours_are_chosen_and_kept(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(site.url)
    root, button = page.locator("html"), page.locator("[data-theme-button]")
    for theme in ("light", "dark"):
        button.click()
        expect(root).to_have_attribute("data-theme", theme)
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    page.wait_for_selector(LIVE)


def test_the_page_reads_without_scripts(browser: Browser, site: Served) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    context.add_cookies([{"name": "tenone", "value": site.session(), "url": site.url}])
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator("h1")).to_have_text("2 of 8 schools harmed")
    page.click('[data-school="no3"] a')
    page.click('[data-link="no3/c-3-2"] a')
    expect(page.locator("main")).to_contain_text("Try another patch cord")
    context.close()


def test_a_long_watch_does_not_grow_the_page(watched: Watched, site: Served) -> None:
    page = watched.page
    page.goto(f"{site.url}/at/binhai/east/no12")
    page.wait_for_selector(LIVE)
    session = page.context.new_cdp_session(page)

    def nodes() -> int:
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        return int(next(m["value"] for m in metrics if m["name"] == "Nodes"))

    def everything() -> None:
        for name in list(site.city.schools_by_id["no12"].links):
            site.services.hub.publish(site.city.set_link(name))
        site.services.hub.flush()

    def storm(rounds: int) -> None:
        for number in range(rounds):
            for name in list(site.city.schools_by_id["no12"].links):
                speed = 100 if number % 2 else 1000
                site.city.set_link(name, negotiated_mbps=speed)
            site.do(everything)
            page.wait_for_timeout(30)

    session.send("Performance.enable")
    storm(5)
    before = nodes()
    storm(60)
    assert nodes() <= before * 1.1 + 200


def test_a_district_viewer_sees_the_district_alone(browser: Browser, site: Served) -> None:
    token = site.session(Role.VIEWER, "binhai/east")
    context = open_context(browser, site, token=token)
    watched = Watched(context, site)
    page = watched.page
    page.goto(site.url)
    page.wait_for_selector(LIVE)
    expect(page.locator("h1")).to_have_text("1 of 3 schools harmed")
    harm(site, "no5/c-1-1")
    harm(site, "no12/c-2-3")
    expect(page.locator("h1")).to_have_text("2 of 3 schools harmed")
    assert page.locator('[data-school="no5"], [data-worst="no5"]').count() == 0
    page.goto(f"{site.url}/links/no3/c-3-2")
    expect(page.get_by_role("button", name="Poll now")).to_have_count(0)
    assert watched.complaints == []
    assert site.city.scope_of_school("no5") == ScopePath.parse("binhai/west/no5")
    context.close()


def test_a_stop_is_pressed_confirmed_and_seen_by_another(browser: Browser, site: Served) -> None:
    """By a thumb, in Chinese; the page of somebody else shows it by itself."""
    other = open_context(browser, site, token=site.session(Role.APPROVER, actor="account:wang"))
    seen = Watched(other, site)
    seen.page.goto(f"{site.url}/repairs")
    seen.page.wait_for_selector(LIVE)
    expect(seen.page.locator("h1")).to_contain_text("2 repairs wait for approval")
    context = open_context(browser, site, language="zh-CN", size="phone")
    watched = Watched(context, site)
    page = watched.page
    page.goto(f"{site.url}/repairs")
    page.get_by_text("停止全部修复").tap()
    page.get_by_role("button", name="立即停止").tap()
    expect(page.locator("#stop-why:invalid")).to_have_count(1)  # no reason, no stop
    assert not site.services.enforcement.standing(ScopePath()).stops
    page.locator("#stop-why").fill("中考期间不改动")
    page.get_by_role("button", name="立即停止").tap()
    expect(page.locator(".stop.stands")).to_contain_text("中考期间不改动")
    expect(page.locator("h1")).to_contain_text("已停止")
    expect(seen.page.locator(".stop.stands")).to_contain_text("中考期间不改动", timeout=15_000)
    seen.page.get_by_text("Let it go on").click()
    seen.page.get_by_label("Why it may go on").fill("over")
    seen.page.get_by_role("button", name="Take the stop back").click()
    expect(seen.page.locator(".stop.stands")).to_have_count(0)
    expect(page.locator(".stop.stands")).to_have_count(0, timeout=15_000)
    assert watched.complaints == seen.complaints == []
    assert watched.foreign == seen.foreign == []
    other.close()
    context.close()


def test_what_is_typed_outlives_the_renewal(browser: Browser, site: Served) -> None:
    token = site.session(Role.APPROVER, actor="account:wang")
    context = open_context(browser, site, token=token)
    page = Watched(context, site).page
    page.goto(f"{site.url}/repairs/a-0001")
    page.wait_for_selector(LIVE)
    page.get_by_text("Refuse", exact=True).click()
    page.get_by_label("Why not").fill("not in exam week")
    with page.expect_response(lambda answer: answer.url.endswith("/repairs/a-0001")):
        pass  # the page has been asked for anew
    expect(page.get_by_label("Why not")).to_have_value("not in exam week")
    page.get_by_role("button", name="Refuse it").click()
    page.wait_for_url("**/repairs/a-0001")
    (step,) = site.services.approvals.steps  # type: ignore[attr-defined]  # the fake's own
    assert step[0] == "refuse"
    assert step[3] == "not in exam week"
    context.close()


def test_screenshots_can_be_taken(tmp_path: Path, watched: Watched, site: Served) -> None:
    watched.page.goto(site.url)
    watched.page.wait_for_selector(LIVE)
    picture = tmp_path / "city.png"
    watched.page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000
