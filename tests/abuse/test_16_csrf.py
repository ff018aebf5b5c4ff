"""Abuse case 16: requests of other sites with a signed-in person's cookie; changes by GET."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import sync_playwright

from tests.abuse.places import KNOWN
from tests.abuse.whole import EVERY, Whole, routes_of
from tests.ops.serving import served

CHROMIUM = shutil.which("chromium")
SHARED = pytest.mark.asyncio(loop_scope="session")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OTHERS = (
    {b"origin": b"http://127.0.0.1:9999"},  # the same host on another port is another origin
    {b"origin": b"http://localhost:8010"},
    {b"origin": b"https://evil.example"},
    {b"origin": b"null"},  # a sandboxed frame, a file, a redirect across sites
    {b"origin": b"http://127.0.0.1:8010.evil.example"},
    {b"origin": b"http://evil.example/127.0.0.1:8010"},
    {b"origin": b"http://user@127.0.0.1:80100"},
    {b"origin": b""},  # left out, and no Sec-Fetch-Site either
    {b"origin": b"", b"sec-fetch-site": b"cross-site"},
    {b"origin": b"", b"sec-fetch-site": b"same-site"},
    {b"origin": b"", b"referer": b"http://127.0.0.1:8010/"},
)
FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"text/plain")
"""What a form can send without asking first (the CORS-safelisted content types)."""


def target_of(path: str, known: dict[str, str]) -> bytes:
    for name, value in (KNOWN | known).items():
        path = path.replace("{" + name + "}", value).replace("{" + name + ":path}", value)
    while "{" in path:
        start, _, rest = path.partition("{")
        path = start + "x-1" + rest.partition("}")[2]
    return path.encode()


@SHARED
async def test_every_unsafe_route_refuses_other_origins(house: Whole) -> None:
    token = house.sign_in("account:wang", *EVERY)
    counted: Counter[int] = Counter()
    passed: list[str] = []
    unsafe = [(method, path) for method, path in routes_of(house.app) if method not in SAFE]
    for method, path in unsafe:
        target = target_of(path, house.known)
        for headers in OTHERS:
            for kind in (*FORMS, b"application/json"):
                answer = await house.ask(
                    method,
                    target,
                    token=token,
                    body=b"{}",
                    headers={b"content-type": kind, **headers},
                )
                counted[answer.status] += 1
                if answer.status != 403:
                    passed.append(f"{answer.status} {method} {path} {headers}")
    print(f"\nCSRF: {counted.total()} requests to {len(unsafe)} unsafe routes: {dict(counted)}")
    assert passed == []
    assert len(unsafe) > 15


@SHARED
async def test_our_own_pages_pass(house: Whole) -> None:
    """So that the test above cannot pass because everything is refused."""
    token = house.sign_in("account:wang", *EVERY)
    for headers in ({}, {b"origin": b"", b"sec-fetch-site": b"same-origin"}):
        path = f"/api/v1/incidents/{house.known['incident']}/comment".encode()
        sent = {b"content-type": b"application/json", **headers}
        answer = await house.ask(
            "POST", path, token=token, body=b'{"text": "seen", "by": "Wang"}', headers=sent
        )
        assert answer.status == 200, answer.body


def dump(folder: Path) -> dict[str, str]:
    """Every row of the records, but for who was seen when and what keeps itself up to date."""
    with sqlite3.connect(f"file:{folder}/city/records.db?mode=ro", uri=True) as database:
        names = [
            row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        return {
            name: repr(sorted(database.execute(f'SELECT * FROM "{name}"'), key=repr))  # noqa: S608 - names of our own
            for name in names
            if name not in {"link_change", "sqlite_sequence"}
        }


@SHARED
async def test_nothing_changes_by_get(house: Whole) -> None:
    """GET and HEAD of every route, with everything a query could ask for: the records stay."""
    token = house.sign_in("account:wang", *EVERY)
    await asyncio.sleep(0)
    before = dump(house.folder)
    sessions = house.services.sessions.count()
    asked = 0
    for method, path in routes_of(house.app):
        if method not in SAFE or path.endswith("/events"):
            continue
        target = target_of(path, house.known)
        for query in (b"", b"?_method=DELETE&method=POST&action=delete&state=open&confirm=1"):
            for override in ({}, {b"x-http-method-override": b"DELETE"}):
                answer = await house.ask(method, target + query, token=token, headers=override)
                assert answer.status < 500, (path, answer.body)
                asked += 1
    assert house.services.sessions.count() == sessions
    after = dump(house.folder)
    assert {name for name in before if before[name] != after.get(name)} == set()
    print(f"\nGET: {asked} requests, tables that changed 0 of {len(before)}")


class _Evil(BaseHTTPRequestHandler):
    """A page on another port that posts to the controller by itself."""

    def do_GET(self) -> None:
        """The page."""
        body = PAGE.replace("TARGET", self.server.target).encode()  # type: ignore[attr-defined]  # set below
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nothing."""


PAGE = """<!doctype html><title>evil</title>
<iframe name="hole"></iframe>
<form id="f" method="post" action="TARGET" target="hole" enctype="text/plain">
<input name='{"text": "evil", "by": "' value='x"}'></form>
<script>
document.getElementById("f").submit();
fetch("TARGET", {method: "POST", credentials: "include", mode: "no-cors", body: "{}"});
navigator.sendBeacon("TARGET", "{}");
</script>
<iframe sandbox="allow-scripts allow-forms" srcdoc='<form id="g" method="post" action="TARGET">
<input name="a" value="b"></form><script>document.getElementById("g").submit()
</script>'></iframe>"""


def evil_site(target: str) -> ThreadingHTTPServer:
    """It runs until it is shut down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Evil)
    server.target = target  # type: ignore[attr-defined]  # for the handler
    Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not here: no page was looked at")
def test_a_page_on_another_port_changes_nothing() -> None:
    """In Chromium: another port is the same *site*, so the cookie goes along; the origin decides.

    A form, a fetch and a beacon, by a page and by a sandboxed frame (Origin: null), to sign the
    person out and to make an agent poll.
    """
    with served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context()
        token = site.session()
        context.add_cookies([{"name": "tenone", "value": token, "url": site.url}])
        page = context.new_page()
        answered: list[tuple[str, int]] = []
        sent: list[str] = []
        page.on(
            "request",
            lambda request: sent.append(request.url) if request.method == "POST" else None,
        )
        page.on(
            "response",
            lambda answer: (
                answered.append((answer.request.headers.get("origin", ""), answer.status))
                if answer.request.method == "POST"
                else None
            ),
        )
        for path in ("/sign-out", "/api/v1/links/no3/c-3-2/recheck"):
            evil = evil_site(f"{site.url}{path}")
            page.goto(f"http://127.0.0.1:{evil.server_port}/")
            wanted = len(sent) + 3  # of beacons one is told nothing
            for _ in range(100):
                if len(sent) >= wanted:
                    break
                page.wait_for_timeout(100)
            page.wait_for_timeout(1000)  # what was sent arrives
            evil.shutdown()
            evil.server_close()
        browser.close()
        alive = site.services.sessions.find(token)
        asked = site.services.actions.asked  # type: ignore[attr-defined]  # the fake that notes
    print(f"\nCSRF in Chromium: {len(sent)} requests, answers {dict(Counter(answered))}")
    assert alive is not None
    assert asked == []
    assert {status for _, status in answered} == {403}
    assert len(sent) >= 6
    # Of answers to frames and to what is sent without CORS a page sees nothing.
    assert answered
