"""Whether a port is good, as a repair has to prove it. No I/O, no clock.

The same sentence as the city's verdict (:mod:`controller.sla.verdict`): up, at the contract's
speed, full duplex. Duplex that nobody reports is full from 1 Gb/s on (decision 0005); below that it
counts as full only where the switch never reports it, because then nothing about it can be proved.
"""

from collections.abc import Iterable, Mapping

from agents.port_look import PortSeen
from tenone.vocabulary.states import AdminStatus, Duplex

GIGABIT_MBPS = 1000
DOWN = PortSeen()


def good(now: PortSeen, *, contract_mbps: float, before: PortSeen = DOWN) -> bool:
    """Up, full duplex, at the speed of the contract (0: any speed).

    ``before`` is what was seen before the change: whether the switch reports duplex at all.
    """
    if not now.up or now.admin in {AdminStatus.DOWN, AdminStatus.TESTING}:
        return False
    if contract_mbps > 0 and (now.speed_mbps is None or now.speed_mbps < contract_mbps):
        return False
    if now.duplex in {None, Duplex.UNKNOWN}:
        fast = now.speed_mbps is not None and now.speed_mbps >= GIGABIT_MBPS
        return fast or before.duplex in {None, Duplex.UNKNOWN}
    return now.duplex is Duplex.FULL


def no_worse(now: PortSeen, before: PortSeen) -> bool:
    """Whether the link is at least what it was."""
    if not before.up:
        return True
    if not now.up or (before.duplex is Duplex.FULL and now.duplex is Duplex.HALF):
        return False
    return before.speed_mbps is None or (now.speed_mbps or 0) >= before.speed_mbps


def lost(
    watched: Iterable[str], now: Mapping[str, PortSeen], before: Mapping[str, PortSeen]
) -> tuple[str, ...]:
    """Which of the watched ports were up and are not any more."""
    return tuple(
        port for port in watched if before.get(port, DOWN).up and not now.get(port, DOWN).up
    )
