"""Accounts among the records. Every change first takes its place in one line of changes.

Changes count :class:`AccountBookRow` up before they read, which holds the write lock of SQLite and
the row's of PostgreSQL: two that race are one after the other, and what must be true of all
accounts together is looked at before either is kept. What ends sessions deletes them in the same
transaction. Methods block; they raise :class:`PeopleError` and :class:`StoreError`.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session as Work

from controller.store.records import Unit
from controller.trust.entries import Entry
from controller.trust.people.first import First, put_first
from controller.trust.people.links import checked_link
from controller.trust.people.model import (
    Account,
    RefusedError,
    SignInError,
    check_grants,
    check_new_name,
    keeps_users,
)
from controller.trust.people.rows import (
    Counted,
    Remembered,
    account_of,
    browsers_of,
    clear_failures,
    count_failure,
    end_sessions,
    every,
    forget_browsers,
    forget_codes,
    grants_of,
    holder_of,
    known_browser,
    remember,
    row_of,
    set_grants,
    tally_of,
)
from controller.trust.people.tables import (
    ENROL,
    RECOVERY,
    AccountBookRow,
    AccountBrowserRow,
    AccountCodeRow,
    AccountGrantRow,
    AccountNoteRow,
    AccountRow,
)
from controller.trust.people.throttle import wait
from tenone.vocabulary.roles import Grant

T = TypeVar("T")
MOST_ACCOUNTS = 10_000
LAST = (
    "This is the last security administrator of the city who can sign in: make another one first."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a sign-in is checked against."""

    account: Account
    password: str | None
    second: bytes | None
    second_step: int
    browser: str = ""
    """By which it is tried, where the account knows it."""
    locked_until: float = 0.0
    """For whoever tries it this way."""


