"""Where administrators begin: what there is to do, for each kind of them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import Health, Services
from controller.incidents.duty import DutyRole, Gap
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of
from tests.ops.html import Node, parse
from tests.ops.keeping import Kept

HTML = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture
def kept(services: Services, clock: ManualClock, tmp_path: Path) -> Iterator[Kept]:
    made = Kept(services, tmp_path, clock)
    for role in Role:
        made.account(role.value, Grant(role, ScopePath()))
    yield made
    made.close()


def signed_in(app: FastAPI, kept: Kept, role: Role) -> httpx.AsyncClient:
    return client_of(app, kept.open(role.value, role))


async def look(client: httpx.AsyncClient, path: str, language: str = "en") -> Node:
    answer = await client.get(path, headers=HTML | {"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def todo(page: Node) -> list[str]:
    return [one.text for listed in page.all("ul", **{"class": "todo"}) for one in listed.all("li")]


HOMES = {
    Role.SECURITY_ADMIN: "/start",
    Role.AUDIT_ADMIN: "/audit",
}


async def test_home_leads_where_something_is_to_be_seen(app: FastAPI, kept: Kept) -> None:
    for role in Role:
        async with signed_in(app, kept, role) as client:
            answer = await client.get("/", headers=HTML)
            assert answer.headers.get("location") == HOMES.get(role), role


SECTIONS = {
    Role.SECURITY_ADMIN: ["/start", "/users", "/machines", "/keys"],
    Role.AUDIT_ADMIN: ["/start", "/audit"],
    Role.SYSTEM_ADMIN: ["/start"],
}


async def test_each_administrator_has_a_menu_and_nobody_else(app: FastAPI, kept: Kept) -> None:
    for role in Role:
        async with signed_in(app, kept, role) as client:
            answer = await client.get("/start", headers=HTML)
            if role not in SECTIONS:
                assert (answer.status_code, answer.headers["location"]) == (303, "/"), role
                continue
            menu = parse(answer.text).one("nav", aria_label="Administration")
            assert [a.attributes["href"] for a in menu.all("a")] == SECTIONS[role]
            current = menu.one("a", aria_current="page")
            assert current.attributes["href"] == "/start"


async def test_nothing_to_do_is_said(app: FastAPI, kept: Kept) -> None:
    kept.account("second", Grant(Role.SECURITY_ADMIN, ScopePath()))
    for school in ("no1", "no3", "no5", "no6", "no7", "no8", "no12", "evil"):
        scope = kept.services.city.scope_of_school(school)
        kept.machine(f"agent:{school}", str(scope))
    async with signed_in(app, kept, Role.SECURITY_ADMIN) as client:
        page = await look(client, "/start")
        assert page.one("h1").text == "Nothing to do now"
        assert todo(page) == []
        assert (await look(client, "/start", "zh-CN")).one("h1").text == "现在无待办"


async def test_what_a_security_administrator_has_to_do(app: FastAPI, kept: Kept) -> None:
    kept.whole_city()
    kept.records.create("new", "New", (), kept.now)
    kept.account("late", Grant(Role.OPERATOR, ScopePath()), factor=False)
    keeper = kept.session(kept.open(Role.SECURITY_ADMIN.value, Role.SECURITY_ADMIN))
    grants = [Grant(Role.VIEWER, ScopePath())]
    await kept.keys.create(keeper, "Exam platform", grants, days=10)
    async with signed_in(app, kept, Role.SECURITY_ADMIN) as client:
        page = await look(client, "/start")
    assert todo(page) == [
        "Machines with an expired certificate, to be invited again: 1",
        "Revoked in the last day, session not known to be cut: 1",
        "Machines that did not renew in time: 1",
        "Enrolments and renewals refused in the last day: 2",
        "Invited, not enrolled yet: 1",
        "Schools that were never invited: 2",
        "You are the only security administrator of the city who can sign in: make a second one",
        "Accounts without the second factor that their roles want: 1",
        "API keys that run out within 14 days: 1",
        "Accounts their holder never set up: 1",
        "Other sessions of your account: 1. End what is not yours",
    ]
    assert page.one("h1").text == "11 things to do"


class ShortHanded:
    """An office where nobody answers for a school."""

    async def gaps(self, scope: ScopePath, _at_ns: int) -> list[Gap]:
        return [Gap(scope=scope, role=DutyRole.LEADER, have=0, need=1)]


async def test_what_the_others_have_to_do(app: FastAPI, kept: Kept) -> None:
    broken = Health(name="ledger", ready=False, sentence="the disk is full")
    other = Health(name="broker accounts", ready=False, sentence="not connected yet")
    kept.services.health = (lambda: broken, lambda: other)
    kept.services.office = ShortHanded()  # type: ignore[assignment]  # what is asked of it here
    async with signed_in(app, kept, Role.SYSTEM_ADMIN) as client:
        said = todo(await look(client, "/start"))
    assert [one for one in said if "the disk is full" in one]
    assert [one for one in said if "not connected yet" in one]
    assert "Roles of the duty register that too few hold: 1" in said
    async with signed_in(app, kept, Role.AUDIT_ADMIN) as client:
        (said_to_auditor,) = todo(await look(client, "/start"))
    assert "The audit ledger cannot be written" in said_to_auditor
