"""Seven roles and every route of the API: who gets past the door of each, read from one table.

A route that is not in the table fails the test: nobody adds one without saying who may use it.
"""

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from controller.api.app import PREFIX
from controller.api.services import Services
from tenone.vocabulary.roles import PERMISSIONS, Permission, Role
from tests.api.conftest import client_of, opened

P = Permission
ANYBODY = None
"""Whoever is signed in, and what needs no session."""
NEEDED: dict[str, Permission | None] = {
    "GET overview": P.LOOK,
    "GET overview/trend": P.LOOK,
    "GET scopes": P.LOOK,
    "GET schools": P.LOOK,
    "GET schools/{school}": P.LOOK,
    "GET links": P.LOOK,
    "GET links/{school}/{link}": P.LOOK,
    "POST links/{school}/{link}/recheck": P.POLL,
    "GET bindings": P.LOOK,
    "GET ports": P.LOOK,
    "GET devices": P.LOOK,
    "GET events": P.LOOK,
    "POST sessions": ANYBODY,
    "GET sessions/current": ANYBODY,
    "DELETE sessions/current": ANYBODY,
    "GET class-minutes": P.LOOK,
    "GET class-minutes/total": P.LOOK,
    "GET calendars": P.LOOK,
    "GET incidents": P.LOOK,
    "GET incidents/times": P.LOOK,
    "GET maintenance": P.LOOK,
    "POST maintenance": P.PLAN_MAINTENANCE,
    "GET tickets": P.LOOK,
    "GET duty": P.LOOK,
    "GET duty/gaps": P.LOOK,
    "POST duty": P.KEEP_DUTY,
    "GET topology": P.LOOK,
    "GET configurations": P.LOOK,
    "GET drift": P.LOOK,
    "GET reports/sla": P.LOOK,
    "GET reports/inspection": P.LOOK,
    "GET reports/quality": P.LOOK,
    "GET indicators": P.LOOK,
    "GET users": P.KEEP_USERS,
    "POST users": P.KEEP_USERS,
    "PATCH users/{name}": P.KEEP_USERS,
    "DELETE users/{name}": P.KEEP_USERS,
    "POST users/{name}/password-reset": P.KEEP_USERS,
    "GET users/{name}/sessions": P.KEEP_USERS,
    "DELETE users/{name}/sessions": P.KEEP_USERS,
    "DELETE users/{name}/sessions/{shown}": P.KEEP_USERS,
}
BY_OBJECT = re.compile(
    r"incidents/\{|tickets|maintenance/\{|duty/\{|drift/\{|configurations/\{|actions|machines|"
    r"enrolments|audit|users/current|users/first| (ca|crl|renewals|keys)"
)
"""Decided at the thing itself, which this small city has none of, or tested where they live."""
BODIES: dict[str, dict[str, object]] = {
    "POST maintenance": {
        "scope": "binhai/east/no3", "start": "2026-11-23T00:00:00Z", "end": "2026-11-23T01:00:00Z",
        "reason": "x", "asked_by": "Li", "approved_by": "Wang",
    },
    "POST duty": {"scope": "binhai/east/no3", "role": "leader", "name": "Li", "by": "Wang"},
    "POST users": {"name": "li", "grants": []},
    "PATCH users/{name}": {"enabled": True},
    "POST users/{name}/password-reset": {},
}  # fmt: skip


def routes(app: FastAPI) -> Iterator[str]:
    """``GET schools/{school}`` of every route of the API, from its own document."""
    for path, methods in app.openapi()["paths"].items():
        if path.startswith(PREFIX):
            yield from (f"{method.upper()} {path[len(PREFIX) + 1 :]}" for method in methods)


def test_every_route_says_who_may(app: FastAPI) -> None:
    unsaid = [one for one in routes(app) if one not in NEEDED and not BY_OBJECT.search(one)]
    assert unsaid == [], "say in NEEDED which permission lets a role use it"
    assert set(NEEDED) <= set(routes(app)), "a row for a route that is gone"


@pytest.mark.parametrize("role", Role)
async def test_a_role_gets_past_what_its_permissions_open_and_nothing_else(
    app: FastAPI, services: Services, role: Role
) -> None:
    wrong: list[str] = []
    for route, permission in NEEDED.items():
        if permission is ANYBODY or route == "GET events":  # the stream has no end
            continue
        async with client_of(app, opened(services, role)) as client:
            status = (await ask(client, route)).status_code
        allowed = permission in PERMISSIONS[role]
        # What may not be looked at is not there (404) where it is asked for by its name.
        hidden = status == 404 and "{school}" in route and P.LOOK not in PERMISSIONS[role]
        refused = status == 403 or hidden
        if allowed is refused or status == 500:
            wrong.append(f"{route}: {status}, allowed: {allowed}")
    assert wrong == []


async def ask(client: httpx.AsyncClient, route: str) -> httpx.Response:
    """The request of a route, for things the small city has."""
    method, path = route.split(" ", 1)
    where = path.format(school="no3", link="c-3-2", name="li", shown="0") if "{" in path else path
    query = {"scope": "binhai/east/no3"} if path in {"reports/inspection", "reports/sla"} else {}
    return await client.request(method, f"{PREFIX}/{where}", params=query, json=BODIES.get(route))
