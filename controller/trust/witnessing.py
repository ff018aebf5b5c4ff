"""The schools as witnesses: asked what they keep of the ledger, then given its newest head.

Each school has its turn about once in ``trust.witness_seconds``, at a moment of its own, so that a
city of 2,700 asks one or two a second. Its first turn after a start, and one each day, begins by
asking for all it keeps; a head is given only to a school that contradicts nothing, or that will
refuse it and keep it as evidence.
"""

import asyncio
import heapq
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.agent_port import AskAgent
from controller.api.services import Health
from controller.store.files import replace_file
from controller.trust.chain import Head
from controller.trust.entries import Entry, LedgerError, Notes, Outcome
from controller.trust.witnesses import (
    Compared,
    LedgerNow,
    compare,
    heads_by_school,
    ledger_now,
    lines_of,
    sentence_of,
    span,
)
from drivers.wire.commands import CommandState, Reply
from tenone.runtime.clock import Clock
from tenone.trust.witness import (
    CONTRADICTIONS,
    KEEP_VERB,
    MOST_TOLD,
    TELL_VERB,
    HeadRefused,
    WitnessedHead,
    heard,
)

log = logging.getLogger(__name__)

NS = 10**9
AT_ONCE = 8
DEADLINE_SECONDS = 10.0
AWAY_SECONDS = 30.0
"""A school that is not connected is looked for again this much later; nothing is sent."""
AGAIN_SECONDS = 86_400.0
"""How often a school is asked for all it keeps."""
FIRST_ONES = 16
"""Schools that are asked at once at a start."""
MOST_PAGES = 10
MOST_TOLD_OF = 100
"""Schools whose contradiction becomes an entry; /readyz counts all."""
WRITE_SECONDS = 5.0
LOOK_SECONDS = 0.5


@dataclass(slots=True)
class _School:
    """One witness."""

    asked_ns: int | None = None
    """When it was asked for all it keeps, by the monotonic clock."""
    given: int = 0
    given_ns: int = 0
    """When it took a head last, by the wall clock."""
    cannot: str = ""
    """Why it keeps none."""


