"""Speed, duplex, status, age, counters: one case a trap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp import truth
from drivers.snmp.faults import AgentFault as Fault

TEN_GIG_CUT = 1_410_065_408  # 10^10 mod 2^32


@pytest.mark.parametrize(
    ("if_speed", "high_speed", "mbps", "fault"),
    [
        (10**9, 1_000, 1_000, None),
        (10**8, 100, 100, None),
        (2**32 - 1, 10_000, 10_000, None),
        (2**32 - 1, 2_500, 2_500, None),
        (2_500_000_000, 2_500, 2_500, None),
        (None, 5_000, 5_000, None),
        (0, 1_000, 1_000, None),
        (None, 25_000, 25_000, None),
        # Saturated and nothing else: at least 4.29 Gb/s, otherwise unknown.
        (2**32 - 1, None, None, Fault.SPEED_SATURATED),
        (2**32 - 1, 0, None, Fault.SPEED_SATURATED),
        # 10 Gb/s cut to 32 bits, in one column or both.
        (TEN_GIG_CUT, 1_410, None, Fault.SPEED_WRAPPED),
        (TEN_GIG_CUT, None, None, Fault.SPEED_WRAPPED),
        (TEN_GIG_CUT, 10_000, 10_000, None),
        # Mb/s in ifSpeed.
        (1_000, 1_000, 1_000, Fault.SPEED_IN_MBPS),
        (10_000, 10_000, 10_000, Fault.SPEED_IN_MBPS),
        (1_000, None, None, Fault.SPEED_IN_MBPS),
        (10_000, 0, None, Fault.SPEED_IN_MBPS),
        # b/s in ifHighSpeed.
        (None, 2**31 + 1, None, Fault.HIGH_SPEED_IMPLAUSIBLE),
        (10**9, 10**9, None, Fault.HIGH_SPEED_IMPLAUSIBLE),
        (10**9, 0, 1_000, Fault.HIGH_SPEED_ZERO),
        (10**9, 100, 100, Fault.SPEEDS_DISAGREE),
        (64_000, None, None, Fault.SPEED_BELOW_ONE_MBPS),
        (1_544_000, None, 2, None),
        (0, None, None, None),
        (0, 0, None, None),
        (None, None, None, None),
    ],
)
def test_speed(
    if_speed: int | None, high_speed: int | None, mbps: int | None, fault: Fault | None
) -> None:
    assert truth.speed_mbps(if_speed, high_speed) == (mbps, fault)


def test_slow_serial_lines_are_no_ethernet() -> None:
    assert truth.speed_mbps(10_000, None, ethernet=False) == (None, Fault.SPEED_BELOW_ONE_MBPS)


@given(st.none() | st.integers(0, 2**32 - 1), st.none() | st.integers(0, 2**32 - 1))
def test_no_speed_is_ever_zero(if_speed: int | None, high_speed: int | None) -> None:
    mbps, _ = truth.speed_mbps(if_speed, high_speed)
    assert mbps is None or 0 < mbps <= 2**31


@pytest.mark.parametrize(
    ("raw", "mbps", "judged"),
    [
        (3, 1_000, (3, None)),
        (2, 100, (2, None)),
        (2, None, (2, None)),
        (1, 1_000, (1, None)),
        (None, 1_000, (None, None)),
        (2, 1_000, (1, Fault.HALF_DUPLEX_AT_GIGABIT)),
        (2, 10_000, (1, Fault.HALF_DUPLEX_AT_GIGABIT)),
        (0, 1_000, (1, Fault.DUPLEX_INVALID)),
        (4, 1_000, (1, Fault.DUPLEX_INVALID)),
    ],
)
def test_duplex(raw: int | None, mbps: int | None, judged: truth.Judged) -> None:
    assert truth.duplex(raw, mbps) == judged


@pytest.mark.parametrize(
    ("raw", "admin", "oper"),
    [
        (None, (None, None), (None, None)),
        (1, (1, None), (1, None)),
        (3, (3, None), (3, None)),
        (4, (None, Fault.ADMIN_INVALID), (4, None)),
        (7, (None, Fault.ADMIN_INVALID), (7, None)),
        (8, (None, Fault.ADMIN_INVALID), (None, Fault.OPER_INVALID)),
        (0, (None, Fault.ADMIN_INVALID), (None, Fault.OPER_INVALID)),
        (-1, (None, Fault.ADMIN_INVALID), (None, Fault.OPER_INVALID)),
    ],
)
def test_states(raw: int | None, admin: truth.Judged, oper: truth.Judged) -> None:
    assert truth.admin(raw) == admin
    assert truth.oper(raw) == oper


@pytest.mark.parametrize(
    ("last_change", "uptime", "expected"),
    [
        (0, 12_300, (123.0, False)),
        (12_000, 12_300, (3.0, False)),
        (12_301, 12_300, (None, True)),
        (None, 12_300, (None, False)),
        (5, None, (None, False)),
    ],
)
def test_age(
    last_change: int | None, uptime: int | None, expected: tuple[float | None, bool]
) -> None:
    assert truth.seconds_since(last_change, uptime) == expected


def test_stuck_counters() -> None:
    assert truth.hc_stuck(0, 5)
    assert not truth.hc_stuck(0, 0)
    assert not truth.hc_stuck(5, 5)
    assert not truth.hc_stuck(None, 5)
    assert truth.hc_stalled((7, 7), (1, 2))
    assert not truth.hc_stalled((7, 8), (1, 2))
    assert not truth.hc_stalled((7, 7), (1, 1))
