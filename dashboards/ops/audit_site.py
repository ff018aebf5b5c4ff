"""The page of the audit ledger, for audit administrators: what was done, newest first."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from controller.api.access import Caller, Here
from controller.api.routers.audit import LARGEST_CURSOR, Reader, entries_of, readable
from controller.trust.acts import CONSOLE, UNKNOWN_CONSOLE
from controller.trust.chain import Head, Row
from controller.trust.queries import Filter, as_json
from dashboards.ops.audit_phrases import (
    ACTORS,
    DETAILS,
    MARKS,
    NO,
    NOUNS,
    OUTCOMES,
    VERBS,
    YES,
)
from dashboards.ops.language import Language
from dashboards.ops.render import Renderer
from dashboards.ops.words import ZONE

router = APIRouter(include_in_schema=False)
ROWS = 100
SHOWN_HASH = 16
WHOLE = {kind: words for kind, words in ACTORS.items() if "%(name)s" not in words}
"""Those who have no name."""
HASH = re.compile(r"[0-9a-f]{64}")
ODD = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories of what is not seen, turns text around or ends lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry as the page shows it."""

    seq: int
    at: str
    noun: str
    verb: str
    act: str
    actor: str
    """In words."""
    actor_id: str
    """As it stands in the entry, and is searched by."""
    scope: str
    subject: str
    outcome: str
    mark: str
    details: Sequence[tuple[str, str]]
    hash: str


@router.get("/audit")
async def audit_page(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request,
    services: Here,
    caller: Caller,
    session: Reader,
    act: Annotated[str, Query(max_length=64)] = "",
    actor: Annotated[str, Query(max_length=256)] = "",
    scope: Annotated[str, Query(max_length=200)] = "",
    outcome: Annotated[str, Query(max_length=16)] = "",
    day: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST_CURSOR)] = None,
) -> HTMLResponse:
    """Entries by act, actor, scope, outcome and local day."""
    since_ns, until_ns = _day(day)
    chosen = Filter(
        act=act.strip() or None,
        actor=actor.strip() or None,
        scopes=readable(services, session, scope.strip() or None),
        outcome=outcome if outcome in OUTCOMES else None,
        since_ns=since_ns,
        until_ns=until_ns,
        before=before,
    )
    rows = await entries_of(services, session, chosen, ROWS)
    renderer: Renderer = request.app.state.renderer
    language = renderer.language_of(request)
    form = {"act": act, "actor": actor, "scope": scope, "outcome": outcome, "day": day}
    older = {name: value for name, value in form.items() if value}
    more = len(rows) == ROWS and rows[-1].seq > 1
    return renderer.page(
        request,
        "audit.html",
        session=caller,
        lines=[line_of(row, language) for row in rows],
        form=form,
        outcomes={name: language.text(word) for name, word in OUTCOMES.items()},
        older=f"/audit?{urlencode({**older, 'before': rows[-1].seq})}" if more else "",
        newest=f"/audit?{urlencode(older)}" if before is not None else "",
        head=_head(services.audit.head()),
    )


def line_of(row: Row, language: Language) -> Line:
    """An entry in one language; what somebody else wrote is shown, never obeyed."""
    entry = as_json(row)
    act, outcome = str(entry["act"]), str(entry["outcome"])
    at_ns, detail = entry["at_ns"], entry["detail"]
    noun, verb = NOUNS.get(act.partition(".")[0]), VERBS.get(act.partition(".")[2])
    actor = str(entry["actor"])
    return Line(
        seq=row.seq,
        at=_moment(at_ns if isinstance(at_ns, int) else 0),
        noun=language.text(noun) if noun else act,
        verb=language.text(verb) if verb else "",
        act=act,
        actor=actor_of(actor, language),
        actor_id=seen(actor),
        scope=seen(str(entry["scope"])),
        subject=seen(str(entry["subject"])),
        outcome=language.text(OUTCOMES.get(outcome, outcome)),
        mark=MARKS.get(outcome, "unknown"),
        details=[detail_of(key, value, language) for key, value in detail.items()]
        if isinstance(detail, dict)
        else [],
        hash=row.hash.hex()[:SHOWN_HASH],
    )


def actor_of(actor: str, language: Language) -> str:
    """Who it was, in words."""
    kind, _, name = (UNKNOWN_CONSOLE if actor == CONSOLE else actor).partition(":")
    whole = ACTORS.get(f"{kind}:{name}") if name else WHOLE.get(kind)
    words = whole or (ACTORS.get(kind) if name else None)
    return language.text(words, name=seen(name)) if words else seen(actor)


def detail_of(key: str, value: object, language: Language) -> tuple[str, str]:
    """A detail's name and value in words; times by the city's clock."""
    word = DETAILS.get(key)
    if isinstance(value, bool):
        shown = language.text(YES if value else NO)
    elif isinstance(value, int) and key.endswith("_ns"):
        shown = _moment(value)
    elif key in {"by", "requester"}:
        shown = actor_of(str(value), language)
    else:
        shown = seen(str(value))
        if HASH.fullmatch(shown):
            shown = f"{shown[:SHOWN_HASH]}..."
    return language.text(word) if word else seen(key), shown


def _moment(at_ns: int) -> str:
    try:
        return datetime.fromtimestamp(at_ns / 1e9, ZONE).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(at_ns)


def seen(text: str) -> str:
    """``text`` with what cannot be seen written out."""
    return "".join(f"\\u{ord(ch):04x}" if unicodedata.category(ch) in ODD else ch for ch in text)


def _day(text: str) -> tuple[int | None, int | None]:
    """A local day's first and last moment in ns; what is no day is all days."""
    try:
        start = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=ZONE)
        end = start + timedelta(days=1)
    except (ValueError, OverflowError):
        return None, None
    return round(start.timestamp()) * 10**9, round(end.timestamp()) * 10**9


def _head(head: Head | None) -> str:
    return "" if head is None else f"{head.seq} {head.hash.hex()}"