class Witnessing:
    """Give :meth:`run` to a supervisor once :attr:`asker` is set."""

    def __init__(
        self,
        scopes: Mapping[str, str],
        *,
        city: str,
        algorithm: str,
        seconds: float,
        folder: Path,
        file: Path,
        clock: Clock,
        head: Callable[[], Head | None],
        notes: Notes,
    ) -> None:
        self.asker: AskAgent | None = None
        self._scopes = scopes
        self._city = city
        self._algorithm = algorithm
        self._seconds = seconds
        self._folder = folder
        self._file = file
        self._clock = clock
        self._head = head
        self._notes = notes
        self._schools = {school: _School() for school in scopes}
        self._compared: dict[str, Compared] = {}
        self._told: set[str] = set()
        """Schools of whose contradiction the ledger has heard since the start."""
        self._excused: set[int] = set()
        self._random = random.Random()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._now: LedgerNow | None = None
        self._conflict = ""
        self._trouble = ""
        self._changed = False

    @property
    def conflict(self) -> str:
        """What schools contradict; empty: nothing."""
        return self._conflict

    @property
    def having(self) -> int:
        """Schools that keep a head of this ledger."""
        return sum(1 for one in self._compared.values() if one.highest)

    @property
    def contradicting(self) -> int:
        """Schools that keep what the ledger does not."""
        return sum(1 for one in self._compared.values() if one.misfits)

    def health(self) -> Health:
        """Unready where a school contradicts; schools that are away hinder nobody."""
        now = self._now
        asked = sum(1 for one in self._schools.values() if one.asked_ns is not None)
        told = (
            f"{self.having} of {len(self._schools)} schools keep a head, {asked} were asked since "
            "the start"
        )
        if now is not None and now.admissions:
            newest = now.admissions[0]
            told += (
                f"; entry {newest.entry} admits that it is not what it was from entry "
                f"{newest.first} on ({newest.by}: {newest.reason})"
            )
        sentence = self._conflict or self._trouble or told
        return Health(name="witnesses", ready=not self._conflict, sentence=sentence)

    async def run(self) -> None:
        """Give each school its turn."""
        await self._begin()
        due = self._first_turns()
        written_ns = self._clock.monotonic_ns()
        async with asyncio.TaskGroup() as group:
            while True:
                now_ns = self._clock.monotonic_ns()
                while due and due[0][0] <= now_ns:
                    _, school = heapq.heappop(due)
                    await self._slots.acquire()
                    group.create_task(self._turn(school, due), name=f"witness {school}")
                if self._changed and now_ns - written_ns >= WRITE_SECONDS * NS:
                    written_ns = now_ns
                    await self._write()
                await self._clock.sleep(LOOK_SECONDS)

    async def _begin(self) -> None:
        """What schools said before the last stop is looked at before any of them is there."""
        while self._head() is None:
            await self._clock.sleep(LOOK_SECONDS)
        try:
            kept = heads_by_school(await asyncio.to_thread(self._file.read_bytes))
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("%s cannot be read: %s", self._file, error)
            return
        for school in kept.keys() & self._schools.keys():
            await self._compare(school, kept[school])

    def _first_turns(self) -> list[tuple[int, str]]:
        now_ns = self._clock.monotonic_ns()
        names = list(self._schools)
        self._random.shuffle(names)
        due = [
            (now_ns + round(self._random.random() * self._seconds * NS * (n >= FIRST_ONES)), name)
            for n, name in enumerate(names)
        ]
        heapq.heapify(due)
        return due

    async def _turn(self, school: str, due: list[tuple[int, str]]) -> None:
        try:
            away = await self._ask(school)
        except LedgerError as error:
            away = False
            self._trouble = str(error)
        else:
            self._trouble = ""
        finally:
            self._slots.release()
        seconds = min(AWAY_SECONDS, self._seconds) if away else self._seconds
        pause_ns = round(self._random.uniform(0.75, 1.0) * seconds * NS)
        heapq.heappush(due, (self._clock.monotonic_ns() + pause_ns, school))

    async def _ask(self, school: str) -> bool:
        """One turn; whether the school was away."""
        one = self._schools[school]
        now_ns = self._clock.monotonic_ns()
        late = one.asked_ns is None or now_ns - one.asked_ns >= AGAIN_SECONDS * NS
        before = self._compared.get(school)
        if late or (before is not None and before.misfits):
            heads = await self._all_of(school, one)
            if heads is None:
                return not one.cannot
            one.asked_ns = now_ns
            await self._compare(school, heads)
        return not await self._give(school, one)

    async def _all_of(self, school: str, one: _School) -> list[WitnessedHead] | None:
        """What it keeps; None: it is away, or does not know how."""
        heads: list[WitnessedHead] = []
        for page in range(MOST_PAGES):
            reply = await self._asked(school, TELL_VERB, {"skip": page * MOST_TOLD})
            if reply.state is not CommandState.SUCCESSFUL:
                one.cannot = "" if reply.code < 0 else reply.message
                return None
            try:
                some, more = heard(reply.message)
            except HeadRefused as error:
                one.cannot = f"{school} answers what is none: {error}"
                return None
            heads += some
            if not more:
                break
        one.cannot = ""
        return heads

    async def _give(self, school: str, one: _School) -> bool:
        """Give it the newest head; whether the school is there."""
        head, now = self._head(), self._now
        if head is None or now is None:
            return True
        known = self._compared.get(school, Compared())
        contradicts = bool(known.misfits)
        if head.seq == one.given or (contradicts and head.seq > known.highest):
            return True  # nothing new; or it would take it, and look as if all were well
        admission = now.admissions[0] if now.admissions else None
        if admission is not None and head.seq < admission.entry:
            return True  # the entry is another process's, and known with the next one
        shown = WitnessedHead(
            ledger=head.ledger,
            seq=head.seq,
            hash=head.hash.hex(),
            at_ns=self._clock.wall_ns(),
            city=self._city,
            algorithm=self._algorithm,
        )
        arguments: dict[str, object] = {"head": shown.as_json()}
        if admission is not None:
            arguments["admission"] = admission.as_json()
        reply = await self._asked(school, KEEP_VERB, arguments)
        if reply.state is CommandState.SUCCESSFUL:
            one.given, one.given_ns = head.seq, shown.at_ns
            fits = (*known.fits[:-1], shown) if known.misfits else (shown,)
            self._compared[school] = Compared(fits=fits, misfits=known.misfits)
            self._changed = True
            return True
        if reply.code in CONTRADICTIONS:
            one.asked_ns = None  # what it keeps is compared in its next turn
            if school not in self._told and len(self._told) < MOST_TOLD_OF:
                self._told.add(school)
                self._note(school, head.seq, hash=head.hash.hex(), sentence=reply.message)
        elif reply.code >= 0:
            one.cannot = reply.message
        return reply.code >= 0

    async def _asked(self, school: str, verb: str, arguments: Mapping[str, object]) -> Reply:
        if self.asker is None:
            raise LedgerError("nobody can be asked yet")
        return await self.asker.ask(school, verb, arguments, deadline_seconds=DEADLINE_SECONDS)

    async def _compare(self, school: str, heads: list[WitnessedHead]) -> None:
        self._now = await asyncio.to_thread(ledger_now, self._folder)
        found = await asyncio.to_thread(compare, heads, self._now)
        if found.misfits:  # a segment may have been given up between the two looks
            self._now = await asyncio.to_thread(ledger_now, self._folder)
            found = await asyncio.to_thread(compare, heads, self._now)
        before = self._compared.get(school, Compared())
        self._compared[school] = found
        self._changed = True
        if found.misfits:
            self._tell(school, found.misfits[0], self._now)
        if before.misfits and not found.misfits:
            self._excuse(school, self._now)
        self._conflict = sentence_of(self._compared, self._now)

    def _tell(self, school: str, head: WitnessedHead, now: LedgerNow) -> None:
        """The log and the ledger hear of a school's contradiction, once."""
        if school in self._told or len(self._told) >= MOST_TOLD_OF:
            return
        self._told.add(school)
        detail: dict[str, str | int] = {"hash": head.hash, "at_ns": head.at_ns}
        if head.ledger == now.ledger:
            low, high = span(self._compared.values(), now)
            detail |= {"first_bad_from": low, "first_bad_to": high}
            said = f"the first bad one is one of {low} to {high}"
        else:
            detail |= {"ledger": head.ledger}
            said = f"that is of ledger {head.ledger}, this is {now.ledger}"
        log.error("%s keeps entry %d, and it is not so in the ledger: %s", school, head.seq, said)
        self._note(school, head.seq, **detail)

    def _note(self, school: str, seq: int, **detail: str | int) -> None:
        self._notes.note(
            Entry(
                act="witness.conflict",
                actor=f"machine:agent:{school}",
                scope=self._scopes[school],
                subject=str(seq),
                outcome=Outcome.FAILED,
                detail=detail,
            )
        )

    def _excuse(self, school: str, now: LedgerNow) -> None:
        """What a school contradicted is admitted by an entry: said once an admission."""
        newest = now.admissions[0] if now.admissions else None
        if newest is None or newest.at_ns in self._excused:
            return
        self._excused.add(newest.at_ns)
        log.warning("what schools contradict is admitted by entry %d of the ledger", newest.entry)
        self._notes.note(
            Entry(
                act="witness.excuse",
                actor="system",
                subject=str(newest.entry),
                detail={"first": newest.first, "by": newest.by, "school": school},
            )
        )

    async def _write(self) -> None:
        self._changed = False
        data = lines_of(self._compared, self._city)
        try:
            await asyncio.to_thread(replace_file, self._file, data)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file, error)
