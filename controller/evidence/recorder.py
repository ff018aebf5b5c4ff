"""Reads durable blocks in the order they came and keeps runs and means of them.

It follows the block store by a cursor of its own, so a restart loses and doubles nothing. What
comes late (backfill after an outage of the uplink) opens its day again: the day is made anew from
the raw blocks, once the backfill has calmed down. Everything here belongs to one thread.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np

from controller.evidence.hours import roll_hours
from controller.evidence.promises import School, ports_of
from controller.evidence.runs import (
    STATE_STREAM,
    STATUS_STREAM,
    Days,
    LateError,
    PortState,
    Run,
    SwitchRuns,
)
from controller.evidence.traffic import COUNTER_STREAM, Mean, SwitchTraffic
from controller.sla.utilisation import MEAN_NS
from controller.store.files import replace_file
from controller.store.packing import Array
from controller.store.protocols import DAY_NS, NS, StoredBlock
from controller.store.rollup_rows import QualityRow, RunRow
from controller.store.rollups import Rollups
from tenone.blocks.block import BlockError
from tenone.calendar.intervals import SECOND_NS
from tenone.calendar.zone import day_span

log = logging.getLogger(__name__)

STREAMS = frozenset({STATE_STREAM, STATUS_STREAM, COUNTER_STREAM})
PORTION = 2000
LATE_NS = 60 * NS
"""A block that waited longer at its school counts as late."""
CALM_NS = 20 * NS
"""A day is made anew when nothing late came for so long,"""
PATIENCE_NS = 300 * NS
"""or at the latest so long after the first."""
REPLAY_NS = 3 * MEAN_NS
"""Counter blocks of so long ago are read again after a restart: their bucket was still open."""
MEAN_SECONDS = MEAN_NS // SECOND_NS
Key = tuple[str, str]
Position = tuple[str, int]
START: Position = ("", 0)


class Source(Protocol):
    """What is read of the block store."""

    def districts(self) -> list[str]:
        """Districts that have blocks."""
        ...

    def read_after(self, district: str, day: str, position: int, limit: int) -> list[StoredBlock]:
        """The next blocks of a district."""
        ...

    def read(
        self, *, from_ns: int = 0, to_ns: int | None = None, school: str | None = None,
        stream: str | None = None,
    ) -> Iterator[StoredBlock]:  # fmt: skip
        """Blocks received in ``[from_ns, to_ns)``."""
        ...


@dataclass(slots=True)
class _Cursor:
    done: Position = START
    """After a restart reading goes on behind this."""
    head: Position = START
    """Up to here runs hold everything."""
    at: Position = START
    marks: list[tuple[int, Position]] = field(default_factory=list)


@dataclass(slots=True)
class _Tracker:
    runs: SwitchRuns
    traffic: SwitchTraffic
    spans: dict[str, tuple[int, int | None]]
    replay: SwitchRuns
    """Of the blocks that are read again after a restart: what the switch said then."""


@dataclass(slots=True)
class _Late:
    first_ns: int
    last_ns: int


class Recorder:
    """See the module. ``names``: (school, switch) -> what else its ports are called -> port key."""

    def __init__(
        self,
        *,
        source: Source,
        rollups: Rollups,
        schools: Mapping[str, School],
        names: Mapping[Key, Mapping[str, str]],
        cursor_file: Path,
        days: Days | None = None,
    ) -> None:
        self._source = source
        self._rollups = rollups
        self._schools = schools
        self._names = {key: dict(value) for key, value in names.items()}
        self._cursor_file = cursor_file
        self._days = days or Days()
        self._cursors: dict[str, _Cursor] = {}
        self._trackers: dict[Key, _Tracker] = {}
        self._kept: dict[Key, list[Run]] = {}
        self._dirty: set[Key] = set()
        self._late: dict[tuple[Key, date], _Late] = {}
        self._quality: dict[tuple[date, str], QualityRow] = {}
        self.touched: dict[tuple[str, date], int] = {}
        """(school, local day) that has to be judged anew -> how many blocks did it."""
        self.behind = False
        """A district gave a whole portion, or went over to another day."""
        self.blocks = 0
        self.remade = 0
        self.findings: list[str] = []
        """Sentences about what could not be used; whoever tells them clears the list."""

    # -- start

    def open(self, now_ns: int) -> None:
        """Go on where the last start ended."""
        try:
            kept = json.loads(self._cursor_file.read_bytes())["districts"]
        except FileNotFoundError:
            kept = {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the evidence cursor is unreadable (%s); beginning anew", error)
            kept = {}
        for district, kept_positions in kept.items():
            done, head = ((str(day), int(position)) for day, position in kept_positions)
            self._cursors[district] = _Cursor(done=done, head=head, at=done)
        today = self._days.of(now_ns)
        for row in self._rollups.runs(date.fromordinal(today.toordinal() - 1), today):
            school = row.link.partition("/")[0]
            self._kept.setdefault((school, ""), []).append(as_run(row))

    def _save(self, now_ns: int) -> None:
        for cursor in self._cursors.values():
            cursor.marks.append((now_ns, cursor.at))
            while len(cursor.marks) > 1 and cursor.marks[1][0] <= now_ns - REPLAY_NS:
                del cursor.marks[0]
            if cursor.marks[0][0] <= now_ns - REPLAY_NS:
                cursor.done = cursor.marks[0][1]
            cursor.head = max(cursor.head, cursor.at)
        body = {name: [list(one.done), list(one.head)] for name, one in self._cursors.items()}
        replace_file(self._cursor_file, json.dumps({"districts": body}).encode())

    # -- reading

    def step(self, now_ns: int) -> Iterator[StoredBlock]:
        """Read one portion of every district; yields every block, for others to look at.

        Afterwards :attr:`behind` says whether more is likely to be there.
        """
        self.behind = False
        for district in self._source.districts():
            cursor = self._cursors.setdefault(district, _Cursor())
            found = self._source.read_after(district, *cursor.at, PORTION)
            self.behind |= len(found) == PORTION
            for stored in found:
                # The last of a day's file may be followed by a file that is there already.
                self.behind |= bool(cursor.at[0]) and stored.day != cursor.at[0]
                cursor.at = (stored.day, stored.position)
                self._take(stored, now_ns, again=cursor.at <= cursor.head)
                yield stored

    def _take(self, stored: StoredBlock, now_ns: int, *, again: bool) -> None:
        stream = stored.layout.stream
        if not again:
            _note(self._quality, stored, self._days.of(stored.received_ns))
        if stream not in STREAMS:
            return
        block = stored.block
        if (key := key_of(stored)) is None:
            return  # of a UPS or a wireless controller, which answers like a switch
        if not usable(stored):
            self.findings.append(
                f"{stored.school}: a block of {stream} says it was made at "
                f"{block.stamp.wall_ns / NS:.0f}, which is not to be believed; it is not judged"
            )
            return
        tracker = self._tracker(key, now_ns)
        if tracker is None:
            return
        self.blocks += 1
        day = self._days.of(block.stamp.wall_ns)
        try:
            tracker.traffic.state_of = (tracker.replay if again else tracker.runs).state_of
            if again and stream != COUNTER_STREAM:
                tracker.replay.add(block, stored.layout)
            else:
                _feed(tracker, stored)
        except LateError:
            if not again:
                late = self._late.setdefault((key, day), _Late(now_ns, now_ns))
                late.last_ns = now_ns
            return
        except BlockError as error:
            self.findings.append(f"{stored.school}: a block of {stream} cannot be read: {error}")
            return
        self._dirty.add(key)
        touched = (stored.school, day)
        self.touched[touched] = self.touched.get(touched, 0) + 1

    def _tracker(self, key: Key, now_ns: int) -> _Tracker | None:
        tracker = self._trackers.get(key)
        if tracker is None:
            tracker = self._made(key, now_ns, now_ns + DAY_NS)
            if tracker is None:
                return None
            mine = [r for r in self._kept.get((key[0], ""), ()) if r.link in tracker.runs.ports]
            tracker.runs.restore(mine)
            tracker.runs.take()
            self._trackers[key] = tracker
        return tracker

    def _made(self, key: Key, start_ns: int, end_ns: int) -> _Tracker | None:
        school = self._schools.get(key[0])
        if school is None:
            return None
        bound = ports_of(school.links, key[1], start_ns, end_ns)
        if not bound:
            return None
        names = self._names.get(key, {})
        ports = {link: names.get(port, port) for link, (port, _, _) in bound.items()}
        runs = SwitchRuns(ports, hold_ns=school.hold_ns, days=self._days)
        return _Tracker(
            runs,
            SwitchTraffic(ports, runs.state_of),
            {link: (since, until) for link, (_, since, until) in bound.items()},
            SwitchRuns(ports, hold_ns=school.hold_ns, days=self._days),
        )

    # -- keeping

    def flush(self, now_ns: int) -> None:
        """Keep what is new, then the cursor; raises :class:`StoreError`."""
        rows: list[RunRow] = []
        means: dict[tuple[str, date], dict[int, dict[str, Mean]]] = {}
        for key in self._dirty:
            tracker = self._trackers[key]
            rows += self._rows(tracker, tracker.runs.take())
            self._gather(key, tracker.traffic.take(), means)
        self._rollups.put_runs(rows)
        self._put_means(means)
        self._rollups.add_quality(self._quality.values())
        self._quality.clear()
        self._dirty.clear()
        self._save(now_ns)

    def _rows(self, tracker: _Tracker, runs: Iterable[Run]) -> list[RunRow]:
        rows = []
        for run in runs:
            since, until = tracker.spans[run.link]
            if run.last_ns < since or (until is not None and run.start_ns >= until):
                continue
            rows.append(
                RunRow(
                    link=run.link,
                    day=self._days.of(run.start_ns),
                    start_ns=run.start_ns,
                    last_ns=run.last_ns if until is None else min(run.last_ns, until - 1),
                    said=run.state,
                    samples=run.samples,
                    first_hash=run.first_hash,
                    last_hash=run.last_hash,
                )
            )
        return rows

    def _gather(
        self,
        key: Key,
        found: Mapping[int, Mapping[str, Mean]],
        means: dict[tuple[str, date], dict[int, dict[str, Mean]]],
    ) -> None:
        district = self._schools[key[0]].plan.district
        for start, by_link in found.items():
            place = (district, self._days.of(start * SECOND_NS))
            means.setdefault(place, {}).setdefault(start, {}).update(by_link)

    def _put_means(self, means: Mapping[tuple[str, date], dict[int, dict[str, Mean]]]) -> None:
        for (district, day), buckets in means.items():
            rows = {start: mean_columns(by_link) for start, by_link in buckets.items()}
            self._rollups.put_means(MEAN_SECONDS, district, day, rows)
            roll_hours(self._rollups, district, day, rows, MEAN_SECONDS)

    # -- making anew

    @property
    def late(self) -> int:
        """How many days of switches wait to be made anew."""
        return len(self._late)

    def reopen(self, now_ns: int, oldest_day: str | None, aged: Callable[[str, date], bool]) -> int:
        """Make days anew whose late blocks have calmed down; returns how many switches.

        ``oldest_day`` is the UTC day from which on raw blocks are there; ``aged`` tells whether a
        school's blocks of a UTC day have aged out.
        """
        due: dict[Key, date] = {}
        for (key, day), late in self._late.items():
            if now_ns - late.last_ns >= CALM_NS or now_ns - late.first_ns >= PATIENCE_NS:
                due[key] = min(day, due.get(key, day))
        for key, day in due.items():
            for place in [place for place in self._late if place[0] == key]:
                del self._late[place]
            if self._is_gone(key[0], day, oldest_day, aged):
                self.findings.append(
                    f"{key[0]}: blocks of {day} came after the raw blocks of that day had aged "
                    "out; the figures stay without them"
                )
                continue
            self.remake(key, day, now_ns)
        return len(due)

    def _is_gone(
        self, school: str, day: date, oldest_day: str | None, aged: Callable[[str, date], bool]
    ) -> bool:
        """Whether raw blocks of a local day have aged out: on a city's first they never were."""
        if oldest_day is None:
            return True
        start_ns, end_ns = day_span(day, self._days.zone)
        oldest_ns = _utc_ns(oldest_day)
        if start_ns >= oldest_ns or end_ns <= oldest_ns:
            return end_ns <= oldest_ns
        return aged(school, date.fromisoformat(oldest_day) - timedelta(days=1))

    def remake(self, key: Key, first: date, now_ns: int) -> None:
        """Make everything of a switch anew from a day on, from raw blocks."""
        start_ns, _ = day_span(first, self._days.zone)
        tracker = self._made(key, start_ns, now_ns + DAY_NS)
        if tracker is None:
            return
        blocks = [one for one in self._source.read(
            school=key[0], from_ns=start_ns - DAY_NS
        ) if self._counts(one, key, start_ns)]  # fmt: skip
        means: dict[tuple[str, date], dict[int, dict[str, Mean]]] = {}
        for stored in in_order(blocks):
            _feed(tracker, stored)
            if stored.layout.stream == COUNTER_STREAM:
                self._gather(key, tracker.traffic.take(), means)
        rows = [row for row in self._rows(tracker, tracker.runs.take()) if row.day >= first]
        days = {row.day for row in rows} | {first}
        self._rollups.put_runs(
            rows, instead=[(link, day) for link in tracker.runs.ports for day in days]
        )
        self._put_means({place: buckets for place, buckets in means.items() if place[1] >= first})
        self._trackers[key] = tracker
        self.remade += 1
        for day in days:
            self.touched[key[0], day] = self.touched.get((key[0], day), 0) + len(blocks)

    def _counts(self, stored: StoredBlock, key: Key, start_ns: int) -> bool:
        cursor = self._cursors.get(stored.district)
        return (
            stored.layout.stream in STREAMS
            and key_of(stored) == key
            and usable(stored)
            and stored.block.stamp.wall_ns >= start_ns - REPLAY_NS
            and cursor is not None
            and (stored.day, stored.position) <= max(cursor.at, cursor.head)
        )


