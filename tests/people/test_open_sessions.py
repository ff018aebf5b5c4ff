"""Live sessions: listed and ended by their holder and by who keeps the account."""

import httpx
import pyotp
import pytest
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.trend import Trend
from controller.trust.entries import LedgerError
from controller.trust.people.model import (
    ForbiddenError,
    PeopleError,
    RefusedError,
    UnknownAccountError,
)
from controller.trust.people.open_sessions import OpenSessions
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of
from tests.api.fake_city import small_city
from tests.people.conftest import PASSWORD, House

API = "/api/v1"
EAST, NO1 = ScopePath.parse("binhai/east"), ScopePath.parse("binhai/east/no1")


@pytest.fixture
def desk(house: House) -> OpenSessions:
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    return OpenSessions(house.people)


async def test_the_own_ones_this_one_first(house: House, desk: OpenSessions) -> None:
    first = await house.sign_in("li")
    second = await house.sign_in("li")
    await house.sign_in("keeper")
    assert [one.key for one in desk.own(first)] == [first.key, second.key]
    house.clock.advance(29 * 60)
    third = await house.sign_in("li")
    house.clock.advance(120)  # the first two have idled out; the store still has them
    assert [one.key for one in desk.own(third)] == [third.key]


async def test_ending_one_and_all_others(house: House, desk: OpenSessions) -> None:
    mine, second, third = [await house.sign_in("li") for _ in range(3)]
    ended: list[str] = []
    house.people.on_closed = lambda: ended.append("looked")
    await desk.end_own(mine, second.id)
    assert not house.sessions.is_open(second)
    assert house.sessions.is_open(third)
    with pytest.raises(UnknownAccountError, match="has ended"):
        await desk.end_own(mine, second.id)  # a second click does nothing more
    with pytest.raises(RefusedError, match="sign out"):
        await desk.end_own(mine, mine.id)
    assert await desk.end_others(mine) == 1
    assert await desk.end_others(mine) == 0
    assert house.sessions.is_open(mine)
    assert ended == ["looked", "looked"]
    told = [one for one in house.ledger.entries if one.act == "session.end"]
    assert [(one.actor, one.subject, one.detail["ids"]) for one in told] == [
        ("account:li", "li", second.id),
        ("account:li", "li", third.id),
    ]


async def test_nothing_ends_where_it_cannot_be_ledgered(house: House, desk: OpenSessions) -> None:
    mine, other = await house.sign_in("li"), await house.sign_in("li")
    house.ledger.broken = True
    with pytest.raises(LedgerError):
        await desk.end_others(mine)
    assert house.sessions.is_open(other)


async def test_of_others_only_who_keeps_them(house: House, desk: OpenSessions) -> None:
    li = await house.sign_in("li")
    keeper = await house.sign_in("keeper")
    house.account("east", Grant(Role.SECURITY_ADMIN, EAST))
    house.account("west", Grant(Role.SECURITY_ADMIN, ScopePath.parse("binhai/west")))
    west = await house.sign_in("west")
    for asked in (desk.of(west, "li"), desk.end(west, "li", li.id), desk.end_all(li, "keeper")):
        with pytest.raises(ForbiddenError):
            await asked
    with pytest.raises(UnknownAccountError):
        await desk.end(keeper, "li", keeper.id)  # not one of that account's
    await desk.end(await house.sign_in("east"), "li", li.id)
    assert not house.sessions.is_open(li)
    other = await house.sign_in("keeper")
    assert await desk.end_all(keeper, "keeper") == 1
    assert house.sessions.is_open(keeper)
    assert not house.sessions.is_open(other)
    with pytest.raises(RefusedError):
        await desk.end(keeper, "keeper", keeper.id)


async def test_a_code_has_no_account(house: House, desk: OpenSessions) -> None:
    _, session = house.sessions.sign_in(house.sessions.issue_code(), "client")
    with pytest.raises(PeopleError, match="not an account's"):
        desk.own(session)


@pytest.fixture
def app(house: House) -> FastAPI:
    city = small_city(house.now)
    return create_app(
        Services(
            city=city,
            hub=Hub(house.clock, city),
            sessions=house.sessions,
            trend=Trend(house.clock, city),
            clock=house.clock,
            people=house.people,
            ledger=house.ledger,
        )
    )


async def test_over_http_with_where_from(house: House, desk: OpenSessions, app: FastAPI) -> None:
    body = {"name": "li", "password": PASSWORD}
    phone = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"
    async with client_of(app, peer="10.1.2.3") as one, client_of(app) as two:
        assert (
            await one.post(f"{API}/sessions", json=body, headers={"user-agent": phone})
        ).status_code == 201
        assert (await two.post(f"{API}/sessions", json=body)).status_code == 201
        (mine, other) = (await two.get(f"{API}/users/current/sessions")).json()["items"]
        assert (mine["current"], other["current"]) == (True, False)
        assert (other["client"], other["device"]) == ("10.1.2.3", "Chrome, Android")
        assert other["ends_at"] == pytest.approx(other["used_at"] + 1800)
        assert (await two.delete(f"{API}/users/current/sessions/{mine['id']}")).status_code == 409
        gone = await two.delete(f"{API}/users/current/sessions/{other['id']}")
        assert gone.status_code == 204
        assert (await one.get(f"{API}/users/current")).status_code == 401, "ended at once"
        assert (await two.delete(f"{API}/users/current/sessions")).json() == {"ended": 0}
        assert (await two.get(f"{API}/users/keeper/sessions")).status_code == 403
        assert (await two.delete(f"{API}/users/keeper/sessions")).status_code == 403
        async with client_of(app) as keeper:
            form = {"name": "keeper", "password": PASSWORD, "code": house.code("keeper")}
            await keeper.post(f"{API}/sessions", json=form)
            (seen,) = (await keeper.get(f"{API}/users/li/sessions")).json()["items"]
            assert seen["id"] == mine["id"]
            assert (await keeper.delete(f"{API}/users/li/sessions/{seen['id']}")).status_code == 204
            assert (await keeper.delete(f"{API}/users/li/sessions")).json() == {"ended": 0}
            assert (await keeper.get(f"{API}/users/nobody/sessions")).status_code == 404
            foreign = httpx.Headers({"origin": "https://elsewhere.example"})
            forged = await keeper.delete(f"{API}/users/li/sessions", headers=foreign)
            assert forged.status_code == 403
        assert (await two.get(f"{API}/users/current")).status_code == 401


def test_the_id_shown_opens_nothing(house: House) -> None:
    token, session = house.sessions.open("account:li", grants=())
    assert isinstance(session, Session)
    assert house.sessions.find(session.id) is None
    assert session.id not in token
    assert session.key.startswith(session.id)


async def test_another_second_factor_ends_the_other_sessions(house: House) -> None:
    """They may have been opened by who held the one that is gone."""
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    mine, other = [await house.sign_in("li") for _ in range(2)]
    keeper = await house.sign_in("keeper")
    shown = house.people.begin_second(mine)
    code = pyotp.TOTP(shown.secret).at(int(house.now))
    assert len(await house.people.confirm_second(mine, PASSWORD, code)) == 10
    assert house.sessions.is_open(mine)
    assert not house.sessions.is_open(other)
    assert house.sessions.is_open(keeper)
