"""SLA.md, counters and clocks: each line a case, then true counters that wrap and restart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.counters import (
    TICK_NS,
    UPTIME_WRAP,
    Gap,
    Moment,
    Reading,
    difference,
    elapsed_ns,
    every_counter_restarted,
    frame_wrap_ns,
    octet_wrap_ns,
)
from tenone.calendar.intervals import SECOND_NS

WRAP_1G = octet_wrap_ns(32, 1000)


def test_worked_wrap_times() -> None:
    assert octet_wrap_ns(32, 1000) / SECOND_NS == pytest.approx(34.36, abs=0.01)
    assert octet_wrap_ns(32, 10_000) / SECOND_NS == pytest.approx(3.436, abs=0.001)
    assert frame_wrap_ns(32, 10_000) / SECOND_NS == pytest.approx(289, abs=0.5)
    assert octet_wrap_ns(64, 10_000) / SECOND_NS / 86_400 / 365 > 460
    assert pytest.approx(497.1, abs=0.01) == UPTIME_WRAP * TICK_NS / SECOND_NS / 86_400


def reading(value: int | None, bits: int = 64, discontinuity: int | None = 0) -> Reading:
    return Reading(value=value, bits=bits, discontinuity_ticks=discontinuity)


@pytest.mark.parametrize(
    ("before", "now", "seconds", "expected"),
    [
        (reading(100), reading(350), 60, 250),
        (reading(100), reading(100), 60, 0),
        (reading(None), reading(100), 60, Gap.NO_VALUE),
        (reading(100), reading(None), 60, Gap.NO_VALUE),
        (reading(350), reading(100), 60, Gap.WENT_BACK),
        (reading(2**64 - 1), reading(4), 60, Gap.WENT_BACK),  # 468 years have not passed
        (reading(100), reading(350), 0, Gap.NO_TIME),
        (reading(100), reading(350), -5, Gap.NO_TIME),
        (reading(100), reading(350, discontinuity=7), 60, Gap.DISCONTINUITY),
        (reading(100, discontinuity=None), reading(350, discontinuity=None), 60, 250),
        (reading(100), reading(350, bits=32), 60, Gap.WIDTH_CHANGED),
        (reading(100, bits=32), reading(350), 60, Gap.WIDTH_CHANGED),
        (reading(100, 32), reading(350, 32), 17, 250),
        (reading(100, 32), reading(350, 32), 18, Gap.TOO_FAR_APART),  # half of 34.36 s is passed
        (reading(2**32 - 50, 32), reading(200, 32), 10, 250),  # a proven wrap
        (reading(2**31, 32), reading(0, 32), 10, Gap.WENT_BACK),  # no line is that fast
        (reading(2**32 - 50, 32, 3), reading(200, 32, 4), 10, Gap.DISCONTINUITY),
    ],
)
def test_difference(before: Reading, now: Reading, seconds: int, expected: int | Gap) -> None:
    wrap = octet_wrap_ns(now.bits, 1000)
    assert difference(before, now, elapsed_ns=seconds * SECOND_NS, wrap_ns=wrap) == expected


@pytest.mark.parametrize(("value", "bits"), [(-1, 64), (2**32, 32), (2**64, 64), (0, 48)])
def test_a_reading_cannot_be_built_wrong(value: int, bits: int) -> None:
    with pytest.raises(ValueError, match="bit counter"):
        Reading(value=value, bits=bits)


def moment(seconds: float, ticks: int, boots: int | None = None) -> Moment:
    return Moment(monotonic_ns=round(seconds * SECOND_NS), uptime_ticks=ticks, engine_boots=boots)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (moment(0, 500), moment(60, 6500), 60 * SECOND_NS),
        (moment(0, 500), moment(60, 500 + 6300), 63 * SECOND_NS),  # 5 % is within
        (moment(0, 500), moment(60, 500 + 6301), Gap.CLOCKS_DIFFER),
        (moment(0, 500), moment(60, 500 + 5699), Gap.CLOCKS_DIFFER),
        (moment(0, 500), moment(0, 500), Gap.NO_TIME),
        (moment(60, 500), moment(0, 6500), Gap.NO_TIME),
        (moment(0, 900_000), moment(60, 1000), Gap.REBOOTED),
        (moment(0, 500), moment(60, 1000), Gap.CLOCKS_DIFFER),
        (moment(0, 500, 3), moment(60, 6500, 4), Gap.REBOOTED),
        (moment(0, 500, 3), moment(60, 6500, 3), 60 * SECOND_NS),
        (moment(0, 500, None), moment(60, 6500, 3), 60 * SECOND_NS),
        # 497.1 days: the poll comes 5 s before and after the wrap; it is no reboot.
        (moment(0, UPTIME_WRAP - 500), moment(10, 500), 10 * SECOND_NS),
        (moment(0, UPTIME_WRAP - 5500), moment(60, 500), 60 * SECOND_NS),
        # A real reboot at that time, which its boot counter gives away.
        (moment(0, UPTIME_WRAP - 500, 7), moment(10, 500, 8), Gap.REBOOTED),
    ],
)
def test_elapsed(before: Moment, now: Moment, expected: int | Gap) -> None:
    assert elapsed_ns(before, now) == expected


def test_a_reboot_at_the_wrap_shows_in_every_counter() -> None:
    before, now = moment(0, UPTIME_WRAP - 500), moment(10, 500)
    assert elapsed_ns(before, now, restarted=True) is Gap.REBOOTED
    assert elapsed_ns(moment(0, 500), moment(10, 1500), restarted=True) == 10 * SECOND_NS


@pytest.mark.parametrize(
    ("before", "now", "restarted"),
    [
        ([5, 9, 0], [1, 0, 0], True),
        ([5, 9, 0], [1, 10, 0], False),
        ([5, None, 8], [1, 3, None], True),
        ([0, 0], [0, 0], False),
        ([], [], False),
        ([5, 9], [5, 9], False),
    ],
)
def test_every_counter_restarted(
    before: list[int | None], now: list[int | None], *, restarted: bool
) -> None:
    assert every_counter_restarted(before, now) is restarted


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 17.1), st.floats(0, 1))
def test_a_true_counter_is_always_followed(start: int, seconds: float, load: float) -> None:
    """At any load of a 1 Gb/s line, from any value: the wrap is counted, to the octet."""
    elapsed = round(seconds * SECOND_NS)
    octets = int(load * elapsed / 8)
    before, now = reading(start, 32), reading((start + octets) % 2**32, 32)
    assert difference(before, now, elapsed_ns=elapsed, wrap_ns=WRAP_1G) == octets


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(-10, 10**12))
def test_never_negative(one: int, two: int, elapsed: int) -> None:
    found = difference(
        reading(one), reading(two), elapsed_ns=elapsed, wrap_ns=octet_wrap_ns(64, 10_000)
    )
    assert found in set(Gap) or found == two - one >= 0


@given(st.integers(0, UPTIME_WRAP - 1), st.floats(0.1, 86_400), st.floats(-0.049, 0.049))
def test_the_uptime_wrap_is_nowhere_a_reboot(ticks: int, seconds: float, drift: float) -> None:
    passed = int(seconds * 100 * (1 + drift))
    now = moment(passed / 100 / (1 + drift), (ticks + passed) % UPTIME_WRAP)
    assert elapsed_ns(moment(0, ticks), now) == passed * TICK_NS
