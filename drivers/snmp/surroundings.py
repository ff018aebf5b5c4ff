"""What a switch says about its surroundings, as streams: neighbours, stations, radio, terminals.

Of the stations behind a port only their number becomes a column; the row of a station does
only where the caller's filter knows it as infrastructure (decision 0010). Everything is read
hourly and on change, within one budget; a slow device is named in the error it causes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from drivers.snmp import mib
from drivers.snmp.ber import Missing, Value
from drivers.snmp.errors import AgentError, SnmpError
from drivers.snmp.identity import System, read_system
from drivers.snmp.neighbour import Neighbour, text_of
from drivers.snmp.neighbours import CHASSIS_MAC, read_neighbours
from drivers.snmp.ports import Port, mac_text
from drivers.snmp.reading import Reading, Readings
from drivers.snmp.session import Session
from drivers.snmp.stations import Station, Stations, read_stations
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Budget
from drivers.snmp.truth import ETHERNET_TYPES
from drivers.snmp.vendor_reader import Cell, read_vendor_tables
from drivers.snmp.vendor_tables import tables_for, vendor_specs
from tenone.blocks.columns import Column
from tenone.vocabulary.surroundings import SURROUNDINGS

SURROUNDINGS_SECONDS = 120.0
SURROUNDINGS_REQUESTS = 20_000
MAX_DESCR = 400
"""Letters kept of a neighbour's description of itself."""

StationFilter = Callable[[str, Collection[str]], bool]
"""``keeps(mac, heard)``: whether the station ``mac`` is infrastructure and its row may leave.

``heard`` are the addresses that network devices named in their neighbour messages.
"""


@dataclass(frozen=True, slots=True)
class KnownStations:
    """The usual filter: what the school's inventory lists, and what neighbours said they are."""

    inventory: frozenset[str]
    """Addresses of boards, switches, access points ..., lower-case hex with colons."""

    def __call__(self, mac: str, heard: Collection[str]) -> bool:
        """See :data:`StationFilter`."""
        return mac in self.inventory or mac in heard


NOBODY = KnownStations(frozenset())
"""Keeps only what neighbours said of themselves."""


class SurroundingsReader:
    """A :class:`TableReader`; ``read`` raises :class:`SnmpError` when the device is silent."""

    def __init__(
        self,
        switch: SwitchReader,
        *,
        name: str,
        keeps: StationFilter = NOBODY,
        seconds: float = SURROUNDINGS_SECONDS,
        own: Collection[str] = (),
    ) -> None:
        """``own``: addresses of this very machine, lower-case hex with colons."""
        self._switch = switch
        self._name = name
        self._keeps = keeps
        self._seconds = seconds
        self._own = frozenset(own)
        self.own_ports: frozenset[str] = frozenset()
        """Ports behind which this machine was learnt in the last reading."""

    async def read(self) -> Readings:
        """Ask once for everything."""
        clock = self._switch.client.clock
        budget = self._switch.client.budget(self._seconds, SURROUNDINGS_REQUESTS)
        session = await self._switch.session()
        sent_ns = clock.monotonic_ns()
        system = await read_system(session, budget)
        errors: list[SnmpError] = []
        readings = [await self._identity(session, system, budget)]
        if not self._switch.ports:
            await self._switch.state()
        ports = self._switch.ports
        neighbours, error = await read_neighbours(session, ports, budget)
        if error is None:
            network = [one for one in neighbours if self._shown(one)]
            readings.append(_neighbours(network))
        else:
            errors.append(error)
            network = [one for one in neighbours if self._shown(one)]
        stations = await read_stations(session, ports, budget)
        if stations.error is None:
            self.own_ports = frozenset(
                one.port for one in stations.learnt if one.port and one.mac in self._own
            )
            # Who tells of no neighbour at all may know none because it does not listen.
            ends = (
                Counter(one.local_port for one in neighbours if not self._shown(one))
                if neighbours and error is None
                else None
            )
            readings += self._stations(stations, ends, heard_macs(network))
        else:
            errors.append(stations.error)
        enterprise = _enterprise(system)
        tables = tables_for(vendor_specs(), enterprise, system.descr or "")
        vendor = await read_vendor_tables(session, tables, ports, budget)
        errors += vendor.failed.values()
        readings += [
            as_reading(stream, rows)
            for stream, rows in sorted(vendor.rows.items())
            if stream not in vendor.failed
        ]
        return Readings(
            readings=tuple(readings),
            errors=tuple(errors),
            uptime_ticks=system.uptime_ticks,
            sent_ns=sent_ns,
            received_ns=clock.monotonic_ns(),
        )

    def _shown(self, one: Neighbour) -> bool:
        return one.network or (one.remote_mac is not None and self._keeps(one.remote_mac, ()))

    async def _identity(self, session: Session, system: System, budget: Budget) -> Reading:
        kind, chassis, base, engine = await _scalars(
            session,
            (
                mib.LLDP_LOC_CHASSIS_SUBTYPE,
                mib.LLDP_LOC_CHASSIS_ID,
                mib.BRIDGE_BASE_MAC,
                mib.SNMP_ENGINE_ID,
            ),
            budget,
        )
        return as_reading(
            "switch-identity",
            {
                self._name: {
                    "own_chassis_id": mac_text(chassis)
                    if kind == CHASSIS_MAC
                    else text_of(chassis),
                    "own_base_mac": mac_text(base),
                    "own_serial": system.serial,
                    "own_engine_id": engine.hex() if isinstance(engine, bytes) else None,
                    "own_model": system.model,
                }
            },
        )

    def _stations(
        self, stations: Stations, ends: Counter[str] | None, heard: Collection[str]
    ) -> list[Reading]:
        foreign = [one for one in stations.learnt if not one.own]
        kept = [one for one in foreign if self._keeps(one.mac, heard)]
        return [
            as_reading("station-counts", station_counts(self._switch.ports, stations, ends)),
            as_reading("stations", _station_rows(kept, stations, self._keeps, heard)),
        ]


