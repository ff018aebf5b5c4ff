"""Whatever a signed-in program sends, nothing answers 5xx; with real records behind it."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.services import Services
from controller.store.records import SqlRecords
from dashboards.ops.site import mount
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened
from tests.controller.conftest import small_city as small_plan

SEED = 20261122
ROUNDS = 30
ODD = (
    "", " ", "0", "-1", "1", "1e9", "99999999999999999999", "NaN", "inf", "null", "true",
    "binhai", "binhai/east/no3", "binhai//east", "/binhai", "..", "../../etc/passwd", "%2f", "%00",
    "\x00", "\x7f", "\r\nx: y", "²", "١٢", "学校", "\U0001f9d1", "\u202e", "a" * 300, "'",
    '"><svg>', "${7*7}", "{{7*7}}", "%s%n", "good", "bad", "unverified", "no3", "c-3-2", ",",
    "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1970-01-01", "1677-09-21", "2262-04-12",
    "2026-02-30", "-0001-01-01", "20260101T0000", "2026-W01-1", "1969-12-31T23:59:59.999999Z",
    "AAAA", "bm8z", "____", "=", "gateway", "switch",
)  # fmt: skip


@pytest.fixture
def app(services: Services, tmp_path: Path) -> Iterator[FastAPI]:
    records = SqlRecords(f"sqlite:///{tmp_path / 'records.db'}")
    records.start()
    records.load(small_plan(), 1)
    services.records = records
    made = create_app(services)
    mount(made, services)
    yield made
    records.close()


def operations(app: FastAPI) -> list[tuple[str, str, list[dict[str, Any]]]]:
    paths = app.openapi()["paths"]
    return [
        (method.upper(), path, operation.get("parameters", []))
        for path, item in sorted(paths.items())
        for method, operation in sorted(item.items())
        if path != "/api/v1/events" and method != "delete"  # streams and signing out: elsewhere
    ] + [
        ("GET", page, [{"in": "query", "name": name} for name in names])
        for page, names in (
            ("/", ("q", "state", "district")),
            ("/at/{path}", ("q",)),
            ("/links/{school}/{link}", ()),
            ("/sign-in", ("next",)),
            ("/language/{tag}", ("next",)),
            ("/static/{version}/{name}", ()),
        )
    ]


def asked(chance: random.Random, path: str, parameters: list[dict[str, Any]]) -> httpx.URL:
    for part in ("school", "link", "path", "tag", "version", "name"):
        path = path.replace("{" + part + "}", quote(chance.choice(ODD), safe="%/"))
    names = [one["name"] for one in parameters if one["in"] == "query"]
    chosen = chance.sample(names, min(len(names), chance.choice([1, 1, 2, 5])))
    values = {name: chance.choice(ODD) for name in chosen}
    return httpx.URL("http://127.0.0.1:8080" + path, params=values)


async def test_odd_values_never_make_the_controller_fail(app: FastAPI, services: Services) -> None:
    token = opened(services, Role.OPERATOR)
    chance = random.Random(SEED)
    failed: list[str] = []
    statuses: set[int] = set()
    async with client_of(app, token) as client:
        for method, path, parameters in operations(app):
            for _ in range(ROUNDS):
                url = asked(chance, path, parameters)
                accept = chance.choice(["text/html", "application/json", ""])
                body = chance.choice([b"", b"{}", b"\xff", b'{"code": 1}', b"[" * 500, b"code=%ff"])
                response = await client.request(
                    method,
                    url,
                    content=body if method == "POST" else None,
                    headers={
                        "Accept": accept,
                        "Accept-Language": chance.choice(["*", "zh", ";q="]),
                    },
                )
                statuses.add(response.status_code)
                if response.status_code >= 500 and path != "/readyz":
                    failed.append(f"{method} {url}: {response.status_code}")
    assert failed == []
    assert {200, 400, 404, 422} <= statuses
