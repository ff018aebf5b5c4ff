"""Who is at the keyboard: one-time codes and server-side sessions.

A session id is 256 random bits; the store holds its SHA-256 alone, so a stolen store
opens nothing. Accounts, identity providers and API keys make sessions by the same
:meth:`Sessions.open`; what a session may do are the grants it was opened with.
"""

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from controller.store.protocols import StoreError
from controller.trust.attempts import Attempts
from tenone.runtime.clock import Clock
from tenone.vocabulary.roles import Grant, Permission, reach
from tenone.vocabulary.scope import ScopePath, Slug

IDLE_SECONDS = 30 * 60.0
ABSOLUTE_SECONDS = 12 * 3600.0
TOUCH_SECONDS = 30.0
"""A session's last use is written at most this often."""
CODE_SECONDS = 15 * 60.0
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U to misread."""
CODE_LENGTH = 12
"""60 bits: at the limits below, guessing one takes longer than the sun has."""
ATTEMPTS_PER_CLIENT = 5
"""In a minute. There is no limit for all together: it would let anybody keep everybody out, and
60 bits within 15 minutes are not guessed."""
MOST_CODES = 32
MOST_SESSIONS = 10_000
SHOWN_KEY = 16
"""Hex digits: 64 bits tell the sessions of one account apart."""
MOST_CLIENT = 64
MOST_DEVICE = 80


NOWHERE = ScopePath((Slug("!"),))
"""Covers nothing there is: no identifier has this character."""
BY_CODE = "code"
"""The actor of a session that a one-time code opened."""


class SessionKind(StrEnum):
    """What a session is for."""

    USE = "use"
    """Whatever its grants allow."""
    SET_UP = "set-up"
    """Make the first security administrator of a fresh city, and nothing else."""
    ENROL = "enrol"
    """Set one's own password and second factor, and nothing else."""
    KEY = "key"
    """One request of a program with a key; never kept, no page, no stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser or program. Times are epoch seconds."""

    key: str
    """SHA-256 of the session id, hex: the store's key, no secret."""
    actor: str
    """As the ledger names it: ``account:<name>``, ``key:<id>``, ``code``."""
    name: str
    """As people call whoever it is; empty for a code's."""
    grants: tuple[Grant, ...]
    kind: SessionKind = SessionKind.USE
    opened_at: float
    used_at: float
    client: str = ""
    """The address it was opened from, as this controller saw it; empty: not noted."""
    device: str = ""
    """What the browser called itself then, in two words: anybody may write anything there."""

    @property
    def id(self) -> str:
        """What its holder and keepers call it: the beginning of the key, which opens nothing."""
        return self.key[:SHOWN_KEY]

    @property
    def scope(self) -> ScopePath:
        """The scope of the broadest grant that allows looking; :data:`NOWHERE` without one.

        Where a page or list begins, never a test: several grants may stand beside it.
        """
        seen = reach(self.grants, Permission.LOOK)
        return min(seen, key=lambda scope: (len(scope.parts), scope), default=NOWHERE)


class SessionStore(Protocol):
    """Where sessions live; calls are short and synchronous, and raise StoreError."""

    def get(self, key: str) -> Session | None:
        """The session under ``key``."""
        ...

    def of(self, actor: str) -> list[Session]:
        """All sessions of an actor that are kept, also those whose time is over."""
        ...

    def put(self, session: Session) -> None:
        """Insert or replace."""
        ...

    def use(self, key: str, used_at: float) -> None:
        """Note a use; what was forgotten meanwhile does not come back by it."""
        ...

    def place(self, key: str, client: str, device: str) -> None:
        """Note where it came from; what was forgotten meanwhile does not come back by it."""
        ...

    def drop(self, key: str) -> None:
        """Forget; unknown keys are fine."""
        ...

    def drop_of(self, actor: str) -> None:
        """Forget all sessions of an actor."""
        ...

    def drop_before(self, *, used_at: float, opened_at: float) -> None:
        """Forget all sessions last used or opened before these moments."""
        ...

    def count(self) -> int:
        """How many are kept."""
        ...


