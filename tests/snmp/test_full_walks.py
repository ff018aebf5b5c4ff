"""The 16 whole walks of snmp-full: every row read, ports as net-snmp read them.

NAME.netsnmp.csv is a weak oracle: the raw columns as snmpbulkwalk printed them. Ours are
interpreted, so a speed or duplex that differs needs a finding about that very port.
"""

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import BudgetExceeded
from drivers.snmp.mib import IF_TYPES
from drivers.snmp.stations import read_stations
from drivers.snmp.surroundings import SurroundingsReader
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from firmware_sims.switch import fleet, replay
from firmware_sims.switch.server import Fleet
from tenone.cli.snmp import read
from tenone.cli.snmp_view import Snapshot, as_json
from tenone.runtime.clock import SystemClock
from tests.snmp.oracle import captures
from tests.snmp.surroundings_oracle import letters
from tests.snmp.test_recorded import findings_by_index

FOLDER = captures().with_name("snmp-full")
NAMES = sorted(path.stem for path in FOLDER.glob("*.snmprec"))
pytestmark = pytest.mark.skipif(
    not NAMES, reason=f"no whole walks in {FOLDER}: set TENONE_CAPTURES"
)
SMALL = ("h3c-e528-2", "zte-zxr10-5250")
PLAIN = {
    "descr": "ifDescr",
    "name": "ifName",
    "alias": "ifAlias",
    "type": "ifType",
    "mtu": "ifMtu",
    "mac": "ifPhysAddress",
    "admin": "ifAdminStatus",
    "oper": "ifOperStatus",
    "in_errors": "ifInErrors",
    "out_errors": "ifOutErrors",
}
WIDE = {"in_octets": ("ifHCInOctets", "ifInOctets"), "out_octets": ("ifHCOutOctets", "ifOutOctets")}
STATES = ("", "up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown")
DUPLEX = {"1": None, "2": "half", "3": "full", "": None}


@dataclass
class Tally:
    """One device, or all."""

    ports: int = 0
    equal: Counter[str] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def line(self, name: str) -> str:
        return (
            f"{name:28} {self.ports:5} ports {sum(self.equal.values()):6} equal "
            f"{sum(self.explained.values()):4} explained {len(self.wrong):4} wrong  "
            f"{dict(self.explained)}"
        )


async def look(path: Path) -> Snapshot:
    unit = fleet.recorded(
        replay.load(path), path.stem, "public", ("127.0.0.1", 0), fleet.Setting(clock=SystemClock())
    )
    async with Fleet([unit.endpoint]):
        return await read(Target(host="127.0.0.1", port=unit.endpoint.port, community="public"))


def compare(name: str, snapshot: Snapshot) -> Tally:
    tally = Tally()
    shown = {port["if_index"]: port for port in as_json(snapshot)["ports"]}
    found = findings_by_index(snapshot)
    text = (FOLDER / f"{name}.netsnmp.csv").read_text()
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    holes = {what for what, theirs in PLAIN.items() if not any(row[theirs] for row in rows)}
    recorded = recorded_descr(name) if "descr" in holes else {}
    for row in rows:
        index = int(row["ifIndex"])
        port = shown.pop(index, None)
        if port is None:
            tally.wrong.append(f"{name}: no port {index}")
            continue
        tally.ports += 1
        codes = [one.fault.code for one in found.get(str(index), [])]
        for what, (mine, his) in fields(port, row).items():
            if mine == his:
                tally.equal[what] += 1
            elif what in holes and what == "descr" and letters(recorded[index]) == mine:
                # net-snmp's walk of this column gave nothing; the recording itself has it.
                tally.explained["not-in-oracle"] += 1
            elif codes and what in {"speed_mbps", "duplex", "in_octets", "out_octets"}:
                tally.explained[codes[0]] += 1
            else:
                tally.wrong.append(f"{name} port {index} {what}: {mine!r} not {his!r}")
    tally.wrong += [f"{name}: port {index} is not in the walk" for index in shown]
    return tally


