"""Abuse case 12: SQL, PromQL, Flux and labels in every parameter, path part and body field."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.abuse.injections import payloads
from tests.abuse.places import Place, places
from tests.abuse.whole import EVERY, Whole

UNTOLD = frozenset({"events"})
"""Streams do not end."""
PAGES = {
    "/": ("state", "district", "q"),
    "/at/{path:path}": ("path",),
    "/parts/class-minutes/{path:path}": ("path",),
    "/parts/measured/{school}/{link}": ("school", "link"),
    "/links/{school}/{link}": ("school", "link"),
    "/incidents": ("state", "scope", "school", "cause", "severity", "q", "cursor"),
    "/incidents/{incident}": ("incident",),
    "/audit": ("act", "actor", "scope", "outcome", "day", "before"),
    "/language/{tag}": ("tag", "next"),
    "/sign-in": ("next",),
    "/handbook/{name:path}": ("name",),
    "/static/{version}/{name:path}": ("version", "name"),
}


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


def pages() -> Iterator[Place]:
    """The texts that pages take."""
    for path, names in PAGES.items():
        for name in names:
            kind = "path" if f"{{{name}" in path else "query"
            others = {"school": "no1", "link": "c301", "tag": "en", "version": "x"}
            rest = {one: value for one, value in others.items() if one != name}
            yield Place("GET", path, kind, name, rest, None)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "each", [1, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
async def test_every_text_of_every_route(house: Whole, each: int) -> None:
    """``each`` of the 500 strings in every place that reads, other ones in the next.

    Never a 5xx; lists answer with literal matches alone.
    """
    texts = payloads()
    counted: Counter[str] = Counter()
    failures: list[str] = []
    begun = time.monotonic()
    token = house.sign_in("account:wang", *EVERY)
    before = tables(house.folder)
    found = [
        one
        for one in (*places(house.app.openapi(), house.known), *pages())
        if one.path.rpartition("/")[2] not in UNTOLD and "/sessions" not in one.path
    ]
    for number, place in enumerate(found):
        whole_list = await baseline(house, place, token) if place.method == "GET" else []
        # What changes something gets a tenth, another one at each place: rows would pile up.
        turns = each if place.method == "GET" else max(1, each // 10)
        for text in (texts[(number * turns + turn) % 500] for turn in range(turns)):
            target, body = place.request(text)
            headers = {b"content-type": b"application/json"} if body else {}
            answer = await house.ask(place.method, target, token=token, body=body, headers=headers)
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
    assert len(found) > 60
