"""A key as a value, and what may be granted to one."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from controller.trust.people.model import MOST_GRANTS, RefusedError, UnknownAccountError
from tenone.vocabulary.roles import ADMINISTRATORS, Grant, Role

ACTOR = "key:"
PREFIX = "t1k"
ID_BYTES = 6
SECRET_BYTES = 32
DAY = 86_400.0
MOST_DAYS = 730
DEFAULT_DAYS = 365
DEFAULT_A_MINUTE = 600
MOST_A_MINUTE = 60_000
FOR_PEOPLE = ADMINISTRATORS | {Role.APPROVER}
"""Roles no program holds: who approves or administers is a person, by name."""

_TOKEN = re.compile(rf"{PREFIX}_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")


class UnknownKeyError(UnknownAccountError):
    """No key has that id."""


class KeyState(StrEnum):
    """Whether it opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key without its secret. Times are epoch seconds."""

    id: str
    name: str
    digest: str
    created_by: str
    created_at: float
    expires_at: float
    disabled_at: float | None
    used_at: float | None
    a_minute: int
    """Requests a minute; as many at once, at most, as a sixth of that."""
    grants: tuple[Grant, ...]

    @property
    def actor(self) -> str:
        """As the ledger names it."""
        return ACTOR + self.id

    def state(self, now: float) -> KeyState:
        """Now."""
        if self.disabled_at is not None:
            return KeyState.DISABLED
        return KeyState.EXPIRED if self.expires_at <= now else KeyState.ACTIVE


def new_key() -> tuple[str, str, str]:
    """Id, the whole text that is shown once, and the digest that is kept."""
    key, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    return key, f"{PREFIX}_{key}_{secret}", digest(secret)


def digest(secret: str) -> str:
    """256 random bits need no slow hash: nobody tries them all."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parse(token: str) -> tuple[str, str] | None:
    """Id and secret; None: it is not a key's text."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else (found[1], found[2])


def check_key_grants(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """The grants, sorted, if a program may hold them; raises :class:`RefusedError`."""
    kept = tuple(sorted(set(grants)))
    if not kept:
        raise RefusedError("A key without a grant opens nothing: give it a role at a scope.")
    if len(kept) > MOST_GRANTS:
        raise RefusedError(f"A key holds at most {MOST_GRANTS} grants: use a wider scope.")
    personal = sorted({one.role for one in kept} & FOR_PEOPLE)
    if personal:
        raise RefusedError(f"No key holds the role {personal[0]}: it is for people.")
    return kept