class MemorySessionStore:
    """Sessions of this process; a restart signs everybody out."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def get(self, key: str) -> Session | None:
        """See :class:`SessionStore`."""
        return self._sessions.get(key)

    def of(self, actor: str) -> list[Session]:
        """See :class:`SessionStore`."""
        return [one for one in self._sessions.values() if one.actor == actor]

    def put(self, session: Session) -> None:
        """See :class:`SessionStore`."""
        self._sessions[session.key] = session

    def use(self, key: str, used_at: float) -> None:
        """See :class:`SessionStore`."""
        if key in self._sessions:
            self._sessions[key] = replace(self._sessions[key], used_at=used_at)

    def place(self, key: str, client: str, device: str) -> None:
        """See :class:`SessionStore`."""
        if key in self._sessions:
            self._sessions[key] = replace(self._sessions[key], client=client, device=device)

    def drop(self, key: str) -> None:
        """See :class:`SessionStore`."""
        self._sessions.pop(key, None)

    def drop_of(self, actor: str) -> None:
        """See :class:`SessionStore`."""
        self._sessions = {key: one for key, one in self._sessions.items() if one.actor != actor}

    def drop_before(self, *, used_at: float, opened_at: float) -> None:
        """See :class:`SessionStore`."""
        kept = {
            key: session
            for key, session in self._sessions.items()
            if session.used_at >= used_at and session.opened_at >= opened_at
        }
        self._sessions = kept

    def count(self) -> int:
        """See :class:`SessionStore`."""
        return len(self._sessions)


class SignInError(Exception):
    """A sign-in that was refused; the message is for the person at the keyboard."""


class WrongCodeError(SignInError):
    """No such code, or it was used, or it is too old: which one is not said."""


class TooManyAttemptsError(SignInError):
    """The rate limit; ``retry_seconds`` says when to come back."""

    def __init__(self, retry_seconds: float) -> None:
        super().__init__("Too many attempts.")
        self.retry_seconds = retry_seconds


@dataclass(frozen=True, slots=True)
class _Code:
    digest: bytes
    grants: tuple[Grant, ...]
    kind: SessionKind
    until: float


class Sessions:
    """Issues one-time codes, opens sessions for them, finds and closes sessions."""

    def __init__(
        self,
        clock: Clock,
        store: SessionStore | None = None,
        *,
        idle_seconds: float = IDLE_SECONDS,
        absolute_seconds: float = ABSOLUTE_SECONDS,
        on_code_used: Callable[[], None] | None = None,
    ) -> None:
        self._clock = clock
        self._store: SessionStore = MemorySessionStore() if store is None else store
        self._idle = idle_seconds
        self._absolute = absolute_seconds
        self._on_code_used = on_code_used
        self._codes: list[_Code] = []
        self._attempts = Attempts(a_client=ATTEMPTS_PER_CLIENT, in_all=None)

    @property
    def absolute_seconds(self) -> float:
        """How long a session lives at most."""
        return self._absolute

    def issue_code(
        self,
        grants: Iterable[Grant] = (),
        *,
        kind: SessionKind = SessionKind.USE,
        seconds: float = CODE_SECONDS,
    ) -> str:
        """A new single-use code such as ``7KQF-3M9X-0TBA``, to be printed once.

        The session it opens has ``grants``.
        """
        now = self._now()
        self._codes = [code for code in self._codes if code.until > now][-(MOST_CODES - 1) :]
        text = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        self._codes.append(_Code(_digest(text), tuple(grants), kind, now + seconds))
        return "-".join(text[start : start + 4] for start in range(0, CODE_LENGTH, 4))

    def sign_in(
        self, code: str, client: str, *, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """Open a session for a one-time code; returns its id (for the cookie) and itself.

        It takes the place of ``instead_of``, the one the same browser had before.
        Raises :class:`WrongCodeError` or :class:`TooManyAttemptsError`.
        """
        now = self._now()
        self._limit(now, client)
        digest = _digest(_normal(code))
        found: _Code | None = None
        for candidate in self._codes:  # all of them, so that time tells nothing
            if hmac.compare_digest(candidate.digest, digest) and candidate.until > now:
                found = candidate
        if found is None:
            raise WrongCodeError("This code is wrong, used or too old.")
        self._codes.remove(found)
        if instead_of is not None:
            self.close(instead_of)
        opened = self.open(BY_CODE, grants=found.grants, kind=found.kind)
        if self._on_code_used is not None:
            self._on_code_used()
        return opened

    def open(
        self,
        actor: str,
        *,
        grants: Iterable[Grant],
        name: str = "",
        kind: SessionKind = SessionKind.USE,
    ) -> tuple[str, Session]:
        """A new session for somebody whose identity is proved; its id and itself."""
        now = self._now()
        self._store.drop_before(used_at=now - self._idle, opened_at=now - self._absolute)
        if self._store.count() >= MOST_SESSIONS:
            raise TooManyAttemptsError(self._idle)
        token = secrets.token_urlsafe(32)
        session = Session(
            key=session_key(token),
            actor=actor,
            name=name,
            grants=tuple(sorted(set(grants))),
            kind=kind,
            opened_at=now,
            used_at=now,
        )
        self._store.put(session)
        return token, session

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """The live session of a cookie's value; ``touch`` counts as use."""
        session = self._store.get(session_key(token))
        if session is None:
            return None
        now = self._now()
        if not self._alive(session, now):
            with contextlib.suppress(StoreError):  # then it goes when the next one is opened
                self._store.drop(session.key)
            return None
        if touch and now - session.used_at > TOUCH_SECONDS:
            session = replace(session, used_at=now)
            self._store.use(session.key, now)
        return session

    def came_from(self, session: Session, client: str, device: str) -> Session:
        """Note where a session that was just opened came from; what has ended stays ended."""
        placed = replace(session, client=client[:MOST_CLIENT], device=device[:MOST_DEVICE])
        self._store.place(placed.key, placed.client, placed.device)
        return placed

    def of(self, actor: str) -> list[Session]:
        """The live sessions of an actor, last used first."""
        now = self._now()
        found = [one for one in self._store.of(actor) if self._alive(one, now)]
        return sorted(found, key=lambda one: (-one.used_at, -one.opened_at, one.key))

    def ends_at(self, session: Session) -> float:
        """When it ends if nobody uses it any more, epoch seconds."""
        return min(session.used_at + self._idle, session.opened_at + self._absolute)

    def is_open(self, session: Session) -> bool:
        """Whether a session found earlier still lives; does not count as use."""
        current = self._store.get(session.key)
        return current is not None and self._alive(current, self._now())

    def is_kept(self, key: str) -> bool:
        """:meth:`is_open` by the store's key alone."""
        current = self._store.get(key)
        return current is not None and self._alive(current, self._now())

    def close(self, session: Session) -> None:
        """Sign out."""
        self._store.drop(session.key)

    def close_all_of(self, actor: str) -> None:
        """Sign an actor out everywhere."""
        self._store.drop_of(actor)

    def count(self) -> int:
        """Sessions kept, for /metrics."""
        return self._store.count()

    def _alive(self, session: Session, now: float) -> bool:
        return now - session.used_at < self._idle and now - session.opened_at < self._absolute

    def _limit(self, now: float, client: str) -> None:
        """Of codes every attempt counts, not only what fails."""
        wait = self._attempts.wait(now, client)
        if wait > 0:
            raise TooManyAttemptsError(wait)
        self._attempts.failed(now, client)

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9


def session_key(token: str) -> str:
    """The store's key of a session id."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="replace")).digest()


def _normal(code: str) -> str:
    """Forgive case, spaces, dashes, and the letters people read into a code."""
    kept = "".join(ch for ch in code.upper() if ch.isalnum())[:64]
    return kept.replace("O", "0").replace("I", "1").replace("L", "1")
