"""The 35 recorded devices against the independent oracle: wrong fields 0."""

import json

import pytest

from drivers.snmp.faults import AgentFault, Finding
from drivers.snmp.target import Target
from firmware_sims.switch import fleet, replay
from firmware_sims.switch.server import Fleet
from tenone.cli.snmp import read
from tenone.cli.snmp_view import Snapshot, as_json
from tenone.runtime.clock import SystemClock
from tests.snmp.oracle import FIELDS, Tally, captures, compare, devices

NAMES = devices()
pytestmark = pytest.mark.skipif(
    not NAMES, reason=f"no recorded devices in {captures()}: set TENONE_CAPTURES"
)


def findings_by_index(snapshot: Snapshot) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for sweep in (snapshot.inventory, snapshot.state, snapshot.counters):
        for finding in sweep.findings:
            found.setdefault(str(finding.oid[-1]), []).append(finding)
    return found


async def look(name: str) -> Snapshot:
    setting = fleet.Setting(clock=SystemClock())
    recording = replay.load(captures() / f"{name}.snmprec")
    unit = fleet.recorded(recording, name, "public", ("127.0.0.1", 0), setting)
    async with Fleet([unit.endpoint]):
        return await read(Target(host="127.0.0.1", port=unit.endpoint.port, community="public"))


async def test_all_recorded_devices() -> None:
    total = Tally()
    lines = []
    for name in NAMES:
        snapshot = await look(name)
        tally = compare(name, as_json(snapshot), findings_by_index(snapshot))
        lines.append(tally.line(name))
        total.ports += tally.ports
        total.equal += tally.equal
        total.explained += tally.explained
        total.wrong += tally.wrong
        for code, evidence in tally.evidence.items():
            total.evidence.setdefault(code, f"{name} {evidence}")
        errors = [*snapshot.inventory.errors, *snapshot.state.errors, *snapshot.counters.errors]
        total.wrong += [f"{name}: {error}" for error in errors]
    print("\n" + "\n".join([*lines, total.line("all")]))
    for code, evidence in total.evidence.items():
        print(f"  {code}: {evidence}")
    assert total.wrong == []
    assert total.ports == 1_363
    compared = total.equal + sum(total.explained.values())
    assert compared == total.ports * len(FIELDS)
    assert set(total.explained) <= {fault.code for fault in AgentFault}
    # A list of excuses that grows is a reader that got worse.
    assert sum(total.explained.values()) < 100


async def test_neighbours_the_oracle_knows_are_found() -> None:
    """Where the recording holds LLDP-MIB at all; some makers have it in their own MIBs only."""
    found = 0
    for name in NAMES:
        truth = json.loads((captures() / f"{name}.truth.json").read_text())
        links = truth.get("links", {"rows": []})["rows"]
        theirs = {(port, remote or "") for port, kind, remote, *_ in links if kind == "lldp"}
        if not theirs or not has_lldp(name):
            continue
        shown = as_json(await look(name))
        ours = {(one["local_port"], one["remote_name"] or "") for one in shown["neighbours"]}
        assert theirs <= ours, name
        found += len(theirs)
    assert found == 95


def has_lldp(name: str) -> bool:
    return b"\n1.0.8802.1.1.2.1.4.1.1." in (captures() / f"{name}.snmprec").read_bytes()


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("speed_mbps", 10),
        ("speed_mbps", None),
        ("duplex", "half"),
        ("oper", "dormant"),
        ("admin", None),
        ("mtu", 1),
        ("in_octets", 1),
        ("out_errors", 7),
        ("name", "eth0"),
        ("alias", "somebody else's"),
        ("descr", None),
    ],
)
async def test_the_comparison_can_fail(what: str, value: object) -> None:
    snapshot = await look("vrp_5720")
    shown = as_json(snapshot)
    port = next(port for port in shown["ports"] if port["name"] == "XGigabitEthernet0/0/1")
    port[what] = value
    if what == "descr":
        port["name"] = None
    tally = compare("vrp_5720", shown, findings_by_index(snapshot))
    assert tally.wrong


async def test_an_excuse_must_be_about_the_port() -> None:
    snapshot = await look("zxr10_5950")
    assert compare("zxr10_5950", as_json(snapshot), {}).wrong
    (note,) = [note for note in as_json(snapshot)["notes"] if "speed-saturated" in note]
    assert "1.3.6.1.2.1.2.2.1.5.28 = 4294967295" in note
    assert "xgei-0/1/1/25" in note
