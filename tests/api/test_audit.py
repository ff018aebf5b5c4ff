"""The audit API: only for those who may, ledgered before it answers, paced, cut to the scope."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.services import Services
from controller.trust.audit_desk import BURST, AuditDesk
from controller.trust.book import Book
from controller.trust.entries import Entry, Outcome
from controller.trust.ledger import AuditLedger
from controller.trust.segment import segments
from tenone.runtime.clock import ManualClock, SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened

ENTRIES = (
    Entry(act="session.open", actor="account:li"),
    Entry(act="maintenance.plan", actor="account:li", scope="binhai/east/no3", subject="m-1"),
    Entry(act="maintenance.plan", actor="account:mo", scope="binhai/west/no5", subject="m-2"),
    Entry(act="maintenance.end", actor="account:li", scope="binhai/east", outcome=Outcome.REFUSED),
    Entry(act="duty.add", actor="account:li", scope="binhai/eastern"),
)


@pytest.fixture
async def ledger(
    tmp_path: Path,
    services: Services,
    clock: ManualClock,
) -> AsyncIterator[AuditLedger]:
    made = AuditLedger(Book(tmp_path / "ledger", city="binhai", boot="b"), SystemClock())
    await made.open()
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("ledger", made.run)
        for entry in ENTRIES:
            await made.write(entry)
        services.ledger = made
        services.audit = AuditDesk(made, tmp_path / "ledger", clock)
        yield made
    await made.close()


@pytest.fixture
def app(services: Services, ledger: AuditLedger) -> FastAPI:
    assert ledger.head is not None
    return create_app(services)


def signed_in(app: FastAPI, services: Services, role: Role, *scopes: str) -> httpx.AsyncClient:
    return client_of(app, opened(services, role, *scopes, actor="account:wang"))


async def items(client: httpx.AsyncClient, query: str = "") -> list[dict[str, object]]:
    answer = await client.get(f"/api/v1/audit?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["items"]
    return found


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDIT_ADMIN])
async def test_others_are_refused_and_that_is_an_entry(
    app: FastAPI,
    services: Services,
    role: Role,
) -> None:
    async with signed_in(app, services, role) as client:
        for path in ("/api/v1/audit", "/api/v1/audit/head"):
            assert (await client.get(path)).status_code == 403
    async with signed_in(app, services, Role.AUDIT_ADMIN) as client:
        refused = await items(client, "act=audit&outcome=refused")
    assert [one["actor"] for one in refused] == ["account:wang"] * 2


async def test_nobody_gets_nothing(app: FastAPI) -> None:
    async with client_of(app) as client:
        assert (await client.get("/api/v1/audit")).status_code == 401


async def test_the_reading_itself_comes_first(app: FastAPI, services: Services) -> None:
    async with signed_in(app, services, Role.AUDIT_ADMIN) as client:
        newest, *others = await items(client, "actor=&limit=3")
        assert (newest["act"], newest["actor"], newest["detail"]) == (
            "audit.read",
            "account:wang",
            {"limit": 3},
        )
        assert [one["act"] for one in others] == ["duty.add", "maintenance.end"]
        head = (await client.get("/api/v1/audit/head")).json()
    assert head["seq"] == newest["seq"]
    assert head["hash"] == newest["hash"]


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("act=maintenance", ["", "m-2", "m-1"]),
        ("act=maintenance.plan", ["m-2", "m-1"]),
        ("act=maintenance.plan&actor=account:li", ["m-1"]),
        ("scope=binhai/east&act=maintenance", ["", "m-1"]),
        ("act=maintenance&outcome=refused", [""]),
        ("act=maintenance&until=2001-01-01T00:00:00Z", []),
        ("act=maintenance&since=2190-01-01T00:00:00Z", []),
        ("act=%27%20OR%201=1--", []),
        ("actor=%25", []),
    ],
)
async def test_filters(app: FastAPI, services: Services, query: str, subjects: list[str]) -> None:
    async with signed_in(app, services, Role.AUDIT_ADMIN) as client:
        assert [one["subject"] for one in await items(client, query)] == subjects


async def test_cut_to_the_scope(app: FastAPI, services: Services) -> None:
    async with signed_in(app, services, Role.AUDIT_ADMIN, "binhai/east") as client:
        seen = {str(one["scope"]) for one in await items(client)}
        assert seen == {"binhai/east", "binhai/east/no3"}
        assert (await client.get("/api/v1/audit?scope=binhai/west")).status_code == 404
    async with signed_in(app, services, Role.AUDIT_ADMIN, "binhai") as client:
        assert "session.open" in {one["act"] for one in await items(client)}


async def test_pages(app: FastAPI, services: Services) -> None:
    async with signed_in(app, services, Role.AUDIT_ADMIN) as client:
        seen, cursor = [], "act=maintenance"
        while cursor:
            body = (await client.get(f"/api/v1/audit?{cursor}&limit=2")).json()
            seen += [one["seq"] for one in body["items"]]
            after = body["next_cursor"]
            cursor = "" if after is None else f"act=maintenance&cursor={after}"
    assert len(seen) == len(set(seen)) == 3
    assert seen == sorted(seen, reverse=True)


async def test_the_pace(app: FastAPI, services: Services, clock: ManualClock) -> None:
    async with signed_in(app, services, Role.AUDIT_ADMIN) as client:
        for _ in range(BURST):
            await items(client, "limit=1")
        answer = await client.get("/api/v1/audit")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        clock.advance(1)
        assert len(await items(client, "limit=1")) == 1


async def test_without_the_ledger_nothing_is_read(
    app: FastAPI,
    services: Services,
    ledger: AuditLedger,
    tmp_path: Path,
) -> None:
    (tmp_path / "ledger").rename(tmp_path / "away")
    async with signed_in(app, services, Role.AUDIT_ADMIN) as client:
        answer = await client.get("/api/v1/audit")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("This was not done: the audit ledger cannot be writ")
    (tmp_path / "away").rename(tmp_path / "ledger")
    assert ledger.figures.refused == 1


async def test_an_entry_that_was_changed_is_not_shown_as_if_it_had_been_written(
    app: FastAPI, services: Services, tmp_path: Path
) -> None:
    (file,) = segments(tmp_path / "ledger")
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TRIGGER entries_update")
        database.execute("UPDATE entries SET body = '{}' WHERE seq = 2")
    async with signed_in(app, services, Role.AUDIT_ADMIN) as client:
        answer = await client.get("/api/v1/audit")
        assert answer.status_code == 503
        assert "entry 2 does not fit its hash" in answer.json()["detail"]
        assert len(await items(client, "act=audit")) > 0, "what is whole can be read"
