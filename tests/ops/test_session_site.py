"""Live sessions on the pages of accounts: shown, ended, by their holder and by who keeps them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import Services
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import PERMISSIONS, Grant, Permission, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of
from tests.ops.html import Node, parse
from tests.ops.keeping import Kept

HTML = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture
def kept(services: Services, clock: ManualClock, tmp_path: Path) -> Iterator[Kept]:
    made = Kept(services, tmp_path, clock)
    made.account("wang", Grant(Role.SECURITY_ADMIN, ScopePath()))
    made.account("li", Grant(Role.VIEWER, ScopePath.parse("binhai/east")), factor=False)
    yield made
    made.close()


async def look(client: httpx.AsyncClient, path: str) -> Node:
    answer = await client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


async def send(client: httpx.AsyncClient, path: str, end: str) -> httpx.Response:
    return await client.post(path, data={"end": end}, headers=HTML)


def sessions(page: Node) -> list[str]:
    (listed,) = page.all("ul", **{"class": "open-sessions"})
    return [one.text for one in listed.all("li")]


async def test_the_own_ones_and_ending_them(app: FastAPI, kept: Kept) -> None:
    mine, phone, other = [
        kept.open("li", Role.VIEWER, "binhai/east", client=f"10.0.0.{n}") for n in range(3)
    ]
    async with client_of(app, mine) as client:
        shown = sessions(await look(client, "/account"))
        assert len(shown) == 3
        assert "this one" in shown[0]
        assert "End" not in shown[0]
        assert "Chrome, Android" in shown[1]
        assert any("from 10.0.0.1" in one for one in shown)
        phone_id = kept.session(phone).id
        for _ in range(2):  # pressed twice
            ended = await send(client, "/account/sessions", phone_id)
            assert (ended.status_code, ended.headers["location"]) == (303, "/account")
        assert kept.services.sessions.find(phone) is None
        own = await send(client, "/account/sessions", kept.session(mine).id)
        assert (own.status_code, "sign out instead" in own.text) == (409, True)
        kept.ledger.broken = True
        refused = await send(client, "/account/sessions", "all")
        assert refused.status_code == 503
        assert kept.session(other).client == "10.0.0.2"
        kept.ledger.broken = False
        assert (await send(client, "/account/sessions", "all")).status_code == 303
        assert len(sessions(await look(client, "/account"))) == 1
    assert kept.ledger.acts == ["session.end", "session.end"]


async def test_of_an_account_by_its_keeper(app: FastAPI, kept: Kept) -> None:
    li = kept.open("li", Role.VIEWER, "binhai/east")
    async with client_of(app, kept.open("wang", Role.SECURITY_ADMIN)) as client:
        (shown,) = sessions(await look(client, "/users/li"))
        assert "from 10.1.2.3" in shown
        assert (await send(client, "/users/li/sessions", "all")).status_code == 303
        assert kept.services.sessions.find(li) is None
        page = await look(client, "/users/li")
        assert "Nobody is signed in with this account." in page.text
        assert (await send(client, "/users/nobody/sessions", "all")).status_code == 404
        forged = await client.post(
            "/users/li/sessions", data={"end": "all"}, headers={"Origin": "https://e.example"}
        )
        assert forged.status_code == 403
    assert [(one.act, one.actor, one.subject) for one in kept.ledger.entries] == [
        ("session.end", "account:wang", "li")
    ]


async def test_only_who_keeps_the_account(app: FastAPI, kept: Kept) -> None:
    for role in Role:
        li = kept.open("li", Role.VIEWER, "binhai/east")
        for scope in ("", "binhai/west"):
            may = Permission.KEEP_USERS in PERMISSIONS[role] and not scope
            async with client_of(app, kept.open("x", role, scope)) as client:
                answer = await send(client, "/users/li/sessions", "all")
            assert answer.status_code == (303 if may else 403), (role, scope)
            if may:
                li = kept.open("li", Role.VIEWER, "binhai/east")
        assert kept.services.sessions.find(li) is not None
