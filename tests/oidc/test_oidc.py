"""Sign-in by OpenID Connect against a provider in a process of its own: once right, often wrong."""

import ipaddress
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.trend import Trend
from controller.trust.oidc import OidcDoor, challenge, provider_id
from controller.trust.outward import Outward
from dashboards.ops.site import mount
from tenone.cli.processes import free_port
from tenone.config.oidc import Oidc
from tenone.runtime.clock import SystemClock
from tenone.trust.masked import Secret
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.fake_city import small_city
from tests.people.conftest import House
from tests.trust.city import empty_records

SECRET = "a secret of the test"
ORIGIN = "http://localhost"


TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PROVIDER = httpx.Client(verify=False)  # noqa: S501 - plain HTTP on loopback; no context to build


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    place = Path(__file__).with_name("provider.py")
    with subprocess.Popen([sys.executable, str(place), str(port)]) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 30
            while True:
                try:
                    PROVIDER.get(f"{url}/asked")
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield url
        finally:
            PROVIDER.close()
            process.terminate()


class Place:
    """A controller that takes the provider's word."""

    def __init__(self, folder: Path, issuer: str, **more: Any) -> None:
        self.issuer = issuer
        shutil.copy(empty_records(), folder / "records.db")
        self.house = House(folder)
        self.house.clock = SystemClock()  # type: ignore[assignment]  # the provider has no other
        parts = self.house.people.parts
        object.__setattr__(parts, "clock", self.house.clock)
        self.house.sessions._clock = self.house.clock
        self.house.people.door._parts = parts
        clock = self.house.clock
        config = Oidc(name="City SSO", issuer=issuer, client_id="tenone", url=ORIGIN, **more)
        local = (ipaddress.ip_network("127.0.0.0/8"),)
        self.door = OidcDoor(
            config,
            self.house.people,
            clock,
            secret=Secret(SECRET),
            outward=Outward(local),
            trust=TRUST,
        )
        city = small_city(clock.wall_ns() / 1e9)
        services = Services(
            city=city,
            hub=Hub(clock, city),
            sessions=self.house.sessions,
            trend=Trend(clock, city),
            clock=clock,
            people=self.house.people,
            ledger=self.house.ledger,
            oidc=self.door,
        )
        self.app = create_app(services)
        mount(self.app, services)
        self.house.account("keeper", Grant(Role.SECURITY_ADMIN, ScopePath()))
        self.house.account("li", Grant(Role.VIEWER, ScopePath()), factor=False)
        self.house.records.edit("li", link=(provider_id(issuer), "subject-li"))

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=ORIGIN)

    async def there(self, browser: httpx.AsyncClient) -> str:
        """To the provider; the address it sends the browser back to."""
        begun = await browser.get("/sign-in/oidc?next=/at/binhai")
        assert begun.status_code == 303
        async with httpx.AsyncClient(verify=False) as outside:  # noqa: S501 - plain HTTP on loopback
            answer = await outside.get(begun.headers["location"])
        return str(answer.headers["location"])

    @property
    def refusals(self) -> list[str]:
        return [
            str(one.detail["why"])
            for one in self.house.ledger.entries
            if one.act == "session.refused"
        ]


@pytest.fixture
def place(tmp_path: Path, issuer: str) -> Iterator[Place]:
    PROVIDER.post(f"{issuer}/tamper", json={})
    made = Place(tmp_path, issuer, allowed_groups=("it",), second_factor=("otp",))
    yield made
    made.house.sql.close()


def tamper(place: Place, **wrong: Any) -> None:
    PROVIDER.post(f"{place.issuer}/tamper", json=wrong)


def asked(place: Place) -> int:
    return int(PROVIDER.get(f"{place.issuer}/asked").json()["keys"])


def logout_token(place: Place) -> str:
    return str(PROVIDER.get(f"{place.issuer}/logout-token").json()["token"])


async def in_by(place: Place) -> tuple[httpx.Response, httpx.AsyncClient]:
    browser = place.browser()
    return await browser.get(await place.there(browser)), browser


async def test_who_is_linked_is_let_in_and_goes_where_they_wanted(place: Place) -> None:
    answer, browser = await in_by(place)
    assert answer.headers["location"] == "/at/binhai"
    who = (await browser.get("/api/v1/sessions/current")).json()
    assert (who["actor"], who["grants"]) == ("account:li", [{"role": "viewer", "scope": ""}])
    entry = place.house.ledger.entries[-1]
    assert (entry.act, entry.detail["second"]) == ("session.open", "oidc with second factor")
    assert "tenone-oidc" not in browser.cookies


@pytest.mark.slow
async def test_a_key_of_another_kind(place: Place) -> None:
    tamper(place, alg="ES256")
    assert (await in_by(place))[0].headers["location"] == "/at/binhai"


