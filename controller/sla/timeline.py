"""From samples to time: which intervals were good, bad and unknown.

A sample speaks from its own moment until the next sample, but no longer than it holds
(``hold_ns``, the longest age evidence may have): after that the time is unknown. The samples are a
*set*: a duplicate, a late one, a reordered one change nothing (SLA.md, "Counters, clocks and
identities"), and folding twice gives what folding once gave.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Verdict


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """A judgement made from what was read at ``at_ns`` (UTC)."""

    at_ns: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Timeline:
    """Three disjoint sets of time that together are the span they were asked for."""

    good: Intervals
    bad: Intervals
    unknown: Intervals


def timeline(samples: Iterable[Sample], *, start_ns: int, end_ns: int, hold_ns: int) -> Timeline:
    """The three sets over ``[start, end)``; ``end_ns`` is not later than now.

    Samples before ``start_ns`` still speak as long as they hold; those from ``end_ns`` on do not
    speak at all. Two that contradict each other at one moment prove nothing: unknown.
    """
    if hold_ns <= 0:
        raise ValueError(f"a sample must hold for some time, not for {hold_ns} ns")
    by_moment: dict[int, Verdict] = {}
    contradicted: set[int] = set()
    for sample in sorted(set(samples)):
        if sample.at_ns >= end_ns:
            break
        before = by_moment.get(sample.at_ns)
        if before is None or before is Verdict.UNKNOWN:
            by_moment[sample.at_ns] = sample.verdict
        elif sample.verdict is not before:
            contradicted.add(sample.at_ns)
    for moment in contradicted:
        by_moment[moment] = Verdict.UNKNOWN
    parts: dict[Verdict, list[tuple[int, int]]] = {verdict: [] for verdict in Verdict}
    for moment, following in pairwise((*by_moment, end_ns)):
        until = min(following, moment + hold_ns)
        parts[by_moment[moment]].append((max(moment, start_ns), until))
    good = Intervals.of(parts[Verdict.GOOD])
    bad = Intervals.of(parts[Verdict.BAD])
    return Timeline(good, bad, Intervals.of(((start_ns, end_ns),)) - good - bad)
