"""What every link was, minute by minute: changes go in, whole minutes come out, as columns."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from controller.arrays import I8, U64
from tenone.calendar.intervals import MINUTE_NS
from tenone.vocabulary.states import Verdict


@dataclass(frozen=True, slots=True)
class MinuteColumns:
    """One minute of every link. A minute is bad if a moment of it was, else unknown if one was."""

    verdict: I8
    causes: U64
    """Every cause bit that was set at some moment of the minute while the link was bad."""


class LinkTimeline:
    """Changes of links by their own moment; minutes are taken in order, each once."""

    def __init__(self, links: int) -> None:
        self.verdict: I8 = np.full(links, Verdict.UNKNOWN, np.int8)
        """At the end of the last minute taken."""
        self.causes: U64 = np.zeros(links, np.uint64)
        self._waiting: list[tuple[int, int, int, int, int]] = []
        self._order = 0
        self.late = 0
        """Changes that came after their minute had been taken: the records have them, this not."""

    def put(self, link: int, at_ns: int, verdict: int, causes: int) -> None:
        """``link`` is ``verdict`` from ``at_ns`` (UTC) on, for the reasons in the mask."""
        self._order += 1  # of two changes of one moment the later word counts
        heapq.heappush(self._waiting, (at_ns, self._order, link, verdict, causes))

    def waiting(self) -> list[tuple[int, int, int, int]]:
        """Changes not yet taken in, by time: moment, link, verdict, causes."""
        ordered = sorted(self._waiting)
        return [(at_ns, link, verdict, causes) for at_ns, _, link, verdict, causes in ordered]

    def take(self, start_ns: int) -> MinuteColumns:
        """The minute from ``start_ns`` on; what happened before it only sets what was then."""
        for at_ns, link, verdict, causes in self._until(start_ns + 1):
            self.late += at_ns < start_ns
            self.verdict[link], self.causes[link] = verdict, causes
        was_bad = self.verdict == Verdict.BAD
        was_unknown = self.verdict == Verdict.UNKNOWN
        blamed = np.where(was_bad, self.causes, np.uint64(0))
        for _, link, verdict, causes in self._until(start_ns + MINUTE_NS):
            self.verdict[link], self.causes[link] = verdict, causes
            if verdict == Verdict.BAD:
                was_bad[link] = True
                blamed[link] |= np.uint64(causes)
            elif verdict == Verdict.UNKNOWN:
                was_unknown[link] = True
        whole = np.full(len(was_bad), Verdict.GOOD, np.int8)
        whole[was_unknown] = Verdict.UNKNOWN
        whole[was_bad] = Verdict.BAD
        return MinuteColumns(whole, blamed)

    def _until(self, end_ns: int) -> Iterable[tuple[int, int, int, int]]:
        while self._waiting and self._waiting[0][0] < end_ns:
            at_ns, _, link, verdict, causes = heapq.heappop(self._waiting)
            yield at_ns, link, verdict, causes
