"""What a switch is configured to: values that are compared, kept, rolled back and replaced."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from firmware_sims.switch.cable import COPPER_MBPS, FIBRE_MBPS, Wish
from tenone.vocabulary.states import Duplex

DEFAULT_VLAN = 1
DEFAULT_VLANS = frozenset({DEFAULT_VLAN, 99})
"""A switch is delivered here with VLAN 1, and 99 for who is put into quarantine."""


class LinkType(StrEnum):
    """How a port treats VLANs."""

    ACCESS = "access"
    TRUNK = "trunk"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSettings:
    """One port's configuration. What is None is the vendor's default."""

    shutdown: bool = False
    description: str = ""
    auto: bool | None = None
    """Huawei's own word for negotiation; None where it follows from speed and duplex."""
    speed_mbps: int | None = None
    duplex: Duplex | None = None
    link_type: LinkType = LinkType.ACCESS
    vlan: int = DEFAULT_VLAN
    """The access VLAN, or the PVID."""
    trust_dscp: bool = False
    queueing: str = ""
    """How the queues are served, in the vendor's words; empty for the default."""
    poe: bool = True

    @property
    def negotiates(self) -> bool:
        """Whether speed or duplex is left to negotiation."""
        if self.auto is not None:
            return self.auto
        return self.speed_mbps is None or self.duplex is None

    def wish(self, nominal_mbps: int) -> Wish:
        """What this asks of the other end, on a socket of that speed."""
        family = COPPER_MBPS if nominal_mbps in COPPER_MBPS else FIBRE_MBPS
        able = frozenset(mbps for mbps in family if mbps <= nominal_mbps)
        if self.negotiates:
            wanted = able if self.speed_mbps is None else frozenset({self.speed_mbps})
            return Wish(negotiates=True, speeds=wanted, duplex=self.duplex or Duplex.FULL)
        return Wish(
            negotiates=False,
            speeds=frozenset({self.speed_mbps or nominal_mbps}),
            duplex=self.duplex or Duplex.FULL,
        )

    def wire(self) -> tuple[object, ...]:
        """What makes a link go and come when it changes."""
        return (self.shutdown, self.negotiates, self.speed_mbps, self.duplex)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole switch's configuration."""

    name: str
    ports: Mapping[str, PortSettings] = field(default_factory=dict)
    """By the port's ``name``; every port is in it."""
    vlans: frozenset[int] = DEFAULT_VLANS
    lines: tuple[str, ...] = ()
    """Global lines that are kept and shown and mean nothing here, such as ``mls qos``."""

    def port(self, name: str) -> PortSettings:
        """The settings of the port called ``name``."""
        return self.ports[name]

    def with_port(self, name: str, settings: PortSettings) -> "Config":
        """The same with another section for one port."""
        return replace(self, ports={**self.ports, name: settings})
