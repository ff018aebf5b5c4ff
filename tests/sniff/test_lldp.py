"""LLDP and CDP frames of real captures, decoded as tshark decoded them; damage and noise."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sniff.cdp import SNAP, Cdp, parse_cdp
from drivers.sniff.lldp import ETHERTYPE, ChassisKind, Lldp, PortKind, parse_lldp
from tests.sniff.pcaps import FOLDER, ethernet, expected, frames

needs_captures = pytest.mark.skipif(
    not expected("lldp"), reason=f"no captures in {FOLDER}: set TENONE_CAPTURES"
)
COUNT = "_count"


def lldp_row(source: str, unit: Lldp) -> dict[str, str]:
    """The fields tshark has, as it writes them."""
    if not unit.valid:
        return {"eth.src": source}
    chassis_mac = unit.chassis_kind == ChassisKind.MAC
    port_mac = unit.port_kind == PortKind.MAC
    row = {
        "eth.src": source,
        "lldp.chassis.subtype": str(unit.chassis_kind),
        "lldp.chassis.id.mac": unit.chassis_id if chassis_mac else None,
        "lldp.chassis.id": None if chassis_mac else unit.chassis.hex(),
        "lldp.port.subtype": str(unit.port_kind),
        "lldp.port.id.mac": unit.port_id if port_mac else None,
        "lldp.port.id": None if port_mac else unit.port_id,
        "lldp.time_to_live": str(unit.time_to_live_seconds),
        "lldp.port.desc": unit.port_descr,
        "lldp.tlv.system.name": unit.system_name,
        "lldp.tlv.system.desc": (unit.system_descr or "").replace("\n", "\\n") or None,
        "lldp.tlv.system_cap": None if unit.capabilities is None else f"0x{unit.capabilities:04x}",
        "lldp.mgn.addr.ip4": next((one for one in unit.addresses if "." in one), None),
        "lldp.ieee.802_1.port_vlan.id": None if unit.port_vlan is None else str(unit.port_vlan),
        "lldp.media.model": unit.model,
    }
    return {what: said for what, said in row.items() if said is not None}


def cdp_row(source: str, message: Cdp) -> dict[str, Any]:
    addresses = [*message.addresses, *message.management_addresses]
    lines = [line.strip() for line in (message.software or "").split("\n")]
    row = {
        "eth.src": source,
        "cdp.deviceid": message.device_id,
        "cdp.portid": message.port_id,
        "cdp.platform": message.platform,
        "cdp.software_version": lines,
        "cdp.native_vlan": None if message.native_vlan is None else str(message.native_vlan),
        "cdp.duplex": None if message.full_duplex is None else str(int(message.full_duplex)),
        "cdp.nrgyz.ip_address": addresses[0] if len(addresses) == 1 else addresses,
    }
    return {what: said for what, said in row.items() if said}


def compared(name: str, mine: Counter[str], theirs: Counter[str], wrong: list[str]) -> None:
    for row in (mine - theirs) + (theirs - mine):
        side = "ours" if row in mine else "tshark's"
        wrong.append(f"{name}: only {side}: {row}")


@needs_captures
def test_lldp_as_tshark() -> None:
    wrong: list[str] = []
    total = 0
    for name, rows in expected("lldp").items():
        mine: Counter[str] = Counter()
        for frame in frames(name):
            source, kind, body = ethernet(frame)
            if kind == ETHERTYPE:
                mine[repr(sorted(lldp_row(source, parse_lldp(body)).items()))] += 1
        theirs: Counter[str] = Counter()
        for row in rows:
            said = {what: value for what, value in row.items() if what not in NOT_READ}
            if isinstance(said.get("lldp.time_to_live"), list):
                # The frame has the TLV twice; the first counts, and the problem says so.
                said["lldp.time_to_live"] = said["lldp.time_to_live"][0]
                units = [parse_lldp(ethernet(frame)[2]) for frame in frames(name)]
                assert [unit for unit in units if "comes twice" in (unit.problem or "")]
            theirs[repr(sorted(said.items()))] += row[COUNT]
        total += sum(theirs.values())
        compared(name, mine, theirs, wrong)
    print("\n".join(wrong))
    print(f"\nLLDP: {total} frames, {len(wrong)} wrong")
    assert wrong == []
    assert total == 60


NOT_READ = frozenset({COUNT, "lldp.media.manufacturer"})
"""tshark prints the manufacturer of one capture as a number; it is text by TIA-1057."""


@needs_captures
def test_cdp_as_tshark() -> None:
    wrong: list[str] = []
    total = 0
    for name, rows in expected("cdp").items():
        mine: Counter[str] = Counter()
        for frame in frames(name):
            source, kind, body = ethernet(frame)
            if body.startswith(SNAP):
                message = parse_cdp(body[len(SNAP) : kind])
                assert message is not None
                mine[repr(sorted(cdp_row(source, message).items()))] += 1
        theirs: Counter[str] = Counter()
        for row in rows:
            theirs[repr(sorted(cdp_said(row).items()))] += row[COUNT]
        total += sum(theirs.values())
        compared(name, mine, theirs, wrong)
    print(f"\nCDP: {total} frames, {len(wrong)} wrong")
    assert wrong == []
    assert total == 17


def cdp_said(row: dict[str, Any]) -> dict[str, Any]:
    said = {k: v for k, v in row.items() if k not in {COUNT, "cdp.voice_vlan"}}
    lines = said["cdp.software_version"]
    said["cdp.software_version"] = [line.strip() for line in lines]
    return said


@given(st.binary(max_size=600))
def test_noise_ends_and_does_not_raise(data: bytes) -> None:
    unit = parse_lldp(data)
    assert unit.neighbour("1").local_port == "1"
    assert unit.chassis_id is None or isinstance(unit.chassis_id, str)
    message = parse_cdp(data)
    assert message is None or message.neighbour("1").protocol == "cdp"


FRAME = bytes.fromhex(
    "0207040013215 7ca40".replace(" ", "")
    + "04020731"
    + "06020078"
    + "0a0473773031"
    + "0e0400140004"
    + "100c05010a00000102000000010000"[:28]
    + "0000"
)


def test_a_frame() -> None:
    unit = parse_lldp(FRAME)
    assert unit.problem is None
    assert unit.valid
    neighbour = unit.neighbour("g1")
    assert neighbour.remote_name == "sw01"
    assert neighbour.remote_mac == "00:13:21:57:ca:40"
    assert neighbour.address == "10.0.0.1"
    assert neighbour.capabilities == frozenset({"bridge"})


@given(st.integers(0, len(FRAME) - 1))
def test_a_frame_cut_anywhere_keeps_what_came_before(size: int) -> None:
    whole, cut = parse_lldp(FRAME), parse_lldp(FRAME[:size])
    for name in ("chassis_kind", "port_kind", "time_to_live_seconds", "system_name"):
        assert getattr(cut, name) in {None, getattr(whole, name)}


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ("0207040013", "says 7 octets and has 3"),
        ("04020731", "CHASSIS_ID belongs"),
        ("0200", "too short"),
    ],
)
def test_damage_is_named(data: str, word: str) -> None:
    assert word in (parse_lldp(bytes.fromhex(data)).problem or "")
