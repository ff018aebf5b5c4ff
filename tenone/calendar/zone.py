"""Local time to UTC, also where the clocks were changed (China had summer time 1986 to 1991).

Reports cut at local midnight of the city, whatever the server's zone is. A day is whatever lies
between two local midnights, so days tile: none overlaps the next, and none leaves a hole.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tenone.calendar.intervals import SECOND_NS, Span

CITY_ZONE: Final = "Asia/Shanghai"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def utc_ns(day: date, at: time, zone: ZoneInfo, *, last: bool = False) -> int:
    """When the local clock showed ``at`` on ``day``, nanoseconds UTC.

    Where it showed that twice, the first time, or with ``last`` the second; where it leapt over
    it, the moment of the leap.
    """
    local = datetime.combine(day, at)
    first, second = (_since_epoch(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first <= second:
        return second if last else first
    # PEP 495: inside a leap fold 0 lies after it and fold 1 before it.
    before, after = second // SECOND_NS, first // SECOND_NS
    old = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after * SECOND_NS


def local_span(day: date, starts: time, ends: time, zone: ZoneInfo) -> Span:
    """From one local time to a later one; a clock set back between them makes it longer."""
    return Span(utc_ns(day, starts, zone), utc_ns(day, ends, zone, last=True))


def day_span(day: date, zone: ZoneInfo) -> Span:
    """From local midnight to the next one."""
    return Span(utc_ns(day, time(), zone), utc_ns(day + _DAY, time(), zone))


def month_span(year: int, month: int, zone: ZoneInfo) -> Span:
    """From local midnight of the first to that of the next month's first."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return Span(utc_ns(date(year, month, 1), time(), zone), utc_ns(following, time(), zone))


def local_date(moment_ns: int, zone: ZoneInfo) -> date:
    """The date the local calendar shows at ``moment_ns``."""
    return (_EPOCH + timedelta(seconds=moment_ns // SECOND_NS)).astimezone(zone).date()


def local_days(start_ns: int, end_ns: int, zone: ZoneInfo) -> Iterator[date]:
    """Every local date of which a part lies in ``[start, end)``."""
    if end_ns <= start_ns:
        return
    # The clock may be set back over midnight: begin a day early, and let the spans decide.
    day = local_date(start_ns, zone) - _DAY
    while True:
        span = day_span(day, zone)
        if span.start_ns >= end_ns:
            return
        if max(span.start_ns, start_ns) < min(span.end_ns, end_ns):
            yield day
        day += _DAY


def _since_epoch(moment: datetime) -> int:
    passed = moment.astimezone(UTC) - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * SECOND_NS + passed.microseconds * 1000


def _offset(second: int, zone: ZoneInfo) -> timedelta | None:
    return (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
