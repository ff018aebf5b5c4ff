"""A fresh city over HTTP: one code, one administrator, accounts, and what each may not."""

import re
from collections.abc import AsyncIterator

import httpx
import pyotp
import pytest
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import SessionKind
from controller.api.trend import Trend
from dashboards.ops.site import mount
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of
from tests.api.fake_city import small_city
from tests.people.conftest import PASSWORD, House

API = "/api/v1"
NEW = "a quiet afternoon in spring"


@pytest.fixture
def app(house: House) -> FastAPI:
    city = small_city(house.now)
    made = Services(
        city=city,
        hub=Hub(house.clock, city),
        sessions=house.sessions,
        trend=Trend(house.clock, city),
        clock=house.clock,
        people=house.people,
        ledger=house.ledger,
    )
    app = create_app(made)
    mount(app, made)
    return app


@pytest.fixture
async def anyone(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


async def sign_in(house: House, client: httpx.AsyncClient, name: str) -> httpx.Response:
    body = {"name": name, "password": PASSWORD, "code": house.code(name)}
    answer = await client.post(f"{API}/sessions", json=body)
    house.clock.advance(60)
    return answer


async def test_a_password_alone_is_401_and_five_are_429(
    house: House, anyone: httpx.AsyncClient
) -> None:
    statuses = [
        (
            await anyone.post(f"{API}/sessions", json={"name": "keeper", "password": PASSWORD})
        ).status_code
        for _ in range(6)
    ]
    assert statuses == [401, 401, 401, 401, 429, 429]
    locked = await sign_in(house, anyone, "keeper")
    assert (locked.status_code, int(locked.headers["retry-after"]) > 800) == (429, True)


async def test_a_fresh_city_is_set_up_by_its_code_in_the_browser(
    house: House, anyone: httpx.AsyncClient
) -> None:
    house.sql.engine.dispose()
    with house.sql.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM account")
    code = house.sessions.issue_code(kind=SessionKind.SET_UP)
    anyone.headers["accept"] = "text/html"
    anyone.headers["accept-language"] = "en"
    entered = await anyone.post("/sign-in", data={"code": code})
    assert (entered.status_code, entered.headers["location"]) == (303, "/set-up")
    assert (await anyone.get("/")).headers["location"] == "/set-up"
    for path in ("links", "users", "audit", "sessions/current"):
        there = await anyone.get(f"{API}/{path}")
        assert there.status_code == (200 if path == "sessions/current" else 403), path
    page = await anyone.get("/set-up")
    secret = re.search(r'key"><span class="sr">Key</span> (\w+)', page.text)
    assert secret is not None
    assert "<svg" in page.text
    form = {"name": "chen", "display": "陈静", "password": NEW, "again": "other"}
    form["code"] = pyotp.TOTP(secret[1]).at(int(house.now))
    wrong = await anyone.post("/set-up", data=form)
    assert (wrong.status_code, "not the same" in wrong.text) == (400, True)
    done = await anyone.post("/set-up", data=form | {"again": NEW})
    assert done.text.count("<li>") >= 10
    assert (await anyone.get("/account")).headers["location"].startswith("/sign-in")
    house.clock.advance(60)
    form = {"name": "chen", "password": NEW, "code": pyotp.TOTP(secret[1]).at(int(house.now))}
    inside = await anyone.post("/sign-in", data=form)
    assert inside.status_code == 303
    assert (await anyone.get("/")).headers["location"] == "/start"
    assert "陈静" in (await anyone.get("/users")).text
    assert house.ledger.acts.count("account.create") == 1


async def test_a_keeper_makes_changes_and_removes_an_account(
    house: House, anyone: httpx.AsyncClient, app: FastAPI
) -> None:
    assert (await sign_in(house, anyone, "keeper")).status_code == 201
    body = {"name": "li", "display": "李雷", "grants": [{"role": "viewer", "scope": "binhai/east"}]}
    made = await anyone.post(f"{API}/users", json=body)
    assert made.status_code == 201
    assert (await anyone.post(f"{API}/users", json=body)).status_code == 409
    one_time = made.json()["one_time_code"]
    async with client_of(app) as li:
        entered = await li.post(f"{API}/sessions", json={"name": "li", "code": one_time})
        assert entered.json()["kind"] == "enrol"
        assert (await li.get(f"{API}/links")).status_code == 403
        enrolled = await li.post(f"{API}/users/current/enrol", json={"password": NEW})
        assert enrolled.json() == {"recovery_codes": []}
        body = {"name": "li", "password": NEW}
        assert (await li.post(f"{API}/sessions", json=body)).status_code == 201
        assert (await li.get(f"{API}/users/current")).json()["state"] == "enabled"
        assert (await li.get(f"{API}/users")).status_code == 403
        assert (await li.get("/users")).status_code == 403
        patched = await anyone.patch(f"{API}/users/li", json={"grants": []})
        assert patched.json()["grants"] == []
        assert (await li.get(f"{API}/users/current")).status_code == 401, "ended at once"
    refused = await anyone.patch(f"{API}/users/keeper", json={"enabled": False})
    assert refused.status_code == 403
    two = {"grants": [{"role": "audit-admin"}, {"role": "system-admin"}]}
    assert (await anyone.patch(f"{API}/users/li", json=two)).status_code == 409
    assert (await anyone.patch(f"{API}/users/nobody", json={})).status_code == 404
    house.ledger.broken = True
    assert (await anyone.delete(f"{API}/users/li")).status_code == 503
    house.ledger.broken = False
    assert (await anyone.delete(f"{API}/users/li")).status_code == 204
    assert (await anyone.get(f"{API}/users")).json()["total"] == 1


async def test_the_pages_of_accounts_say_their_refusals(
    house: House, anyone: httpx.AsyncClient
) -> None:
    house.account("li", Grant(Role.VIEWER, ScopePath.parse("binhai/east")), factor=False)
    await sign_in(house, anyone, "keeper")
    for language, said in (("en", "kept apart"), ("zh-CN", "不能兼任")):
        anyone.headers["accept-language"] = language
        house.records.edit("li", grants=[Grant(Role.AUDIT_ADMIN, ScopePath())])
        form = {"what": "grant", "role": "system-admin", "scope": ""}
        page = await anyone.post("/users/li", data=form)
        assert (page.status_code, said in page.text) == (409, True), language
    reset = await anyone.post("/users/li", data={"what": "reset-all"})
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", reset.text)
    for path in ("/users", "/users/li", "/users/keeper", "/account"):
        page = await anyone.get(path)
        assert page.status_code == 200, path
        assert "<script>" not in page.text
        assert "style=" not in page.text, "the CSP forbids it"
    assert (await anyone.get("/users/nobody")).status_code == 404
