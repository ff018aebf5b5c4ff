"""The room: takes what switches say of their surroundings, keeps it dated, tells who hangs on what.

Reads blocks of ``switch-identity``, ``neighbours``, ``stations`` and ``port-inventory``; a block of
an agent's backlog that is older than what was taken is left out. Not knowing a school's cables
is not knowing: nothing is said to hang on anything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from controller.api.services import Health
from controller.encode import Json
from controller.house import House
from controller.plan import CityPlan, LinkPlan
from controller.store.protocols import Arrival, StoreError
from controller.topology.drift import Drift, DriftView, find_drift, is_open_question
from controller.topology.net import Carriers, Kept, SchoolNet
from controller.topology.reading import (
    facts_of,
    heard_of,
    identity_of,
    ports_known,
    rows_of,
    stations_of,
)
from controller.topology.records import TopologyRecords
from controller.topology.views import drift_json, topology_json
from tenone.vocabulary.scope import ScopePath

log = logging.getLogger(__name__)

STREAMS = ("switch-identity", "neighbours", "stations", "port-inventory")
PRUNE_SECONDS = 3600.0
RETRY_SECONDS = 5.0
"""Wait before what could not be written is tried again."""
PAST_LIMIT = 1000

Listener = Callable[[str, Mapping[str, Carriers], Mapping[str, frozenset[str]]], None]
"""``told(school, carriers, shadows)``: what each switch hangs on, and what it takes along."""


class TopologyRoom:
    """See :class:`controller.house.Room`. All but open and close belong to the event loop."""

    name = "topology"

    def __init__(self, house: House) -> None:
        self._house = house
        self._clock = house.clock
        self._scopes = {one.id: house.plan.scope_of(one) for one in house.plan.schools}
        self._names = {one.id: one.name for one in house.plan.schools}
        self.nets = nets_of(house.plan)
        self.drifts: dict[str, dict[tuple[str, str], DriftView]] = {}
        self._records = TopologyRecords(house.records)
        self._inbox = house.bus.blocks(*STREAMS)
        self._kept: list[Kept] = []
        self._listeners: list[Listener] = []
        self._told: dict[str, Mapping[str, Carriers]] = {}
        self._trouble = ""
        self._writing = asyncio.Lock()

    # -- the Room protocol

    def open(self) -> None:
        """Learn from the records; of what the configuration no longer has, close the rows."""
        now_ns = self._clock.wall_ns()
        for (school, switch), ports in self._house.records.ports_of(now_ns).items():
            if (net := self.nets.get(school)) is not None and switch in net.hosts:
                net.take_ports(switch, ports_known(ports))
        for school, standing in self._records.load():
            net = self.nets.get(school)
            gone = standing.keys() if net is None else net.restore(standing)
            for table, key in gone:
                self._close(table, school, key, now_ns)
            if net is not None:
                self.drifts[school] = {view.drift.key: view for view in standing.drifts}
        for school in self.nets:
            self._judge(school, now_ns)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {"topology": self._run, "topology care": self._care}

    def health(self) -> Health:
        """See the protocol."""
        cables = sum(len(net.edges) for net in self.nets.values())
        drifts = sum(len(views) for views in self.drifts.values())
        said = f"{cables} cables heard, {drifts} differences from the inventory"
        return Health(name=self.name, ready=not self._trouble, sentence=self._trouble or said)

    def close(self) -> None:
        """Keep what is left."""
        if self._kept:
            self._records.write(self._kept)
            self._kept = []

    # -- taking in

    async def _run(self) -> None:
        for school in self.nets:
            self._tell(school)
        while True:
            await self.take(await self._inbox.take())

    async def take(self, arrivals: Iterable[Arrival]) -> None:
        """Take blocks in, judge the schools they are of, keep and tell what changed."""
        touched: dict[str, int] = {}
        for arrival in arrivals:
            if self._take(arrival):
                at_ns = arrival.block.stamp.wall_ns
                touched[arrival.school] = max(at_ns, touched.get(arrival.school, 0))
        for school, at_ns in touched.items():
            self._kept += self.nets[school].settle(at_ns)
            self._judge(school, at_ns)
            self._tell(school)
        await self.keep()

    def _take(self, arrival: Arrival) -> bool:
        """Whether the block said something of a switch that is configured."""
        net = self.nets.get(arrival.school)
        _, kind, switch = arrival.block.stamp.subject.split("/", 2)
        at_ns = arrival.block.stamp.wall_ns
        stream = arrival.layout.stream
        if net is None or kind != "switch" or stream not in STREAMS:
            return False
        if not net.is_new(switch, stream, at_ns):
            return False
        rows = rows_of(arrival)
        match stream:
            case "switch-identity":
                self._kept += net.passed(switch, at_ns)
                for row in rows.values():
                    self._kept += net.take_identity(switch, identity_of(row), at_ns)
            case "neighbours":
                heard = [heard_of(switch, row) for row in rows.values()]
                self._kept += net.take_neighbours(switch, heard, at_ns)
            case "stations":
                net.take_stations(switch, stations_of(rows.values()))
            case "port-inventory":
                net.take_ports(switch, ports_known([facts_of(key, r) for key, r in rows.items()]))
        return True

    def _judge(self, school: str, at_ns: int) -> None:
        """Open and close drift by what is seen now."""
        standing = self.drifts.setdefault(school, {})
        net = self.nets[school]
        now = find_drift(net)
        for key in [key for key in standing if key not in now]:
            if is_open_question(net, standing[key].drift):
                continue
            del standing[key]
            self._close("drift", school, key, at_ns)
        for key, drift in now.items():
            before = standing.get(key)
            if before is None or before.drift != drift:
                standing[key] = DriftView(drift=drift, since_ns=at_ns)
                self._kept.append(_opened(drift, at_ns))

    def _close(self, table: str, school: str, key: tuple[str, ...], at_ns: int) -> None:
        self._kept.append(Kept(table=table, school=school, key=key, values=None, at_ns=at_ns))

    # -- keeping and telling

    async def keep(self) -> None:
        """Write what changed; what cannot be written is tried again and not forgotten."""
        async with self._writing:
            while self._kept:
                kept, self._kept = self._kept, []
                try:
                    await self._house.in_records(self._records.write, kept)
                    self._trouble = ""
                except StoreError as error:
                    self._kept = kept + self._kept
                    self._trouble = str(error)
                    log.error("%s", error)  # noqa: TRY400 - the sentence is all there is to say
                    await self._clock.sleep(RETRY_SECONDS)

    async def _care(self) -> None:
        while True:
            await self._house.in_records(self._records.prune, self._clock.wall_ns())
            await self._clock.sleep(PRUNE_SECONDS)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` whenever what hangs on what changes; it must be quick."""
        self._listeners.append(listener)
        for school in self._told:
            listener(school, self._told[school], self._shadows(school))

    def _tell(self, school: str) -> None:
        carriers = self.nets[school].carriers()
        if self._told.get(school) == carriers:
            return
        self._told[school] = carriers
        shadows = self._shadows(school)
        for listener in self._listeners:
            listener(school, carriers, shadows)

    def _shadows(self, school: str) -> dict[str, frozenset[str]]:
        net = self.nets[school]
        return {switch: net.shadow(switch) for switch in net.hosts}

    # -- for the API

    def schools_in(self, scope: ScopePath) -> list[str]:
        """Ids of the schools inside ``scope``."""
        return [school for school, where in self._scopes.items() if scope.covers(where)]

    def graph(self, school: str) -> Json:
        """Nodes and edges of one school; KeyError where there is none such."""
        return topology_json(self.nets[school], self._names[school])

    def drift(self, scope: ScopePath) -> list[Json]:
        """Differences that stand."""
        return [
            drift_json(view)
            for school in self.schools_in(scope)
            for view in self.drifts.get(school, {}).values()
        ]

    async def past_drift(self, scope: ScopePath) -> list[Json]:
        """Differences that are over, the newest of them."""
        schools = set(self.schools_in(scope))
        views = await self._house.in_records(self._records.past, schools, PAST_LIMIT)
        return [drift_json(view) for view in views]

    async def accept(self, drift_id: str, scope: ScopePath) -> Json | None:
        """A person says that what is seen is right; None where there is no such difference.

        Raises :class:`ValueError` where the inventory alone can mend it.
        """
        for school in self.schools_in(scope):
            for view in self.drifts.get(school, {}).values():
                if view.id == drift_id:
                    return await self._accept(school, view)
        return None

    async def _accept(self, school: str, view: DriftView) -> Json:
        now_ns = self._clock.wall_ns()
        kind = {"switch-replaced": "accepted", "moved": "home"}.get(view.drift.kind.value, "")
        adopted = self.nets[school].adopt(kind, view.drift.subject, now_ns)
        if not adopted:
            raise ValueError(
                "only a replaced switch, and a moved device whose room the inventory does not "
                "say, can be accepted here: "
                "mend the rest in the school's configuration or at the switch"
            )
        self._kept += adopted
        self._judge(school, now_ns)
        await self.keep()
        return drift_json(view) | {"resolved_at": now_ns / 1e9}


