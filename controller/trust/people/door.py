"""The door: who is let in by name, password and second factor; five failures lock a name."""

import contextlib
import logging
from collections import OrderedDict

from controller.api.sessions import Session, SessionKind, Sessions
from controller.trust.attempts import Attempts
from controller.trust.entries import LedgerError, Outcome
from controller.trust.people import second
from controller.trust.people.model import (
    ACTOR,
    FAILURES,
    LOCK_SECONDS,
    Account,
    LockedError,
    SignInError,
    UnreadableError,
    needs_second_factor,
)
from controller.trust.people.parts import Parts
from controller.trust.people.records import Credentials
from tenone.trust.envelope import EnvelopeError

log = logging.getLogger(__name__)

WRONG = "The name, the password or the code is wrong."
MOST_STRANGERS = 10_000
UNREADABLE = "second factor unreadable"
NOBODY = "nobody"
"""The actor of a refused sign-in: people type passwords where names belong."""


class TooOftenError(SignInError):
    """One address failed too often; ``seconds`` says when to come back."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Too many wrong attempts from this address.")
        self.seconds = seconds


class Door:
    """See the module. Raises :class:`SignInError`, LedgerError, StoreError."""

    def __init__(self, parts: Parts, sessions: Sessions) -> None:
        self._parts = parts
        self._sessions = sessions
        self._attempts = Attempts(a_client=20, in_all=1000)
        self._strangers: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """Names nobody has fail and lock as others do: name -> failures, locked until."""

    async def sign_in(
        self, name: str, password: str, code: str, client: str, *, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """A session of the account's grants; its id and itself."""
        self._limit(client)
        parts, name = self._parts, name.strip().lower()
        seen = await parts.in_records(parts.records.credentials, name)
        right = await parts.checker.verify(seen.password if seen else None, password)
        now = parts.now()
        if seen is None:
            # As long as it takes where there is one, the write included.
            await parts.in_records(parts.records.failed, name, now)
            await self._refuse(client, NOBODY, "", "no such name")
            self._stranger(name, now)
            raise SignInError(WRONG)
        if seen.account.locked_until > now:
            await self._refuse(client, seen.account.actor, name, "locked")
            raise LockedError(seen.account.locked_until - now)
        step, recovery, why = self._second(seen, code, now)
        if not right or not seen.account.enabled:
            why = "disabled" if right else "password"
        if why == UNREADABLE:
            await self._refuse(client, seen.account.actor, name, why)
            raise UnreadableError
        if why:
            await self._fail(seen, client, why)
            raise SignInError(WRONG)
        hashed = None
        if seen.password is not None and parts.checker.outdated(seen.password):
            hashed = await parts.checker.hash(password)
        # The ledger first; what it then does not come to is told as well.
        how = "code" if step is not None else "recovery" if recovery else "none"
        await parts.told("session.open", seen.account.actor, name, client=client, second=how)
        try:
            account = await parts.in_records(
                parts.records.proved, seen, now, step=step, recovery=recovery, hashed=hashed
            )
        except SignInError:
            with contextlib.suppress(LedgerError):
                await parts.told(
                    "session.open", seen.account.actor, name, outcome=Outcome.FAILED,
                    client=client, second=how,
                )  # fmt: skip
            await self._fail(seen, client, "used code, or changed meanwhile")
            raise SignInError(WRONG) from None
        return await self._open(account, instead_of)

    async def check_password(self, name: str, password: str) -> None:
        """Whoever is signed in proves it once more; failures count as at the door."""
        parts = self._parts
        seen = await parts.in_records(parts.records.credentials, name)
        right = await parts.checker.verify(seen.password if seen else None, password)
        if seen is None:
            raise SignInError(WRONG)
        if seen.account.locked_until > parts.now():
            raise LockedError(seen.account.locked_until - parts.now())
        if not right:
            await self._fail(seen, "own page", "password")
            raise SignInError("The password is wrong.")

    async def enter(
        self, name: str, code: str, client: str, *, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """A session for a new or reset account's one-time code: it may set password and factor."""
        self._limit(client)
        parts, name = self._parts, name.strip().lower()
        account = await parts.in_records(
            parts.records.take_enrol_code, name, second.digest(code), parts.now()
        )
        if account is None:
            await self._refuse(client, NOBODY, "", "one-time code")
            raise SignInError(WRONG)
        await parts.told("session.open", account.actor, name, client=client, second="enrol")
        return await self._open(account, instead_of, SessionKind.ENROL)

    async def let_in(
        self, account: Account, client: str, how: str, *, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """A session for somebody an identity provider has vouched for (``how``)."""
        if not account.enabled or account.locked_until > self._parts.now():
            await self._refuse(client, account.actor, account.name, "disabled or locked")
            raise SignInError(WRONG)
        await self._parts.told(
            "session.open", account.actor, account.name, client=client, second=how
        )
        return await self._open(account, instead_of)

    async def _open(
        self, account: Account, instead_of: Session | None, kind: SessionKind = SessionKind.USE
    ) -> tuple[str, Session]:
        if instead_of is not None:
            self._sessions.close(instead_of)
        token, session = self._sessions.open(
            account.actor,
            name=account.display,
            grants=account.grants if kind is SessionKind.USE else (),
            kind=kind,
        )
        # What ended the account's sessions a moment ago could not end this one.
        after = await self._parts.in_records(self._parts.records.find, account.name)
        if after is None or after.version != account.version:
            self._sessions.close(session)
            raise SignInError(WRONG)
        return token, session

    def _second(
        self, seen: Credentials, code: str, now: float
    ) -> tuple[int | None, str | None, str]:
        """Step of the code or digest of the recovery code, and what is wrong with it."""
        if seen.second is None:
            needed = needs_second_factor(seen.account.grants, self._parts.second_roles)
            return None, None, "no second factor yet" if needed else ""
        if len("".join(filter(str.isalnum, code))) == second.RECOVERY_LENGTH:
            return None, second.digest(code), ""
        try:
            secret = self._parts.seal.open(seen.account.name, seen.second)
        except EnvelopeError:
            return None, None, UNREADABLE
        step = second.step_of(secret, code, now, used=seen.second_step)
        return (None, None, "code") if step is None else (step, None, "")

    def _limit(self, client: str) -> None:
        wait = self._attempts.wait(self._monotonic(), client)
        if wait > 0:
            raise TooOftenError(wait)

    async def _fail(self, seen: Credentials, client: str, why: str) -> None:
        """Count against the name; the fifth locks it, and that is told and ledgered."""
        parts, account = self._parts, seen.account
        until = await parts.in_records(parts.records.failed, account.name, parts.now())
        await self._refuse(client, account.actor, account.name, why)
        if until:
            await parts.noted("account.lock", account.actor, account.name, client=client)
            log.warning("account %s is locked for 15 min after %d failures", account.name, FAILURES)
            raise LockedError(until - parts.now())

    async def _refuse(self, client: str, actor: str, subject: str, why: str) -> None:
        self._attempts.failed(self._monotonic(), client)
        await self._parts.noted("session.refused", actor, subject, client=client, why=why)

    def _stranger(self, name: str, now: float) -> None:
        failures, until = self._strangers.pop(name[:64], (0, 0.0))
        if until > now:
            self._strangers[name[:64]] = failures, until
            raise LockedError(until - now)
        failures += 1
        if failures >= FAILURES:
            failures, until = 0, now + LOCK_SECONDS
        self._strangers[name[:64]] = failures, until
        while len(self._strangers) > MOST_STRANGERS:
            self._strangers.popitem(last=False)
        if until > now:
            raise LockedError(until - now)

    def _monotonic(self) -> float:
        return self._parts.clock.monotonic_ns() / 1e9


def name_of(actor: str) -> str:
    """The account behind an actor; empty where it is none."""
    return actor.removeprefix(ACTOR) if actor.startswith(ACTOR) else ""
