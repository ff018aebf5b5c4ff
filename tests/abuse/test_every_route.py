"""Every route and page there is stands behind a decision, or on a short list that says why not.

The walk is over the whole application, what OpenAPI leaves out as well. Which permission opens
which route of the API is the table of tests/api/test_role_matrix.py; here it is shown that nothing
is left that no permission opens: a session without a single grant is refused everywhere else.
"""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.abuse.places import KNOWN, Place, pages, places
from tests.abuse.whole import Answer, Whole, routes_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

STREAM = ("GET", "/api/v1/events")
"""It has no end; who sees what of it: tests/api/test_events.py."""
REFUSED = frozenset({401, 403, 404})
OPEN = {
    "GET /healthz": "whether the process lives",
    "GET /readyz": "which part is not ready, in one sentence each",
    "GET /metrics": "counts, on loopback or with a token",
    "GET /metrics/links": "the same",
    "GET /favicon.ico": "a picture",
    "GET /static/{version}/{name:path}": "style and scripts",
    "HEAD /static/{version}/{name:path}": "the same",
    "GET /language/{tag}": "a cookie with the language",
    "GET /sign-in": "the form",
    "POST /sign-in": "signing in",
    "GET /sign-in/oidc": "to the identity provider",
    "GET /sign-in/oidc/return": "back from it, with its proof",
    "POST /sign-in/oidc/logout": "signed by the identity provider",
    "POST /api/v1/sessions": "signing in",
    "GET /api/v1/ca": "the authority's certificate, public by nature",
    "GET /api/v1/crl": "its revocation list",
    "GET /api/v1/crl/{authority_id}": "the same",
    "POST /api/v1/enrolments": "a machine with its token",
    "POST /api/v1/renewals": "a machine that signs with its key",
}
"""Without a session."""
ANYBODYS = {
    "GET /": "goes where the session may look",
    "POST /sign-out": "leaving",
    "DELETE /api/v1/sessions/current": "leaving",
    "GET /api/v1/sessions/current": "who am I",
    "GET /api/v1/openapi.json": "the description of the API",
    "HEAD /api/v1/openapi.json": "the same",
    "GET /api/v1/users/current/enrol": "a second factor of its own to scan, kept nowhere",
    "GET /api/v1/users/current/second-factor": "the same",
    "GET /api/v1/users/current/sessions": "the own sessions",
    "DELETE /api/v1/users/current/sessions": "the same",
    "POST /account/sessions": "the same",
    "GET /start": "goes where the session may look",
    "GET /handbook/style.css": "the handbook is the documentation",
    "GET /handbook/{name:path}": "the same",
}
"""With any session; what a person does with the own account refuses those that have none."""
MISSHAPEN = frozenset(
    {
        "DELETE /api/v1/actions/stops",
        "POST /api/v1/configurations/{school}/{switch}/accept",
        "POST /api/v1/machines/{name:path}/revoke",
        "POST /repairs/try",
    }
)
"""What is sent here is refused for its shape (422) first: who may, their rooms' tests say."""


def asked(house: Whole) -> Iterator[tuple[str, str, Place | None]]:
    """Method, path and, where it takes a body or names, what to send there."""
    every = (*places(house.app.openapi(), house.known), *pages(house.app, house.known, {}))
    bodies = {(one.method, one.path): one for one in every}
    for method, path in sorted(set(routes_of(house.app)) - {STREAM}):
        yield method, path, bodies.get((method, path))


async def ask(
    house: Whole, method: str, path: str, place: Place | None, token: str | None
) -> Answer:
    target = path
    for name, value in (KNOWN | house.known).items():
        target = target.replace("{" + name + "}", value).replace("{" + name + ":path}", value)
    if place is None or place.body is None:
        return await house.ask(method, target.encode(), token=token)
    text = urlencode(place.body, doseq=True) if place.form else json.dumps(place.body)
    headers = {b"content-type": place.content_type}
    return await house.ask(
        method, target.encode(), token=token, body=text.encode(), headers=headers
    )


async def test_without_a_session_nothing_but_the_list_is_open(house: Whole) -> None:
    passed = set()
    for method, path, place in asked(house):
        answer = await ask(house, method, path, place, None)
        if answer.status != 401 or path in {"/sign-in", "/api/v1/sessions"}:
            passed.add(f"{method} {path}")
    assert passed <= set(OPEN), passed - set(OPEN)
    assert set(OPEN) <= {f"{method} {path}" for method, path in routes_of(house.app)}


async def test_a_session_without_a_grant_is_refused_everywhere_else(house: Whole) -> None:
    passed = {}
    for method, path, place in asked(house):
        token = house.sign_in("account:nobody-here")
        answer = await ask(house, method, path, place, token)
        shape = answer.status == 422 and f"{method} {path}" in MISSHAPEN
        if answer.status not in REFUSED and f"{method} {path}" not in OPEN and not shape:
            passed[f"{method} {path}"] = (answer.status, answer.body[:120])
    assert set(passed) <= set(ANYBODYS), {
        one: said for one, said in passed.items() if one not in ANYBODYS
    }