class AccountRecords:
    """See the module."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    # -- reading

    def revision(self) -> int:
        """Counts up with every change, whoever made it."""
        with Unit(self.engine) as work:
            return work.scalar(sa.select(AccountBookRow.revision)) or 0

    def all(self) -> list[Account]:
        """Every account, by name."""
        with Unit(self.engine) as work:
            return every(work)

    def find(self, name: str) -> Account | None:
        """One of them."""
        with Unit(self.engine) as work:
            row = work.get(AccountRow, name)
            return None if row is None else account_of(work, row)

    def linked(self, provider: str, subject: str) -> Account | None:
        """Whose account an identity provider's subject is."""
        query = sa.select(AccountRow).where(
            AccountRow.provider == provider, AccountRow.subject == subject
        )
        with Unit(self.engine) as work:
            row = work.scalars(query).first()
            return None if row is None else account_of(work, row)

    def credentials(self, name: str, browser: str = "", now: float = 0.0) -> Credentials | None:
        """What a sign-in by that name, in that browser, is checked against."""
        with Unit(self.engine) as work:
            row = work.get(AccountRow, name)
            if row is None:
                return None
            held, _ = holder_of(work, row, browser, now)
            return Credentials(
                account=account_of(work, row),
                password=row.password,
                second=row.second,
                second_step=row.second_step,
                browser="" if held is row else browser,
                locked_until=held.locked_until,
            )

    def knows(self, name: str, browser: str, now: float) -> bool:
        """Whether the account has signed in by that browser and not forgotten it."""
        with Unit(self.engine) as work:
            return known_browser(work, name, browser, now) is not None

    def recovery_left(self, name: str) -> int:
        """How many recovery codes are not used yet."""
        query = sa.select(sa.func.count()).where(
            AccountCodeRow.account == name, AccountCodeRow.kind == RECOVERY
        )
        with Unit(self.engine) as work:
            return work.scalar(query) or 0

    # -- what keepers of accounts change; ``trial``: see whether it could be done

    def create(
        self, name: str, display: str, grants: Iterable[Grant], now: float, *, trial: bool = False
    ) -> Account:
        """A new account that nobody can sign in by yet."""
        check_new_name(name)
        kept = check_grants(grants)

        def deed(work: Work) -> Account:
            if work.get(AccountRow, name) is not None:
                raise RefusedError(f"There is an account {name!r} already.")
            if (work.scalar(sa.select(sa.func.count()).select_from(AccountRow)) or 0) >= (
                MOST_ACCOUNTS
            ):
                raise RefusedError(f"There are {MOST_ACCOUNTS} accounts; remove some first.")
            row = AccountRow(
                name=name,
                display=display or name,
                enabled=True,
                password=None,
                second=None,
                second_step=0,
                provider="",
                subject="",
                failures=0,
                locked_until=0.0,
                version=1,
                created_at=now,
                signed_in_at=None,
            )
            work.add(row)
            work.flush()
            set_grants(work, name, kept)
            return account_of(work, row)

        return self._change(deed, trial=trial)

    def first(self, wanted: First) -> Account:
        """The first keeper of accounts, or an existing one anew, whole."""
        return self._change(lambda work: put_first(work, wanted))

    def edit(
        self,
        name: str,
        *,
        display: str | None = None,
        enabled: bool | None = None,
        grants: Iterable[Grant] | None = None,
        link: tuple[str, str] | None = None,
        trial: bool = False,
        version: int | None = None,
    ) -> Account:
        """Change what is given; enabling unlocks as well. Ends the account's sessions.

        ``version``, here and below: of the account as it was looked at, and only as that.
        """

        def deed(work: Work) -> Account:
            row = row_of(work, name, version)
            if display is not None:
                row.display = display or name
            if enabled is not None:
                row.enabled = enabled
                clear_failures(row)
                for browser in browsers_of(work, name):
                    clear_failures(browser)
                if not enabled:
                    forget_browsers(work, name)
            if link is not None:
                row.provider, row.subject = checked_link(work, name, link)
            if grants is not None:
                set_grants(work, name, check_grants(grants))
            if enabled is not None or grants is not None or link is not None:
                end_sessions(work, row)
            work.flush()
            return account_of(work, row)

        return self._change(deed, trial=trial, guarded=True)

    def regrant(
        self, name: str, change: Callable[[tuple[Grant, ...]], Iterable[Grant]], *,
        trial: bool = False,
    ) -> Account:  # fmt: skip
        """Make other grants of those that stand, in one step."""

        def deed(work: Work) -> Account:
            row = row_of(work, name)
            set_grants(work, name, check_grants(change(grants_of(work, name))))
            end_sessions(work, row)
            return account_of(work, row)

        return self._change(deed, trial=trial, guarded=True)

    def remove(self, name: str, *, trial: bool = False, version: int | None = None) -> Account:
        """Forget an account; the ledger keeps what it did."""

        def deed(work: Work) -> Account:
            row = row_of(work, name, version)
            gone = account_of(work, row)
            end_sessions(work, row)
            for table in (AccountGrantRow, AccountCodeRow, AccountBrowserRow):
                work.execute(sa.delete(table).where(table.account == name))
            work.delete(row)
            work.flush()
            return gone

        return self._change(deed, trial=trial, guarded=True)

    def reset(
        self, name: str, code: str, until: float, *, keep_second: bool = True,
        trial: bool = False, version: int | None = None,
    ) -> Account:  # fmt: skip
        """Forget the password (and the second factor); ``code``: digest of what opens it anew."""

        def deed(work: Work) -> Account:
            row = row_of(work, name, version)
            row.password = None
            clear_failures(row)
            forget_browsers(work, name)
            forget_codes(work, name, ENROL)
            if not keep_second:
                row.second, row.second_step = None, 0
                forget_codes(work, name, RECOVERY)
            work.add(AccountCodeRow(account=name, digest=code, kind=ENROL, until=until))
            end_sessions(work, row)
            work.flush()
            return account_of(work, row)

        # Not guarded: the code opens the last keeper's account again.
        return self._change(deed, trial=trial)

    # -- what people do with their own account

    def set_password(
        self, name: str, hashed: str, browser: Remembered | None = None, *,
        version: int | None = None,
    ) -> Account:  # fmt: skip
        """Keep a new password; every session ends, and no browser is known but ``browser``."""

        def deed(work: Work) -> Account:
            row = row_of(work, name, version)
            row.password = hashed
            clear_failures(row)
            forget_browsers(work, name)
            remember(work, name, browser)
            forget_codes(work, name, ENROL)
            end_sessions(work, row)
            work.flush()
            return account_of(work, row)

        return self._change(deed)

    def set_second(
        self, name: str, sealed: bytes | None, step: int, recovery: Iterable[str], *,
        version: int | None = None,
    ) -> Account:  # fmt: skip
        """Keep a second factor and digests of its recovery codes; None: there is none any more."""

        def deed(work: Work) -> Account:
            row = row_of(work, name, version)
            row.second, row.second_step = sealed, step
            row.version += 1
            forget_codes(work, name, RECOVERY)
            for one in recovery:
                work.add(AccountCodeRow(account=name, digest=one, kind=RECOVERY, until=0.0))
            work.flush()
            return account_of(work, row)

        return self._change(deed)

    def take_enrol_code(self, name: str, code: str, now: float) -> Account | None:
        """The account whose one-time code this is, once; None: it is not, or not any more."""

        def deed(work: Work) -> Account | None:
            row = work.get(AccountCodeRow, (name, code))
            known = work.get(AccountRow, name)
            if row is None or known is None or row.kind != ENROL:
                return None
            work.delete(row)
            work.flush()
            return account_of(work, known) if row.until > now and known.enabled else None

        return self._change(deed)

    # -- signing in

    def failed(self, name: str, now: float, browser: str = "") -> Counted:
        """Count a failure against the browser, where it is known, or all that are not."""

        def deed(work: Work) -> Counted:
            row = work.get(AccountRow, name)
            return Counted() if row is None else count_failure(work, row, browser, now)

        return self._change(deed)

    def proved(
        self, seen: Credentials, now: float, *, step: int | None = None,
        recovery: str | None = None, hashed: str | None = None,
        browser: Remembered | None = None,
    ) -> Account:  # fmt: skip
        """Password and second factor were right: use the code up, forget failures.

        Those of a known browser are its own: what others failed stays counted against them.

        Raises :class:`SignInError` where the account changed meanwhile or the code is used.
        """

        def deed(work: Work) -> Account:
            row = work.get(AccountRow, seen.account.name)
            if row is None or row.version != seen.account.version or not row.enabled:
                raise SignInError
            held, _ = holder_of(work, row, seen.browser, now)
            if wait(tally_of(held), now) > 0:
                raise SignInError
            if step is not None:
                if step <= row.second_step:
                    raise SignInError
                row.second_step = step
            if recovery is not None:
                code = work.get(AccountCodeRow, (row.name, recovery))
                if code is None or code.kind != RECOVERY:
                    raise SignInError
                work.delete(code)
            if hashed is not None:
                row.password = hashed
            clear_failures(held)
            row.signed_in_at = now
            remember(work, row.name, browser)
            work.flush()
            return account_of(work, row)

        return self._change(deed)

    # -- notes for the ledger

    def note(self, entry: Entry) -> None:
        """Remember what the ledger is to be told."""
        with Unit(self.engine) as work:
            work.add(
                AccountNoteRow(
                    act=entry.act,
                    actor=entry.actor,
                    subject=entry.subject,
                    detail=json.dumps(dict(entry.detail)),
                )
            )

    def notes(self) -> list[tuple[int, Entry]]:
        """What is to be told, oldest first."""
        with Unit(self.engine) as work:
            rows = work.scalars(sa.select(AccountNoteRow).order_by(AccountNoteRow.row).limit(100))
            return [
                (
                    row.row,
                    Entry(
                        act=row.act,
                        actor=row.actor,
                        subject=row.subject,
                        detail=json.loads(row.detail),
                    ),
                )
                for row in rows
            ]

    def drop_note(self, row: int) -> None:
        """It is told."""
        with Unit(self.engine) as work:
            work.execute(sa.delete(AccountNoteRow).where(AccountNoteRow.row == row))

    # -- inside

    def _change(
        self, deed: Callable[[Work], T], *, trial: bool = False, guarded: bool = False
    ) -> T:
        """``guarded``: the city must not lose its last keeper of accounts by it."""
        with Unit(self.engine) as work:
            work.execute(sa.update(AccountBookRow).values(revision=AccountBookRow.revision + 1))
            kept = guarded and any(map(keeps_users, every(work)))
            done = deed(work)
            work.flush()
            if kept and not any(map(keeps_users, every(work))):
                raise RefusedError(LAST)
            if trial:
                work.rollback()
            return done
