"""Plans: groups, pauses, what is left out, which object carries a counter."""

from drivers.snmp import mib
from drivers.snmp.errors import Timeout
from drivers.snmp.faults import AgentFault
from drivers.snmp.portplan import (
    COUNTER_OBJECTS,
    PAUSE_NS,
    SCALARS,
    STATE_OBJECTS,
    choose,
    column,
    counter_columns,
    inventory_columns,
    probe_plan,
    state_columns,
    state_plan,
    width_column,
)
from drivers.snmp.ports import Port
from drivers.snmp.sweep import Harvest
from drivers.snmp.target import Target, resolve
from tenone.vocabulary.metrics import PORT_COUNTERS, PORT_INVENTORY, PORT_STATE


def port(index: int) -> Port:
    return Port(
        key=f"g{index}",
        if_index=index,
        name=f"g{index}",
        descr=None,
        alias="",
        type=6,
        mtu=1500,
        mac=None,
    )


PORTS = [port(1), port(2)]
N = len(SCALARS)
ERRORS_AND_DISCARDS = ("in_errors", "out_errors", "in_discards", "out_discards")


def test_the_objects_are_those_of_the_vocabulary() -> None:
    assert (*COUNTER_OBJECTS, "narrow_counters") == PORT_COUNTERS
    assert {column for column, twin in COUNTER_OBJECTS.values() if twin} == mib.WIDE
    harvest = Harvest([None] * (N + 2 * len(STATE_OBJECTS)))
    columns, _ = state_columns(PORTS, harvest.slots)
    assert tuple(one.metric.name for one in columns) == PORT_STATE
    assert tuple(one.metric.name for one in inventory_columns(PORTS)) == PORT_INVENTORY
    columns = counter_columns([None] * (N + 2 * len(COUNTER_OBJECTS)))
    columns += (width_column(PORTS, frozenset()),)
    assert tuple(one.metric.name for one in columns) == PORT_COUNTERS


async def test_a_hung_group_pauses_and_comes_back() -> None:
    device = await resolve(Target(host="127.0.0.1", community="public"))
    plan = state_plan(PORTS)
    whole = plan.chunks(device, 0)
    assert len(whole) == 2
    assert plan.chunks(device, 0)[0] is whole[0]
    harvest = Harvest([1] * len(plan.names))
    for slot in plan.groups[1]:
        harvest.slots[slot] = None
    harvest.errors = [Timeout("silence")]
    plan.note_silence(harvest, 1_000)
    assert list(plan.chunks(device, 1_000)) == [whole[0]]
    # The reason is said again in every sweep until the group is asked again.
    later = Harvest([1] * len(plan.names))
    plan.note_silence(later, 2_000)
    assert [str(error) for error in later.errors] == ["silence"]
    assert len(plan.chunks(device, 1_000 + PAUSE_NS)) == 2


def test_what_is_absent_is_left_out_and_what_is_refused_is_unknown() -> None:
    plan = state_plan(PORTS)
    duplex = list(plan.groups[1])
    harvest = Harvest([7] * len(plan.names), absent=[duplex[0]], refused=[duplex[1]])
    harvest.slots[duplex[0]] = harvest.slots[duplex[1]] = None
    plan.settle(harvest)
    assert plan.settled
    assert [slot for slot, name in enumerate(plan.names) if name is None] == duplex
    assert plan.unanswered(harvest) == {duplex[1]}
    columns, _ = state_columns(PORTS, harvest.slots, plan.unanswered(harvest))
    assert list(columns[PORT_STATE.index("duplex")]) == [None, 1]


def test_choose_takes_the_wide_object_where_it_is_sound() -> None:
    width = len(COUNTER_OBJECTS)
    names = probe_plan(PORTS).names
    probe = Harvest([None] * len(names))

    def put(row: int, metric: str, narrow: int | None, wide: int | None) -> None:
        place = N + row * 2 * width + PORT_COUNTERS.index(metric)
        probe.slots[place], probe.slots[place + width] = narrow, wide

    put(0, "in_octets", 5, 2**40)
    put(1, "in_octets", 5, 0)
    put(0, "out_octets", 9, None)
    put(0, "in_errors", None, 3)
    choice = choose(PORTS, probe, None)
    octets, out, *_ = counter_columns(choice.slots)
    assert list(octets) == [2**40, 5]
    always = sum(1 << PORT_COUNTERS.index(name) for name in ERRORS_AND_DISCARDS)
    octet, octet_out = (1 << PORT_COUNTERS.index(name) for name in ("in_octets", "out_octets"))
    assert list(width_column(PORTS, choice.narrow)) == [always | octet_out, always | octet]
    assert list(out) == [9, None]
    assert choice.narrow == {("g2", "in_octets"), ("g1", "out_octets")}
    assert [finding.fault for finding in choice.findings] == [AgentFault.HC_STUCK]
    asked = {name for name in choice.plan.names[N:] if name is not None}
    assert asked == {
        (*mib.IF_HC_IN_OCTETS, 1),
        (*mib.IF_IN_OCTETS, 2),
        (*mib.IF_OUT_OCTETS, 1),
        (*mib.IF_IN_ERRORS, 1),
    }
    # A 64-bit object that goes away leaves a hole, not its twin.
    put(0, "in_octets", 6, None)
    again = choose(PORTS, probe, choice)
    assert list(counter_columns(again.slots)[0]) == [None, 5]


def test_values_a_column_cannot_hold_are_unknown() -> None:
    assert list(column("speed_mbps", [1, None, 2**32, -1])) == [1, None, None, None]
    assert list(column("admin", [1, 256])) == [1, None]
    assert list(column("in_octets", [2**64 - 1])) == [2**64 - 1]
