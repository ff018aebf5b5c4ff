"""The room of sealed evidence: follows the block store, keeps runs, means, seals and days."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from controller.api.services import Health
from controller.evidence.aged import Archive
from controller.evidence.days import DayJudge
from controller.evidence.judged_by import FILE as WORKS_FILE
from controller.evidence.judged_by import JudgedBy, by_school
from controller.evidence.promises import School, Works, no_works, read_schools
from controller.evidence.recorder import Recorder
from controller.evidence.repairs import Repairs, no_repairs
from controller.evidence.runs import Days
from controller.house import House
from controller.state.resolve import bindings_of
from controller.store.protocols import NS, StoredBlock, StoreError
from controller.store.repack import closed, repack
from controller.store.rollups import Rollups
from controller.store.seals import KeyChange, Seals
from controller.threads import Thread
from controller.trust.entries import Entry, Outcome
from tenone.blocks.block import Block

log = logging.getLogger(__name__)

FOLDER = "evidence"
LOOK_SECONDS = 2.0
"""While it keeps up: what came meanwhile is read in one go, not block by block."""
FLUSH_NS = 60 * NS
JUDGE_NS = 600 * NS
"""Today is judged again so often, a past day that was opened again at once."""
RETAIN_NS = 3600 * NS
CATCH_UP_DAYS = 40
"""Days that nobody judged (the controller was away) are judged so far back."""
FINDINGS = 200


class EvidenceRoom:
    """See :class:`controller.house.Room`. All work is in one thread of its own."""

    name = "evidence"

    def __init__(self, house: House) -> None:
        self.house = house
        self.works: Works = no_works
        """Whoever composes the rooms says who knows about maintenance."""
        self.repairs: Repairs = no_repairs
        """The same for what people did about incidents."""
        folder = house.folder / FOLDER
        self.judged_by = JudgedBy(folder / WORKS_FILE)
        """What of it days are judged by; reports and bundles go by this too."""
        self._cursor_file = folder / "cursor.json"
        self.rollups = Rollups(folder / "rollups")
        self.seals = Seals(folder / "seals")
        self.archive = Archive(folder / "stubs", self.rollups)
        self.schools: Mapping[str, School] = {}
        self._days = Days()
        self._thread = Thread("evidence")
        self._recorder: Recorder | None = None
        self._judge: DayJudge | None = None
        self._judged: dict[str, date] = {}
        self._flushed_ns = self._judged_ns = self._retained_ns = 0
        self._unpackable: set[Path] = set()
        self._trouble = ""
        self.findings: deque[str] = deque(maxlen=FINDINGS)

    def open(self) -> None:
        """See the protocol."""
        house = self.house
        now_ns = house.clock.wall_ns()
        self.rollups.start()
        self.seals.start()
        house.store.before_removal = self.archive.keep
        self.schools = read_schools(house.records.engine, house.plan)
        ports = house.records.ports_of(now_ns)
        self._recorder = Recorder(
            source=house.store,
            rollups=self.rollups,
            schools=self.schools,
            names={key: bindings_of(facts) for key, facts in ports.items()},
            cursor_file=self._cursor_file,
            days=self._days,
        )
        self._recorder.open(now_ns)
        self.judged_by.open()
        self._judge = DayJudge(self.rollups, self.schools, works=self.judged_by.of, days=self._days)
        self._flushed_ns = now_ns

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {"evidence": self._run}

    def health(self) -> Health:
        """See the protocol. Evidence that waits hinders nobody: the blocks are safe."""
        recorder = self._recorder
        told = "" if recorder is None else (
            f"{recorder.blocks} blocks judged, {recorder.late} days to make anew, "
            f"{self.seals.kept} checkpoints, {len(self.findings)} findings"
        )  # fmt: skip
        return Health(name="evidence-room", ready=not self._trouble, sentence=self._trouble or told)

    def close(self) -> None:
        """See the protocol."""
        self._thread.executor.submit(self._close).result()
        self._thread.end()

    def _close(self) -> None:
        try:
            if self._recorder is not None:
                self._recorder.flush(self.house.clock.wall_ns())
        except StoreError as error:
            log.error("%s; it is made again at the next start", error)  # noqa: TRY400 - all there is to say
        self.rollups.close()
        self.seals.close()

    async def _run(self) -> None:
        while True:
            now_ns = self.house.clock.wall_ns()
            try:
                more = await self._thread(self.work, now_ns)
                self._trouble = ""
            except StoreError as error:
                self._trouble = str(error)
                raise
            self._tell_keys(await self._thread(self.seals.changes))
            if not more:
                await self.house.clock.sleep(LOOK_SECONDS)

    def _tell_keys(self, changes: Iterable[KeyChange]) -> None:
        """The ledger hears with which key a journal begins, and of every other key after it."""
        for change in changes:
            school = self.schools.get(change.school)
            entry = Entry(
                act="journal.key",
                actor=f"machine:agent:{change.school}",
                scope="" if school is None else str(self.house.plan.scope_of(school.plan)),
                subject=change.journal.hex(),
                outcome=Outcome.DONE if change.first else Outcome.FAILED,
                detail={"key": change.key_id, "first": change.first},
            )
            self.house.notes.note(entry)

    def work(self, now_ns: int) -> bool:
        """One round in the room's thread; whether more waits. Raises :class:`StoreError`."""
        recorder, judge = self._recorder, self._judge
        if recorder is None or judge is None:
            return False
        sealed: dict[str, list[Block]] = {}
        for stored in recorder.step(now_ns):
            _note_seal(stored, sealed)
        for school, blocks in sealed.items():
            self._find(self.seals.put(school, blocks))
        self._find(recorder.findings)
        recorder.findings.clear()
        if recorder.behind:
            if now_ns - self._flushed_ns >= FLUSH_NS:
                self._flush(recorder, now_ns)
            return True
        if now_ns - self._flushed_ns >= FLUSH_NS or now_ns < self._flushed_ns:
            self._flush(recorder, now_ns)
            recorder.reopen(now_ns, self.house.store.usage().oldest_day, self.archive.has)
        if now_ns - self._judged_ns >= JUDGE_NS or now_ns < self._judged_ns:
            # All that had come by now is read; it must also be kept, or the newest minute of an
            # open day would be judged without the blocks that are there to prove it.
            self._flush(recorder, now_ns)
            self._judge_touched(recorder, judge, now_ns)
            self._judged_ns = now_ns
        if now_ns - self._retained_ns >= RETAIN_NS:
            self.rollups.retain(self._days.of(now_ns))
            self.archive.retain(self._days.of(now_ns))
            self._repack()
            self._retained_ns = now_ns
        return False

    def _repack(self) -> None:
        """Make one file of a day that is over smaller; the next round takes the next."""
        for path in closed(self.house.folder / "blocks"):
            if path in self._unpackable:
                continue
            try:
                repack(path)
            except StoreError as error:
                self._unpackable.add(path)  # until the next start; the others go on
                self._find([str(error)])
            return

    def _flush(self, recorder: Recorder, now_ns: int) -> None:
        recorder.flush(now_ns)
        self._flushed_ns = now_ns

    def judge_now(self, now_ns: int) -> None:
        """Keep and judge all that is known, for a report that is asked for now. In the thread."""
        if self._recorder is not None and self._judge is not None:
            self._flush(self._recorder, now_ns)
            self._judge_touched(self._recorder, self._judge, now_ns)

    def _judge_touched(self, recorder: Recorder, judge: DayJudge, now_ns: int) -> None:
        """Days with new blocks, and those that ended without anybody judging them."""
        today = self._days.of(now_ns)
        self._open_again(recorder, today)
        wanted: dict[tuple[str, date], set[str]] = {}
        for touched, day in recorder.touched:
            district = self.schools[touched].plan.district
            wanted.setdefault((district, day), set()).add(touched)
        for name, school in self.schools.items():
            for day in self._unjudged(school.plan.district, today):
                wanted.setdefault((school.plan.district, day), set()).add(name)
        for (district, day), names in sorted(wanted.items()):
            judge.judge(district, day, names, now_ns)
        recorder.touched.clear()
        for school in self.schools.values():
            self._judged[school.plan.district] = today
        try:
            self.judged_by.save()
        except OSError as error:
            raise StoreError(f"what days were judged by cannot be kept: {error}") from error

    def _open_again(self, recorder: Recorder, today: date) -> None:
        """Days that were judged and whose approved maintenance is another now."""
        links = [facts.link for school in self.schools.values() for facts in school.links]
        oldest = self.rollups.oldest_means(today)
        changed = by_school(self.judged_by.learn(links, self.works, oldest, today))
        if not changed:
            return
        every = sorted(set().union(*changed.values()))
        known = {
            (bucket.district, date.fromordinal(bucket.start))
            for bucket in self.rollups.days(every[0], every[-1], names=frozenset())
        }
        for name, days in changed.items():
            for day in days:
                if (self.schools[name].plan.district, day) in known:
                    recorder.touched.setdefault((name, day), 0)

    def _unjudged(self, district: str, today: date) -> list[date]:
        """Today, and the days since the last judgement of the district."""
        last = self._judged.get(district)
        if last is None:
            first = today - timedelta(days=CATCH_UP_DAYS)
            known = [
                date.fromordinal(bucket.start)
                for bucket in self.rollups.days(
                    first, today, districts=frozenset({district}), names=frozenset()
                )
            ]
            # The newest known day may have been judged before it was over.
            last = max(known, default=first)
            self._judged[district] = last
        return [last + timedelta(days=n) for n in range((today - last).days + 1)]

    def _find(self, sentences: list[str]) -> None:
        for sentence in sentences:
            log.warning("evidence: %s", sentence)
            self.findings.append(sentence)


def _note_seal(stored: StoredBlock, sealed: dict[str, list[Block]]) -> None:
    if stored.layout.stream == "checkpoint":
        sealed.setdefault(stored.school, []).append(stored.block)