def station_counts(
    ports: Sequence[Port], stations: Stations, ends: Counter[str] | None
) -> dict[str, dict[str, Cell]]:
    """A row a wired port, used or not: who comes and goes must not make a new layout each time.

    Where the device told no forwarding database, or no neighbour at all, the number is unknown
    and not 0.
    """
    counts = Counter(
        port
        for port, _ in {(one.port, one.mac) for one in stations.learnt if not one.own}
        if port is not None
    )
    if not stations.learnt and not ends:
        return {}
    wired = {port.key for port in ports if port.type in ETHERNET_TYPES}
    return {
        port: {
            "station_count": counts.get(port, 0) if stations.learnt else None,
            "end_neighbour_count": None if ends is None else ends.get(port, 0),
        }
        for port in sorted({*wired, *counts, *(ends or ())})
    }


def heard_macs(neighbours: Iterable[Neighbour]) -> frozenset[str]:
    """The addresses network devices gave as their own."""
    return frozenset(one.remote_mac for one in neighbours if one.remote_mac is not None)


def _station_rows(
    kept: Sequence[Station], stations: Stations, keeps: StationFilter, heard: Collection[str]
) -> dict[str, dict[str, Cell]]:
    rows: dict[str, dict[str, Cell]] = {}
    vlans: dict[str, set[int]] = {}
    for one in kept:
        key = f"{one.mac}@{one.port}" if one.port is not None else one.mac
        rows[key] = {"station_mac": one.mac, "station_port": one.port}
        if one.vlan is not None:
            vlans.setdefault(key, set()).add(one.vlan)
    switched = {one.mac for one in kept}
    for mac in stations.addresses:
        if mac not in switched and keeps(mac, heard):
            port = stations.bound_to.get(mac)
            rows[f"{mac}@{port}" if port is not None else mac] = {
                "station_mac": mac,
                "station_port": port,
            }
    for key, row in rows.items():
        said = stations.addresses.get(str(row["station_mac"]), ())
        row["station_addresses"] = " ".join(said) or None
        row["station_vlans"] = ",".join(str(one) for one in sorted(vlans.get(key, ()))) or None
    return rows


def _neighbours(neighbours: Sequence[Neighbour]) -> Reading:
    rows: dict[str, dict[str, Cell]] = {}
    times: Counter[str] = Counter()
    # An order of its own: the agent's changes whenever a neighbour is heard anew.
    for one in sorted(neighbours, key=_order):
        times[one.local_port] += 1
        rows[f"{one.local_port}|{times[one.local_port]}"] = neighbour_cells(one)
    return as_reading("neighbours", rows)


def _order(one: Neighbour) -> tuple[str, str, str, str, str]:
    return (
        one.local_port,
        one.protocol,
        one.chassis_id or "",
        one.remote_port or "",
        one.remote_name or "",
    )


def neighbour_cells(one: Neighbour) -> dict[str, Cell]:
    """A neighbour as the columns of ``neighbours``."""
    capabilities = one.capabilities
    return {
        "neighbour_port": one.local_port,
        "neighbour_protocol": one.protocol,
        "neighbour_chassis_id": one.chassis_id,
        "neighbour_mac": one.remote_mac,
        "neighbour_remote_port": one.remote_port,
        "neighbour_port_descr": one.port_descr,
        "neighbour_name": one.remote_name,
        "neighbour_descr": (one.remote_descr or "")[:MAX_DESCR] or None,
        "neighbour_platform": one.platform,
        "neighbour_capabilities": None if capabilities is None else " ".join(sorted(capabilities)),
        "neighbour_address": one.address,
    }


def as_reading(stream: str, rows: Mapping[str, Mapping[str, Cell]]) -> Reading:
    """Rows of named cells as the columns of ``stream``, in its order; what is not said is None."""
    keys = tuple(rows)
    return Reading(
        stream=stream,
        rows=keys,
        columns=tuple(
            Column.of(name, [rows[key].get(name) for key in keys]) for name in SURROUNDINGS[stream]
        ),
    )


def _enterprise(system: System) -> int | None:
    said = system.object_id or ""
    arcs = tuple(int(arc) for arc in said.split(".")) if said else ()
    size = len(mib.ENTERPRISES)
    return arcs[size] if arcs[:size] == mib.ENTERPRISES and len(arcs) > size else None


async def _scalars(
    session: Session, names: Sequence[tuple[int, ...]], budget: Budget
) -> list[Value]:
    """The value of each name; None where the agent has none or will not say."""
    found: list[Value] = []
    for name in names:
        try:
            (bind,) = await session.get([name], budget)
        except AgentError:
            found.append(None)
            continue
        found.append(None if isinstance(bind.value, Missing) else bind.value)
    return found
