"""Abuse case 12: SQL, PromQL, Flux and labels in every parameter, path part and body field."""

import json
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest
from starlette.datastructures import QueryParams

from tests.abuse.injections import payloads
from tests.abuse.places import Place, pages, places
from tests.abuse.test_16_csrf import target_of
from tests.abuse.whole import EVERY, Whole, routes_of

UNTOLD = frozenset({"events"})
"""Streams do not end."""


def tables(folder: Path) -> dict[str, int]:
    """Rows of every table of the records."""
    with sqlite3.connect(f"file:{folder}/city/records.db?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = [
            row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        return {name: count(database, name) for name in names}


def count(database: sqlite3.Connection, table: str) -> int:
    """Rows of one table; its name is our own."""
    (found,) = database.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()  # noqa: S608 - see above
    return int(found)


def literal(items: list[dict[str, object]], text: str) -> int:
    """How many items have exactly this value somewhere."""
    return sum(text in {value for value in one.values() if isinstance(value, str)} for one in items)


async def baseline(house: Whole, place: Place, token: str) -> list[dict[str, object]]:
    """The list without the parameter."""
    target, _ = place.request("x")
    answer = await house.ask(place.method, target.partition(b"?")[0], token=token)
    is_json = "json" in answer.headers.get("content-type", "")
    if answer.status != 200 or place.kind != "query" or not is_json:
        return []
    body = answer.json()
    return list(body.get("items", ())) if isinstance(body, dict) else []


async def read_of_addresses(house: Whole, patch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """By page: what it reads of its address by hand, as it is seen to do so."""
    read: dict[str, set[str]] = {}
    heard: set[str] = set()
    true = QueryParams.__getitem__

    def listening(self: QueryParams, name: str) -> str:
        heard.add(name)
        return true(self, name)

    token = house.sign_in("account:wang", *EVERY)
    with patch.context() as patched:
        patched.setattr(QueryParams, "__getitem__", listening)
        for method, path in routes_of(house.app):
            if method == "GET" and not path.startswith("/api/"):
                heard.clear()
                await house.ask("GET", target_of(path, house.known) + b"?x=1", token=token)
                read[path] = set(heard)
    return read


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "each", [1, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
async def test_every_text_of_every_route(
    house: Whole, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``each`` of the 500 strings in every place that reads, other ones in the next.

    Never a 5xx; lists answer with literal matches alone.
    """
    texts = payloads()
    counted: Counter[str] = Counter()
    failures: list[str] = []
    begun = time.monotonic()
    token = house.sign_in("account:wang", *EVERY)
    before = tables(house.folder)
    addresses = await read_of_addresses(house, monkeypatch)
    assert {"state", "district", "q"} <= addresses["/"]
    assert addresses["/machines"] >= {"state", "page"}
    every = (*places(house.app.openapi(), house.known), *pages(house.app, house.known, addresses))
    found = [one for one in every if one.path.rpartition("/")[2] not in UNTOLD]
    for number, place in enumerate(found):
        whole_list = await baseline(house, place, token) if place.method == "GET" else []
        # What changes something gets a tenth, another one at each place: rows would pile up.
        turns = each if place.method == "GET" else max(1, each // 10)
        for text in (texts[(number * turns + turn) % 500] for turn in range(turns)):
            target, body = place.request(text)
            headers = {b"content-type": place.content_type} if body else {}
            answer = await house.ask(
                place.method,
                target,
                # What changes something may end the session it is asked in.
                token=token if place.method == "GET" else house.sign_in("account:zhao", *EVERY),
                body=body,
                headers=headers,
            )
            counted[f"{answer.status // 100}xx"] += 1
            if answer.status >= 500:
                failures.append(f"{answer.status} {place} {text!r}: {answer.body[:200]!r}")
            is_json = "json" in answer.headers.get("content-type", "")
            if answer.status == 200 and is_json and place.kind == "query":
                told = json.loads(answer.body)
                items = told.get("items") if isinstance(told, dict) else None
                if items and len(items) != literal(whole_list, text):
                    failures.append(f"{len(items)} rows {place} {text!r}")
    after = tables(house.folder)
    still = await house.ask("GET", b"/api/v1/links", token=token)
    assert still.status == 200  # nothing on the way has signed us out
    assert failures[:20] == []
    assert {name for name in before if name not in after} == set()
    seconds = time.monotonic() - begun
    print(f"\ninjection: {each} of {len(texts)} strings x {len(found)} places,")
    print(
        f"{counted.total()} requests in {seconds:.0f} s: {dict(counted)}, no row but literal ones"
    )
    assert len(found) > 250
    assert sum(place.form and place.kind == "body" for place in found) > 20
