"""Rows of accounts within a transaction: read, granted, counted against, forgotten."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session as Work

from controller.api.session_records import SessionRow
from controller.trust.people import throttle
from controller.trust.people.model import ACTOR, Account, RefusedError, UnknownAccountError
from controller.trust.people.tables import (
    AccountBrowserRow,
    AccountCodeRow,
    AccountGrantRow,
    AccountRow,
)
from controller.trust.people.throttle import Limit, Tally
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath

MEANWHILE = "The account was changed meanwhile: look at it again. Nothing was done."


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of a failure: until when nothing is compared, and whether it began just now."""

    until: float = 0.0
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """A browser that an account shall know from now on."""

    browser: str
    now: float
    until: float


def row_of(work: Work, name: str, version: int | None = None) -> AccountRow:
    """The row of an account; raises UnknownAccountError, and RefusedError where it changed."""
    row = work.get(AccountRow, name)
    if row is None:
        raise UnknownAccountError(f"There is no account {name[:80]!r}.")
    if version is not None and row.version != version:
        raise RefusedError(MEANWHILE)
    return row


def grants_of(work: Work, name: str) -> tuple[Grant, ...]:
    """Its grants, sorted."""
    rows = work.scalars(sa.select(AccountGrantRow).where(AccountGrantRow.account == name))
    return tuple(sorted(Grant(Role(row.role), ScopePath.parse(row.scope)) for row in rows))


def set_grants(work: Work, name: str, grants: Iterable[Grant]) -> None:
    """These grants in place of those it has."""
    work.execute(sa.delete(AccountGrantRow).where(AccountGrantRow.account == name))
    work.expire_all()
    for grant in grants:
        work.add(AccountGrantRow(account=name, role=grant.role.value, scope=str(grant.scope)))
    work.flush()


def forget_codes(work: Work, name: str, kind: str) -> None:
    """Its one-time or recovery codes are good no more."""
    work.execute(
        sa.delete(AccountCodeRow).where(AccountCodeRow.account == name, AccountCodeRow.kind == kind)
    )


def end_sessions(work: Work, row: AccountRow) -> None:
    """Every session of it ends with this transaction."""
    row.version += 1
    work.execute(sa.delete(SessionRow).where(SessionRow.actor == ACTOR + row.name))


def every(work: Work) -> list[Account]:
    """Every account, by name."""
    grants: dict[str, list[Grant]] = {}
    for one in work.scalars(sa.select(AccountGrantRow)):
        grant = Grant(Role(one.role), ScopePath.parse(one.scope))
        grants.setdefault(one.account, []).append(grant)
    rows = work.scalars(sa.select(AccountRow).order_by(AccountRow.name))
    return [_told(row, grants) for row in rows]


def account_of(work: Work, row: AccountRow) -> Account:
    """The account of a row."""
    return _told(row, {row.name: list(grants_of(work, row.name))})


def _told(row: AccountRow, grants: Mapping[str, list[Grant]]) -> Account:
    return Account(
        name=row.name,
        display=row.display,
        enabled=row.enabled,
        grants=tuple(sorted(grants.get(row.name, ()))),
        has_password=row.password is not None,
        has_second_factor=row.second is not None,
        provider=row.provider,
        subject=row.subject,
        locked_until=row.locked_until,
        version=row.version,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
    )


# -- counts of failures


def known_browser(work: Work, account: str, browser: str, now: float) -> AccountBrowserRow | None:
    """The row of a browser the account knows and has not forgotten."""
    row = work.get(AccountBrowserRow, (account, browser)) if browser else None
    return row if row is not None and row.until > now else None


def holder_of(
    work: Work, row: AccountRow, browser: str, now: float
) -> tuple[AccountRow | AccountBrowserRow, Limit]:
    """Whose count it is: the browser's own, or that of all the account does not know."""
    own = known_browser(work, row.name, browser, now)
    return (row, throttle.UNKNOWN) if own is None else (own, throttle.KNOWN)


def tally_of(held: AccountRow | AccountBrowserRow) -> Tally:
    """The count of a row."""
    return Tally(held.failures, held.locked_until)


def count_failure(work: Work, row: AccountRow, browser: str, now: float) -> Counted:
    """One more; a browser that used up its own is not known any more."""
    held, limit = holder_of(work, row, browser, now)
    before = tally_of(held)
    if throttle.wait(before, now) > 0:
        return Counted(before.locked_until)
    after = throttle.failed(before, now, limit)
    if isinstance(held, AccountBrowserRow) and after.failures >= limit.most:
        work.delete(held)
        return Counted()
    held.failures, held.locked_until = after.failures, after.locked_until
    locked = throttle.wait(after, now) > 0
    return Counted(after.locked_until if locked else 0.0, begun=locked)


def clear_failures(held: AccountRow | AccountBrowserRow) -> None:
    """Somebody is let in, or the password is another one."""
    held.failures, held.locked_until = 0, 0.0


def remember(work: Work, account: str, browser: Remembered | None) -> None:
    """The account knows it from now on; of more than it can know, those not seen longest go."""
    if browser is None:
        return
    row = work.get(AccountBrowserRow, (account, browser.browser))
    if row is None:
        row = AccountBrowserRow(
            account=account, browser=browser.browser, failures=0, locked_until=0.0
        )
        work.add(row)
    row.seen_at, row.until = browser.now, browser.until
    work.flush()
    for old in browsers_of(work, account)[throttle.MOST_BROWSERS :]:
        work.delete(old)


def browsers_of(work: Work, account: str) -> Sequence[AccountBrowserRow]:
    """The browsers of an account, the one seen last first."""
    own = sa.select(AccountBrowserRow).where(AccountBrowserRow.account == account)
    newest = own.order_by(AccountBrowserRow.seen_at.desc(), AccountBrowserRow.browser)
    return work.scalars(newest).all()


def forget_browsers(work: Work, account: str) -> None:
    """No browser of it is known any more."""
    work.execute(sa.delete(AccountBrowserRow).where(AccountBrowserRow.account == account))
