"""SLA.md 9: RFC 6349's worked figures, the pass rule, and when no test may start."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.throughput import (
    Run,
    bandwidth_delay_octets,
    buffer_delay,
    ideal_goodput_mbps,
    judge,
    refusal,
    tcp_efficiency,
)
from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Verdict

MS = 1_000_000


def test_worked_figures() -> None:
    efficiency = tcp_efficiency(102_000, 2_000)
    assert efficiency is not None
    assert int(efficiency * 10_000) / 100 == 98.03  # the RFC cuts, it does not round
    assert buffer_delay(32 * MS, 25 * MS) == Fraction(28, 100)
    assert round(float(ideal_goodput_mbps(1000)), 1) == 949.3
    assert round(float(ideal_goodput_mbps(1000, timestamps=True)), 1) == 941.5
    assert round(float(ideal_goodput_mbps(10_000)) / 1000, 2) == 9.49


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mtu": 9000}, 991.4),
        ({"ipv6": True}, 936.3),
        ({"ipv6": True, "timestamps": True}, 928.5),
        ({"vlan": True}, 946.8),
    ],
)
def test_other_headers(options: dict[str, int], expected: float) -> None:
    assert float(ideal_goodput_mbps(1000, **options)) == pytest.approx(expected, abs=0.05)  # type: ignore[arg-type]  # flags and an MTU


def test_bandwidth_delay() -> None:
    # 1 Gb/s and 25 ms: 3.125 MB must be under way.
    assert bandwidth_delay_octets(1000, 25 * MS) == 3_125_000
    assert bandwidth_delay_octets(1, 1) == 1


@pytest.mark.parametrize("mtu", [0, 40, 52])
def test_no_room_for_data(mtu: int) -> None:
    with pytest.raises(ValueError, match="no room"):
        ideal_goodput_mbps(1000, mtu=mtu, timestamps=True)


def test_impossible_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="retransmitted"):
        tcp_efficiency(5, 6)
    with pytest.raises(ValueError, match="positive time"):
        buffer_delay(5, 0)
    assert tcp_efficiency(0, 0) is None


GOOD = Run(
    path_mtu=1500,
    base_rtt_ns=2 * MS,
    bottleneck_mbps=1000,
    goodput_mbps=941.0,
    sent_octets=1_000_000,
    retransmitted_octets=1000,
)


@pytest.mark.parametrize(
    ("run", "verdict", "says"),
    [
        (GOOD, Verdict.GOOD, "passed"),
        (replace(GOOD, goodput_mbps=894.5), Verdict.GOOD, "passed"),  # 95 % of 941.5 is 894.4
        (replace(GOOD, goodput_mbps=894.3), Verdict.BAD, "goodput is under 95%"),
        (replace(GOOD, retransmitted_octets=1001), Verdict.BAD, "efficiency is under 99.9%"),
        (replace(GOOD, goodput_mbps=5, retransmitted_octets=9999), Verdict.BAD, " and "),
        (replace(GOOD, path_mtu=None), Verdict.UNKNOWN, "path MTU"),
        (replace(GOOD, base_rtt_ns=None), Verdict.UNKNOWN, "base RTT"),
        (replace(GOOD, bottleneck_mbps=None), Verdict.UNKNOWN, "bottleneck"),
        (replace(GOOD, sent_octets=0, retransmitted_octets=0), Verdict.UNKNOWN, "TCP transfer"),
        (replace(GOOD, bottleneck_mbps=100, goodput_mbps=94.0), Verdict.GOOD, "passed"),
    ],
)
def test_judge(run: Run, verdict: Verdict, says: str) -> None:
    found = judge(run)
    assert found.verdict is verdict
    assert says in found.why
    assert (found.of_ideal is None) == (verdict is Verdict.UNKNOWN)


NIGHT = Intervals.of([(100, 200)])


@pytest.mark.parametrize(
    ("now", "live", "test", "says"),
    [
        (150, 0.0, 800.0, None),
        (150, 300.0, 500.0, None),  # 80 % is not more than 80 %
        (150, 300.1, 500.0, "exceed 80%"),
        (150, None, 1.0, "not known"),
        (99, 0.0, 1.0, "window"),
        (200, 0.0, 1.0, "window"),
    ],
)
def test_refusal(now: int, live: float | None, test: float, says: str | None) -> None:
    found = refusal(now_ns=now, allowed=NIGHT, live_mbps=live, test_mbps=test, link_mbps=1000)
    if says is None:
        assert found is None
    else:
        assert found is not None
        assert says in found


@given(st.integers(1, 400_000), st.integers(100, 9216), st.booleans(), st.booleans(), st.booleans())
def test_goodput_lies_under_the_rate_and_options_only_cost(
    rate: int, mtu: int, timestamps: bool, ipv6: bool, vlan: bool
) -> None:
    plain = ideal_goodput_mbps(rate, mtu=mtu)
    found = ideal_goodput_mbps(rate, mtu=mtu, timestamps=timestamps, ipv6=ipv6, vlan=vlan)
    assert 0 < found <= plain < rate
    assert ideal_goodput_mbps(rate, mtu=mtu + 1) > plain
