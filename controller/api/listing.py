"""The list convention of every resource: ``?scope=&state=&limit=&cursor=`` and ``?as_of=``.

Pages are ordered by id, and a cursor is the last id of the page before: rows that come,
go or change their verdict in between never make another row appear twice or be skipped.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, asked_scopes
from controller.api.gathering import by_school
from controller.api.problems import Problem
from controller.api.services import Services
from controller.encode import Json
from controller.views import SchoolView
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

DEFAULT_LIMIT = 200
MOST_LIMIT = 1000
EARLIEST = 0.0
"""Epoch seconds; the records count nanoseconds in 64 bits and do not reach far below."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A list request, checked."""

    scopes: tuple[ScopePath, ...]
    """What is asked for; none lies inside another."""
    state: str | None
    limit: int
    after: str | None
    as_of: float | None


ScopeText = Annotated[
    str | None, Query(max_length=200, description="Scope path, such as binhai/east")
]
StateText = Annotated[str | None, Query(max_length=32, description="Only items in this state")]
Limit = Annotated[int, Query(ge=1, le=MOST_LIMIT)]
CursorText = Annotated[
    str | None, Query(max_length=400, description="next_cursor of the page before")
]
AsOfText = Annotated[str | None, Query(max_length=40, description="A past moment, RFC 3339")]


def query_by(permission: Permission) -> Callable[..., ListQuery]:
    """FastAPI dependency: the list of what lies where ``permission`` is granted, as it is now.

    Every wrong parameter is a problem with its sentence.
    """

    def query(  # noqa: PLR0917 - FastAPI reads the query from the signature
        services: Here,
        session: Caller,
        scope: ScopeText = None,
        state: StateText = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: CursorText = None,
    ) -> ListQuery:
        return ListQuery(
            scopes=asked_scopes(services, session, scope, permission),
            state=state,
            limit=limit,
            after=None if cursor is None else _from_cursor(cursor),
            as_of=None,
        )

    return query


_as_it_is = query_by(Permission.LOOK)


def list_query(  # noqa: PLR0917 - FastAPI reads the query from the signature
    services: Here,
    session: Caller,
    scope: ScopeText = None,
    state: StateText = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
    as_of: AsOfText = None,
) -> ListQuery:
    """FastAPI dependency: what may be looked at, at any moment (see :func:`query_by`)."""
    query = _as_it_is(services, session, scope, state, limit, cursor)
    return query if as_of is None else replace(query, as_of=_moment(as_of, services.now()))


Listing = Annotated[ListQuery, Depends(list_query)]
Keeping = Annotated[ListQuery, Depends(query_by(Permission.KEEP_USERS))]
KeepingMachines = Annotated[ListQuery, Depends(query_by(Permission.KEEP_MACHINES))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[Item]):
    """How the items of one resource are told apart, filtered and written."""

    id_of: Callable[[Item], str]
    states_of: Callable[[Item], frozenset[str]]
    known_states: frozenset[str]
    encode: Callable[[Item], Mapping[str, object]]


class Page(Generic[Item]):
    """Takes items in any order and portions; keeps what the page shows and little more."""

    def __init__(self, query: ListQuery, listed: Listed[Item]) -> None:
        if query.state is not None and query.state not in listed.known_states:
            known = ", ".join(sorted(listed.known_states)) or "none: it has no states"
            raise Problem(400, f"state: {query.state!r} is unknown here: use one of {known}.")
        self._query = query
        self._listed = listed
        self._total = 0
        self._rest: list[tuple[str, Item]] = []
        """Items after the cursor, the first ``limit + 1`` of them at least."""

    def take(self, items: Iterable[Item]) -> None:
        """Count and keep what the query asks for."""
        query, listed = self._query, self._listed
        for item in items:
            if query.state is not None and query.state not in listed.states_of(item):
                continue
            self._total += 1
            name = listed.id_of(item)
            if query.after is None or name > query.after:
                self._rest.append((name, item))
        if len(self._rest) > 4 * (query.limit + 1):
            self._cut()

    def answer(self) -> JSONResponse:
        """``{"items", "total", "next_cursor"}``; only the page itself is encoded."""
        self._cut()
        shown = self._rest[: self._query.limit]
        more = len(self._rest) > len(shown)
        return JSONResponse(
            {
                "items": [self._listed.encode(item) for _, item in shown],
                "total": self._total,
                "next_cursor": _cursor(shown[-1][0]) if more else None,
            }
        )

    def _cut(self) -> None:
        self._rest.sort(key=lambda pair: pair[0])
        del self._rest[self._query.limit + 1 :]


def one_page(items: Iterable[Item], query: ListQuery, listed: Listed[Item]) -> JSONResponse:
    """A page of what is at hand."""
    page = Page(query, listed)
    page.take(items)
    return page.answer()


async def page_by_school(
    services: Services,
    query: ListQuery,
    items_of: Callable[[SchoolView], Iterable[Item]],
    listed: Listed[Item],
) -> JSONResponse:
    """A page of what every school of the scope has; a city does not hold the loop up."""
    page = Page(query, listed)
    async for items in by_school(services.city, query.scopes, items_of):
        page.take(items)
    return page.answer()


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
    items = [
        item
        for scope in query.scopes
        for item in await run_in_threadpool(services.records.as_of, resource, scope, query.as_of)
    ]
    listed: Listed[Mapping[str, object]] = Listed(
        id_of=lambda item: str(item["id"]),
        states_of=lambda item: frozenset({str(item.get("verdict"))}),
        known_states=known_states,
        encode=lambda item: item,
    )
    return one_page(items, query, listed)


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
    if moment < EARLIEST:
        raise Problem(400, f"as_of: {text} lies before anything was measured.")
    if moment > now:
        raise Problem(400, f"as_of: {text} lies in the future; nobody knows that yet.")
    return moment
