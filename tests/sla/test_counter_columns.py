"""The column form gives what the value-by-value form gives, in every trap."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.sla import counter_columns as columns
from controller.sla import counters, errors, utilisation
from controller.sla.counter_columns import GAPS, UNSAID, GapCode
from controller.sla.counters import UPTIME_WRAP, Gap, Moment, Reading
from tenone.vocabulary.states import Duplex

SECOND_NS = 10**9
NARROW_TOP, WIDE_TOP = 2**32 - 1, 2**64 - 1
SPEEDS = st.sampled_from([10, 100, 1000, 2500, 10_000, 100_000, 400_000])


def test_codes_are_those_of_the_gaps() -> None:
    assert [GAPS[code] for code in GapCode] == [None, *Gap]
    assert [code.name for code in GapCode][1:] == [gap.name for gap in Gap]


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


ticks = st.integers(0, UPTIME_WRAP - 1)


@st.composite
def moments(draw: st.DrawFn) -> tuple[Moment, Moment]:
    """Mostly sweeps that nearly agree, so that the 5 % are met from both sides."""
    start, first = draw(st.integers(0, 10**18)), draw(ticks)
    ours = draw(st.integers(-10, 10**14) | st.just(60 * SECOND_NS))
    near = ours // counters.TICK_NS * draw(st.integers(90, 110)) // 100
    second = draw(st.just((first + near) % UPTIME_WRAP) | ticks | st.integers(0, 1000))
    return Moment(monotonic_ns=start, uptime_ticks=first), Moment(
        monotonic_ns=start + ours, uptime_ticks=second
    )


@given(pair=moments(), restarted=st.booleans())
@example(
    pair=(
        Moment(monotonic_ns=0, uptime_ticks=UPTIME_WRAP - 500),
        Moment(monotonic_ns=10 * SECOND_NS, uptime_ticks=500),
    ),
    restarted=False,
)
@example(
    pair=(
        Moment(monotonic_ns=0, uptime_ticks=UPTIME_WRAP - 500),
        Moment(monotonic_ns=10 * SECOND_NS, uptime_ticks=500),
    ),
    restarted=True,
)
@example(
    pair=(
        Moment(monotonic_ns=0, uptime_ticks=500),
        Moment(monotonic_ns=60 * SECOND_NS, uptime_ticks=6800),
    ),
    restarted=False,
)
def test_elapsed(pair: tuple[Moment, Moment], *, restarted: bool) -> None:
    before, now = pair
    told = counters.elapsed_ns(before, now, restarted=restarted)
    ns, gap = columns.elapsed(
        ints(before.monotonic_ns),
        ints(now.monotonic_ns),
        ints(before.uptime_ticks),
        ints(now.uptime_ticks),
        np.array([restarted]),
    )
    assert (told if isinstance(told, Gap) else None) is GAPS[gap[0]]
    assert int(ns[0]) == (0 if isinstance(told, Gap) else told)


@pytest.mark.parametrize(("before", "now"), [(UNSAID, 5), (5, UNSAID), (UNSAID, UNSAID)])
def test_no_uptime_is_no_time(before: int, now: int) -> None:
    _, gap = columns.elapsed(ints(0), ints(6 * 10**10), ints(before), ints(now), np.array([False]))
    assert GAPS[gap[0]] is Gap.NO_TIME


@given(speed=SPEEDS)
def test_wrap_times(speed: int) -> None:
    assert columns.octet_wrap_ns(ints(speed))[0] == counters.octet_wrap_ns(32, speed)
    assert columns.frame_wrap_ns(ints(speed))[0] == counters.frame_wrap_ns(32, speed)
    assert columns.octet_wrap_ns(ints(0))[0] == 0


@st.composite
def readings(draw: st.DrawFn) -> tuple[Reading, Reading]:
    def one() -> Reading:
        bits = draw(st.sampled_from([32, 32, 64]))
        top = NARROW_TOP if bits == 32 else WIDE_TOP
        values = st.integers(0, top) | st.integers(0, 10**6) | st.integers(top - 10**6, top)
        return Reading(
            value=draw(st.none() | values | values),
            bits=bits,
            discontinuity_ticks=draw(st.sampled_from([None, 0, 0, 0, 7])),
        )

    return one(), one()


def column_difference(
    before: Reading, now: Reading, *, elapsed_ns: int, wrap_ns: int
) -> int | Gap | None:
    delta, gap = columns.difference(
        np.array([before.value or 0], np.uint64),
        np.array([now.value or 0], np.uint64),
        known=np.array([before.value is not None and now.value is not None]),
        narrow=np.array([now.bits == 32]),
        same_width=np.array([before.bits == now.bits]),
        same_life=np.array([before.discontinuity_ticks == now.discontinuity_ticks]),
        elapsed_ns=ints(elapsed_ns),
        wrap_ns=ints(wrap_ns),
    )
    return GAPS[gap[0]] or int(delta[0])


@given(
    pair=readings(),
    elapsed_ns=st.integers(-5, 10**12) | st.integers(1, 40 * SECOND_NS),
    speed=SPEEDS,
    octets=st.booleans(),
)
@example(
    pair=(Reading(value=2**32 - 50, bits=32), Reading(value=200, bits=32)),
    elapsed_ns=10 * SECOND_NS,
    speed=1000,
    octets=True,
)
@example(
    pair=(Reading(value=2**31, bits=32), Reading(value=0, bits=32)),
    elapsed_ns=10 * SECOND_NS,
    speed=1000,
    octets=True,
)
def test_difference(
    pair: tuple[Reading, Reading], elapsed_ns: int, speed: int, *, octets: bool
) -> None:
    before, now = pair
    wrap = counters.octet_wrap_ns if octets else counters.frame_wrap_ns
    told = counters.difference(before, now, elapsed_ns=elapsed_ns, wrap_ns=wrap(now.bits, speed))
    seen = column_difference(before, now, elapsed_ns=elapsed_ns, wrap_ns=wrap(32, speed))
    assert seen == told


@given(elapsed_ns=st.integers(1, 40 * SECOND_NS), speed=SPEEDS, off=st.integers(-2, 2))
def test_the_way_round_is_exact_at_its_bound(elapsed_ns: int, speed: int, off: int) -> None:
    wrap = counters.octet_wrap_ns(32, speed)
    bound = int(Fraction((1 << 32) * elapsed_ns, wrap) * Fraction(105, 100)) + off
    if not 1 <= bound < 2**32:
        return
    before, now = Reading(value=2**32 - 1, bits=32), Reading(value=bound - 1, bits=32)
    told = counters.difference(before, now, elapsed_ns=elapsed_ns, wrap_ns=wrap)
    assert column_difference(before, now, elapsed_ns=elapsed_ns, wrap_ns=wrap) == told


def test_a_narrow_counter_at_an_unknown_speed_is_refused() -> None:
    before, now = Reading(value=1, bits=32), Reading(value=2, bits=32)
    assert column_difference(before, now, elapsed_ns=1, wrap_ns=0) is Gap.TOO_FAR_APART


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 5), st.none() | st.integers(0, 5)),
        min_size=1,
        max_size=6,
    )
)
def test_every_counter_restarted(pairs: list[tuple[int | None, int | None]]) -> None:
    told = counters.every_counter_restarted([b for b, _ in pairs], [n for _, n in pairs])
    seen = columns.every_counter_restarted(
        np.array([[b or 0] for b, _ in pairs], np.uint64),
        np.array([[n or 0] for _, n in pairs], np.uint64),
        np.array([[b is not None and n is not None] for b, n in pairs]),
    )
    assert bool(seen[0]) is told


@given(
    first=st.none() | st.integers(0, 10**12),
    second=st.none() | st.integers(0, 10**12),
    elapsed_ns=st.integers(-1, 10**12),
    speed=st.just(0) | SPEEDS,
    duplex=st.sampled_from(Duplex),
)
def test_utilisation(
    first: int | None, second: int | None, elapsed_ns: int, speed: int, duplex: Duplex
) -> None:
    told = utilisation.utilisation(
        first, second, elapsed_ns=elapsed_ns, speed_mbps=speed or None, duplex=duplex
    )
    octets, said = columns.both_ways(
        np.array([first or 0], np.uint64),
        np.array([second or 0], np.uint64),
        np.array([duplex], np.uint8),
    )
    known = said & np.array([first is not None and second is not None])
    (seen,) = columns.utilisation(
        octets, known, elapsed_ns=ints(elapsed_ns), speed_mbps=ints(speed)
    )
    assert math.isnan(seen) if told is None else seen == pytest.approx(told, rel=1e-15, abs=0)


count = st.integers(0, 20_000) | st.integers(0, 2**50)


@given(errors_=st.none() | count, unicast=st.none() | count, other=count, discards=count)
def test_ratios(errors_: int | None, unicast: int | None, other: int, discards: int) -> None:
    frames = errors.Frames(
        errors=errors_, unicast=unicast, multicast=other, broadcast=0, discards=discards
    )
    whole = np.array([(unicast or 0) + other], np.uint64)
    known = np.array([unicast is not None])
    broken = np.array([errors_ or 0], np.uint64)
    (seen,) = columns.share(broken, whole + broken, known & np.array([errors_ is not None]))
    told = errors.error_ratio(frames)
    assert math.isnan(seen) if told is None else seen == float(told)
    lost = np.array([discards], np.uint64)
    for counted in (False, True):
        total = whole if counted else whole + lost
        (seen,) = columns.share(np.minimum(lost, total), total, known)
        told = errors.congestion_ratio(frames, discards_counted=counted)
        assert math.isnan(seen) if told is None else seen == float(told)
