"""The ledger first, the deed second: around what a request does."""

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from controller.api.access import actor_of
from controller.api.services import Services
from controller.api.sessions import Session
from controller.trust.entries import Entry, LedgerError, Outcome
from tenone.vocabulary.scope import ScopePath

log = logging.getLogger(__name__)


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


async def told_or_noted(
    services: Services,
    session: Session,
    act: str,
    scope: ScopePath,
    detail: Mapping[str, str | int | float | bool | None],
) -> None:
    """What is done already and had to be, ledger or not: told now, or as soon as that is possible.

    Held in memory until then: a controller that dies meanwhile has only said it in its log.
    """
    entry = Entry(act=act, actor=actor_of(session), scope=str(scope), detail=detail)
    try:
        await services.ledger.write(entry)
    except LedgerError as error:
        log.warning("%s; %s at %s by %s is told when it can", error, act, scope, entry.actor)
        services.notes.note(replace(entry, detail={**detail, "told_late": True}))
