"""Class-minutes of two schools of the small city, one of them without a calendar."""

from collections.abc import Sequence
from datetime import date

from controller.minutes.views import BurnView, SchoolMinutes
from controller.sla.class_minutes import Tally, total
from tenone.calendar.intervals import HOUR_NS, Intervals
from tenone.calendar.school import DayKind, SchoolDay, Service
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Verdict

TALLY = Tally(good=90, unknown=5, bad_by_cause={Cause.SPEED: 3, Cause.UPLINK: 7})
UNKNOWN_DAY = SchoolDay(date(2027, 1, 1), DayKind.UNKNOWN, note="Not announced.")


class Counted:
    """Two schools, one of them without a calendar."""

    def __init__(self) -> None:
        burn = BurnView(threshold=4.4, long=10.0, short=None, verdict=Verdict.UNKNOWN)
        hours = Intervals.of([(8 * HOUR_NS, 17 * HOUR_NS)])
        self.every = [
            SchoolMinutes(
                school="no3",
                scope=ScopePath.parse("binhai/east/no3"),
                taught=True,
                served=True,
                tally=TALLY,
                objective_ratio=0.99,
                burn={"1h": burn},
                unknown_days=[UNKNOWN_DAY],
                today=Service(hours, hours, Intervals(), ()),
            ),
            SchoolMinutes(
                school="no5",
                scope=ScopePath.parse("binhai/west/no5"),
                taught=None,
                served=True,
                tally=Tally(),
                objective_ratio=0.99,
            ),
        ]

    def schools(self, scope: ScopePath) -> Sequence[SchoolMinutes]:
        return [one for one in self.every if scope.covers(one.scope)]

    def tally(self, scope: ScopePath) -> Tally:
        return total(one.tally for one in self.schools(scope))

    def total(self, school: str) -> Tally:
        return next(one.tally for one in self.every if one.school == school)

    def availability(self, link: str) -> tuple[float | None, float | None]:
        return (0.875, 0.5) if link == "no3/c-3-2" else (None, None)
