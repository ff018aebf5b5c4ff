"""The whole OpenAPI, asked by everybody: no crash, no other school's data, answers as described.

schemathesis makes the requests; each is sent in everybody's name. About half of the path
parameters and scopes are replaced by such as exist, or every answer would be 404.
"""

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import SkipTest
from urllib.parse import quote, urlencode

import httpx
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok

from tenone.vocabulary.roles import Role
from tests.abuse.callers import PLACES, SCHOOLS, Caller, asked, everybody, ids_in
from tests.abuse.whole import Answer, Whole, whole

POSITIVE = GenerationMode.POSITIVE
EXAMPLE = "such as binhai/east/no1"
"""Of the sentences that say how a scope is written, wherever they are said."""
SILENT = 502
"""The agent of a school did not answer: described, and not this server's doing."""
STREAMS = {"/api/v1/events"}
"""They do not end by themselves; tests/api/test_events.py reads them."""


ORDER = {"GET": 0, "DELETE": 2}
"""What is taken away could not be shown any more."""
EMPTY = {
    "/api/v1/users/first": "only where there is no account yet",
    "/api/v1/users/current": "callers are sessions without an account",
    "/metrics": "from elsewhere only with the token of the configuration",
    "/metrics/links": "from elsewhere only with the token of the configuration",
}
"""Reading operations that show these callers nothing, and why."""


@dataclass
class Found:
    """What a walk came to."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    silent: int = 0
    crashes: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    misdescribed: list[str] = field(default_factory=list)
    undescribed: Counter[str] = field(default_factory=Counter)
    reading: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    """Of those the ones that have shown somebody something."""

    def table(self) -> str:
        rows = [f"requests {self.requests}"]
        rows += [f"  {status}: {count}" for status, count in sorted(self.statuses.items())]
        rows.append(f"agents that did not answer (502): {self.silent}")
        rows.append(f"5xx of our own {len(self.crashes)}, across scopes {len(self.leaks)}")
        rows.append(f"not as described {len(self.misdescribed)}")
        return "\n".join(rows)


@pytest_asyncio.fixture(loop_scope="session")
async def city(tmp_path: Path) -> AsyncIterator[Whole]:
    """Each walk its own: a walk takes away what it finds."""
    async with whole(tmp_path, SCHOOLS) as running:
        yield running


def cases_of(operation: Any, count: int, mode: GenerationMode) -> list[Any]:
    """``count`` requests as schemathesis makes them; the same ones each time."""
    cases: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        cases.append(case)

    # What has nothing that could be wrong has no negative cases.
    with contextlib.suppress(Unsatisfiable, SkipTest):
        collect()
    return cases


async def walk(
    house: Whole, count: int, *, a_case: int | None = None, mode: GenerationMode = POSITIVE
) -> Found:
    """Every operation ``count`` times, each case by ``a_case`` callers, or by all of them."""
    schema = schemathesis.openapi.from_dict(house.app.openapi())
    dice = random.Random(count)
    found = Found()
    everyone = await everybody(house)
    turns = itertools.cycle(everyone)
    operations = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert len(operations) > 50
    operations.sort(key=lambda one: ORDER.get(one.method.upper(), 1))
    for operation in operations:
        if operation.path in STREAMS:
            continue
        for case in cases_of(operation, count, mode):
            target = _target(case, house.pools, dice)
            body = None if case.body is NOT_SET else case.body
            for caller in itertools.islice(turns, a_case or len(everyone)):
                async with asyncio.timeout(20):
                    answer = await asked(house, caller, case.method, target, body)
                _look(found, caller, operation, target, body, answer)
    return found


def _target(case: Any, pools: Any, dice: random.Random) -> str:
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        known = list(ids_in(pools, name))
        chosen = dice.choice(known) if dice.random() < 0.7 else str(value)
        path = path.replace(f"{{{name}:path}}", f"{{{name}}}")
        path = path.replace(f"{{{name}}}", quote(chosen, safe="/:"))
    query = {name: value for name, value in (case.query or {}).items() if value is not None}
    if "scope" in query and dice.random() < 0.7:
        query["scope"] = dice.choice(list(PLACES.values()))
    query.pop("cursor", None) if dice.random() < 0.7 else None
    text = urlencode(query, doseq=True, errors="replace")
    return f"{path}?{text}" if text else path


def _look(
    found: Found, caller: Caller, operation: Any, target: str, body: object, answer: Answer
) -> None:
    what = f"{caller.name}: {operation.method.upper()} {target} -> {answer.status}"
    found.requests += 1
    found.statuses[answer.status] += 1
    if operation.method.upper() == "GET":
        found.reading.add(operation.path)
        if answer.status == 200 and b'"items":[]' not in answer.body:
            found.shown.add(operation.path)
    text = answer.body.decode("utf-8", "replace")
    text = text.replace(EXAMPLE, "") if answer.status >= 400 else text
    silent = answer.status == SILENT and answer.json().get("state") == "failed"
    found.silent += silent
    if answer.status >= 500 and not silent:
        found.crashes.append(f"{what}: {text[:300]}")
    strangers = caller.strangers(text + " ".join(answer.headers.values()))
    if answer.status >= 400:
        strangers -= {one for one in PLACES if one in f"{target} {body}"}
    if strangers:
        found.leaks.append(f"{what} names {sorted(strangers)}: {text[:300]}")
    described = operation.definition.raw["responses"]
    if str(answer.status) not in described:
        found.undescribed[f"{operation.method.upper()} {operation.path} {answer.status}"] += 1
        return
    request = httpx.Request(operation.method.upper(), "http://127.0.0.1:8010/")
    response = httpx.Response(
        answer.status, headers=dict(answer.headers), content=answer.body, request=request
    )
    response.elapsed = timedelta(0)
    try:
        operation.validate_response(response)
    except (Failure, FailureGroup, AssertionError) as error:
        found.misdescribed.append(f"{what}: {str(error)[:600]}")


def _check(found: Found, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{found.table()}")
    assert found.crashes == []
    assert found.leaks == []
    assert found.misdescribed == []
    assert found.undescribed == {}


@pytest.mark.asyncio(loop_scope="session")
async def test_a_round(city: Whole, capsys: pytest.CaptureFixture[str]) -> None:
    _check(await walk(city, 1, a_case=5), capsys)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", [POSITIVE, GenerationMode.NEGATIVE])
async def test_everything_by_everybody(
    city: Whole, mode: GenerationMode, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await walk(city, 10, mode=mode)
    _check(found, capsys)
    if mode is POSITIVE:
        assert found.reading - found.shown == set(EMPTY), "what shows nothing leaks nothing"


def test_the_oracle_knows_who_may_read_what() -> None:
    school, district, nobody = (
        Caller(Role.VIEWER, "binhai/east/no1"), Caller(Role.VIEWER, "binhai/west"), Caller(None, "")
    )  # fmt: skip
    text = '{"a": "no1", "b": "\u5b66\u6821no3", "c": "no12 xno2"}'
    assert school.strangers(text) == {"no3"}
    assert district.strangers(text) == {"no1"}
    assert nobody.strangers(text) == {"no1", "no3"}
    assert Caller(Role.VIEWER, "").strangers(text) == set()
