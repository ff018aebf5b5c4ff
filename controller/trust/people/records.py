"""Accounts among the records. Every change first takes its place in one line of changes.

Changes count :class:`AccountBookRow` up before they read, which holds the write lock of SQLite and
the row's of PostgreSQL: two that race are one after the other, and what must be true of all
accounts together is looked at before either is kept. What ends sessions deletes them in the same
transaction. Methods block; they raise :class:`PeopleError` and :class:`StoreError`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session as Work

from controller.api.session_records import SessionRow
from controller.store.records import Unit
from controller.trust.entries import Entry
from controller.trust.people.links import checked_link
from controller.trust.people.model import (
    ACTOR,
    FAILURES,
    LOCK_SECONDS,
    Account,
    RefusedError,
    SignInError,
    UnknownAccountError,
    check_grants,
    check_name,
    keeps_users,
)
from controller.trust.people.tables import (
    AccountBookRow,
    AccountCodeRow,
    AccountGrantRow,
    AccountNoteRow,
    AccountRow,
)
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath

T = TypeVar("T")
MOST_ACCOUNTS = 10_000
ENROL = "enrol"
RECOVERY = "recovery"
MEANWHILE = "The account was changed meanwhile: look at it again. Nothing was done."
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
            return _all(work)

    def find(self, name: str) -> Account | None:
        """One of them."""
        with Unit(self.engine) as work:
            row = work.get(AccountRow, name)
            return None if row is None else _account(work, row)

    def linked(self, provider: str, subject: str) -> Account | None:
        """Whose account an identity provider's subject is."""
        query = sa.select(AccountRow).where(
            AccountRow.provider == provider, AccountRow.subject == subject
        )
        with Unit(self.engine) as work:
            row = work.scalars(query).first()
            return None if row is None else _account(work, row)

    def credentials(self, name: str) -> Credentials | None:
        """What a sign-in by that name is checked against."""
        with Unit(self.engine) as work:
            row = work.get(AccountRow, name)
            if row is None:
                return None
            return Credentials(
                account=_account(work, row),
                password=row.password,
                second=row.second,
                second_step=row.second_step,
            )

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
        check_name(name)
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
            _grant(work, name, kept)
            return _account(work, row)

        return self._change(deed, trial=trial)

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
            row = _row(work, name, version)
            if display is not None:
                row.display = display or name
            if enabled is not None:
                row.enabled = enabled
                row.failures, row.locked_until = 0, 0.0
            if link is not None:
                row.provider, row.subject = checked_link(work, name, link)
            if grants is not None:
                _grant(work, name, check_grants(grants))
            if enabled is not None or grants is not None or link is not None:
                _end_sessions(work, row)
            work.flush()
            return _account(work, row)

        return self._change(deed, trial=trial, guarded=True)

    def regrant(
        self, name: str, change: Callable[[tuple[Grant, ...]], Iterable[Grant]], *,
        trial: bool = False,
    ) -> Account:  # fmt: skip
        """Make other grants of those that stand, in one step."""

        def deed(work: Work) -> Account:
            row = _row(work, name)
            _grant(work, name, check_grants(change(_grants(work, name))))
            _end_sessions(work, row)
            return _account(work, row)

        return self._change(deed, trial=trial, guarded=True)

    def remove(self, name: str, *, trial: bool = False, version: int | None = None) -> Account:
        """Forget an account; the ledger keeps what it did."""

        def deed(work: Work) -> Account:
            row = _row(work, name, version)
            gone = _account(work, row)
            _end_sessions(work, row)
            for table in (AccountGrantRow, AccountCodeRow):
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
            row = _row(work, name, version)
            row.password = None
            row.failures, row.locked_until = 0, 0.0
            _forget_codes(work, name, ENROL)
            if not keep_second:
                row.second, row.second_step = None, 0
                _forget_codes(work, name, RECOVERY)
            work.add(AccountCodeRow(account=name, digest=code, kind=ENROL, until=until))
            _end_sessions(work, row)
            work.flush()
            return _account(work, row)

        # Not guarded: the code opens the last keeper's account again.
        return self._change(deed, trial=trial)

    # -- what people do with their own account

    def set_password(self, name: str, hashed: str) -> Account:
        """Keep a new password; every session of the account ends."""

        def deed(work: Work) -> Account:
            row = _row(work, name)
            row.password = hashed
            _forget_codes(work, name, ENROL)
            _end_sessions(work, row)
            work.flush()
            return _account(work, row)

        return self._change(deed)

    def set_second(
        self, name: str, sealed: bytes | None, step: int, recovery: Iterable[str]
    ) -> Account:
        """Keep a second factor and digests of its recovery codes; None: there is none any more."""

        def deed(work: Work) -> Account:
            row = _row(work, name)
            row.second, row.second_step = sealed, step
            row.version += 1
            _forget_codes(work, name, RECOVERY)
            for one in recovery:
                work.add(AccountCodeRow(account=name, digest=one, kind=RECOVERY, until=0.0))
            work.flush()
            return _account(work, row)

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
            return _account(work, known) if row.until > now and known.enabled else None

        return self._change(deed)

    # -- signing in

    def failed(self, name: str, now: float) -> float:
        """Count a failure; returns until when the account is locked, 0 where it is not."""

        def deed(work: Work) -> float:
            row = work.get(AccountRow, name)
            if row is None:
                return 0.0
            row.failures += 1
            if row.failures >= FAILURES:
                row.failures, row.locked_until = 0, now + LOCK_SECONDS
                return row.locked_until
            return 0.0

        return self._change(deed)

    def proved(
        self, seen: Credentials, now: float, *, step: int | None = None,
        recovery: str | None = None, hashed: str | None = None,
    ) -> Account:  # fmt: skip
        """Password and second factor were right: use the code up, forget failures.

        Raises :class:`SignInError` where the account changed meanwhile or the code is used.
        """

        def deed(work: Work) -> Account:
            row = work.get(AccountRow, seen.account.name)
            if row is None or row.version != seen.account.version or not row.enabled:
                raise SignInError
            if row.locked_until > now:
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
            row.failures, row.locked_until, row.signed_in_at = 0, 0.0, now
            work.flush()
            return _account(work, row)

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
            kept = guarded and any(map(keeps_users, _all(work)))
            done = deed(work)
            work.flush()
            if kept and not any(map(keeps_users, _all(work))):
                raise RefusedError(LAST)
            if trial:
                work.rollback()
            return done


