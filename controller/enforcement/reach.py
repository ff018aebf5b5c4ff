"""Which ports of a school carry other switches, the gateway or the way to the city. Pure.

Known are cables as switches hear them (LLDP), links as the inventory binds them, ports the school
protects. A port that carries a class by inventory and no cable by the network is a leaf. Of a
port that nobody bound nothing is known unless everything else is: it is free only where every
switch of the school is reached from an uplink over cables whose ports are known, and the school
has said where its gateway is plugged in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tenone.vocabulary.states import Tier

SHARED = frozenset({Tier.UPLINK, Tier.BACKBONE})


class PortRef(NamedTuple):
    """A port of a switch of one school."""

    switch: str
    port: str

    def __str__(self) -> str:
        return f"{self.switch} {self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A cable as one end hears it."""

    near: PortRef
    far: str | None = None
    """The switch of the school at the other end; None: it is none of them."""
    far_port: str | None = None
    """Its port, where that is known."""
    network: bool = True
    """What is at the other end carries others' traffic, as far as it says."""
    words: str = ""
    """What to call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A link the inventory binds to a port."""

    at: PortRef
    link: str
    """``school/link``."""
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What is known of a school's network."""

    switches: frozenset[str] = frozenset()
    cables: tuple[Cable, ...] = ()
    bound: tuple[Bound, ...] = ()
    protected: frozenset[PortRef] = frozenset()
    """By school.yaml: emergency devices, the way to the gateway."""
    emergency: Mapping[PortRef, str] = field(default_factory=dict)
    """Ports where an emergency device was seen, and its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What follows from a :class:`Network`."""

    uplinks: Mapping[PortRef, str]
    """Ports of uplink and backbone links, and the link."""
    ways: Mapping[PortRef, str]
    """Ports that lead to another switch or to network gear, and to which."""
    leaves: frozenset[PortRef]
    """Ports that carry a class or an access point by inventory."""
    blind: str
    """Why nothing is known of a port nobody bound; empty: everything else is known."""
    vague: frozenset[str]
    """Switches that a cable reaches at a port nobody knows."""
    related: Mapping[str, frozenset[str]]
    """Switch -> those above and below it on the way to an uplink, itself left out."""
    protected: frozenset[PortRef]
    emergency: Mapping[PortRef, str]


def reach_of(network: Network) -> Reach:
    """See the module."""
    uplinks = {one.at: one.link for one in network.bound if one.tier in SHARED}
    leaves = frozenset(one.at for one in network.bound if one.tier not in SHARED)
    ways: dict[PortRef, str] = {}
    for cable in network.cables:
        if cable.far is None:
            if cable.network and cable.near not in leaves:
                ways.setdefault(cable.near, cable.words or "network gear nobody configured")
            continue
        ways[cable.near] = cable.far
        if cable.far_port is not None:
            ways[PortRef(cable.far, cable.far_port)] = cable.near.switch
    # Two ends that each hear the other and no port of it may be those of one cable or of two.
    told = {PortRef(one.far, one.far_port) for one in network.cables
            if one.far is not None and one.far_port is not None}  # fmt: skip
    vague = {
        one.far
        for one in network.cables
        if one.far is not None and one.far_port is None and one.near not in told
    }
    roots = {one.at.switch for one in network.bound if one.tier is Tier.UPLINK}
    distance = _distances(network, roots)
    return Reach(
        uplinks=uplinks,
        ways=ways,
        leaves=leaves,
        blind=_blind(network, roots, distance),
        vague=frozenset(vague),
        related=_related(network, distance),
        protected=network.protected,
        emergency=network.emergency,
    )


def _blind(network: Network, roots: Iterable[str], distance: Mapping[str, int]) -> str:
    if not network.protected:
        return "nobody said where the gateway is plugged in (cli.protected in school.yaml)"
    if not roots:
        return "no uplink is bound to a port of the school"
    lost = sorted(network.switches - distance.keys())
    return f"nobody knows by which ports {lost[0]} hangs on the others" if lost else ""


def _neighbours(network: Network) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {switch: set() for switch in network.switches}
    for cable in network.cables:
        if cable.far is not None and cable.far != cable.near.switch:
            graph.setdefault(cable.near.switch, set()).add(cable.far)
            graph.setdefault(cable.far, set()).add(cable.near.switch)
    return graph


def _distances(network: Network, roots: Iterable[str]) -> dict[str, int]:
    graph = _neighbours(network)
    found = dict.fromkeys((root for root in roots if root in graph), 0)
    queue = list(found)
    for switch in queue:
        for other in sorted(graph[switch]):
            if other not in found:
                found[other] = found[switch] + 1
                queue.append(other)
    return found


def _related(network: Network, distance: Mapping[str, int]) -> dict[str, frozenset[str]]:
    """Above: every switch on any shortest way up; below: those whose way up goes through it.

    Of a switch that no uplink reaches nobody knows what it carries: it is related to all.
    """
    graph = _neighbours(network)
    above: dict[str, set[str]] = {}
    for switch in sorted(distance, key=lambda one: (distance[one], one)):
        above[switch] = set()
        for other in graph[switch]:
            if distance.get(other, -1) == distance[switch] - 1:
                above[switch] |= {other} | above[other]
    related = {switch: set(above.get(switch, ())) for switch in network.switches}
    for switch, others in above.items():
        for other in others:
            related.setdefault(other, set()).add(switch)
    lost = network.switches - distance.keys()
    for switch in lost:
        related[switch] = set(network.switches) - {switch}
        for other in related[switch]:
            related[other].add(switch)
    return {switch: frozenset(others) for switch, others in related.items()}
