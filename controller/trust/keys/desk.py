"""What keepers do with keys, and what a request that shows one is told."""

import asyncio
import hmac
import logging
import math
from collections.abc import Iterable, Sequence
from typing import NoReturn

from controller.api.sessions import Session, SessionKind
from controller.trust.attempts import Attempts
from controller.trust.entries import Entry, Ledger, LedgerError, Outcome
from controller.trust.keys.model import (
    DAY,
    DEFAULT_A_MINUTE,
    DEFAULT_DAYS,
    PREFIX,
    ApiKey,
    KeyState,
    UnknownKeyError,
    check_key_grants,
    digest,
    new_key,
    parse,
)
from controller.trust.keys.records import KeyRecords
from controller.trust.people.model import ForbiddenError, RefusedError, may_keep
from controller.trust.people.parts import InThread, written
from tenone.runtime.bucket import Buckets
from tenone.runtime.clock import Clock
from tenone.vocabulary.roles import Grant

log = logging.getLogger(__name__)

TOUCH_SECONDS = 60.0
"""The last use of a key is written at most so often."""
NOBODY = "nobody"
LEAST_BURST = 10
MOST_BUCKETS = 2000


class KeyRefusedError(Exception):
    """A request that is not let in by its key: status, sentence, seconds to wait."""

    def __init__(self, status: int, sentence: str, wait: float = 0.0) -> None:
        super().__init__(sentence)
        self.status = status
        self.wait = math.ceil(wait)


