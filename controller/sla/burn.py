"""Burn rates over several windows (SLA.md, definition 11).

b(w) = (1 - SLI(w)) / (1 - SLO): 1 uses up the error budget exactly at the end of its window. An
alert stands while a long window and a short one, a twelfth of it, both burn faster than the
threshold: the long one shows that it matters, the short one that it goes on. Source: The Site
Reliability Workbook (Google, 2018), chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".

The threshold is derived and not a constant: the share of the budget that may be gone within the
window, times the budget's window by the window. All windows are hours of *service*: the last
40 school hours reach back over a week-end. PromQL knows no school calendar, so both numbers are
computed here and exported, and alert rules compare the one with the other.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tenone.calendar.intervals import HOUR_NS, Intervals
from tenone.vocabulary.states import Verdict

SHORT_PART: Final = 12
LEAST_COVERAGE: Final = Fraction(8, 10)
"""How much of the short window must be known."""


@dataclass(frozen=True, slots=True)
class Alert:
    """``budget_share`` of the budget may be gone within ``window_ns`` of service time."""

    window_ns: int
    budget_share: Fraction

    @property
    def short_ns(self) -> int:
        """The length of the short window."""
        return self.window_ns // SHORT_PART

    def threshold(self, budget_window_ns: int) -> Fraction:
        """The burn rate above which the alert stands; ``budget_window_ns``: |W| of the budget."""
        return self.budget_share * Fraction(budget_window_ns, self.window_ns)


CALENDAR_MONTH: Final = (
    Alert(1 * HOUR_NS, Fraction(2, 100)),
    Alert(6 * HOUR_NS, Fraction(5, 100)),
    Alert(72 * HOUR_NS, Fraction(10, 100)),
)
"""For a service without a calendar: 14.4, 6 and 1 over 720 h."""
SCHOOL_MONTH: Final = (
    Alert(1 * HOUR_NS, Fraction(2, 100)),
    Alert(6 * HOUR_NS, Fraction(5, 100)),
    Alert(40 * HOUR_NS, Fraction(20, 100)),
)
"""For school hours: 4.4, 1.83 and 1.1 over 220 h."""


def burn_rate(good_ns: int, bad_ns: int, objective: Fraction) -> Fraction | None:
    """The rate b = (1 - SLI) / (1 - SLO), SLI = good / (good + bad); None if nothing is known."""
    if not 0 <= objective < 1:
        raise ValueError(f"an objective of {objective} leaves no error budget: it must be under 1")
    known = good_ns + bad_ns
    return Fraction(bad_ns, known) / (1 - objective) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """One alert now. ``verdict``: bad stands, good does not, unknown is not decidable."""

    alert: Alert
    threshold: Fraction
    long_rate: Fraction | None
    short_rate: Fraction | None
    short_coverage: Fraction | None
    verdict: Verdict


def burn(
    alert: Alert,
    *,
    good: Intervals,
    bad: Intervals,
    service: Intervals,
    budget_window_ns: int,
    objective: Fraction,
) -> Burn:
    """Measure one alert.

    ``service``: W until now, less approved maintenance, reaching back at least the long window;
    ``good`` and ``bad``: what of it was judged so. They must not overlap.
    """
    if good & bad:
        raise ValueError("a moment cannot be good and bad")
    threshold = alert.threshold(budget_window_ns)
    rates = []
    for length in (alert.window_ns, alert.short_ns):
        time = service.last(length)
        rates.append(burn_rate((good & time).measure_ns, (bad & time).measure_ns, objective))
    short = service.last(alert.short_ns)
    covered = ((good | bad) & short).measure_ns
    coverage = Fraction(covered, alert.short_ns) if short else None
    long_rate, short_rate = rates
    if long_rate is None or short_rate is None or coverage is None or coverage < LEAST_COVERAGE:
        verdict = Verdict.UNKNOWN
    else:
        stands = long_rate > threshold and short_rate > threshold
        verdict = Verdict.BAD if stands else Verdict.GOOD
    return Burn(
        alert=alert,
        threshold=threshold,
        long_rate=long_rate,
        short_rate=short_rate,
        short_coverage=coverage,
        verdict=verdict,
    )
