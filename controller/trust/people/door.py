"""The door: who is let in by name, password and second factor.

Five failures lock a name, for browsers it does not know: those it has signed in by before have a
count, a queue and no limit of addresses of their own, so that nobody locks out who is at home in
them. What is refused for a lock costs no hash, whether there is such an account or not.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator

from controller.api.sessions import Session, SessionKind, Sessions
from controller.trust.attempts import Attempts, caller_of
from controller.trust.entries import LedgerError, Outcome
from controller.trust.people import second
from controller.trust.people.browsers import KEPT_SECONDS, Browser, new_id
from controller.trust.people.model import (
    ACTOR,
    FAILURES,
    Account,
    LockedError,
    SignInError,
    UnreadableError,
    needs_second_factor,
)
from controller.trust.people.parts import Parts
from controller.trust.people.records import Credentials
from controller.trust.people.rows import Remembered
from controller.trust.people.strangers import Strangers
from controller.trust.people.throttle import wait
from tenone.trust.envelope import EnvelopeError
from tenone.trust.files import KeyFileError

log = logging.getLogger(__name__)

WRONG = "The name, the password or the code is wrong."
A_CLIENT = 20
"""Failures of one address in a minute."""
IN_ALL = 1000
UNDER_WAY = 8
"""Passwords of one address that are compared or wait for it: a quarter of the queue."""
MOST_OF_ONE = 100
"""Live sessions of an account: a hundredth of all there may be."""
KNOWN_UNDER_WAY = 2
"""Of one browser that is known, or one session's own page: they have a queue with others too."""
OWN_PAGE = "own page"
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
        self.attempts = Attempts(a_client=A_CLIENT, in_all=IN_ALL)
        self.codes = Attempts(a_client=A_CLIENT, in_all=None)
        """Of one-time codes: 60 bits are not guessed, so nobody waits for what others do."""
        self.strangers = Strangers()
        self._under_way: Counter[str] = Counter()

    async def sign_in(
        self, name: str, password: str, code: str, client: str, *,
        instead_of: Session | None = None, browser: Browser | None = None,
    ) -> tuple[str, Session]:  # fmt: skip
        """A session of the account's grants; its id and itself.

        ``browser``: of a person; it is known from now on. A program has none.
        """
        parts, name = self._parts, name.strip().lower()
        seen, right = await self._compared(name, password, client, browser)
        now = parts.now()
        if seen is None:
            # As long as it takes where there is one, the write included.
            await parts.in_records(parts.records.failed, name, now)
            await self._refuse(client, NOBODY, "", "no such name")
            after = self.strangers.failed(name, now)
            if wait(after, now) > 0:
                raise LockedError(wait(after, now))
            raise SignInError(WRONG)
        step, recovery, why = self._second(seen, code, now)
        if not right or not seen.account.enabled:
            why = "disabled" if right else "password"
        if why == UNREADABLE:
            await self._refuse(client, seen.account.actor, name, why, known=bool(seen.browser))
            raise UnreadableError
        if why:
            await self._fail(seen, client, why)
            raise SignInError(WRONG)
        hashed = None
        if seen.password is not None and parts.checker.outdated(seen.password):
            hashed = await parts.checker.hash(password)
        # The ledger first; what it then does not come to is told as well.
        how = "code" if step is not None else "recovery" if recovery else "none"
        kept = None if browser is None else self.remembered(seen.browser)
        known = None if browser is None else bool(seen.browser)
        await parts.told(
            "session.open", seen.account.actor, name, client=client, second=how, known=known
        )
        try:
            account = await parts.in_records(
                parts.records.proved, seen, now, step=step, recovery=recovery, hashed=hashed,
                browser=kept,
            )  # fmt: skip
        except SignInError:
            with contextlib.suppress(LedgerError):
                await parts.told(
                    "session.open", seen.account.actor, name, outcome=Outcome.FAILED,
                    client=client, second=how,
                )  # fmt: skip
            await self._fail(seen, client, "used code, or changed meanwhile")
            raise SignInError(WRONG) from None
        opened = await self._open(account, instead_of)
        await self.give(browser, kept, name)
        return opened

    async def _compared(
        self, name: str, password: str, client: str, browser: Browser | None
    ) -> tuple[Credentials | None, bool]:
        """The account as this browser may try it, and whether the password is its."""
        parts, now = self._parts, self._parts.now()
        shown = "" if browser is None else parts.browser_keys.shown(browser.shown, name, now)
        if not shown:
            self._limit(client)
        seen = await self._unlocked(name, shown, client)
        known = seen is not None and bool(seen.browser)
        if shown and not known:
            self._limit(client)
        with self._one_of(shown, KNOWN_UNDER_WAY) if known else self._one_of(client):
            kept = None if seen is None else seen.password
            right = await parts.checker.verify(kept, password, known=known)
        await self._unlocked(name, shown, client)
        return seen, right

    async def _unlocked(self, name: str, shown: str, client: str) -> Credentials | None:
        """What a sign-in is checked against; raises LockedError, ledgered.

        Looked at before a comparison and after: of many that are under way at once, what is
        compared when the fifth has failed is not used, for it would not be counted.
        """
        parts, now = self._parts, self._parts.now()
        seen = await parts.in_records(parts.records.credentials, name, shown, now)
        locked = self.strangers.tally(name).locked_until if seen is None else seen.locked_until
        if locked > now:
            who = (NOBODY, "") if seen is None else (seen.account.actor, name)
            await self._refuse(client, *who, "locked", known=bool(seen and seen.browser))
            raise LockedError(locked - now)
        return seen

    async def check_password(self, name: str, password: str, browser: Browser | None = None) -> int:
        """Whoever is signed in proves it once more; failures count as at the door.

        Returns the version of the account whose password that is.
        """
        parts, now = self._parts, self._parts.now()
        shown = "" if browser is None else parts.browser_keys.shown(browser.shown, name, now)
        seen = await self._unlocked(name, shown, OWN_PAGE)
        if seen is None:
            raise SignInError(WRONG)
        with self._one_of(seen.browser or seen.account.actor, KNOWN_UNDER_WAY):
            right = await parts.checker.verify(seen.password, password, known=bool(seen.browser))
        await self._unlocked(name, shown, OWN_PAGE)
        if not right:
            await self._fail(seen, OWN_PAGE, "password")
            raise SignInError("The password is wrong.")
        return seen.account.version

    async def enter(
        self, name: str, code: str, client: str, *, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """A session for a new or reset account's one-time code: it may set password and factor."""
        self._limit(client, self.codes)
        parts, name = self._parts, name.strip().lower()
        account = await parts.in_records(
            parts.records.take_enrol_code, name, second.digest(code), parts.now()
        )
        if account is None:
            self.codes.failed(self._monotonic(), client)
            await parts.noted("session.refused", NOBODY, "", client=client, why="one-time code")
            raise SignInError(WRONG)
        await parts.told("session.open", account.actor, name, client=client, second="enrol")
        return await self._open(account, instead_of, SessionKind.ENROL)

    async def let_in(
        self, account: Account, client: str, how: str, *, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """A session for somebody an identity provider has vouched for (``how``).

        A lock is against guessing a password, which is not asked for here.
        """
        if not account.enabled:
            await self._refuse(client, account.actor, account.name, "disabled")
            raise SignInError(WRONG)
        await self._parts.told(
            "session.open", account.actor, account.name, client=client, second=how
        )
        return await self._open(account, instead_of)

    def remembered(self, browser: str = "") -> Remembered:
        """A browser to be known from now on: the one that was, or a new one."""
        now = self._parts.now()
        return Remembered(browser or new_id(), now, now + KEPT_SECONDS)

    async def give(self, browser: Browser | None, kept: Remembered | None, name: str) -> None:
        """Its next cookie; without one it is only not known when it comes again."""
        if browser is None or kept is None:
            return
        parts = self._parts
        try:
            browser.given = await parts.in_records(
                parts.browser_keys.cookie, browser.shown, name, kept.browser, kept.until, kept.now
            )
        except KeyFileError as error:
            log.warning("a browser is not remembered: %s", error)

    async def _open(
        self, account: Account, instead_of: Session | None, kind: SessionKind = SessionKind.USE
    ) -> tuple[str, Session]:
        if instead_of is not None:
            self._sessions.close(instead_of)
        await self._make_room(account)
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

    async def _make_room(self, account: Account) -> None:
        """One account does not fill the places of all: those not used for longest end, ledgered."""
        over = self._sessions.of(account.actor)[MOST_OF_ONE - 1 :]
        if not over:
            return
        ids = " ".join(one.id for one in over[:20])
        await self._parts.told(
            "session.end", account.actor, account.name, sessions=len(over), ids=ids
        )
        for one in over:
            self._sessions.close(one)

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

    def _limit(self, client: str, attempts: Attempts | None = None) -> None:
        seconds = (attempts or self.attempts).wait(self._monotonic(), client)
        if seconds > 0:
            raise TooOftenError(seconds)

    @contextlib.contextmanager
    def _one_of(self, client: str, most: int = UNDER_WAY) -> Iterator[None]:
        """One address, or known browser, does not fill the queue in which everybody waits."""
        caller = caller_of(client)
        if self._under_way[caller] >= most:
            raise TooOftenError(1.0)
        self._under_way[caller] += 1
        try:
            yield
        finally:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]

    async def _fail(self, seen: Credentials, client: str, why: str) -> None:
        """Count against the name; the fifth locks it, and that is told and ledgered."""
        parts, account = self._parts, seen.account
        counted = await parts.in_records(
            parts.records.failed, account.name, parts.now(), seen.browser
        )
        await self._refuse(client, account.actor, account.name, why, known=bool(seen.browser))
        if counted.begun:
            which = "a known browser" if seen.browser else "browsers it does not know"
            await parts.noted(
                "account.lock", account.actor, account.name, client=client, browsers=which
            )
            log.warning(
                "account %s is locked after %d failures, for %s", account.name, FAILURES, which
            )
        if counted.until:
            raise LockedError(counted.until - parts.now())

    async def _refuse(
        self, client: str, actor: str, subject: str, why: str, *, known: bool = False
    ) -> None:
        """``known``: by a known browser, which no limit of addresses holds up and so none counts.

        Else whoever has one account would use up the failures that everybody has in a minute.
        """
        if not known and client != OWN_PAGE:
            self.attempts.failed(self._monotonic(), client)
        await self._parts.noted("session.refused", actor, subject, client=client, why=why)

    def _monotonic(self) -> float:
        return self._parts.clock.monotonic_ns() / 1e9


def name_of(actor: str) -> str:
    """The account behind an actor; empty where it is none."""
    return actor.removeprefix(ACTOR) if actor.startswith(ACTOR) else ""
