"""What a port's raw values mean: pure functions, one trap of SLA.md a branch.

Unknown is None, never 0. The second of each pair is the agent's fault, if there is one.
"""

from drivers.snmp.faults import AgentFault
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

SATURATED = 2**32 - 1
"""ifSpeed of anything faster than a Gauge32 can say (RFC 2863 section 3.1.11)."""
MAX_HIGH_SPEED = 2**31
GIGABIT = 1000
MEGA = 1_000_000
TERABIT_IN_MBPS = 1_600_000
"""The fastest Ethernet there is, in Mb/s."""

STANDARD_MBPS = (10, 100, 1_000, 2_500, 5_000, 10_000, 20_000, 25_000, 40_000, 50_000, 100_000,
                 200_000, 400_000, 800_000)  # fmt: skip
WRAPPED = {mbps * MEGA % 2**32: mbps for mbps in STANDARD_MBPS if mbps * MEGA >= 2**32}
"""What is left of a fast speed in b/s when its upper bits are cut off: 10 Gb/s -> 1410065408."""

Judged = tuple[int | None, AgentFault | None]

ETHERNET_TYPES = frozenset({6, 62, 69, 117})
"""IANAifType ethernetCsmacd, fastEther, fastEtherFX, gigabitEthernet."""


def speed_mbps(if_speed: int | None, high_speed: int | None, *, ethernet: bool = True) -> Judged:
    """The speed in Mb/s from ifSpeed (b/s) and ifHighSpeed (Mb/s), either may be absent."""
    if not high_speed:
        mbps, fault = _from_if_speed(if_speed, ethernet=ethernet)
        if high_speed == 0 and mbps is not None and fault is None:
            fault = AgentFault.HIGH_SPEED_ZERO
        return mbps, fault
    if high_speed > MAX_HIGH_SPEED or (high_speed == if_speed and high_speed > TERABIT_IN_MBPS):
        # The second: both hold b/s, and which of the two was meant cannot be known.
        return None, AgentFault.HIGH_SPEED_IMPLAUSIBLE
    if not if_speed or if_speed == SATURATED:
        return high_speed, None
    if if_speed in WRAPPED and high_speed == if_speed // MEGA:
        return None, AgentFault.SPEED_WRAPPED
    return high_speed, _disagreement(if_speed, high_speed)


def _disagreement(if_speed: int, high_speed: int) -> AgentFault | None:
    if if_speed == high_speed:
        return AgentFault.SPEED_IN_MBPS
    if if_speed % 2**32 == high_speed * MEGA % 2**32 or abs(if_speed - high_speed * MEGA) <= MEGA:
        return None
    return AgentFault.SPEEDS_DISAGREE


def _from_if_speed(if_speed: int | None, *, ethernet: bool) -> Judged:
    if not if_speed:
        return None, None
    if if_speed == SATURATED:
        return None, AgentFault.SPEED_SATURATED
    if if_speed in WRAPPED:
        return None, AgentFault.SPEED_WRAPPED
    if ethernet and if_speed in STANDARD_MBPS:
        return None, AgentFault.SPEED_IN_MBPS
    if if_speed < MEGA // 2:
        return None, AgentFault.SPEED_BELOW_ONE_MBPS
    return (if_speed + MEGA // 2) // MEGA, None


def duplex(raw: int | None, mbps: int | None) -> Judged:
    """A :class:`Duplex` code; None where the agent has no such row.

    That is not the same as ``unknown(1)``, which is the agent's own word, or what its word is
    worth when it cannot be true.
    """
    if raw is None:
        return None, None
    if not Duplex.UNKNOWN <= raw <= Duplex.FULL:
        return Duplex.UNKNOWN, AgentFault.DUPLEX_INVALID
    if raw == Duplex.HALF and mbps is not None and mbps >= GIGABIT:
        return Duplex.UNKNOWN, AgentFault.HALF_DUPLEX_AT_GIGABIT
    return raw, None


def admin(raw: int | None) -> Judged:
    """An :class:`AdminStatus` code."""
    if raw is None or AdminStatus.UP <= raw <= AdminStatus.TESTING:
        return raw, None
    return None, AgentFault.ADMIN_INVALID


def oper(raw: int | None) -> Judged:
    """An :class:`OperStatus` code."""
    if raw is None or OperStatus.UP <= raw <= OperStatus.LOWER_LAYER_DOWN:
        return raw, None
    return None, AgentFault.OPER_INVALID


def seconds_since(last_change: int | None, uptime: int | None) -> tuple[float | None, bool]:
    """Seconds since ifLastChange, and whether it lies in the future (both in TimeTicks).

    0 says that the state is as old as the agent (RFC 2863): the age is then the uptime.
    """
    if last_change is None or uptime is None:
        return None, False
    if last_change > uptime:
        return None, True
    return (uptime - last_change) / 100, False


def hc_stuck(wide: int | None, narrow: int | None) -> bool:
    """Whether a 64-bit counter stands at 0 although its 32-bit twin, read before it, does not."""
    return wide == 0 and bool(narrow)


def hc_stalled(wide: tuple[int, int], narrow: tuple[int, int]) -> bool:
    """Whether between two readings the 64-bit counter stood still and its twin moved."""
    return wide[0] == wide[1] and narrow[0] != narrow[1]
