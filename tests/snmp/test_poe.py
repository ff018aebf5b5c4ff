"""Power over Ethernet: whose port it is, what it draws."""

import pytest

from drivers.snmp import mib, poe
from drivers.snmp.ber import Value, oid_text
from drivers.snmp.cells import Index
from drivers.snmp.ports import Port
from drivers.snmp.vendorfile import fitting
from tenone.vocabulary.body import PoeRole, PoeStatus
from tests.snmp.body import body, port, rows

PORT = "1.3.6.1.2.1.105.1.1.1"
MAIN = "1.3.6.1.2.1.105.1.3.1.1"
BRIDGE = oid_text(mib.BRIDGE_PORT_IF_INDEX)
STACK = tuple(
    port(100 * unit + place, f"GigabitEthernet{unit}/0/{place}")
    for unit in (1, 2)
    for place in (1, 2, 12)
)


def test_ports_and_supplies() -> None:
    made = body(
        {
            f"{PORT}.3": {(1, 1): 1, (1, 2): 2, (2, 12): 1},
            f"{PORT}.6": {(1, 1): 3, (1, 2): 1, (2, 12): 4},
            f"{PORT}.10": {(1, 1): 5, (1, 2): 1},
            f"{MAIN}.2": {(1,): 370, (2,): 370},
            f"{MAIN}.3": {(1,): 1, (2,): 3},
            f"{MAIN}.4": {(1,): 115, (2,): 0},
            "1.3.6.1.4.1.9.9.402.1.2.1.9": {(1, 1): 6952},
            "1.3.6.1.4.1.9.9.402.1.2.1.8": {(1, 1): 16_800},
        },
        ports=STACK,
    )
    plan = poe.plan(fitting((1, 3, 6, 1, 4, 1, 9), ""), made)
    found = rows(poe.reading(plan, made.table.values()))
    one = found["GigabitEthernet1/0/1"]
    assert one == {
        "poe_role": PoeRole.PORT,
        "poe_enabled": 1,
        "poe_status": PoeStatus.DELIVERING,
        "poe_class": 4,
        "poe_watts": 6.952,
        "poe_limit_watts": 16.8,
    }
    assert found["GigabitEthernet1/0/2"]["poe_status"] == PoeStatus.DISABLED
    assert found["GigabitEthernet1/0/2"]["poe_watts"] is None
    assert found["GigabitEthernet2/0/12"]["poe_status"] == PoeStatus.FAULT
    assert found["pse 2"]["poe_role"] == PoeRole.SUPPLY
    assert found["pse 2"]["poe_status"] == PoeStatus.FAULT
    assert (found["pse 1"]["poe_watts"], found["pse 1"]["poe_limit_watts"]) == (115, 370)
    # What a port may draw is learnt, what it draws is asked for.
    asked = {oid_text(cell.name[:-2]) for cell in poe.live(plan)}
    assert "1.3.6.1.4.1.9.9.402.1.2.1.9" in asked
    assert "1.3.6.1.4.1.9.9.402.1.2.1.8" not in asked


@pytest.mark.parametrize(
    ("index", "ports", "bridge", "expected"),
    [
        ((1, 2), STACK, {}, "GigabitEthernet1/0/2"),
        ((2, 2), STACK, {}, "GigabitEthernet2/0/2"),
        ((3, 2), STACK, {}, None),
        # 1/0/1 is not 1/0/12 nor 11/0/1.
        ((1, 12), STACK, {}, "GigabitEthernet1/0/12"),
        ((1, 3), (port(3, "a"), port(9, "b")), {3: 9}, "b"),
        ((1, 3), (port(3, "a"), port(9, "b")), {}, "a"),
        ((1, 3), (port(3, "vlan", kind=53),), {}, None),
        ((1, 3), (), {3: 77}, None),
        ((1,), STACK, {}, None),
        # Two ports of one number: a doubt.
        ((1, 2), (port(7, "Gi1/2"), port(8, "Te1/2")), {}, None),
    ],
)
def test_which_port_a_group_and_number_are(
    index: Index, ports: tuple[Port, ...], bridge: dict[int, int], expected: str | None
) -> None:
    told: dict[Index, Value] = {(place,): number for place, number in bridge.items()}
    found = poe.port_by_group(index, body({BRIDGE: told}, ports=ports))
    assert (found.key if found is not None else None) == expected


def test_several_groups_do_not_share_one_bridge() -> None:
    told: dict[str, dict[Index, Value]] = {f"{PORT}.3": {(1, 3): 1, (2, 3): 1}, BRIDGE: {(3,): 9}}
    made = body(told, ports=(port(9, "b"),))
    assert poe.port_by_group((1, 3), made) is None
    plan = poe.plan(fitting(None, ""), made)
    assert sorted(plan) == ["#1.3", "#2.3"]