def nets_of(plan: CityPlan) -> dict[str, SchoolNet]:
    """An empty net a school."""
    hosts: dict[str, dict[str, str]] = {one.id: {} for one in plan.schools}
    for switch in plan.switches:
        hosts[switch.school][switch.name] = switch.host
    devices: dict[str, dict[str, str]] = {one.id: {} for one in plan.schools}
    for device in plan.devices:
        names = (device.serial, device.name, device.mac)
        devices[device.school] |= {name: device.id for name in names if name}
    rooms: dict[str, dict[str, str]] = {one.id: {} for one in plan.schools}
    for device in plan.devices:
        if device.mac is not None and device.room is not None:
            rooms[device.school][device.mac] = device.room
    links: dict[str, list[LinkPlan]] = {one.id: [] for one in plan.schools}
    for link in plan.links:
        links[link.school].append(link)
    return {
        one.id: SchoolNet(
            one.id,
            hosts=hosts[one.id],
            links=links[one.id],
            devices=devices[one.id],
            rooms=rooms[one.id],
        )
        for one in plan.schools
    }


def _opened(drift: Drift, at_ns: int) -> Kept:
    values = {name: getattr(drift, name) for name in ("link", "place", "expected", "seen")}
    return Kept(table="drift", school=drift.school, key=drift.key, values=values, at_ns=at_ns)
