"""The page of the audit ledger, for audit administrators: what was done, newest first."""

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
from controller.trust.chain import Head, Row
from controller.trust.queries import Filter, as_json
from dashboards.ops.audit_phrases import MARKS, NOUNS, OUTCOMES
from dashboards.ops.language import Language
from dashboards.ops.render import Renderer
from dashboards.ops.words import ZONE

router = APIRouter(include_in_schema=False)
ROWS = 100
SHOWN_HASH = 16
ODD = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories of what is not seen, turns text around or ends lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry as the page shows it."""

    seq: int
    at: str
    noun: str
    act: str
    actor: str
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
    moment = datetime.fromtimestamp((at_ns if isinstance(at_ns, int) else 0) / 1e9, ZONE)
    noun = NOUNS.get(act.partition(".")[0])
    return Line(
        seq=row.seq,
        at=moment.strftime("%Y-%m-%d %H:%M:%S"),
        noun=language.text(noun) if noun else act,
        act=act,
        actor=seen(str(entry["actor"])),
        scope=seen(str(entry["scope"])),
        subject=seen(str(entry["subject"])),
        outcome=language.text(OUTCOMES.get(outcome, outcome)),
        mark=MARKS.get(outcome, "unknown"),
        details=[(seen(str(key)), seen(str(value))) for key, value in detail.items()]
        if isinstance(detail, dict)
        else [],
        hash=row.hash.hex()[:SHOWN_HASH],
    )


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
