"""The first security administrator of a city, or an existing one anew: whole, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session as Work

from controller.trust.people.model import Account, RefusedError, check_new_name, keeps_users
from controller.trust.people.rows import (
    MEANWHILE,
    Remembered,
    account_of,
    clear_failures,
    end_sessions,
    every,
    forget_browsers,
    forget_codes,
    grants_of,
    remember,
    set_grants,
)
from controller.trust.people.tables import ENROL, RECOVERY, AccountCodeRow, AccountRow
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath

KEEPER = Grant(Role.SECURITY_ADMIN, ScopePath())
THERE_IS_ONE = (
    "There is a security administrator already: with this code only an existing one gets a new "
    "password."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """What the page of a one-time code of the machine was filled in with."""

    name: str
    display: str
    password: str
    """Hashed."""
    second: bytes
    """Sealed."""
    step: int
    recovery: Sequence[str]
    """Digests."""
    now: float
    known: bool
    """Whether the account stood when it was looked at."""
    browser: Remembered | None = None


def put_first(work: Work, wanted: First) -> Account:
    """Within the line of changes, so that of two that race exactly one is the first."""
    row = work.get(AccountRow, wanted.name)
    if (row is not None) != wanted.known:
        raise RefusedError(MEANWHILE)
    if row is None:
        if any(map(keeps_users, every(work))):
            raise RefusedError(THERE_IS_ONE)
        row = AccountRow(
            name=check_new_name(wanted.name), display=wanted.display or wanted.name, provider="",
            subject="", version=1, created_at=wanted.now, signed_in_at=None,
        )  # fmt: skip
        work.add(row)
    row.enabled, row.password = True, wanted.password
    row.second, row.second_step = wanted.second, wanted.step
    clear_failures(row)
    work.flush()
    if not wanted.known:
        set_grants(work, wanted.name, (KEEPER,))
    elif KEEPER not in grants_of(work, wanted.name):
        raise RefusedError("That account is not a security administrator of the city.")
    for kind in (ENROL, RECOVERY):
        forget_codes(work, wanted.name, kind)
    for one in wanted.recovery:
        work.add(AccountCodeRow(account=wanted.name, digest=one, kind=RECOVERY, until=0.0))
    forget_browsers(work, wanted.name)
    remember(work, wanted.name, wanted.browser)
    end_sessions(work, row)
    work.flush()
    return account_of(work, row)
