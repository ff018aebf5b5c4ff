"""Recorded devices and their surroundings, against the oracle; and what leaves the school."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pytest

from drivers.snmp.client import SnmpClient
from drivers.snmp.neighbour import Neighbour
from drivers.snmp.neighbours import read_neighbours
from drivers.snmp.ports import Port
from drivers.snmp.reading import Readings
from drivers.snmp.stations import Station, Stations, read_stations
from drivers.snmp.surroundings import (
    KnownStations,
    SurroundingsReader,
    as_reading,
    station_counts,
)
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from firmware_sims.switch import fleet, replay
from firmware_sims.switch.server import Fleet
from tenone.runtime.clock import SystemClock
from tests.snmp.oracle import captures, devices
from tests.snmp.surroundings_oracle import (
    Score,
    compare_fdb,
    compare_links,
    compare_wireless,
    truth_of,
)

NAMES = devices()
pytestmark = pytest.mark.skipif(
    not NAMES, reason=f"no recorded devices in {captures()}: set TENONE_CAPTURES"
)


@dataclass
class Look:
    """One device, looked at once."""

    switch: SwitchReader
    neighbours: list[Neighbour]
    stations: Stations
    readings: Readings


async def look(name: str, inventory: Collection[str] = ()) -> Look:
    recording = replay.load(captures() / f"{name}.snmprec")
    setting = fleet.Setting(clock=SystemClock())
    unit = fleet.recorded(recording, name, "public", ("127.0.0.1", 0), setting)
    async with Fleet([unit.endpoint]), SnmpClient(clock=SystemClock()) as client:
        target = Target(host="127.0.0.1", port=unit.endpoint.port, community="public")
        switch = SwitchReader(client, target)
        await switch.inventory()
        session = await switch.session()
        neighbours, error = await read_neighbours(session, switch.ports)
        assert error is None
        stations = await read_stations(session, switch.ports)
        keeps = KnownStations(frozenset(inventory))
        readings = await SurroundingsReader(switch, name="sw", keeps=keeps).read()
        return Look(switch, neighbours, stations, readings)


def rows_of(readings: Readings) -> dict[str, dict[str, dict[str, Any]]]:
    """Stream -> row -> column -> value."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for reading in readings.readings:
        columns = {column.metric.name: list(column) for column in reading.columns}
        found[reading.stream] = {
            key: {name: values[place] for name, values in columns.items()}
            for place, key in enumerate(reading.rows)
        }
    return found


async def test_all_recorded_devices() -> None:
    total = Score()
    lines = []
    for name in NAMES:
        seen = await look(name)
        score = compare_links(name, seen.neighbours)
        score.add(compare_fdb(name, seen.stations.learnt, seen.switch.ports))
        score.add(compare_wireless(name, rows_of(seen.readings)))
        score.wrong += [f"{name}: {error}" for error in seen.readings.errors]
        if score.equal or score.explained or score.wrong:
            lines.append(score.line(name))
        total.add(score)
    print("\n" + "\n".join([*lines, total.line("all")]))
    for code, evidence in total.evidence.items():
        print(f"  {code}: {evidence}")
    assert total.wrong == []
    links = sum(len(truth_of(name, "links")) for name in NAMES)
    assert total.equal["remote_port"] == links == 106
    assert total.equal["mac"] == sum(len(truth_of(name, "fdb")) for name in NAMES) == 807
    assert set(total.explained) <= {"on-no-port", "not-carried"}
    # A list of excuses that grows is a reader that got worse.
    assert sum(total.explained.values()) <= 14


@pytest.mark.parametrize("what", ["remote_name", "port_id", "remote_descr", "remote_mac"])
async def test_the_comparison_of_links_can_fail(what: str) -> None:
    seen = await look("vrp_5720")
    spoilt = [
        Neighbour(**{**{k: getattr(one, k) for k in Neighbour.__dataclass_fields__}, what: "other"})
        for one in seen.neighbours
    ]
    assert not compare_links("vrp_5720", seen.neighbours).wrong
    assert len(compare_links("vrp_5720", spoilt).wrong) >= 4


async def test_the_comparison_of_stations_and_wireless_can_fail() -> None:
    seen = await look("jetstream_sg2218p")
    assert compare_fdb("jetstream_sg2218p", seen.stations.learnt[1:], seen.switch.ports).wrong
    streams = rows_of((await look("unifi_nanohd")).readings)
    assert not compare_wireless("unifi_nanohd", streams).wrong
    streams["radios"]["na"]["radio_channel"] = 1
    assert compare_wireless("unifi_nanohd", streams).wrong


