"""Availability of every link in the month so far, exact and without walking through time.

The time of W that has passed by a moment t is a piecewise straight line F(t). A link that was in
one state from t1 to t2 spent F(t2) - F(t1) of W in it, so a change costs two look-ups, and all
links at once cost one subtraction (SLA.md, definition 1: what is unknown leaves W').
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Cause, Verdict

I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

DOWN_CAUSES = sum(1 << cause for cause in (Cause.POWER, Cause.CONFIGURATION, Cause.LINK_DOWN))
"""A bad link is *down* for one of these; bad by speed, duplex or errors it is up and in breach."""

UP, DOWN, UNKNOWN = 0, 1, 2


def state_of(verdict: int, causes: int) -> int:
    """What a judged link counts as: UP, DOWN or UNKNOWN."""
    if verdict == Verdict.UNKNOWN:
        return UNKNOWN
    return DOWN if verdict == Verdict.BAD and causes & DOWN_CAUSES else UP


class Passed:
    """F(t): nanoseconds of a set of time that lie before t."""

    def __init__(self, time: Intervals) -> None:
        edges = [edge for span in time for edge in span]
        self._edges: I64 = np.array(edges or [0], np.int64)
        lengths = [end - start for start, end in time]
        sums = np.concatenate(([0], np.cumsum(np.array(lengths, np.int64))))
        self._sums: I64 = sums.astype(np.int64)

    def __call__(self, moments: I64) -> I64:
        """F at every moment (ns UTC)."""
        if len(self._sums) == 1:
            return np.zeros(len(moments), np.int64)
        at = np.searchsorted(self._edges, moments, side="right")
        inside = at % 2 == 1
        whole = self._sums[at // 2]
        begun = self._edges[np.maximum(at - 1, 0)]
        part: I64 = np.where(inside, moments - begun, 0)
        return whole + part


class MonthToDate:
    """One month of all links. ``window_of``: which of ``windows`` (each a W) is a link's."""

    def __init__(
        self, *, start_ns: int, end_ns: int, windows: Sequence[Intervals], window_of: I64
    ) -> None:
        links = len(window_of)
        self.start_ns, self.end_ns = start_ns, end_ns
        self._passed = [Passed(window) for window in windows]
        self._window_of = window_of.copy()
        self._from: I64 = np.full(links, start_ns, np.int64)
        self._since: I64 = np.full(links, start_ns, np.int64)
        self._state: I8 = np.full(links, UNKNOWN, np.int8)
        self._spent: I64 = np.zeros((3, links), np.int64)

    def begin(self, link: int, at_ns: int, state: int) -> None:
        """The state a link comes into the month with; ``at_ns`` after the start: its onboarding."""
        moment = min(max(at_ns, self.start_ns), self.end_ns)
        self._from[link] = self._since[link] = moment
        self._state[link] = state
        self._spent[:, link] = 0

    def change(self, link: int, at_ns: int, state: int) -> None:
        """``link`` is in ``state`` from ``at_ns`` on; one before its last change has no effect."""
        moment = min(max(at_ns, int(self._since[link])), self.end_ns)
        passed = self._passed[self._window_of[link]]
        before, after = passed(np.array([self._since[link], moment], np.int64)).tolist()
        self._spent[self._state[link], link] += after - before
        self._since[link] = moment
        self._state[link] = state

    def spent(self, now_ns: int) -> I64:
        """Nanoseconds of W in each state, [UP|DOWN|UNKNOWN, link], until ``now_ns``."""
        spent = self._spent.copy()
        now = np.minimum(np.maximum(now_ns, self._since), self.end_ns)
        for number, passed in enumerate(self._passed):
            links = np.flatnonzero(self._window_of == number)
            running = passed(now[links]) - passed(self._since[links])
            spent[self._state[links], links] += running
        return spent

    def availability(self, now_ns: int) -> tuple[F64, F64]:
        """A and coverage of every link until ``now_ns``, 0 to 1; NaN where no W has passed."""
        up, down, unknown = self.spent(now_ns)
        known, every = up + down, up + down + unknown
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(known > 0, up / known, np.nan), np.where(
                every > 0, known / every, np.nan
            )
