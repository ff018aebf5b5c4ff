"""Burn rates of the class-minute objective, of all schools at once (SLA.md, definition 11).

Service time here is taught minutes: the last 40 school hours are a school's last 2,400 of them,
whatever lies between. Rates weigh by class-minutes. The form for one interval set, which this one
is proved equal to, is :mod:`controller.sla.burn`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.arrays import F64, I8, I64, Flags
from controller.minutes.count import Counts
from controller.sla.burn import LEAST_COVERAGE, SCHOOL_MONTH, Alert
from tenone.calendar.intervals import MINUTE_NS
from tenone.vocabulary.states import Verdict

REACH: Final = max(alert.window_ns for alert in SCHOOL_MONTH) // MINUTE_NS
"""Taught minutes that are looked back on."""
_WINDOWS: Final = tuple(
    sorted({ns // MINUTE_NS for alert in SCHOOL_MONTH for ns in (alert.window_ns, alert.short_ns)})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """One alert of every school; NaN where nothing is known."""

    alert: Alert
    threshold: F64
    long: F64
    short: F64
    verdict: I8
    """BAD: the alert stands; GOOD: it does not; UNKNOWN: it cannot be told."""


class Burning:
    """The last taught minutes of every school."""

    def __init__(self, objective: F64) -> None:
        """``objective``: of each school, the share of known class-minutes that shall be good."""
        schools = len(objective)
        self._objective = objective
        self._kept: I64 = np.zeros((3, schools, REACH), np.int64)
        """Good, bad and unknown class-minutes of each taught minute, round and round."""
        self._sums = {minutes: np.zeros((3, schools), np.int64) for minutes in _WINDOWS}
        """Of each window, kept up minute by minute: to add up 40 hours anew costs far more."""
        self._filled: I64 = np.zeros(schools, np.int64)

    def add(self, counts: Counts, taught: Flags) -> None:
        """One more minute, of the schools that were taught in it."""
        rows = np.flatnonzero(taught)
        filled = self._filled[rows]
        new = np.stack((counts.good[rows], counts.bad[rows].sum(axis=1), counts.unknown[rows]))
        for minutes, sums in self._sums.items():
            # Before a window is full its last place still holds the zero it was made with.
            sums[:, rows] += new - self._kept[:, rows, (filled - minutes) % REACH]
        self._kept[:, rows, filled % REACH] = new
        self._filled[rows] += 1

    def rates(self, budget_minutes: I64) -> list[Rates]:
        """Every alert. ``budget_minutes``: taught minutes of the month, of each school."""
        found = []
        for alert in SCHOOL_MONTH:
            long_good, long_bad, _ = self._sums[alert.window_ns // MINUTE_NS]
            good, bad, unknown = self._sums[alert.short_ns // MINUTE_NS]
            long, short = self._rate(long_good, long_bad), self._rate(good, bad)
            window = alert.window_ns // MINUTE_NS
            # Minutes before the first that was ever counted are not known either.
            least, short_minutes = LEAST_COVERAGE, alert.short_ns // MINUTE_NS
            begun = np.minimum(self._filled, short_minutes)
            covered = least.denominator * (good + bad) * begun >= (
                least.numerator * (good + bad + unknown) * short_minutes
            )
            threshold = float(alert.budget_share) * budget_minutes / window
            with np.errstate(invalid="ignore", divide="ignore"):
                stands = (long > threshold) & (short > threshold)
            verdict = np.where(stands, Verdict.BAD, Verdict.GOOD).astype(np.int8)
            verdict[~covered | np.isnan(long) | np.isnan(short)] = Verdict.UNKNOWN
            found.append(
                Rates(alert=alert, threshold=threshold, long=long, short=short, verdict=verdict)
            )
        return found

    def _rate(self, good: I64, bad: I64) -> F64:
        known = good + bad
        with np.errstate(invalid="ignore", divide="ignore"):
            rate: F64 = np.where(known > 0, bad / known / (1.0 - self._objective), np.nan)
        return rate
