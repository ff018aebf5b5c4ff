"""One school's network as its switches describe it: cables, identities, who sits where. Pure.

What a switch said stays until it says otherwise: a neighbour is gone when its port shows another
one instead, or when :data:`MISSES` whole readings on end lack it. A reading that failed says
nothing. Older readings than the newest taken are left out (an agent's backlog).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

from controller.plan import LinkPlan
from controller.topology.directory import Directory
from controller.topology.model import Edge, Heard, Identity, Place, switch_node
from controller.topology.tree import Tree, adjacency, distances, grow
from tenone.vocabulary.states import Tier

MISSES = 3
"""Whole readings on end a neighbour may be missing from before its cable is gone."""

Carriers = tuple[tuple[str, ...], ...]
"""Groups of ``switch/<name>`` and ``link/<id>``; see :mod:`controller.topology.tree`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports a switch has: keys, texts that mean exactly one of them, their addresses."""

    keys: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict)
    macs: frozenset[str] = frozenset()

    def key_of(self, bound: str) -> str | None:
        """The port a binding means; None where no single port does."""
        return bound if bound in self.keys else self.names.get(bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One dated fact to keep: ``values`` from ``at_ns`` on, None: no longer."""

    table: str
    school: str
    key: tuple[str, ...]
    values: Mapping[str, object] | None
    at_ns: int


class Restored(Protocol):
    """What the records give back; see :class:`controller.topology.standing.Standing`."""

    @property
    def edges(self) -> Mapping[tuple[str, str, str], Edge]: ...  # noqa: D102 - as SchoolNet's
    @property
    def identities(self) -> Mapping[str, Identity]: ...  # noqa: D102 - as SchoolNet's
    @property
    def accepted(self) -> Mapping[str, Identity]: ...  # noqa: D102 - as SchoolNet's
    @property
    def homes(self) -> Mapping[str, Place]: ...  # noqa: D102 - as SchoolNet's


