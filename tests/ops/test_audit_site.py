"""The page of the audit ledger without a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import Services
from controller.trust.audit_desk import AuditDesk
from controller.trust.book import Book
from controller.trust.entries import Entry, Outcome
from controller.trust.ledger import AuditLedger
from dashboards.ops.audit_site import ROWS, actor_of, detail_of
from dashboards.ops.language import load
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened
from tests.api.fake_city import EVIL
from tests.ops.html import Node, parse


@pytest.fixture
async def ledger(tmp_path: Path, services: Services) -> AsyncIterator[AuditLedger]:
    made = AuditLedger(Book(tmp_path / "ledger", city="binhai", boot="b"), SystemClock())
    await made.open()
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("ledger", made.run)
        await made.write(Entry(act="session.open", actor="account:li"))
        await made.write(
            Entry(
                act="maintenance.plan",
                actor=f"account:{EVIL}",
                scope="binhai/east/no3",
                outcome=Outcome.REFUSED,
                detail={"reason": f"\x1b]0;x\u202e{EVIL}"},
            )
        )
        services.ledger = made
        services.audit = AuditDesk(made, tmp_path / "ledger", services.clock)
        yield made
    await made.close()


@pytest.fixture
async def auditor(
    app: FastAPI, services: Services, ledger: AuditLedger
) -> AsyncIterator[httpx.AsyncClient]:
    assert ledger.head is not None
    token = opened(services, Role.AUDIT_ADMIN, actor="account:wang")
    async with client_of(app, token) as client:
        yield client


async def look(client: httpx.AsyncClient, path: str, language: str = "en") -> Node:
    headers = {"Accept": "text/html", "Accept-Language": language}
    response = await client.get(path, headers=headers)
    assert response.status_code == 200, response.text
    assert "\x1b" not in response.text
    assert "\u202e" not in response.text
    return parse(response.text)


def rows(page: Node) -> list[Node]:
    return page.all("li", **{"class": "row audit-row"})


async def test_newest_first_and_the_look_itself(auditor: httpx.AsyncClient) -> None:
    page = await look(auditor, "/audit")
    acts = [row.all("code")[0].text for row in rows(page)]
    assert acts == ["audit.read", "maintenance.plan", "session.open", "ledger.begin"]
    assert "Audit ledger read audit.read wang (account)" in rows(page)[0].text
    assert "\\u001b]0;x\\u202e" in rows(page)[1].text
    assert EVIL in rows(page)[1].text  # as text: the parser found no element in it
    assert "refused" in rows(page)[1].text


async def test_in_chinese(auditor: httpx.AsyncClient) -> None:
    page = await look(auditor, "/audit?outcome=refused", "zh-CN")
    (row,) = rows(page)
    assert "维护窗口" in row.text
    assert "已拒绝" in row.text
    assert page.one("h1").text == "审计日志"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("act=session", 1),
        ("scope=binhai/east", 2),
        ("day=2001-01-01", 0),
        ("day=odd", 4),
        ("actor=x", 0),
    ],
)
async def test_filters(auditor: httpx.AsyncClient, query: str, count: int) -> None:
    assert len(rows(await look(auditor, f"/audit?{query}"))) == count


async def test_older_ones(auditor: httpx.AsyncClient, ledger: AuditLedger) -> None:
    for number in range(ROWS):
        await ledger.write(Entry(act="test.write", actor="system", detail={"n": number}))
    page = await look(auditor, "/audit")
    assert len(rows(page)) == ROWS
    (older,) = [a for a in page.all("a") if a.text == "Older entries"]
    page = await look(auditor, older.attributes["href"] or "")
    assert rows(page)[-1].all("code")[0].text == "ledger.begin"


async def test_home_of_an_auditor_is_the_ledger(auditor: httpx.AsyncClient) -> None:
    answer = await auditor.get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit")


async def test_an_operator_gets_neither_page_nor_link(
    operator: httpx.AsyncClient, ledger: AuditLedger
) -> None:
    assert ledger.head is not None
    assert (await operator.get("/audit", headers={"Accept": "text/html"})).status_code == 403
    home = await operator.get("/", headers={"Accept": "text/html"})
    assert 'href="/audit"' not in home.text


async def test_without_the_ledger_the_page_says_so(
    auditor: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "ledger").rename(tmp_path / "away")
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    answer = await auditor.get("/audit", headers=headers)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "audit ledger" in parse(answer.text).one("main").text
    (tmp_path / "away").rename(tmp_path / "ledger")


@pytest.mark.parametrize(
    ("language", "actor", "words"),
    [
        ("en", "account:li", "li (account)"),
        ("zh-CN", "account:li", "li（账号）"),
        ("en", "console:unknown", "somebody on the server"),
        ("en", "console", "somebody on the server"),
        ("en", "account", "account"),
        ("en", "nobody", "somebody unknown"),
        ("zh-CN", "system:enforcement", "TenOne 自动修复"),
        ("en", "machine:agent:no3", "machine agent:no3"),
        ("en", "what:ever", "what:ever"),
        ("en", "account:%(x)s%s", "%(x)s%s (account)"),
    ],
)
def test_who_it_was_in_words(language: str, actor: str, words: str) -> None:
    assert actor_of(actor, load()[language]) == words


@pytest.mark.parametrize(
    ("language", "key", "value", "words"),
    [
        ("en", "told_late", True, ("told late", "yes")),
        ("zh-CN", "told_late", True, ("事后补记", "是")),
        ("en", "since_ns", 1_795_000_000 * 10**9, ("since", "2026-11-18 19:06:40")),
        ("en", "since_ns", 10**30, ("since", str(10**30))),
        ("en", "requester", "system:enforcement", ("asked for by", "TenOne's repairs")),
        ("en", "plan", "ab" * 32, ("plan", "abababababababab...")),
        ("en", "what_ever", None, ("what_ever", "None")),
    ],
)
def test_details_in_words(language: str, key: str, value: object, words: tuple[str, str]) -> None:
    assert detail_of(key, value, load()[language]) == words
