"""The five faults of a port, how each is made, and what its port must be set to afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.lab.switch import SwitchLab, until


class Fault(StrEnum):
    """What is wrong."""

    FORCED_100 = "forced 100M"
    HALF_DUPLEX = "half duplex"
    ADMIN_DOWN = "admin down"
    STUCK = "stuck negotiation"
    BAD_PAIR = "bad pair"

    @property
    def curable(self) -> bool:
        """By software."""
        return self is not Fault.BAD_PAIR


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that was made; moments by the wire's record."""

    fault: Fault
    port: str
    mono: float
    wall: float


def inject(lab: SwitchLab, fault: Fault, port: str) -> Injected:
    """Spoil a good port."""
    before = lab.truth.now(port)
    assert before.good, f"{port} was not good: {before}"
    make: dict[Fault, Callable[[], object]] = {
        Fault.FORCED_100: lambda: lab.set(port, "speed 100 duplex full autoneg off"),
        Fault.HALF_DUPLEX: lambda: lab.set(port, "speed 100 duplex half autoneg off"),
        Fault.ADMIN_DOWN: lambda: lab.switch.run("ip", "link", "set", port, "down"),
        Fault.STUCK: lambda: lab.tell(port, stuck=True),
        Fault.BAD_PAIR: lambda: lab.tell(port, broken_pair=True),
    }
    make[fault]()
    until(lambda: not lab.truth.now(port).good, f"{fault} on {port}, by the wire's record")
    spoilt = lab.truth.spoilt(port, before.mono + 1e-9)
    assert spoilt is not None
    return Injected(fault, port, spoilt.mono, spoilt.wall)


def heal(lab: SwitchLab, *ports: str) -> None:
    """As on the first day, by hand; returns when all links are good."""
    for port in ports:
        lab.tell(port, plugged=True, broken_pair=False, stuck=False)
        now = lab.truth.now(port)
        if not now.autoneg:
            lab.set(port, "autoneg on")
        if not now.up:
            lab.switch.run("ip", "link", "set", port, "up")
    for port in ports:
        until(lambda port=port: lab.truth.now(port).good, f"a good link on {port}")  # type: ignore[misc]  # mypy cannot infer a lambda's default
