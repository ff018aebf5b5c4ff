"""Contract compliance (SLA.md, definition 3) of one link, at a moment and over time.

At a moment: oper-status is up AND speed >= contract AND duplex is full AND, where both ends are
known, both agree. The first three are :mod:`controller.sla.verdict`'s, for whole columns; here are
what it takes to fill and to complete them: a LAG's state from its members, the agreement of two
ends, and the history's sums. Faster than the contract is never a breach.

Over time: R = |good n W'| / |W'|, and the capacity deficit, the integral of max(0, S - s(t)) dt
over W' divided by S |W'|: the share of the promised capacity that was not there.

Sources: IF-MIB (RFC 2863: ifOperStatus, ifHighSpeed), EtherLike-MIB (RFC 3635:
dot3StatsDuplexStatus), IEEE 802.1AX (aggregation: only members that collect and distribute count).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from controller.sla.availability import Window
from tenone.calendar.intervals import Intervals, Span
from tenone.vocabulary.states import Cause, Duplex, OperStatus, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One port of a LAG. ``active``: it collects and distributes (IEEE 802.1AX)."""

    oper: OperStatus
    speed_mbps: int | None
    """None or 0 where the port does not say."""
    active: bool


@dataclass(frozen=True, slots=True)
class End:
    """What one end of a link says of it; None where it does not."""

    oper: OperStatus | None
    speed_mbps: int | None
    duplex: Duplex | None


def aggregate(members: Iterable[Member], duplex: Duplex | None = Duplex.FULL) -> End:
    """A LAG as one end: up while a member carries it, as fast as all that carry it together.

    Losing one of several members is thus a matter of speed and not of being down. One active
    member that does not say its speed leaves the sum unknown. Members are full duplex: IEEE
    802.1AX aggregates no others.
    """
    carrying = [m for m in members if m.active and m.oper is OperStatus.UP]
    if not carrying:
        return End(OperStatus.DOWN, None, None)
    speeds = [member.speed_mbps for member in carrying if member.speed_mbps]
    total = sum(speeds) if len(speeds) == len(carrying) else None
    return End(OperStatus.UP, total, duplex)


def disagreement(near: End, far: End) -> frozenset[Cause]:
    """What the two ends contradict each other in; empty where they agree or do not both say.

    One end up and the other not is a link that is down in one direction (a broken fibre of two).
    """
    if near.oper is None or far.oper is None or OperStatus.UNKNOWN in {near.oper, far.oper}:
        return frozenset()
    if (near.oper is OperStatus.UP) != (far.oper is OperStatus.UP):
        return frozenset({Cause.LINK_DOWN})
    if near.oper is not OperStatus.UP:
        return frozenset()
    causes = set()
    if near.speed_mbps and far.speed_mbps and near.speed_mbps != far.speed_mbps:
        causes.add(Cause.SPEED)
    told = {near.duplex, far.duplex}
    if told == {Duplex.HALF, Duplex.FULL}:
        causes.add(Cause.DUPLEX)
    return frozenset(causes)


def with_far_end(
    verdict: Verdict, causes: frozenset[Cause], near: End, far: End | None
) -> tuple[Verdict, frozenset[Cause]]:
    """Complete the near end's verdict by the far end's word, where there is one.

    A contradiction is bad whatever the near end alone would be, except unknown because nothing
    can be seen: evidence that is too old contradicts nothing, so ``near`` must then be empty.
    """
    against = frozenset() if far is None else disagreement(near, far)
    if not against:
        return verdict, causes
    return Verdict.BAD, (causes | against if verdict is Verdict.BAD else against)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of a link's history in which nothing changed.

    ``delivered_mbps``: what the link could carry: 0 while it was down or shut, the lower of two
    ends' speeds; None only where the verdict is unknown. ``actor``: who shut the port, where its
    cause is configuration and that is known.
    """

    start_ns: int
    end_ns: int
    verdict: Verdict
    delivered_mbps: int | None = None
    causes: frozenset[Cause] = frozenset()
    actor: str | None = None

    def __post_init__(self) -> None:
        if self.verdict is not Verdict.UNKNOWN and self.delivered_mbps is None:
            raise ValueError("a period that is good or bad has a delivered speed; 0 while down")


@dataclass(frozen=True, slots=True)
class Shut:
    """Time in which a port was shut outside of approved maintenance, and by whom."""

    span: Span
    actor: str | None


def unknown_time(history: Iterable[Period], service: Intervals) -> Intervals:
    """What of ``service`` was judged neither good nor bad: said unknown, or not told at all."""
    known = [p for p in history if p.verdict is not Verdict.UNKNOWN]
    return service - Intervals.of((p.start_ns, p.end_ns) for p in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """The figures of one link and period; nanoseconds of the service window."""

    measured_ns: int
    good_ns: int
    deficit_mbps_ns: int
    """Integral of max(0, S - s(t)) over W', Mbit/s times ns."""
    contract_mbps: int
    shut: tuple[Shut, ...]
    coverage: Fraction | None

    @property
    def ratio(self) -> Fraction | None:
        """R, exact; None where nothing was measured."""
        return Fraction(self.good_ns, self.measured_ns) if self.measured_ns else None

    @property
    def deficit_ratio(self) -> Fraction | None:
        """The capacity deficit, 0 to 1; None where nothing was measured."""
        whole = self.contract_mbps * self.measured_ns
        return Fraction(self.deficit_mbps_ns, whole) if whole else None


def compliance(history: Iterable[Period], time: Window, contract_mbps: int) -> Compliance:
    """Sum a history over a window whose unknown part is :func:`unknown_time`'s.

    Periods must not overlap; repeated ones are folded, their order does not matter. A port that
    was shut under approved maintenance has left W' with it, any other counts as bad and is listed.
    """
    if contract_mbps <= 0:
        raise ValueError(f"a contract is a positive speed, not {contract_mbps} Mbit/s")
    good = deficit = told = 0
    end = None
    shut: list[Shut] = []
    for period in _in_order(history):
        if end is not None and period.start_ns < end:
            raise ValueError(f"two periods of the history overlap at {period.start_ns}")
        end = period.end_ns
        if period.delivered_mbps is None or period.verdict is Verdict.UNKNOWN:
            continue
        part = time.measured.within(period.start_ns, period.end_ns)
        length = part.measure_ns
        told += length
        good += length if period.verdict is Verdict.GOOD else 0
        deficit += max(0, contract_mbps - period.delivered_mbps) * length
        if Cause.CONFIGURATION in period.causes:
            shut += [Shut(span, period.actor) for span in part]
    if told != time.measured.measure_ns:
        raise ValueError("the history leaves some of W' untold: take it out with unknown_time")
    return Compliance(
        measured_ns=told,
        good_ns=good,
        deficit_mbps_ns=deficit,
        contract_mbps=contract_mbps,
        shut=tuple(shut),
        coverage=time.coverage,
    )


def _in_order(history: Iterable[Period]) -> list[Period]:
    """Each period once, by time; those that hold no time (the clock stepped back) left out."""
    return sorted({p for p in history if p.start_ns < p.end_ns}, key=lambda p: p.start_ns)