class Keys:
    """See the module. Raises PeopleError, LedgerError, StoreError."""

    def __init__(
        self, records: KeyRecords, in_records: InThread, clock: Clock, ledger: Ledger
    ) -> None:
        self._records = records
        self._in_records = in_records
        self._clock = clock
        self._ledger = ledger
        self._failures = Attempts()
        self._buckets = Buckets(MOST_BUCKETS)
        self._days: dict[str, int] = {}
        """Key -> the last day (UTC, since 1970) on which its first use was told."""
        self._telling = asyncio.Lock()

    # -- keeping

    async def all(self, keeper: Sequence[Grant]) -> list[ApiKey]:
        """The keys a keeper reaches."""
        found = await self._in_records(self._records.all)
        return [one for one in found if may_keep(keeper, one.grants)]

    async def create(
        self,
        keeper: Session,
        name: str,
        grants: Iterable[Grant],
        *,
        days: float = DEFAULT_DAYS,
        a_minute: int = DEFAULT_A_MINUTE,
    ) -> tuple[ApiKey, str]:
        """A new key, and its text, shown this once."""
        kept = check_key_grants(grants)
        self._reach(keeper, kept)
        made, text = made_key(name, kept, keeper.actor, self.now(), days=days, a_minute=a_minute)
        await self._told(
            "key.create", keeper.actor, made.id, application=name, grants=written(kept)
        )
        try:
            await self._in_records(self._records.add, made)
        except RefusedError:
            await self._told("key.create", keeper.actor, made.id, outcome=Outcome.FAILED)
            raise
        return made, text

    async def disable(self, keeper: Session, key: str) -> ApiKey:
        """It opens nothing from now on, for good."""
        self._reach(keeper, (await self._find(key)).grants)
        await self._told("key.disable", keeper.actor, key)
        return await self._in_records(self._records.disable, key, self.now())

    async def remove(self, keeper: Session, key: str) -> None:
        """Forget one that opens nothing any more."""
        known = await self._find(key)
        self._reach(keeper, known.grants)
        if known.state(self.now()) is KeyState.ACTIVE:
            raise RefusedError("This key is in use: disable it first.")
        await self._told("key.remove", keeper.actor, key)
        await self._in_records(self._records.remove, key)

    # -- using

    async def admit(self, token: str, client: str) -> Session:
        """What stands for a session while one request is served; raises KeyRefusedError.

        Also raises LedgerError and StoreError.
        """
        parsed = parse(token)
        known = None if parsed is None else await self._in_records(self._records.find, parsed[0])
        right = parsed is not None and hmac.compare_digest(
            digest(parsed[1]), known.digest if known else digest("")
        )
        now = self.now()
        if known is None or not right or known.state(now) is not KeyState.ACTIVE:
            why = "unknown" if known is None else known.state(now).value if right else "secret"
            await self._refuse(known, client, why)
        wait = self._buckets.take(
            known.id,
            self._clock.monotonic_ns(),
            rate=known.a_minute / 60,
            burst=max(LEAST_BURST, known.a_minute / 6),
        )
        if wait > 0:
            raise KeyRefusedError(
                429, f"This key is good for {known.a_minute} requests a minute.", wait
            )
        await self._first_today(known, client, now)
        if known.used_at is None or now - known.used_at > TOUCH_SECONDS:
            await self._in_records(self._records.used, known.id, now)
        return Session(
            key=known.actor,
            actor=known.actor,
            name=known.name,
            grants=known.grants,
            kind=SessionKind.KEY,
            opened_at=now,
            used_at=now,
        )

    def now(self) -> float:
        """Epoch seconds."""
        return self._clock.wall_ns() / 1e9

    # -- inside

    async def _refuse(self, known: ApiKey | None, client: str, why: str) -> NoReturn:
        wait = self._failures.wait(self._monotonic(), client)
        if wait > 0:  # and the ledger is not flooded
            raise KeyRefusedError(429, "Too many wrong keys from this address.", wait)
        self._failures.failed(self._monotonic(), client)
        actor = NOBODY if known is None or why == "secret" else known.actor
        try:
            await self._told(
                "key.use", actor, known.id if known else "",
                outcome=Outcome.REFUSED, client=client, why=why,
            )  # fmt: skip
        except LedgerError as error:
            log.warning("%s: a refused key could not be ledgered", error)
        raise KeyRefusedError(401, "This key is unknown, disabled or expired.")

    async def _first_today(self, known: ApiKey, client: str, now: float) -> None:
        today = int(now // DAY)
        if self._days.get(known.id) == today:
            return
        async with self._telling:
            if self._days.get(known.id) == today:
                return
            if known.used_at is None or int(known.used_at // DAY) != today:
                await self._told("key.use", known.actor, known.id, client=client)
            self._days[known.id] = today

    async def _find(self, key: str) -> ApiKey:
        found = await self._in_records(self._records.find, key)
        if found is None:
            raise UnknownKeyError(f"There is no key {key[:40]!r}.")
        return found

    def _reach(self, keeper: Session, grants: Sequence[Grant]) -> None:
        if not may_keep(keeper.grants, grants):
            raise ForbiddenError(
                "You keep keys inside your own scope only, and this one reaches beyond it."
            )

    async def _told(
        self,
        act: str,
        actor: str,
        subject: str,
        *,
        outcome: Outcome = Outcome.DONE,
        **detail: str | float | None,
    ) -> None:
        entry = Entry(act=act, actor=actor, subject=subject, outcome=outcome, detail=detail)
        await self._ledger.write(entry)

    def _monotonic(self) -> float:
        return self._clock.monotonic_ns() / 1e9


def made_key(
    name: str, grants: tuple[Grant, ...], by: str, now: float, *, days: float, a_minute: int
) -> tuple[ApiKey, str]:
    """A key that is kept nowhere yet, and its text."""
    key, text, kept = new_key()
    made = ApiKey(
        id=key,
        name=name,
        digest=kept,
        created_by=by,
        created_at=now,
        expires_at=now + days * DAY,
        disabled_at=None,
        used_at=None,
        a_minute=a_minute,
        grants=grants,
    )
    return made, text


def shown_key(authorization: str) -> str | None:
    """The key of an Authorization header (RFC 6750 2.1); None: it holds none of ours."""
    scheme, _, token = authorization.partition(" ")
    is_ours = scheme.lower() == "bearer" and token.lstrip().startswith(PREFIX)
    return token.strip() if is_ours else None
