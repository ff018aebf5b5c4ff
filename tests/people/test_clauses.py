"""Identity clauses over HTTP, one by one as a sceptic would: pages, cookies, names, headers."""

from http.cookies import SimpleCookie

import httpx
import pytest

from controller.api.security import browser_cookie_name
from tests.people.conftest import PASSWORD, House
from tests.people.test_over_http import API, anyone, app

__all__ = ["anyone", "app"]  # fixtures
HOME = "tenone-browser"


async def page(
    house: House, client: httpx.AsyncClient, name: str = "keeper", password: str = PASSWORD,
    code: str | None = None, **more: str,
) -> httpx.Response:  # fmt: skip
    code = house.code("keeper") if code is None else code
    form = {"name": name, "password": password, "code": code}
    answer = await client.post("/sign-in", data=form | more)
    house.clock.advance(30)
    return answer


async def test_the_cookies_of_a_sign_in(house: House, anyone: httpx.AsyncClient) -> None:
    answer = await page(house, anyone)
    kept = {
        name: morsel
        for line in answer.headers.get_list("set-cookie")
        for name, morsel in SimpleCookie(line).items()
    }
    for name, site in (("tenone", "lax"), (HOME, "strict")):
        assert kept[name]["httponly"], name
        assert (kept[name]["samesite"].lower(), kept[name]["path"]) == (site, "/")
        assert kept[name]["domain"] == ""
    assert browser_cookie_name(secure=True) == "__Host-tenone-browser"
    assert "keeper" not in kept[HOME].value


async def test_who_is_at_home_comes_in_while_a_name_is_locked(
    house: House, anyone: httpx.AsyncClient
) -> None:
    assert (await page(house, anyone)).status_code == 303
    known = anyone.cookies[HOME]
    anyone.cookies.clear()
    statuses = [(await page(house, anyone, password="a guess")).status_code for _ in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    assert HOME not in anyone.cookies, "a refusal gives none"
    anyone.cookies.set(HOME, known)
    body = {"name": "keeper", "password": PASSWORD, "code": house.code("keeper")}
    assert (await anyone.post(f"{API}/sessions", json=body)).status_code == 429, "a program"
    assert (await page(house, anyone)).status_code == 303


async def test_the_session_is_another_one_after_each_sign_in(
    house: House, anyone: httpx.AsyncClient
) -> None:
    anyone.cookies.set("tenone", "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    await page(house, anyone)
    first = anyone.cookies["tenone"]
    assert first != "chosen-by-somebody-else"
    await page(house, anyone)
    assert anyone.cookies["tenone"] != first
    assert house.sessions.find(first) is None, "the one before has ended"


@pytest.mark.parametrize(
    "goal",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "\t//evil",
     "/\t/evil.example", "", "evil", "/%0d%0aset-cookie:x=1\r\nx:y"],
)  # fmt: skip
async def test_nobody_is_sent_elsewhere(house: House, anyone: httpx.AsyncClient, goal: str) -> None:
    assert (await page(house, anyone, goal=goal)).headers["location"] == "/"


async def test_no_word_tells_whether_a_name_exists(house: House, anyone: httpx.AsyncClient) -> None:
    said = {}
    for name in ("keeper", "nobody-has-this"):
        body = {"name": name, "password": "a wrong one", "code": "000000"}
        said[name] = [
            (answer.status_code, answer.json()["detail"])
            for _ in range(7)
            for answer in [await anyone.post(f"{API}/sessions", json=body)]
        ]
    assert said["keeper"] == said["nobody-has-this"]


async def test_headers_of_proxies_change_nobodys_address(
    house: House, anyone: httpx.AsyncClient
) -> None:
    statuses = []
    for number in range(21):
        headers = {"x-forwarded-for": f"203.0.113.{number}", "forwarded": f"for=203.0.113.{number}"}
        body = {"name": f"nobody{number}", "password": "x"}
        answer = await anyone.post(f"{API}/sessions", json=body, headers=headers)
        statuses.append(answer.status_code)
    assert statuses == [401] * 20 + [429], "twenty of one address"
    assert all("203.0.113" not in str(entry) for entry in house.ledger.entries)


@pytest.mark.parametrize(
    "name",
    ["кеерег", "keeper", "keeрer", "k\u200deeper", "KEEPER", "ｋeeper", "keeper ", "ke\u0301per",
     "keeper\x00", "../keeper", "keeper\n", "", "a" * 65, ".keeper", "keeper-"],
)  # fmt: skip
async def test_names_that_look_alike_are_not_made(
    house: House, anyone: httpx.AsyncClient, name: str
) -> None:
    await page(house, anyone)
    answer = await anyone.post(f"{API}/users", json={"name": name, "grants": []})
    assert answer.status_code in {400, 409, 422}, answer.text
    assert len(house.records.all()) == 1
