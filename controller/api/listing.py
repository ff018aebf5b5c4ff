"""The list convention of every resource: ``?scope=&state=&limit=&cursor=`` and ``?as_of=``.

Pages are ordered by id, and a cursor is the last id of the page before: rows that come,
go or change their verdict in between never make another row appear twice or be skipped.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, asked_scope
from controller.api.problems import Problem
from controller.api.services import Services
from controller.encode import Json
from tenone.vocabulary.scope import ScopePath

DEFAULT_LIMIT = 200
MOST_LIMIT = 1000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A list request, checked."""

    scope: ScopePath
    state: str | None
    limit: int
    after: str | None
    as_of: float | None


def list_query(  # noqa: PLR0917 - FastAPI reads the query from the signature
    services: Here,
    session: Caller,
    scope: Annotated[
        str | None, Query(max_length=200, description="Scope path, such as binhai/east")
    ] = None,
    state: Annotated[
        str | None, Query(max_length=32, description="Only items in this state")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=400, description="next_cursor of the page before")
    ] = None,
    as_of: Annotated[
        str | None, Query(max_length=40, description="A past moment, RFC 3339")
    ] = None,
) -> ListQuery:
    """FastAPI dependency; every wrong parameter is a problem with its sentence."""
    return ListQuery(
        scope=asked_scope(services, session, scope),
        state=state,
        limit=limit,
        after=None if cursor is None else _from_cursor(cursor),
        as_of=None if as_of is None else _moment(as_of, services.now()),
    )


Listing = Annotated[ListQuery, Depends(list_query)]


def one_page(
    items: Iterable[Item],
    query: ListQuery,
    *,
    id_of: Callable[[Item], str],
    states_of: Callable[[Item], frozenset[str]],
    known_states: frozenset[str],
    encode: Callable[[Item], Mapping[str, object]],
) -> JSONResponse:
    """``{"items", "total", "next_cursor"}``; only the page itself is encoded."""
    if query.state is not None and query.state not in known_states:
        known = ", ".join(sorted(known_states))
        raise Problem(400, f"state: {query.state!r} is unknown here: use one of {known}.")
    wanted = [item for item in items if query.state is None or query.state in states_of(item)]
    wanted.sort(key=id_of)
    total = len(wanted)
    rest = [item for item in wanted if query.after is None or id_of(item) > query.after]
    page = rest[: query.limit]
    more = len(rest) > len(page)
    return JSONResponse(
        {
            "items": [encode(item) for item in page],
            "total": total,
            "next_cursor": _cursor(id_of(page[-1])) if more else None,
        }
    )


async def past_page(
    services: Services, resource: str, query: ListQuery, *, known_states: frozenset[str]
) -> JSONResponse | None:
    """The same list as it stood at ``as_of``; None when the request is about now."""
    if query.as_of is None:
        return None
    kept = services.records.resources()
    if resource not in kept:
        have = f"only of {', '.join(sorted(kept))}" if kept else "of nothing"
        raise Problem(
            400, f"as_of: the past of {resource} is not kept here, {have}; ask without as_of."
        )
    items = await run_in_threadpool(services.records.as_of, resource, query.scope, query.as_of)
    return one_page(
        items,
        query,
        id_of=lambda item: str(item["id"]),
        states_of=lambda item: frozenset({str(item.get("verdict"))}),
        known_states=known_states,
        encode=lambda item: item,
    )


def plain(document: Json) -> JSONResponse:
    """One encoded view."""
    return JSONResponse(document)


def _cursor(last_id: str) -> str:
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def _from_cursor(text: str) -> str:
    try:
        return base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Problem(400, "cursor: use next_cursor of the page before, as it stands.") from None


def _moment(text: str, now: float) -> float:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(
            400, f"as_of: {text!r} is no moment: write it like 2026-03-01T08:00:00+08:00."
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    moment = when.timestamp()
    if moment > now:
        raise Problem(400, f"as_of: {text} lies in the future; nobody knows that yet.")
    return moment