def _feed(tracker: _Tracker, stored: StoredBlock) -> None:
    if stored.layout.stream == COUNTER_STREAM:
        tracker.traffic.add(stored.block, stored.layout)
    else:
        tracker.runs.add(stored.block, stored.layout)


def _note(rows: dict[tuple[date, str], QualityRow], stored: StoredBlock, day: date) -> None:
    """Count how a block came in."""
    before = rows.get((day, stored.school))
    age, late = stored.age_ns, int(stored.age_ns > LATE_NS)
    skew = stored.received_ns - stored.block.stamp.wall_ns - age
    worst = skew if before is None or abs(skew) > abs(before.worst_skew_ns) else 0
    rows[day, stored.school] = QualityRow(
        day=day,
        school=stored.school,
        blocks=1 + (0 if before is None else before.blocks),
        late=late + (0 if before is None else before.late),
        worst_age_ns=age if before is None else max(age, before.worst_age_ns),
        skew_ns=skew + (0 if before is None else before.skew_ns),
        worst_skew_ns=worst or (0 if before is None else before.worst_skew_ns),
    )


def in_order(blocks: Iterable[StoredBlock]) -> list[StoredBlock]:
    """By sealed time, then by number."""
    return sorted(blocks, key=lambda one: (one.block.stamp.wall_ns, one.block.seq))