async def test_what_the_browser_carries(place: Place) -> None:
    async with place.browser() as browser:
        begun = await browser.get("/sign-in/oidc?next=https://evil.example/")
        query = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
        assert query["code_challenge_method"] == "S256"
        assert (query["response_type"], query["scope"]) == ("code", "openid")
        assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
        assert "secret" not in begun.headers["location"]
        cookie = begun.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        page = (await browser.get("/sign-in")).text
    assert 'href="/sign-in/oidc?next=/"' in page
    assert "City SSO" in page
    # RFC 7636 appendix B
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


TAMPERED: list[tuple[dict[str, Any], str]] = [
    ({"claims": {"iss": "https://evil.example"}}, "issuer"),
    ({"claims": {"iss": None}}, "issuer"),
    ({"claims": {"aud": "another"}}, "audience"),
    ({"claims": {"aud": []}}, "audience"),
    ({"claims": {"aud": ["tenone", "another"]}}, "authorised party"),
    ({"claims": {"azp": "another"}}, "authorised party"),
    ({"claims": {"nonce": "of another sign-in"}}, "nonce"),
    ({"without": ["nonce"]}, "nonce"),
    ({"shift": {"exp": -61}}, "expired"),
    ({"without": ["exp"]}, "exp is no moment"),
    ({"claims": {"exp": 1e300}}, "exp is no moment"),
    ({"shift": {"iat": 120}}, "issued in the future"),
    ({"shift": {"iat": -3600}}, "issued too long ago"),
    ({"without": ["iat"]}, "iat is no moment"),
    ({"shift": {"nbf": 600}}, "not valid yet"),
    ({"claims": {"sub": ""}}, "subject"),
    ({"claims": {"sub": "x" * 256}}, "subject"),
    ({"claims": {"sub": "subject-nobody"}}, "no account is linked"),
    ({"claims": {"groups": ["pupils"]}}, "not in an allowed group"),
    ({"alg": "none"}, "algorithm none"),
    ({"alg": "none", "header": {"alg": "NONE"}}, "algorithm NONE"),
    ({"alg": "HS256"}, "algorithm HS256"),
    ({"alg": "HS256", "header": {"alg": "RS256"}}, "signature"),
    ({"key": "other"}, "signature"),
    ({"header": {"kid": "nobody's"}}, "unknown kid"),
    ({"header": {"kid": None}}, "no kid"),
    ({"header": {"kid": "ec-1"}}, "signature"),
    ({"tampered": True}, "signature"),
    ({"code_challenge": "of somebody else"}, "code refused ('invalid_grant')"),
    ({"code_challenge": None}, "code refused ('invalid_grant')"),
]


async def test_what_is_wrong_is_refused(place: Place) -> None:
    assert len(TAMPERED) >= 30
    for wrong, why in TAMPERED:  # one place for all of them: each is quick, a place is not
        place.house.ledger.entries.clear()
        tamper(place, **wrong)
        answer, browser = await in_by(place)
        assert answer.headers["location"] == "/sign-in?refused=provider", wrong
        assert (await browser.get("/api/v1/sessions/current")).status_code == 401
        assert place.refusals == [f"oidc: {why}"], wrong
        assert place.house.sessions.count() == 0, wrong


async def test_the_way_back_is_good_once_and_for_its_browser(place: Place) -> None:
    async with place.browser() as browser, place.browser() as thief:
        back = await place.there(browser)
        stolen = await thief.get(back)
        assert stolen.headers["location"].endswith("refused=provider")
        assert (await browser.get(back)).headers["location"].endswith("refused=provider")
        again = await place.there(browser)
        kept = dict(browser.cookies)
        assert (await browser.get(again)).headers["location"] == "/at/binhai"
        browser.cookies.update(kept)
        assert (await browser.get(again)).headers["location"].endswith("refused=provider")
    assert place.refusals == ["oidc: another browser", "oidc: state", "oidc: state"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("state=", "state=x"), "state"),
        (("code=", "other="), "no code"),
        (("code=", "code=x"), "code refused ('invalid_grant')"),
        (("state=", "iss=https://evil.example&state="), "mixed-up issuer"),
        (("code=", "error=access_denied&code="), "provider says 'access_denied'"),
        (("state=", "state=x&state="), "state"),
    ],
)
async def test_a_way_back_that_was_changed(place: Place, change: tuple[str, str], why: str) -> None:
    async with place.browser() as browser:
        back = (await place.there(browser)).replace(*change)
        assert (await browser.get(back)).headers["location"] == "/sign-in?refused=provider"
    assert place.refusals == [f"oidc: {why}"]


