"""What the desks of accounts share: records, clock, ledger, hashing, the key that seals secrets."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from controller.trust.entries import Entry, Ledger, LedgerError, Outcome
from controller.trust.people.browsers import BrowserKeys
from controller.trust.people.model import SECOND_FACTOR_ROLES, BusyError
from controller.trust.people.passwords import Hashing
from controller.trust.people.records import AccountRecords
from tenone.runtime.clock import Clock
from tenone.trust.envelope import Suite, data_key, seal, unseal
from tenone.trust.sealed_files import SealedFiles
from tenone.vocabulary.roles import Grant, Role

log = logging.getLogger(__name__)
T = TypeVar("T")
P = ParamSpec("P")


class InThread(Protocol):
    """Runs a blocking function in the records' thread and waits for it."""

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns; raise what it raises."""
        ...


AT_ONCE = 2
"""Passwords checked at the same time: each takes 64 MiB and four cores' worth of work."""
MOST_WAITING = 32
KNOWN_AT_ONCE = 1
"""And one more for browsers that are known, in a queue of their own: no flood stands before it."""
KEY_FILE = "people.key"
WHAT = "second factors"


class Seal:
    """Seals the secrets of second factors with a key beside the records, readable by us alone."""

    def __init__(self, key: bytes, suite: Suite = Suite.AES) -> None:
        self._key = key
        self._suite = suite

    @classmethod
    def beside(cls, folder: Path, files: SealedFiles | None = None) -> "Seal":
        """The key of a folder, made where there is none. Raises KeyFileError; blocks."""
        files = files or SealedFiles()
        path = folder / KEY_FILE
        if not path.exists():
            files.write(path, WHAT, data_key(Suite.AES))
        return cls(files.read(path, WHAT))

    def shut(self, account: str, secret: str) -> bytes:
        """Sealed so that it opens for this account alone."""
        return seal(self._suite, self._key, secret.encode(), _bound(account))

    def open(self, account: str, sealed: bytes) -> str:
        """The secret; raises EnvelopeError."""
        return unseal(self._suite, self._key, sealed, _bound(account)).decode()


def _bound(account: str) -> bytes:
    return b"tenone second factor " + account.encode()


class Checker:
    """Hashes in threads, two at once, and lets no queue grow without end."""

    def __init__(self, hashing: Hashing) -> None:
        self._hashing = hashing
        self._queue = _Queue(AT_ONCE)
        self._known = _Queue(KNOWN_AT_ONCE)

    async def verify(self, kept: str | None, password: str, *, known: bool = False) -> bool:
        """Whether it is the one; the same time where there is none. Raises BusyError.

        ``known``: by a browser the account knows.
        """
        queue = self._known if known else self._queue
        return await queue.run(self._hashing.verify, kept, password)

    async def hash(self, password: str) -> str:
        """What is kept, of somebody who is let in already. Raises BusyError."""
        return await self._known.run(self._hashing.hash, password)

    def outdated(self, kept: str) -> bool:
        """See :meth:`Hashing.outdated`."""
        return self._hashing.outdated(kept)


class _Queue:
    """So many at once, and so many that wait for them."""

    def __init__(self, at_once: int) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._inside = 0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In a thread, in turn; raises BusyError."""
        if self._inside >= MOST_WAITING:
            raise BusyError("Too many people sign in at this moment: try again in a few seconds.")
        self._inside += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._inside -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """See the module."""

    records: AccountRecords
    in_records: InThread
    clock: Clock
    ledger: Ledger
    checker: Checker
    seal: Seal
    city: str
    second_roles: frozenset[Role] = field(default=SECOND_FACTOR_ROLES)
    browser_keys: BrowserKeys = field(default_factory=BrowserKeys)
    """Of the cookies of known browsers; in memory alone where nothing is said."""

    def now(self) -> float:
        """Epoch seconds."""
        return self.clock.wall_ns() / 1e9

    async def told(
        self, act: str, actor: str, subject: str, *, outcome: Outcome = Outcome.DONE,
        **detail: str | int | bool | None,
    ) -> None:  # fmt: skip
        """Write an entry; raises LedgerError."""
        entry = Entry(act=act, actor=actor, subject=subject, outcome=outcome, detail=detail)
        await self.ledger.write(entry)

    async def noted(self, act: str, actor: str, subject: str, **detail: str | int | None) -> None:
        """Write what was refused; a ledger that cannot is no reason to let it pass."""
        try:
            await self.told(act, actor, subject, outcome=Outcome.REFUSED, **detail)
        except LedgerError as error:
            log.warning("%s: %s refused for %s could not be ledgered", error, act, actor)


def written(grants: tuple[Grant, ...]) -> str:
    """Grants as the ledger keeps them; cut where there are very many."""
    text = ", ".join(f"{grant.role}@{str(grant.scope) or '/'}" for grant in grants)
    return text if len(text) <= 3000 else f"{text[:2900]}... ({len(grants)} in all)"  # noqa: PLR2004 - of the 4096 of an entry