def _row(work: Work, name: str, version: int | None = None) -> AccountRow:
    row = work.get(AccountRow, name)
    if row is None:
        raise UnknownAccountError(f"There is no account {name[:80]!r}.")
    if version is not None and row.version != version:
        raise RefusedError(MEANWHILE)
    return row


def _grants(work: Work, name: str) -> tuple[Grant, ...]:
    rows = work.scalars(sa.select(AccountGrantRow).where(AccountGrantRow.account == name))
    return tuple(sorted(Grant(Role(row.role), ScopePath.parse(row.scope)) for row in rows))


def _grant(work: Work, name: str, grants: Iterable[Grant]) -> None:
    work.execute(sa.delete(AccountGrantRow).where(AccountGrantRow.account == name))
    work.expire_all()
    for grant in grants:
        work.add(AccountGrantRow(account=name, role=grant.role.value, scope=str(grant.scope)))
    work.flush()


def _forget_codes(work: Work, name: str, kind: str) -> None:
    work.execute(
        sa.delete(AccountCodeRow).where(AccountCodeRow.account == name, AccountCodeRow.kind == kind)
    )


def _end_sessions(work: Work, row: AccountRow) -> None:
    row.version += 1
    work.execute(sa.delete(SessionRow).where(SessionRow.actor == ACTOR + row.name))


def _all(work: Work) -> list[Account]:
    grants: dict[str, list[Grant]] = {}
    for one in work.scalars(sa.select(AccountGrantRow)):
        grant = Grant(Role(one.role), ScopePath.parse(one.scope))
        grants.setdefault(one.account, []).append(grant)
    rows = work.scalars(sa.select(AccountRow).order_by(AccountRow.name))
    return [_told(row, grants) for row in rows]


def _account(work: Work, row: AccountRow) -> Account:
    return _told(row, {row.name: list(_grants(work, row.name))})


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
