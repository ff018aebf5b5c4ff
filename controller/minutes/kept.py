"""Hours of class-minutes on disk: 60 minutes of counts of one school in one packed row."""

import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from controller.arrays import Flags
from controller.minutes.burning import REACH
from controller.minutes.count import CAUSES, Counts
from controller.minutes.tables import ClassMinuteHour
from controller.store.records import SqlRecords
from tenone.calendar.intervals import HOUR_NS, MINUTE_NS

log = logging.getLogger(__name__)

MINUTES = 60
GOOD, UNKNOWN, FIRST_CAUSE = 0, 1, 2
NOT_TAUGHT = 0xFFFF
"""In the column of the good ones: the minute was not taught, or was never looked at."""
KEEP_NS = 100 * 24 * HOUR_NS
"""Longer than 40 school hours ever reach back, holidays included."""

Hour = npt.NDArray[np.uint16]
"""[minute, GOOD | UNKNOWN | FIRST_CAUSE + cause]."""
Minute = tuple[int, Counts, Flags]
"""Start (UTC), counts, which schools were taught."""


def blank() -> Hour:
    """An hour in which nothing was counted."""
    hour: Hour = np.zeros((MINUTES, FIRST_CAUSE + len(CAUSES)), np.uint16)
    hour[:, GOOD] = NOT_TAUGHT
    return hour


def pack(hour: Hour) -> bytes:
    """The row's bytes: little-endian, deflated."""
    return zlib.compress(hour.astype("<u2").tobytes(), 6)


def unpack(data: bytes) -> Hour:
    """Read a row; raises ValueError where it is damaged."""
    try:
        plain = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"an hour of class-minutes is damaged: {error}") from error
    shape = MINUTES, FIRST_CAUSE + len(CAUSES)
    if len(plain) != 2 * shape[0] * shape[1]:
        raise ValueError(f"an hour of class-minutes is damaged: it has {len(plain)} bytes")
    return np.frombuffer(plain, "<u2").reshape(shape).astype(np.uint16)


class KeptHours:
    """The rows, written a minute at a time. Methods block: use them in the records' thread."""

    def __init__(self, records: SqlRecords, schools: Sequence[str]) -> None:
        self._records = records
        self._schools = schools
        self._number = {school: number for number, school in enumerate(schools)}
        self._open: dict[int, Hour] = {}
        self._hour_ns = -1

    def load(self, since_ns: int) -> Iterator[Minute]:
        """The kept minutes from ``since_ns`` on, in order, as far back as a window reaches."""
        starts = self._reached(since_ns)
        for hour_ns in starts:
            hour = self._hour(hour_ns)
            if hour_ns == starts[-1]:
                self._hour_ns, self._open = hour_ns, hour
            for minute in self._minutes(hour_ns, hour):
                if minute[0] >= since_ns:
                    yield minute

    def _reached(self, since_ns: int) -> list[int]:
        """Starts of the newest hours, in order, until every school has enough of them.

        All of a hundred days would take gigabytes at the size of a city.
        """
        column = ClassMinuteHour.hour_ns
        every = sa.select(column).where(column > since_ns - HOUR_NS).distinct()
        with self._records.unit() as unit:
            starts = list(unit.scalars(every.order_by(column.desc())))
        wanting = np.full(len(self._schools), REACH)
        for number, hour_ns in enumerate(starts):
            if (wanting <= 0).all():
                del starts[number:]
                break
            for school, hour in self._hour(hour_ns).items():
                wanting[school] -= np.count_nonzero(hour[:, GOOD] != NOT_TAUGHT)
        return starts[::-1]

    def _hour(self, hour_ns: int) -> dict[int, Hour]:
        rows = self._rows(ClassMinuteHour.hour_ns == hour_ns)
        return {number: hour for _, number, hour in rows}

    def _rows(self, which: sa.ColumnElement[bool]) -> list[tuple[int, int, Hour]]:
        """Start, school and counts of kept hours; a damaged one is said and left out."""
        found = []
        with self._records.unit() as unit:
            for row in unit.scalars(sa.select(ClassMinuteHour).where(which)):
                number = self._number.get(row.school)
                if number is None:
                    continue
                try:
                    found.append((row.hour_ns, number, unpack(row.data)))
                except ValueError as error:
                    log.warning("class-minutes of %s: %s; it is left out", row.school, error)
        return found

    def _minutes(self, hour_ns: int, hours: Mapping[int, Hour]) -> Iterator[Minute]:
        """Those minutes of an hour in which some school was taught."""
        if not hours:
            return
        numbers = np.array(list(hours), np.int64)
        every = np.stack(list(hours.values())).astype(np.int64)
        for minute in range(MINUTES):
            rows = every[:, minute]
            told = rows[:, GOOD] != NOT_TAUGHT
            if not told.any():
                continue
            counts = Counts.zero(len(self._schools))
            taught = np.zeros(len(self._schools), np.bool_)
            at = numbers[told]
            taught[at] = True
            counts.good[at] = rows[told, GOOD]
            counts.unknown[at] = rows[told, UNKNOWN]
            counts.bad[at] = rows[told, FIRST_CAUSE:]
            yield hour_ns + minute * MINUTE_NS, counts, taught

    def put(self, minutes: Sequence[Minute]) -> None:
        """Keep some minutes, in order; durable on return. Raises StoreError."""
        touched: dict[tuple[int, int], Hour] = {}
        for start_ns, counts, taught in minutes:
            hour_ns = start_ns - start_ns % HOUR_NS
            if hour_ns != self._hour_ns:
                # What is put again after a failure may lie in an hour that was open before.
                self._hour_ns, self._open = hour_ns, self._hour(hour_ns)
            for number in np.flatnonzero(taught).tolist():
                hour = self._open.setdefault(number, blank())
                row = hour[(start_ns - hour_ns) // MINUTE_NS]
                row[GOOD] = min(int(counts.good[number]), NOT_TAUGHT - 1)
                row[UNKNOWN] = min(int(counts.unknown[number]), NOT_TAUGHT - 1)
                row[FIRST_CAUSE:] = np.minimum(counts.bad[number], NOT_TAUGHT - 1)
                touched[number, hour_ns] = hour
        self._write(touched)

    def _write(self, touched: Mapping[tuple[int, int], Hour]) -> None:
        with self._records.unit() as unit:
            for (number, hour_ns), hour in touched.items():
                school = self._schools[number]
                where = sa.and_(
                    ClassMinuteHour.school == school, ClassMinuteHour.hour_ns == hour_ns
                )
                unit.execute(sa.delete(ClassMinuteHour).where(where))
                unit.add(ClassMinuteHour(school=school, hour_ns=hour_ns, data=pack(hour)))

    def prune(self, now_ns: int) -> None:
        """Forget what no window reaches any more."""
        old = sa.delete(ClassMinuteHour).where(ClassMinuteHour.hour_ns < now_ns - KEEP_NS)
        with self._records.unit() as unit:
            unit.execute(old)