def key_of(stored: StoredBlock) -> Key | None:
    """School and switch a block is about; None where it is about something else."""
    parts = stored.block.stamp.subject.split("/")
    fits = len(parts) == len(("school", "kind", "name")) and parts[:2] == [stored.school, "switch"]
    return (parts[0], parts[2]) if fits else None


def usable(stored: StoredBlock) -> bool:
    """A block from the future would make everything after it late."""
    return 0 < stored.block.stamp.wall_ns <= stored.received_ns + DAY_NS


def mean_columns(by_link: Mapping[str, Mean]) -> tuple[list[str], dict[str, Array]]:
    """One bucket as columns."""
    links = sorted(by_link)
    ratios = [by_link[link].ratio for link in links]
    return links, {
        "ratio": np.array([np.nan if one is None else one for one in ratios], np.float64),
        "in_octets": np.array([by_link[link].in_octets for link in links], np.int64),
        "out_octets": np.array([by_link[link].out_octets for link in links], np.int64),
    }


def as_run(row: RunRow) -> Run:
    """What was kept of a run."""
    return Run(
        link=row.link,
        start_ns=row.start_ns,
        last_ns=row.last_ns,
        state=PortState(*row.said),
        samples=row.samples,
        first_hash=row.first_hash,
        last_hash=row.last_hash,
    )


def _utc_ns(day: str) -> int:
    return (date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()) * DAY_NS
