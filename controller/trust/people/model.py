"""An account as a value, what may be true of accounts together, and what is said when not."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tenone.vocabulary.roles import ADMINISTRATORS, Grant, Permission, Role, allowed
from tenone.vocabulary.scope import ScopePath

ACTOR = "account:"
SECOND_FACTOR_ROLES = frozenset(
    {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.APPROVER, Role.OPERATOR}
)
MOST_GRANTS = 100
FAILURES = 5
LOCK_SECONDS = 15 * 60.0
"""The first lock; see :mod:`controller.trust.people.throttle` for those that follow."""
A_DAY_MINUTES = 1440
PASS_SECONDS = 72 * 3600.0
"""How long the one-time code of a new account or of a reset is good."""

RESERVED = frozenset({"current"})
"""``/users/current`` is whoever asks: of an account so called no keeper could end the sessions."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


class PeopleError(Exception):
    """Something about accounts that is not done; one sentence says why."""


class UnknownAccountError(PeopleError):
    """Nobody has that name."""


class ForbiddenError(PeopleError):
    """Whoever asks may not."""


class RefusedError(PeopleError):
    """It would break a rule; nothing was changed."""


class UnreadableError(PeopleError):
    """The second factor cannot be unsealed: the key beside the records is not the one it had."""

    def __init__(self) -> None:
        super().__init__(
            "The second factor of this account cannot be read: the file people.key in store.path "
            "is not the one it was sealed with. Put the old file back, or have the second factor "
            "reset."
        )


class SignInError(PeopleError):
    """Not signed in. The same words for a wrong name, password and code."""


class LockedError(SignInError):
    """Too many failures; ``seconds`` says until when, a day where somebody has to open it."""

    def __init__(self, seconds: float) -> None:
        minutes = math.ceil(seconds / 60)
        super().__init__(
            f"Too many wrong attempts: this name is locked for {minutes} min."
            if minutes <= A_DAY_MINUTES
            else "Too many wrong attempts: this name is locked until whoever keeps the accounts "
            "opens it."
        )
        self.seconds = min(seconds, A_DAY_MINUTES * 60.0)


class BusyError(SignInError):
    """More people sign in at this moment than passwords can be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person. Times are epoch seconds."""

    name: str
    """As it is typed: ``[a-z0-9._-]``, at most 64."""
    display: str
    """As people call the person."""
    enabled: bool
    grants: tuple[Grant, ...]
    has_password: bool
    has_second_factor: bool
    provider: str
    """Identity provider whose word is taken for this account; empty: none."""
    subject: str
    locked_until: float
    """For browsers the account does not know."""
    version: int
    """Changes with everything that ends sessions."""
    created_at: float
    signed_in_at: float | None

    @property
    def actor(self) -> str:
        """As the ledger names it."""
        return ACTOR + self.name

    @property
    def usable(self) -> bool:
        """Whether anybody can sign in by it."""
        return self.enabled and (self.has_password or bool(self.provider))


def check_name(name: str) -> str:
    """``name`` if it can be an account's; raises :class:`RefusedError`."""
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"{name[:80]!r} cannot be an account's name: use 1 to 64 of a-z, 0-9, '.', '_', '-', "
            "a letter or digit first and last."
        )
    return name


def check_new_name(name: str) -> str:
    """:func:`check_name` of an account to be made."""
    if name in RESERVED:
        raise RefusedError(f"{name!r} stands for whoever asks: give the account another name.")
    return check_name(name)


def check_grants(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """The grants, sorted, if one person may hold them together; raises :class:`RefusedError`."""
    kept = tuple(sorted(set(grants)))
    if len(kept) > MOST_GRANTS:
        raise RefusedError(f"An account holds at most {MOST_GRANTS} grants: use a wider scope.")
    held = sorted({grant.role for grant in kept} & ADMINISTRATORS)
    if len(held) > 1:
        raise RefusedError(
            f"{held[0]} and {held[1]} are kept apart: nobody holds two of the three "
            "administrators' roles, at whatever scopes."
        )
    return kept


def needs_second_factor(grants: Iterable[Grant], roles: frozenset[Role]) -> bool:
    """Whether somebody with these grants signs in with a second factor only."""
    return any(grant.role in roles for grant in grants)


def keeps_users(account: Account) -> bool:
    """Whether the account is a usable security administrator of the whole city."""
    return account.usable and allowed(account.grants, Permission.KEEP_USERS, ScopePath())


def may_keep(keeper: Sequence[Grant], touched: Iterable[Grant]) -> bool:
    """Whether a keeper of accounts reaches all grants of an account; without any: the city's."""
    scopes = [grant.scope for grant in touched] or [ScopePath()]
    return all(allowed(keeper, Permission.KEEP_USERS, scope) for scope in scopes)