@pytest.mark.slow
async def test_a_code_that_was_used_is_refused(place: Place) -> None:
    async with place.browser() as browser:
        first = dict(parse_qsl(urlsplit(await place.there(browser)).query))
        verifier = place.door._pending[first["state"]].verifier
        assert await place.door._exchange(first["code"], verifier)
        back = f"/sign-in/oidc/return?code={first['code']}&state={first['state']}"
        assert (await browser.get(back)).headers["location"].endswith("refused=provider")
    assert place.refusals == ["oidc: code refused ('invalid_grant')"]


async def test_disabled_here_is_out(place: Place) -> None:
    place.house.records.edit("li", enabled=False)
    assert (await in_by(place))[0].headers["location"] == "/sign-in?refused=provider"
    assert place.refusals == ["disabled"]


@pytest.mark.slow
async def test_roles_that_want_a_second_factor_want_it_from_the_provider(place: Place) -> None:
    place.house.records.edit("li", grants=(Grant(Role.OPERATOR, ScopePath()),))
    tamper(place, claims={"amr": ["pwd"]})
    assert (await in_by(place))[0].headers["location"] == "/sign-in?refused=provider"
    assert place.refusals == ["oidc: no second factor"]
    tamper(place)
    assert (await in_by(place))[0].headers["location"] == "/at/binhai"


@pytest.mark.slow
async def test_a_new_key_of_the_provider_is_fetched_once(place: Place) -> None:
    assert (await in_by(place))[0].headers["location"] == "/at/binhai"
    before = asked(place)
    tamper(place, new_key=f"rsa-{time.time_ns()}")
    place.door._keys_at = float("-inf")
    assert (await in_by(place))[0].headers["location"] == "/at/binhai"
    for number in range(3):
        tamper(place, header={"kid": f"guess-{number}"})
        assert (await in_by(place))[0].headers["location"].endswith("refused=provider")
    assert asked(place) == before + 1


ASTRAY: list[dict[str, Any]] = [
    {"issuer": "https://evil.example"},
    {"token_endpoint": "https://evil.example/token"},
    {"jwks_uri": "file:///etc/passwd"},
    {"jwks_uri": "http://169.254.169.254/keys"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": None},
    {"code_challenge_methods_supported": ["plain"]},
]


@pytest.mark.slow
async def test_a_discovery_that_leads_astray(place: Place) -> None:
    async with place.browser() as browser:
        for about in ASTRAY:
            tamper(place, about=about)
            begun = await browser.get("/sign-in/oidc")
            assert begun.headers["location"] == "/sign-in?refused=away", about
            assert "set-cookie" not in begun.headers
        page = await browser.get("/sign-in?refused=away", headers={"accept-language": "zh"})
    assert "refusal" in page.text


@pytest.mark.slow
async def test_a_provider_in_a_network_that_is_not_listed(tmp_path: Path, issuer: str) -> None:
    made = Place(tmp_path, issuer)
    made.door._outward = Outward()
    async with made.browser() as browser:
        assert (await browser.get("/sign-in/oidc")).headers["location"].endswith("refused=away")
    made.house.sql.close()


@pytest.mark.slow
async def test_without_a_ledger_nobody_comes_in(place: Place) -> None:
    async with place.browser() as browser:
        back = await place.there(browser)
        place.house.ledger.broken = True
        assert (await browser.get(back)).headers["location"] == "/sign-in?refused=away"
    assert place.house.sessions.count() == 0


async def test_the_provider_signs_out(place: Place) -> None:
    _, browser = await in_by(place)
    token = logout_token(place)
    async with place.browser() as back:
        for wrong in ({"claims": {"nonce": "x"}}, {"without": ["events"]}, {"key": "other"}):
            tamper(place, **wrong)
            bad = logout_token(place)
            refused = await back.post("/sign-in/oidc/logout", data={"logout_token": bad})
            assert refused.status_code == 400, wrong
        assert (await browser.get("/api/v1/sessions/current")).status_code == 200
        foreign = {"origin": "https://evil.example"}
        by_page = await back.post(
            "/sign-in/oidc/logout", data={"logout_token": token}, headers=foreign
        )
        assert by_page.status_code == 403, "a browser has no business there"
        done = await back.post("/sign-in/oidc/logout", data={"logout_token": token})
        assert done.status_code == 200
        assert (await browser.get("/api/v1/sessions/current")).status_code == 401
        again = await back.post("/sign-in/oidc/logout", data={"logout_token": token})
        assert again.status_code == 400


@pytest.mark.slow
async def test_an_issuer_is_not_another_ones_subjects(place: Place) -> None:
    place.house.records.edit("li", link=(provider_id("https://old.example"), "subject-li"))
    assert (await in_by(place))[0].headers["location"].endswith("refused=provider")
    assert place.refusals == ["oidc: no account is linked"]
