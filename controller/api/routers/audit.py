"""The audit ledger, for audit administrators alone. That it was read is an entry itself."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, actor_of, asked_scopes, may_anywhere
from controller.api.moments import epoch_ns
from controller.api.problems import Problem
from controller.api.services import Services
from controller.api.sessions import Session
from controller.trust.audit_desk import Asked, TooOftenError
from controller.trust.chain import Row
from controller.trust.queries import Filter, as_json
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/audit", tags=["audit"])

DEFAULT_LIMIT = 100
MOST_LIMIT = 1000
LARGEST_CURSOR = 2**62


class EntryOut(BaseModel):
    """One entry. ``hash`` is that of ``previous`` (32 bytes) and the entry's line as exported."""

    seq: int
    at_ns: int
    boot: str
    mono_ns: int
    act: str
    actor: str
    scope: str
    subject: str
    outcome: Literal["done", "refused", "failed"]
    detail: dict[str, str | int | float | bool | None]
    previous: str
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first."""

    items: list[EntryOut]
    next_cursor: str | None


class HeadOut(BaseModel):
    """The newest entry: what an anchor keeps."""

    ledger: str
    seq: int
    hash: str


def audit_filter(  # noqa: PLR0917 - FastAPI reads the query from the signature
    services: Here,
    session: Caller,
    act: Annotated[
        str | None, Query(max_length=64, description="an act, or its first word: session")
    ] = None,
    actor: Annotated[str | None, Query(max_length=256, description="such as account:li")] = None,
    scope: Annotated[str | None, Query(max_length=200)] = None,
    outcome: Annotated[Literal["done", "refused", "failed"] | None, Query()] = None,
    since: Annotated[datetime | None, Query(description="RFC 3339")] = None,
    until: Annotated[datetime | None, Query(description="up to it")] = None,
    cursor: Annotated[int | None, Query(ge=1, le=LARGEST_CURSOR)] = None,
) -> Filter:
    """FastAPI dependency: what is asked, cut to what the session may read."""
    return Filter(
        act=act or None,
        actor=actor or None,
        scopes=readable(services, session, scope),
        outcome=outcome,
        since_ns=None if since is None else epoch_ns("since", since),
        until_ns=None if until is None else epoch_ns("until", until),
        before=cursor,
    )


async def reader(services: Here, session: Caller) -> Session:
    """FastAPI dependency: the session, if it may read any of the ledger.

    Whoever may not and asks is written down.
    """
    if not may_anywhere(session, Permission.READ_AUDIT):
        with _problems():
            await services.audit.refused(actor_of(session))
        raise Problem(403, f"None of your roles allows {Permission.READ_AUDIT.value!r}.")
    return session


Reader = Annotated[Session, Depends(reader)]
Chosen = Annotated[Filter, Depends(audit_filter)]


def readable(services: Services, session: Session, scope: str | None) -> tuple[str, ...]:
    """The scopes asked for; none for whoever may read all: then also what is in no scope."""
    scopes: Sequence[ScopePath] = asked_scopes(services, session, scope, Permission.READ_AUDIT)
    whole = not scope and any(len(one.parts) <= 1 for one in scopes)
    return () if whole or any(not one.parts for one in scopes) else tuple(map(str, scopes))


async def entries_of(services: Services, session: Session, chosen: Filter, limit: int) -> list[Row]:
    """Read, once that it is read is written; problems as a request gets them."""
    asked = Asked(actor=actor_of(session), filter=chosen, limit=limit)
    with _problems():
        return [*await services.audit.read(asked)]


@router.get("", responses={200: {"model": AuditPage}, 429: {}, 503: {}})
async def entries(
    services: Here,
    session: Reader,
    chosen: Chosen,
    limit: Annotated[int, Query(ge=1, le=MOST_LIMIT)] = DEFAULT_LIMIT,
) -> JSONResponse:
    """What people and machines did, newest first; a page's ``next_cursor`` leads to older ones."""
    rows = await entries_of(services, session, chosen, limit)
    last = str(rows[-1].seq) if len(rows) == limit and rows[-1].seq > 1 else None
    return JSONResponse({"items": [as_json(row) for row in rows], "next_cursor": last})


@router.get("/head", responses={200: {"model": HeadOut}})
async def head(services: Here, _session: Reader) -> JSONResponse:
    """Number and hash of the newest entry, to be kept elsewhere."""
    newest = services.audit.head()
    if newest is None:
        raise Problem(503, "This controller has no audit ledger open: see /readyz.")
    return JSONResponse({"ledger": newest.ledger, "seq": newest.seq, "hash": newest.hash.hex()})


@contextlib.contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except TooOftenError as error:
        retry = {"Retry-After": str(error.retry_seconds)}
        raise Problem(429, str(error), headers=retry) from None
