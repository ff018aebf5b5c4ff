"""The ledger first, the deed second: around what a request does."""

import contextlib
from collections.abc import AsyncIterator, Mapping

from controller.api.access import actor_of
from controller.api.services import Services
from controller.api.sessions import Session
from controller.trust.entries import Entry, LedgerError, Outcome
from tenone.vocabulary.scope import ScopePath


@contextlib.asynccontextmanager
async def ledgered(
    services: Services,
    session: Session,
    act: str,
    scope: ScopePath,
    *,
    subject: str = "",
    detail: Mapping[str, str | int | float | bool | None] | None = None,
) -> AsyncIterator[None]:
    """What stands inside of it happens only once the entry is on disk.

    Raises LedgerError before anything was done (503 by :mod:`controller.api.problems`). Where the
    deed then fails, a second entry says so; if that cannot be written, the first one overstates.
    """
    entry = Entry(
        act=act, actor=actor_of(session), scope=str(scope), subject=subject, detail=detail or {}
    )
    await services.ledger.write(entry)
    done = False
    try:
        yield
        done = True
    finally:
        if not done:
            failed = Entry(
                act=act,
                actor=entry.actor,
                scope=entry.scope,
                subject=subject,
                outcome=Outcome.FAILED,
                detail=entry.detail,
            )
            with contextlib.suppress(LedgerError):
                await services.ledger.write(failed)
