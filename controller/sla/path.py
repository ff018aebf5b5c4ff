"""Loss, delay and jitter of a path (SLA.md, definitions 6, 7 and 8) from its probe packets.

Sources: loss with its 3 s waiting time RFC 7680 and RFC 6673 (round trip); a duplicate is one
arrival (RFC 5560); time stamps T1 to T4 of a two-way session RFC 5357 section 4 and RFC 8762
section 4; round trip RFC 2681, one-way delay RFC 7679; ipdv RFC 3393; PDV RFC 5481 section 4.2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from controller.sla.statistics import P95, P999, nearest_rank
from tenone.calendar.intervals import SECOND_NS

LATE_NS: Final = 3 * SECOND_NS
"""An answer that takes longer is lost."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Answer:
    """One reply. ``t1``, ``t4``: sent and back by our clock; ``t2``, ``t3``: by the reflector's.

    Nanoseconds. Ours must be of a clock that does not step (the kernel's time stamps of both, or
    the monotonic clock); ``t2`` and ``t3`` are None where the reflector gives no times.
    """

    sequence: int
    t1_ns: int
    t2_ns: int | None
    t3_ns: int | None
    t4_ns: int


def settled(sent: Mapping[int, int], now_ns: int) -> dict[int, int]:
    """The packets whose waiting time is over; the others are neither answered nor lost yet.

    ``sent``: sequence number -> T1; ``now_ns`` by the same clock.
    """
    return {number: t1 for number, t1 in sent.items() if now_ns - t1 > LATE_NS}


def answered(answers: Iterable[Answer], sent: Mapping[int, int]) -> dict[int, Answer]:
    """The first timely reply to each packet sent, by sequence number.

    ``sent``: sequence number -> T1. Duplicates count once; what is late, was never sent or came
    back before it was sent (a packet of an earlier session) is left out.
    """
    first: dict[int, Answer] = {}
    for answer in sorted(answers, key=lambda a: a.t4_ns):
        if sent.get(answer.sequence) != answer.t1_ns:
            continue
        if 0 <= answer.t4_ns - answer.t1_ns <= LATE_NS:
            first.setdefault(answer.sequence, answer)
    return first


def loss_ratio(sent: int, received: int) -> Fraction | None:
    """L = (sent - received) / sent; None where nothing was sent."""
    if not 0 <= received <= sent:
        raise ValueError(f"{received} of {sent} packets cannot have been answered")
    return Fraction(sent - received, sent) if sent else None


def delay_ns(answer: Answer) -> int | None:
    """The round trip without the reflector's own time: (T4 - T1) - (T3 - T2).

    None where the reflector gives no times, or such as cannot be (it held the packet for less than
    no time or for longer than the packet was away: its clock stepped).
    """
    if answer.t2_ns is None or answer.t3_ns is None:
        return None
    away, held = answer.t4_ns - answer.t1_ns, answer.t3_ns - answer.t2_ns
    return away - held if 0 <= held <= away else None


def one_way_ns(answer: Answer, *, clock_sync_proven: bool) -> tuple[int, int] | None:
    """Delay there (T2 - T1) and back (T4 - T3); None unless both clocks are proved to agree."""
    if not clock_sync_proven or answer.t2_ns is None or answer.t3_ns is None:
        return None
    there, back = answer.t2_ns - answer.t1_ns, answer.t4_ns - answer.t3_ns
    return (there, back) if there >= 0 and back >= 0 else None


def ipdv_ns(delays: Mapping[int, int]) -> list[int]:
    """D_i - D_(i-1) of every two packets sent one after the other that both have a delay.

    ``delays``: sequence number -> delay. Undefined, and left out, if either is lost: the packet
    after a lost one has no predecessor.
    """
    return [
        delays[number] - delays[number - 1] for number in sorted(delays) if number - 1 in delays
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """P95 of |ipdv|, and PDV = P99.9 - min of the delays; None where undefined."""

    ipdv_p95_ns: int | None
    pdv_ns: int | None


def jitter(delays: Mapping[int, int]) -> Jitter:
    """Both measures over one window of delays by sequence number."""
    steps = nearest_rank((abs(step) for step in ipdv_ns(delays)), P95)
    high = nearest_rank(delays.values(), P999)
    return Jitter(
        ipdv_p95_ns=None if steps is None else int(steps),
        pdv_ns=None if high is None else int(high) - min(delays.values()),
    )