async def test_a_pupils_phone_is_a_number() -> None:
    """Only infrastructure has rows; all others are counted on their port."""
    known = "24:32:ae:a3:5f:17"
    seen = await look("jetstream_sg2218p", inventory=[known])
    streams = rows_of(seen.readings)
    heard = {one.remote_mac for one in seen.neighbours}
    macs = {row["station_mac"] for row in streams["stations"].values()}
    assert macs == {known, *heard}
    told = {text for row in streams["stations"].values() for text in row.values()}
    strangers = {one.mac for one in seen.stations.learnt} - macs
    assert len(strangers) > 50
    assert not strangers & told
    counts = {key: row["station_count"] for key, row in streams["station-counts"].items()}
    assert counts["gigabitEthernet 1/0/1"] == 1
    assert sum(counts.values()) == len({(one.port, one.mac) for one in seen.stations.learnt})
    # A row a port, used or not: a phone that leaves must not change the layout.
    assert {f"gigabitEthernet 1/0/{number}" for number in range(1, 19)} <= set(counts)
    assert 0 in counts.values()


async def test_a_neighbour_that_is_an_end_station_is_a_number() -> None:
    """Server cards speak LLDP too; what neither carries traffic nor has a name has no row."""
    seen = await look("aos6")
    streams = rows_of(seen.readings)
    ends = [one for one in seen.neighbours if not one.network]
    assert ends
    shown = {row["neighbour_mac"] for row in streams["neighbours"].values()}
    assert not shown & {one.remote_mac for one in ends}
    counted = sum(row["end_neighbour_count"] for row in streams["station-counts"].values())
    assert counted == len(ends)


def test_counts_nobody_told_are_unknown_and_rows_stay() -> None:
    kinds = {1: 6, 2: 6, 3: 6, 4: 53}
    ports = [
        Port(
            key=f"G{number}", if_index=number, type=kind,
            name=None, descr=None, alias=None, mtu=None, mac=None,
        )
        for number, kind in kinds.items()
    ]  # fmt: skip

    def learnt(*where: str) -> Stations:
        found = tuple(
            Station(mac=f"02:00:00:00:00:{n:02x}", port=port, if_index=None, vlan=None)
            for n, port in enumerate(where)
        )
        return Stations(learnt=found, addresses={}, bound_to={}, error=None)

    def told(stations: Stations, ends: Counter[str] | None) -> dict[str, tuple[object, object]]:
        rows = station_counts(ports, stations, ends)
        return {
            key: (row["station_count"], row["end_neighbour_count"]) for key, row in rows.items()
        }

    assert told(learnt("G1", "G1", "Po1"), Counter({"G2": 1})) == {
        "G1": (2, 0), "G2": (0, 1), "G3": (0, 0), "Po1": (1, 0),
    }  # fmt: skip
    assert told(learnt("G3"), None) == {"G1": (0, None), "G2": (0, None), "G3": (1, None)}
    assert told(learnt(), Counter({"G2": 1}))["G1"] == (None, 0)
    assert told(learnt(), Counter()) == {}


async def test_what_the_access_controller_says() -> None:
    streams = rows_of((await look("vrp_ac6605-26")).readings)
    ap = streams["aps"]["50:6f:77:ea:dc:a0"]
    assert (ap["ap_name"], ap["ap_model"]) == ("TestAP-NAME", "AP7050DN-E")
    assert ap["ap_serial"] == "2102350PKF10J1000078"
    assert ap["ap_state"] is None  # not recorded: unknown, not online
    assert {key: row["radio_channel"] for key, row in streams["radios"].items()} == {
        "50:6f:77:ea:dc:a0/0": 6,
        "50:6f:77:ea:dc:a0/1": 40,
    }
    pons = rows_of((await look("smartax")).readings)["pons"]
    assert len(pons) == 32
    assert pons["GPON 0/0/15"]["pon_onus"] == 11


def test_a_reading_has_all_columns_of_its_stream() -> None:
    reading = as_reading("wlans", {"class": {"wlan_clients": 3}})
    assert reading.rows == ("class",)
    assert [list(column) for column in reading.columns] == [[3], [None], [None]]
