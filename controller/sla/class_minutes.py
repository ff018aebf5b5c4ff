"""Class-minutes 课时分钟 (SLA.md, definition 12): the unit the promise is counted in.

A timetabled minute of one class is good if every clause its profile lists holds, bad if one does
not, else unknown: Kleene's AND, as in :mod:`controller.sla.verdict`. Each bad minute has exactly
one cause, by the fixed priority of :class:`~tenone.vocabulary.states.Cause`, so causes add up to
100 %. District and city add minutes; nobody averages percentages.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from tenone.vocabulary.states import Cause, Verdict

PRICED = frozenset(cause for cause in Cause if cause <= Cause.ENDPOINT)
"""The causes a bad minute may have; the others say why nothing is known."""


class Clause(StrEnum):
    """What may be asked of a class-minute."""

    LINK = "link"
    """R holds: see :mod:`controller.sla.compliance`."""
    LOSS = "loss"
    """As :mod:`controller.sla.loss_window` decides."""
    JITTER = "jitter"
    RTT = "rtt"
    DNS = "dns"
    BOARD = "board"
    """The class board is connected."""


_CAUSE_OF: Mapping[Clause, Cause] = {
    Clause.LOSS: Cause.LOSS,
    # Packets that arrive, but late or unevenly, waited in a queue.
    Clause.JITTER: Cause.CONGESTION,
    Clause.RTT: Cause.CONGESTION,
    Clause.DNS: Cause.DNS,
    Clause.BOARD: Cause.ENDPOINT,
}
"""What a broken clause blames where no deeper cause is known; LINK brings its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteProfile:
    """Which clauses apply to a class, and their thresholds."""

    clauses: frozenset[Clause] = frozenset(Clause)
    loss_ratio: float = 0.005
    """For :func:`controller.sla.loss_window.decide`."""
    ipdv_p95_ms: float = 20.0
    rtt_ms: float = 20.0

    def __post_init__(self) -> None:
        if not self.clauses:
            raise ValueError("a profile without clauses would call every minute good: list one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one class in one minute; None and unknown for what is not.

    ``link_causes``: why the link is bad. ``deeper``: what else was known to be wrong in that
    minute and may stand behind it (power, the uplink, errors, congestion). It never makes a minute
    bad by itself, but it takes the blame for one that is.
    """

    link: Verdict = Verdict.UNKNOWN
    link_causes: frozenset[Cause] = frozenset()
    loss: Verdict = Verdict.UNKNOWN
    ipdv_p95_ms: float | None = None
    rtt_ms: float | None = None
    """The median round trip to the school's core."""
    dns_answers: bool | None = None
    board_connected: bool | None = None
    deeper: frozenset[Cause] = frozenset()


@dataclass(frozen=True, slots=True)
class Minute:
    """One judged class-minute: ``cause`` is there exactly if it is bad."""

    verdict: Verdict
    cause: Cause | None = None

    def __post_init__(self) -> None:
        fits = self.cause in PRICED if self.verdict is Verdict.BAD else self.cause is None
        if not fits:
            raise ValueError("a class-minute has one cause if it is bad, and none otherwise")


def clauses(evidence: Evidence, profile: MinuteProfile) -> dict[Clause, Verdict]:
    """Each clause of the profile, judged by itself."""
    every = {
        Clause.LINK: evidence.link,
        Clause.LOSS: evidence.loss,
        Clause.JITTER: _within(evidence.ipdv_p95_ms, profile.ipdv_p95_ms),
        Clause.RTT: _within(evidence.rtt_ms, profile.rtt_ms),
        Clause.DNS: _holds(evidence.dns_answers),
        Clause.BOARD: _holds(evidence.board_connected),
    }
    return {clause: every[clause] for clause in Clause if clause in profile.clauses}


def judge(evidence: Evidence, profile: MinuteProfile) -> Minute:
    """Judge one class-minute and, if it is bad, name its cause."""
    judged = clauses(evidence, profile)
    broken = [clause for clause, verdict in judged.items() if verdict is Verdict.BAD]
    if not broken:
        known = Verdict.UNKNOWN not in judged.values()
        return Minute(Verdict.GOOD if known else Verdict.UNKNOWN)
    causes = set(evidence.deeper)
    for clause in broken:
        # A link that is bad and does not say why does not work as a link: that much is known.
        causes |= (
            (evidence.link_causes & PRICED) or {Cause.LINK_DOWN}
            if clause is Clause.LINK
            else {_CAUSE_OF[clause]}
        )
    return Minute(Verdict.BAD, min(causes & PRICED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Class-minutes of a class, school, district or city: they are added, never averaged."""

    good: int = 0
    bad_by_cause: Mapping[Cause, int] = field(default_factory=dict)
    unknown: int = 0

    @classmethod
    def of(cls, minutes: Mapping[tuple[str, int], Minute]) -> "Tally":
        """Count minutes by (class, start): a minute told twice is in the mapping once."""
        verdicts = Counter(minute.verdict for minute in minutes.values())
        causes = Counter(m.cause for m in minutes.values() if m.cause is not None)
        return cls(
            good=verdicts[Verdict.GOOD],
            bad_by_cause=dict(causes),
            unknown=verdicts[Verdict.UNKNOWN],
        )

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            good=self.good + other.good,
            bad_by_cause=dict(Counter(self.bad_by_cause) + Counter(other.bad_by_cause)),
            unknown=self.unknown + other.unknown,
        )

    @property
    def bad(self) -> int:
        """Bad minutes of any cause."""
        return sum(self.bad_by_cause.values())

    @property
    def sle_ratio(self) -> Fraction | None:
        """Service level experience: good / (good + bad); None where no minute is known."""
        known = self.good + self.bad
        return Fraction(self.good, known) if known else None

    @property
    def coverage(self) -> Fraction | None:
        """The share of the minutes that is known; None where there was none."""
        every = self.good + self.bad + self.unknown
        return Fraction(self.good + self.bad, every) if every else None

    def cause_tenths(self) -> dict[Cause, int]:
        """Each cause's part of the bad minutes in tenths of a percent, 1000 in all.

        Rounded by largest remainder, ties to the higher priority, so that what is printed adds up
        to 100.0 % to the last digit. Empty where nothing was bad.
        """
        bad = self.bad
        if not bad:
            return {}
        exact = {c: Fraction(1000 * n, bad) for c, n in sorted(self.bad_by_cause.items()) if n}
        tenths = {cause: int(part) for cause, part in exact.items()}
        rest = 1000 - sum(tenths.values())
        by_remainder = sorted(exact, key=lambda cause: (tenths[cause] - exact[cause], cause))
        for cause in by_remainder[:rest]:
            tenths[cause] += 1
        return tenths


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum: a district of its schools, a city of its districts."""
    whole = Tally()
    for tally in tallies:
        whole += tally
    return whole


def _within(value: float | None, limit: float) -> Verdict:
    return Verdict.UNKNOWN if value is None else _holds(value <= limit)


def _holds(said: bool | None) -> Verdict:  # noqa: FBT001 - the answer itself, not a switch
    if said is None:
        return Verdict.UNKNOWN
    return Verdict.GOOD if said else Verdict.BAD
