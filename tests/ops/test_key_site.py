"""The page of API keys without a browser: made once, shown once, disabled for good, by whom."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import Services
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import PERMISSIONS, Permission, Role
from tests.api.conftest import client_of, opened
from tests.ops.html import Node, parse
from tests.ops.keeping import DAY, Kept

TEXT = re.compile(r"t1k_[0-9a-f]{12}_[0-9a-f]{64}")
HTML = {"Accept": "text/html", "Accept-Language": "en"}
FORM = {"name": "Exam platform", "role": "viewer", "scope": "binhai/east", "days": "30"}


@pytest.fixture
def kept(services: Services, clock: ManualClock, tmp_path: Path) -> Iterator[Kept]:
    made = Kept(services, tmp_path, clock)
    yield made
    made.close()


def keeper(app: FastAPI, kept: Kept, *scopes: str) -> httpx.AsyncClient:
    return client_of(app, kept.open("wang", Role.SECURITY_ADMIN, *scopes))


async def page_of(client: httpx.AsyncClient, language: str = "en") -> Node:
    answer = await client.get("/keys", headers=HTML | {"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def keys(page: Node) -> list[str]:
    return [row.attributes["data-state"] for row in page.all("li") if "data-key" in row.attributes]


async def test_made_once_and_shown_once(app: FastAPI, kept: Kept, services: Services) -> None:
    async with keeper(app, kept) as client:
        form = FORM | {
            "word": (await page_of(client)).one("input", name="word").attributes["value"]
        }
        answer = await client.post("/keys", data=form, headers=HTML)
        text = TEXT.findall(answer.text)[0]
        assert f'curl -H "Authorization: Bearer {text}"' in parse(answer.text).text
        again = await client.post("/keys", data=form, headers=HTML)
        assert (again.status_code, "sent already" in again.text) == (409, True)
        assert not TEXT.search(again.text)
        page = await page_of(client)
        assert keys(page) == ["active"]
        assert "Viewer · binhai/east" in page.text
        assert "never used" in page.text
        assert not TEXT.search(page.text)
    assert services.keys is not None
    session = await services.keys.admit(text, "client")
    assert session.name == "Exam platform"
    assert kept.ledger.acts == ["key.create", "key.use"]


WRONG = [
    ({"days": "0"}, "look at name"),
    ({"days": "many"}, "look at name"),
    ({"name": " "}, "look at name"),
    ({"role": ""}, "without a grant"),
    ({"role": "approver"}, "A rule forbids"),
    ({"role": "odd"}, "look at name"),
    ({"scope": "binhai/nowhere"}, "look at name"),
    ({"scope": ".."}, "look at name"),
    ({"scope": "binhai/west"}, "your own scope"),
]


async def test_a_wrong_form_says_why_and_keeps_what_was_typed(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept, "binhai/east") as client:
        for change, said in WRONG:
            answer = await client.post("/keys", data=FORM | change, headers=HTML)
            page = parse(answer.text)
            assert answer.status_code in {400, 403, 409}
            assert said in page.one("main").text, change
            assert page.one("input", id="name").attributes["value"] == (FORM | change)["name"]
    assert kept.ledger.entries == []


async def test_several_roles_and_the_end_of_a_key(
    app: FastAPI, kept: Kept, clock: ManualClock
) -> None:
    async with keeper(app, kept) as client:
        several = FORM | {
            "role": ["viewer", "operator", ""], "scope": ["", "binhai/east/no1", ""], "days": "10",
        }  # fmt: skip
        await client.post("/keys", data=several, headers=HTML)
        page = await page_of(client)
        assert keys(page) == ["soon"]
        assert "Operator · binhai/east/no1" in page.text
        (row,) = [row for row in page.all("li") if "data-key" in row.attributes]
        path = f"/keys/{row.attributes['data-key']}"
        active = await client.post(path, data={"what": "remove"}, headers=HTML)
        assert (active.status_code, "disable it first" in active.text) == (409, True)
        for _ in range(2):  # pressed twice: done once
            ended = await client.post(path, data={"what": "disable"}, headers=HTML)
            assert ended.status_code == 303
        assert keys(await page_of(client)) == ["disabled"]
        for _ in range(2):
            gone = await client.post(path, data={"what": "remove"}, headers=HTML)
            assert gone.status_code == 303
        assert "还没有程序持有密钥" in (await page_of(client, "zh-CN")).text
    assert kept.ledger.acts == ["key.create", "key.disable", "key.remove"]
    assert clock.wall_ns() > DAY


async def test_without_the_ledger_and_out_of_reach(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept) as client:
        await client.post("/keys", data=FORM, headers=HTML)
        (row,) = [row for row in (await page_of(client)).all("li") if "data-key" in row.attributes]
        path = f"/keys/{row.attributes['data-key']}"
        kept.ledger.broken = True
        for where, form in (("/keys", FORM), (path, {"what": "disable"})):
            answer = await client.post(where, data=form, headers=HTML)
            assert answer.status_code == 503
            assert "nothing was done" in parse(answer.text).text
        kept.ledger.broken = False
    async with keeper(app, kept, "binhai/west") as other:
        assert keys(await page_of(other)) == []
        answer = await other.post(path, data={"what": "disable"}, headers=HTML)
        assert answer.status_code == 404


async def test_only_who_keeps_accounts(app: FastAPI, kept: Kept, services: Services) -> None:
    for role in Role:
        may = Permission.KEEP_USERS in PERMISSIONS[role]
        async with client_of(app, opened(services, role, actor="account:x")) as client:
            codes = [
                (await client.get("/keys", headers=HTML)).status_code,
                (await client.post("/keys", data=FORM, headers=HTML)).status_code,
                (await client.post("/keys/0", data={"what": "disable"}, headers=HTML)).status_code,
            ]
        assert codes == ([200, 200, 404] if may else [403, 403, 403]), role
    assert kept.ledger.acts == ["key.create"]
