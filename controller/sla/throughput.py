"""Throughput of a class or a school by TCP (SLA.md, definition 9; RFC 6349).

RFC 6349 section 3: first the path MTU, then the base RTT and the bottleneck's bandwidth, only then
TCP. Section 4: the ideal goodput from the bottleneck's rate and the overhead of each frame, the
efficiency and the buffer delay. On Ethernet a frame costs 38 octets besides its MTU: preamble and
start delimiter 8, header 14, check sequence 4, gap 12 (IEEE 802.3).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Verdict

FRAME_OVERHEAD: Final = 38
VLAN_TAG: Final = 4
TCP_IPV4_HEADERS: Final = 40
IPV6_EXTRA: Final = 20
TIMESTAMPS: Final = 12
"""The TCP timestamps option with its padding (RFC 7323 appendix A)."""
PASS_OF_IDEAL: Final = Fraction(95, 100)
PASS_EFFICIENCY: Final = Fraction(999, 1000)
MOST_LOAD: Final = Fraction(80, 100)
"""Live load and test together may not fill more of the link."""


def ideal_goodput_mbps(
    rate_mbps: int,
    *,
    mtu: int = 1500,
    timestamps: bool = False,
    ipv6: bool = False,
    vlan: bool = False,
) -> Fraction:
    """The most TCP can carry: 949.3 Mb/s on 1G, 941.5 with timestamps, 9.49 Gb/s on 10G."""
    headers = TCP_IPV4_HEADERS + TIMESTAMPS * timestamps + IPV6_EXTRA * ipv6
    if mtu <= headers:
        raise ValueError(f"an MTU of {mtu} octets has no room beside {headers} of headers")
    return Fraction(rate_mbps * (mtu - headers), mtu + FRAME_OVERHEAD + VLAN_TAG * vlan)


def tcp_efficiency(sent: int, retransmitted: int) -> Fraction | None:
    """(sent - retransmitted) / sent, all in octets; None where nothing was sent.

    RFC 6349 section 4.2: ``sent`` holds the retransmitted ones too.
    """
    if not 0 <= retransmitted <= sent:
        raise ValueError(f"{retransmitted} of {sent} octets cannot have been retransmitted")
    return Fraction(sent - retransmitted, sent) if sent else None


def buffer_delay(mean_rtt_ns: int, base_rtt_ns: int) -> Fraction:
    """(mean RTT - base RTT) / base RTT (RFC 6349 section 4.3); 25 and 32 ms give 28 %."""
    if base_rtt_ns <= 0:
        raise ValueError(f"a base RTT is a positive time, not {base_rtt_ns} ns")
    return Fraction(mean_rtt_ns - base_rtt_ns, base_rtt_ns)


def bandwidth_delay_octets(rate_mbps: int, rtt_ns: int) -> int:
    """What must be under way to fill the path: the smallest window that can (RFC 6349 3.3.1)."""
    return -(-rate_mbps * rtt_ns // 8000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished test. What RFC 6349 asks for first is None where it was not measured."""

    path_mtu: int | None
    base_rtt_ns: int | None
    bottleneck_mbps: int | None
    """The rate of the narrowest place, at most the contract's share of it."""
    goodput_mbps: float
    sent_octets: int
    retransmitted_octets: int
    timestamps: bool = True
    ipv6: bool = False
    vlan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A judged test; what could not be told is None, and ``why`` says it in a sentence."""

    verdict: Verdict
    of_ideal: float | None
    efficiency: Fraction | None
    why: str


def judge(run: Run) -> Result:
    """Pass: at least 95 % of the ideal goodput, with an efficiency of at least 99.9 %."""
    efficiency = tcp_efficiency(run.sent_octets, run.retransmitted_octets)
    missing = [
        name
        for name, value in (
            ("path MTU", run.path_mtu),
            ("base RTT", run.base_rtt_ns),
            ("bottleneck", run.bottleneck_mbps),
        )
        if value is None
    ]
    if efficiency is None:
        missing.append("TCP transfer")
    if missing or run.path_mtu is None or run.bottleneck_mbps is None or efficiency is None:
        why = f"Not measured: {', '.join(missing)}. Measure it and repeat the test."
        return Result(verdict=Verdict.UNKNOWN, of_ideal=None, efficiency=efficiency, why=why)
    ideal = ideal_goodput_mbps(
        run.bottleneck_mbps,
        mtu=run.path_mtu,
        timestamps=run.timestamps,
        ipv6=run.ipv6,
        vlan=run.vlan,
    )
    share = Fraction(run.goodput_mbps) / ideal
    short = []
    if share < PASS_OF_IDEAL:
        short.append(f"goodput is under {float(PASS_OF_IDEAL):.0%} of {float(ideal):.1f} Mb/s")
    if efficiency < PASS_EFFICIENCY:
        short.append(f"TCP efficiency is under {float(PASS_EFFICIENCY):.1%}")
    return Result(
        verdict=Verdict.BAD if short else Verdict.GOOD,
        of_ideal=float(share),
        efficiency=efficiency,
        why=" and ".join(short) or "passed",
    )


def refusal(
    *, now_ns: int, allowed: Intervals, live_mbps: float | None, test_mbps: float, link_mbps: int
) -> str | None:
    """Why no test may start now, or None where one may.

    ``live_mbps``: the load of the busier direction now; one that is not known is not small.
    """
    if now_ns not in allowed:
        return "Throughput is tested inside its allowed window only, and this is outside of it."
    if live_mbps is None:
        return "The link's live load is not known, so a test could fill it: no test."
    if live_mbps + test_mbps > MOST_LOAD * link_mbps:
        return (
            f"Live load {live_mbps:.0f} and test {test_mbps:.0f} Mb/s would exceed "
            f"{float(MOST_LOAD):.0%} of the link's {link_mbps} Mb/s: no test."
        )
    return None