def recorded_descr(name: str) -> dict[int, str]:
    """ifDescr out of the recording itself, by ifIndex."""
    found = {}
    for line in (FOLDER / f"{name}.snmprec").read_bytes().splitlines():
        if line.startswith(b"1.3.6.1.2.1.2.2.1.2."):
            oid, tag, value = line.split(b"|", 2)
            raw = bytes.fromhex(value.decode()) if tag.endswith(b"x") else value
            found[int(oid.rsplit(b".", 1)[1])] = raw.decode()
    return found


def fields(port: dict[str, Any], row: dict[str, str]) -> dict[str, tuple[Any, Any]]:
    """What we show and what was walked, made comparable."""
    pairs: dict[str, tuple[Any, Any]] = {}
    for what, theirs in PLAIN.items():
        his = row[theirs]
        if what in {"admin", "oper"}:
            pairs[what] = port[what], STATES[int(his)] if his else None
        elif what == "type":
            pairs[what] = port[what], IF_TYPES.get(int(his), his)
        elif what in {"mtu", "in_errors", "out_errors"}:
            pairs[what] = port[what] or 0, int(his or 0)
        elif what == "mac":
            pairs[what] = port[what] or "", ":".join(his.lower().split())
        else:
            pairs[what] = letters(port[what]), letters(his)
    for what, (wide, narrow) in WIDE.items():
        pairs[what] = port[what] or 0, int(row[wide] or row[narrow] or 0)
    high, low = int(row["ifHighSpeed"] or 0), int(row["ifSpeed"] or 0)
    pairs["speed_mbps"] = port["speed_mbps"] or 0, high or low // 1_000_000
    pairs["duplex"] = port["duplex"], DUPLEX[row["dot3Duplex"]]
    return pairs


def report(names: tuple[str, ...], tallies: list[Tally]) -> Tally:
    total = Tally()
    for name, tally in zip(names, tallies, strict=True):
        print(tally.line(name))
        total.ports += tally.ports
        total.equal += tally.equal
        total.explained += tally.explained
        total.wrong += tally.wrong
    print(total.line("all"))
    return total


@pytest.mark.parametrize("name", SMALL)
async def test_two_whole_walks(name: str) -> None:
    tally = compare(name, await look(FOLDER / f"{name}.snmprec"))
    print(tally.line(name))
    assert tally.ports > 20
    assert tally.wrong == []


@pytest.mark.slow
async def test_all_whole_walks() -> None:
    names = tuple(name for name in NAMES if (FOLDER / f"{name}.netsnmp.csv").exists())
    tallies = []
    for name in names:
        snapshot = await look(FOLDER / f"{name}.snmprec")
        tally = compare(name, snapshot)
        for sweep in (snapshot.inventory, snapshot.state, snapshot.counters):
            tally.wrong += [f"{name}: {error}" for error in sweep.errors]
        tallies.append(tally)
    total = report(names, tallies)
    assert total.wrong == []
    assert len(names) == 14
    assert total.ports == 3_744


@pytest.mark.slow
async def test_a_box_of_3271_interfaces_is_read_completely() -> None:
    """Ruijie M18000: interfaces, all rows of both forwarding tables, access points."""
    path = FOLDER / "ruijie-m18000.snmprec"
    unit = fleet.recorded(
        replay.load(path), "m18000", "public", ("127.0.0.1", 0), fleet.Setting(clock=SystemClock())
    )
    rows = path.read_bytes().count(b"\n1.3.6.1.2.1.17.7.1.2.2.1.2.")
    async with Fleet([unit.endpoint]), SnmpClient(clock=SystemClock()) as client:
        target = Target(host="127.0.0.1", port=unit.endpoint.port, community="public")
        switch = SwitchReader(client, target)
        inventory = await switch.inventory()
        assert len(inventory.ports) == 3_271
        stations = await read_stations(await switch.session(), switch.ports)
        assert stations.error is None
        assert len(stations.learnt) == rows == 3_719
        readings = await SurroundingsReader(switch, name="sw").read()
        assert readings.errors == ()
        streams = {one.stream: one for one in readings.readings}
        assert len(streams["aps"].rows) == 738
        assert streams["stations"].rows == ()
        starved = SurroundingsReader(switch, name="sw", seconds=0.000_001)
        with pytest.raises(BudgetExceeded, match=f"127.0.0.1:{unit.endpoint.port} used up the"):
            await starved.read()
