from agents.births import Announcer, NodeFacts
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout, layout
from tenone.vocabulary.metrics import PORT_STATE
from tenone.vocabulary.states import PriorityClass

P0, P1, P2, P3 = PriorityClass
NARROW = layout("port-state", PORT_STATE, ["a"])
WIDE = layout("port-state", PORT_STATE, ["a", "b"])


def block(seq: int, used: Layout = NARROW, subject: str = "no3/switch/core") -> Block:
    stamp = Stamp(agent="no3", subject=subject, boot_id=bytes(16), wall_ns=1, monotonic_ns=1)
    columns = [Column.of(name, [1] * len(used.rows)) for name in PORT_STATE]
    return Draft.of(used, stamp, columns).seal(bytes(16), seq, FIRST_PREVIOUS)


def test_the_newest_counts_whatever_the_order() -> None:
    announcer = Announcer()
    announcer.note(block(5), NARROW)
    announcer.note(block(3), NARROW)
    assert announcer.is_newest(block(5), "port-state")
    assert not announcer.is_newest(block(3), "port-state")
    _, carried = announcer.declare("switch-core", 1)
    assert [one.seq for one in carried] == [5]


def test_an_old_block_of_a_device_nobody_heard_of_can_be_born() -> None:
    announcer = Announcer()
    announcer.meet(block(3), NARROW)
    assert announcer.needs_birth(block(3), NARROW)
    _, carried = announcer.declare("switch-core", 1)
    assert [one.seq for one in carried] == [3]
    announcer.note(block(5), NARROW)
    announcer.meet(block(4), NARROW)
    assert announcer.is_newest(block(5), "port-state"), "a newer one is heard of since"


def test_a_birth_is_needed_for_what_is_new() -> None:
    announcer = Announcer()
    announcer.note(block(1), NARROW)
    assert announcer.needs_birth(block(1), NARROW)
    announcer.declare("switch-core", 1)
    announcer.note(block(2), NARROW)
    assert not announcer.needs_birth(block(2), NARROW)
    announcer.note(block(3, WIDE), WIDE)
    assert announcer.needs_birth(block(3, WIDE), WIDE)
    announcer.declare("switch-core", 1)
    assert not announcer.needs_birth(block(2), NARROW), "an older layout travels whole"


def test_the_gateways_own_streams_are_always_declared() -> None:
    announcer = Announcer()
    metrics, carried = announcer.declare(None, 1)
    names = {metric.name for metric in metrics}
    assert {"agent-health/Layout", "gap/Layout", "gap/Header", "Block/Raw"} <= names
    assert not carried
    assert announcer.devices() == []


def test_devices_are_named_by_kind_and_asset() -> None:
    announcer = Announcer()
    announcer.note(block(1), NARROW)
    announcer.note(block(2, subject="no3/board/all"), NARROW)
    assert announcer.devices() == ["switch-core", "board-all"]


def test_aliases_are_unique_over_the_node_and_stay() -> None:
    announcer = Announcer()
    announcer.note(block(1), NARROW)
    node, _ = announcer.declare(None, 1)
    device, _ = announcer.declare("switch-core", 1)
    aliases = [metric.alias for metric in (*node, *device)]
    assert None not in aliases
    assert len(set(aliases)) == len(aliases)
    again, _ = announcer.declare("switch-core", 2)
    assert [metric.alias for metric in again] == [metric.alias for metric in device]


def test_the_nodes_facts() -> None:
    facts = NodeFacts(
        journal_id=bytes(range(16)),
        bases={P0: 0, P1: 10, P2: 5, P3: 0},
        heads={P0: 0, P1: 20, P2: 5, P3: 0},
        version="0.1.0",
        boot_id=bytes(16),
        verbs=("Poll",),
    )
    named = {metric.name: metric.value for metric in facts.metrics(1)}
    assert named == {
        "Journal/Id": "000102030405060708090a0b0c0d0e0f",
        "Journal/P0/Base": 0,
        "Journal/P0/Head": 0,
        "Journal/P1/Base": 10,
        "Journal/P1/Head": 20,
        "Journal/P2/Base": 5,
        "Journal/P2/Head": 5,
        "Journal/P3/Base": 0,
        "Journal/P3/Head": 0,
        "Agent/Version": "0.1.0",
        "Agent/Boot Id": "00" * 16,
        "Node Control/Durable Through": None,
        "Poll/Request": None,
        "Poll/Reply": None,
    }
    assert all(metric.alias is None for metric in facts.metrics(1))