class SchoolNet:
    """See the module."""

    def __init__(
        self,
        school: str,
        *,
        hosts: Mapping[str, str],
        links: Sequence[LinkPlan],
        devices: Mapping[str, str],
        rooms: Mapping[str, str] | None = None,
    ) -> None:
        """``hosts``: switch -> the address it is asked at; ``devices``: name -> device id.

        ``rooms``: address -> room, of the devices whose place the inventory knows.
        """
        self.school = school
        self.hosts = hosts
        self.links = links
        self.edges: dict[tuple[str, str, str], Edge] = {}
        self.identities: dict[str, Identity] = {}
        self.accepted: dict[str, Identity] = {}
        """The identity each switch is known to have; another one is drift."""
        self.ports: dict[str, Ports] = {}
        self.stations: dict[str, Mapping[str, str]] = {}
        """Switch -> address -> port it is learnt on, of infrastructure."""
        self.homes: dict[str, Place] = {}
        """Address -> where it belongs, as first seen."""
        self._device_names = devices
        self._rooms = dict(rooms or {})
        self._misses: dict[tuple[str, str, str], int] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self._silent: set[str] = set()
        """Switches whose last word was that they hear nobody."""
        self._passes: dict[str, int] = {}
        """When each switch was last asked for its surroundings."""
        self._directory: Directory | None = None
        self._tree: Tree | None = None

    def restore(self, standing: Restored) -> list[tuple[str, tuple[str, ...]]]:
        """Take what was in force; return table and key of what the configuration no longer has."""
        gone: list[tuple[str, tuple[str, ...]]] = []
        for key, edge in standing.edges.items():
            if edge.heard.switch in self.hosts:
                self.edges[key] = edge
            else:
                gone.append(("edge", key))
        for kind, said, into in (
            ("identity", standing.identities, self.identities),
            ("accepted", standing.accepted, self.accepted),
        ):
            for switch, identity in said.items():
                if switch in self.hosts:
                    into[switch] = identity
                else:
                    gone.append(("baseline", (kind, switch)))
        for mac, place in standing.homes.items():
            if place.switch in self.hosts:
                self.homes[mac] = place
            else:
                gone.append(("baseline", ("home", mac)))
        self._changed()
        return gone

    # -- taking in

    def is_new(self, switch: str, stream: str, at_ns: int) -> bool:
        """Whether a reading of this moment is the newest of its kind, and a known switch's."""
        if switch not in self.hosts or self._newest.get((switch, stream), -1) >= at_ns:
            return False
        self._newest[switch, stream] = at_ns
        return True

    def take_identity(self, switch: str, identity: Identity, at_ns: int) -> list[Kept]:
        """What a switch said of itself."""
        if self.identities.get(switch) == identity:
            return []
        self.identities[switch] = identity
        self._changed()
        kept = [self._keep("identity", switch, asdict(identity), at_ns)]
        if switch not in self.accepted:
            self.accepted[switch] = identity
            kept.append(self._keep("accepted", switch, asdict(identity), at_ns))
        return kept

    def take_ports(self, switch: str, ports: Ports) -> None:
        """The whole list of a switch's ports."""
        if self.ports.get(switch) != ports:
            self.ports[switch] = ports
            self._changed()

    def passed(self, switch: str, at_ns: int) -> list[Kept]:
        """A switch was asked anew. That it hears nobody is said once and then left unsaid."""
        before = self._passes.get(switch)
        self._passes[switch] = at_ns
        told = self._newest.get((switch, "neighbours"))
        if switch not in self._silent or before is None or told is None or told >= before:
            return []
        return self.take_neighbours(switch, (), at_ns)

    def take_neighbours(self, switch: str, heard: Iterable[Heard], at_ns: int) -> list[Kept]:
        """The whole list of a switch's neighbours."""
        now = {one.key: one for one in heard}
        (self._silent.discard if now else self._silent.add)(switch)
        ports = {one.port for one in now.values()}
        kept: list[Kept] = []
        for key, edge in list(self.edges.items()):
            if edge.heard.switch != switch or key in now:
                continue
            self._misses[key] = self._misses.get(key, 0) + 1
            if edge.heard.port in ports or self._misses[key] >= MISSES:
                del self.edges[key], self._misses[key]
                kept.append(Kept(
                    table="edge", school=self.school, key=key, values=None, at_ns=at_ns
                ))  # fmt: skip
        for key, one in now.items():
            self._misses.pop(key, None)
            standing = self.edges.get(key)
            if standing is None or standing.heard != one:
                since_ns = at_ns if standing is None else standing.since_ns
                self.edges[key] = Edge(heard=one, since_ns=since_ns)
                kept.append(Kept(
                    table="edge", school=self.school, key=key, values=_values(one), at_ns=at_ns
                ))  # fmt: skip
        if kept:
            self._changed()
        return kept

    def take_stations(self, switch: str, stations: Mapping[str, str]) -> None:
        """Addresses of infrastructure and the ports they are learnt on."""
        self.stations[switch] = stations

    def settle(self, at_ns: int) -> list[Kept]:
        """Give what is seen for the first time its home, and let homes that bind nobody follow."""
        kept = []
        bound = self.bound
        for mac, place in self.places().items():
            home = self.homes.get(mac)
            if home is None or (home != place and home not in bound):
                self.homes[mac] = place
                values: dict[str, object] = {"switch": place.switch, "port": place.port}
                kept.append(self._keep("home", mac, values, at_ns))
        return kept

    def adopt(self, kind: str, name: str, at_ns: int) -> list[Kept]:
        """A person says that what is seen now is right: of a switch, or of a device."""
        if kind == "accepted" and name in self.identities:
            self.accepted[name] = self.identities[name]
            return [self._keep("accepted", name, asdict(self.accepted[name]), at_ns)]
        kept: list[Kept] = []
        listed = self.listed_homes()
        for mac, place in self.places().items():
            if kind == "home" and self.directory.label(mac) == name and mac not in listed:
                self.homes[mac] = place
                values: dict[str, object] = {"switch": place.switch, "port": place.port}
                kept.append(self._keep("home", mac, values, at_ns))
        return kept

    # -- what follows from it

    @property
    def directory(self) -> Directory:
        """Who is who."""
        if self._directory is None:
            macs = {switch: ports.macs for switch, ports in self.ports.items()}
            self._directory = Directory(self.hosts, self.identities, macs, self._device_names)
        return self._directory

    @property
    def bound(self) -> dict[Place, LinkPlan]:
        """The port each link is bound to, by the port's own key where it is known."""
        found: dict[Place, LinkPlan] = {}
        for link in self.links:
            if link.switch is not None and link.port is not None:
                known = self.ports.get(link.switch)
                key = known.key_of(link.port) if known is not None else None
                found[Place(link.switch, key or link.port)] = link
        return found

    @property
    def roots(self) -> list[str]:
        """Nodes of the switches that carry an uplink."""
        ends = {link.switch for link in self.links if link.tier is Tier.UPLINK}
        return sorted(switch_node(switch) for switch in self.hosts if switch in ends)

    @property
    def tree(self) -> Tree:
        """Next hops towards the uplinks; empty of whatever the switches have not said."""
        if self._tree is None:
            self._tree = grow(
                adjacency(self.pairs(), map(switch_node, self.hosts)),
                self.roots,
                {switch_node(name) for name in self.hosts},
            )
        return self._tree

    def pairs(self) -> list[tuple[str, str]]:
        """The graph's edges, one a cable and hearing end."""
        node_of = self.directory.node_of
        edges = self.edges.values()
        return [(switch_node(edge.heard.switch), node_of(edge.heard)) for edge in edges]

    @property
    def all_told(self) -> bool:
        """Whether every switch has told addresses it can be known by."""
        return all(
            self.identities.get(switch, Identity()).macs
            or (switch in self.ports and self.ports[switch].macs)
            for switch in self.hosts
        )

    def trunks(self) -> frozenset[Place]:
        """Ports that lead to another switch: every address beyond is learnt on them."""
        return frozenset(
            Place(edge.heard.switch, edge.heard.port)
            for edge in self.edges.values()
            if self.directory.switch_of(edge.heard) is not None
        )

    def places(self) -> dict[str, Place]:
        """Where each address sits, of those that sit on exactly one port that is no trunk."""
        trunks = self.trunks()
        found: dict[str, set[Place]] = {}
        for switch, stations in self.stations.items():
            for mac, port in stations.items():
                found.setdefault(mac, set()).add(Place(switch, port))
        for edge in self.edges.values():
            if edge.heard.mac is not None:
                place = Place(edge.heard.switch, edge.heard.port)
                found.setdefault(edge.heard.mac, set()).add(place)
        alone = {mac: places - trunks for mac, places in found.items()}
        return {mac: places.pop() for mac, places in alone.items() if len(places) == 1}

    def listed_homes(self) -> dict[str, Place]:
        """Where the inventory says an address belongs: at the port of its room's only link."""
        of_room: dict[str, list[Place]] = {}
        for place, link in self.bound.items():
            if link.room is not None and link.tier is Tier.CLASS:
                of_room.setdefault(link.room, []).append(place)
        return {
            mac: of_room[room][0]
            for mac, room in self._rooms.items()
            if len(of_room.get(room, ())) == 1
        }

    def carriers(self) -> dict[str, Carriers]:
        """Switch -> what it hangs on: switches, and a backbone link where one lone cable is it."""
        found = {}
        links = self._lone_cables()
        for switch in self.hosts:
            node = switch_node(switch)
            groups = self.tree.groups.get(node, ())
            link = links.get(node)
            own: Carriers = () if link is None else ((f"link/{link.link}",),)
            found[switch] = (*own, *groups)
        return found

    def shadow(self, switch: str) -> frozenset[str]:
        """Names of the switches that are cut off when ``switch`` is dead."""
        lost = self.tree.shadow.get(switch_node(switch), frozenset())
        return frozenset(name for name in self.hosts if switch_node(name) in lost)

    def _lone_cables(self) -> dict[str, LinkPlan]:
        """Node -> the link bound to the far end of the only cable towards the uplinks.

        Only where the link is bound at the nearer end: one bound at the node's own port is
        carried by the node, and could not be its carrier too.
        """
        bound, distance = self.bound, self.tree.distance
        found = {}
        for edge in self.edges.values():
            place = Place(edge.heard.switch, edge.heard.port)
            near, far = switch_node(place.switch), self.directory.node_of(edge.heard)
            link = bound.get(place)
            if link is None or link.tier is Tier.CLASS or near not in distance:
                continue
            if distance.get(far, -1) == distance[near] + 1 and self._only_cable(near, far, place):
                found[far] = link
        return found

    def _only_cable(self, near: str, far: str, place: Place) -> bool:
        node_of = self.directory.node_of
        ends = {
            Place(edge.heard.switch, edge.heard.port)
            for edge in self.edges.values()
            if {switch_node(edge.heard.switch), node_of(edge.heard)} == {near, far}
        }
        # Either end may hear on fewer ports than there are cables.
        if [one for one in ends if switch_node(one.switch) == near] != [place] or len(ends) > 2:  # noqa: PLR2004 - a cable's
            return False
        rest = [pair for pair in self.pairs() if set(pair) != {near, far}]
        return far not in distances(adjacency(rest, (near, far)), self.roots)

    def _changed(self) -> None:
        self._directory = None
        self._tree = None

    def _keep(self, kind: str, name: str, values: Mapping[str, object], at_ns: int) -> Kept:
        return Kept(
            table="baseline", school=self.school, key=(kind, name), values=values, at_ns=at_ns
        )


def _values(heard: Heard) -> dict[str, object]:
    return {
        "protocol": heard.protocol,
        "chassis_id": heard.chassis_id,
        "mac": heard.mac,
        "remote_port": heard.remote_port,
        "name": heard.name,
        "address": heard.address,
        "capabilities": _joined(heard.capabilities),
    }


def _joined(names: Collection[str] | None) -> str | None:
    return None if names is None else " ".join(sorted(names))
