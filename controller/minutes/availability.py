"""Availability of every link in the month so far, exact and without walking through time.

The time of W that has passed by a moment t is a piecewise straight line F(t). A link that was in
one state from t1 to t2 spent F(t2) - F(t1) of W in it, so changes cost two look-ups, however many
there are, and all links at once cost one subtraction (SLA.md, definition 1: what is unknown leaves
W').
"""

from collections.abc import Sequence

import numpy as np

from controller.arrays import F64, I8, I64, U64
from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Cause, Verdict

DOWN_CAUSES = sum(1 << cause for cause in (Cause.POWER, Cause.CONFIGURATION, Cause.LINK_DOWN))
"""A bad link is *down* for one of these; bad by speed, duplex or errors it is up and in breach."""

UP, DOWN, UNKNOWN = 0, 1, 2


def states_of(verdicts: I8, causes: U64) -> I8:
    """What judged links count as: UP, DOWN or UNKNOWN."""
    states = np.full(len(verdicts), UP, np.int8)
    states[(verdicts == Verdict.BAD) & (causes & np.uint64(DOWN_CAUSES) != 0)] = DOWN
    states[verdicts == Verdict.UNKNOWN] = UNKNOWN
    return states


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
        self._since: I64 = np.full(links, start_ns, np.int64)
        self._state: I8 = np.full(links, UNKNOWN, np.int8)
        self._spent: I64 = np.zeros((3, links), np.int64)

    def begin(self, from_ns: I64, states: I8) -> None:
        """The state every link comes into the month with, and from when it counts (onboarding)."""
        self._since = np.clip(from_ns, self.start_ns, self.end_ns)
        self._state = states.copy()
        self._spent[:] = 0

    def change(self, links: I64, at_ns: I64, states: I8) -> None:
        """Each of ``links`` is in its state from its moment on; in the order they are given.

        One before its link's last change counts from that change on. A link may come twice.
        """
        rest = np.arange(len(links))
        while len(rest):
            # One round takes the first change of every link that has one left.
            _, first = np.unique(links[rest], return_index=True)
            now = rest[first]
            self._change_once(links[now], at_ns[now], states[now])
            rest = np.delete(rest, first)

    def _change_once(self, links: I64, at_ns: I64, states: I8) -> None:
        before = self._since[links]
        moment = np.minimum(np.maximum(at_ns, before), self.end_ns)
        for number, passed in enumerate(self._passed):
            mine = self._window_of[links] == number
            own = links[mine]
            lapsed = passed(moment[mine]) - passed(before[mine])
            self._spent[self._state[own], own] += lapsed
        self._since[links] = moment
        self._state[links] = states

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
