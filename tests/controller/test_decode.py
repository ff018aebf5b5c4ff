"""The border between a school and the city: who may say what, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from controller.ingest.decode import Decoder, RebirthNeededError
from controller.ingest.items import AgentBorn, AgentDied, Heard, Item, Refusal
from controller.plan import SchoolPlan
from controller.store.protocols import Arrival, BaseNotice, ChainKey
from drivers.wire.blocks import AliasBook, BlockWriter
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.events import Data, DeviceBorn, NodeBorn, NodeDied
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.topics import NodeId
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import PriorityClass

from .conftest import NOON_NS, FakeJournal

NODE = NodeId("east", "no1")
NOON_MS = NOON_NS // 1_000_000


class Edge:
    """A school's side, in names instead of aliases, as the host session hands it on."""

    def __init__(self) -> None:
        clock = ManualClock(wall_ns=NOON_NS)
        schools = [SchoolPlan(id=one, district="east", name=one) for one in ("no1", "no2")]
        self.decoder = Decoder({school.id: school for school in schools}, clock)
        self.journal = FakeJournal()
        self.book = AliasBook()
        self.writer = BlockWriter(self.book)

    def layout(self, block: Block) -> Layout:
        return next(layout for made, layout in self.journal.made if made is block)

    def birth(
        self, *blocks: Block, node: NodeId = NODE, device: str | None = "switch-sw1"
    ) -> list[Item]:
        streams = [(self.layout(block), block) for block in blocks]
        metrics = tuple(self.writer.declare(device, streams, now_ms=NOON_MS))
        if device is None:
            return self.decoder.born(NodeBorn(node, 0, NOON_MS, metrics, again=False))
        return self.decoder.device_born(DeviceBorn(node, device, NOON_MS, metrics))

    def data(
        self,
        block: Block,
        *,
        node: NodeId = NODE,
        device: str | None = "switch-sw1",
        at_ms: int = NOON_MS,
        drop: str = "",
        spoil: str = "",
    ) -> list[Item]:
        names = {number: name for (_, name), number in self.book._aliases.items()}
        metrics = [
            Metric(name=names[metric.alias or 0], datatype=DataType.BYTES, value=metric.value)
            for metric in self.writer.encode(block, self.layout(block))
        ]
        metrics = [
            replace(one, value=bytes(one.value) + b"\0")  # type: ignore[arg-type]  # the writer's
            if one.name == spoil
            else one
            for one in metrics
        ]
        kept = tuple(metric for metric in metrics if metric.name != drop)
        return self.decoder.data(Data(node, device, at_ms, kept))


def arrivals(items: Sequence[Item]) -> list[Block]:
    return [item.block for item in items if isinstance(item, Arrival)]


def reasons(items: Sequence[Item]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Refusal)]


def test_births_and_data_give_the_exact_blocks() -> None:
    edge = Edge()
    first, second = edge.journal.ports(), edge.journal.ports(wall_ns=NOON_NS - 3 * 10**9)
    assert arrivals(edge.birth(first)) == [first]
    items = edge.data(second, at_ms=NOON_MS + 500)
    assert [type(item) for item in items] == [Heard, Arrival]
    arrival = items[1]
    assert isinstance(arrival, Arrival)
    assert arrival.block.hash == second.hash
    assert (arrival.school, arrival.district) == ("no1", "east")
    assert arrival.age_ns == 3_500_000_000, "by the sender's own clock at both ends"


@pytest.mark.parametrize(("minutes", "expected"), [(-5, 0), (0, 0), (10, 600 * 10**9)])
def test_a_clock_that_is_wrong_but_steady_cancels(minutes: int, expected: int) -> None:
    edge = Edge()
    year = 365 * 86_400 * 10**9
    block = edge.journal.ports(wall_ns=NOON_NS - 3 * year)
    edge.birth(block)
    sent_ms = (NOON_NS - 3 * year) // 1_000_000 + minutes * 60_000
    (arrival,) = [one for one in edge.data(block, at_ms=sent_ms) if isinstance(one, Arrival)]
    assert arrival.age_ns == expected


def test_a_layout_nobody_announced_wants_a_rebirth() -> None:
    edge = Edge()
    block = edge.journal.ports()
    edge.birth(block)
    edge.decoder.born(NodeBorn(NODE, 1, NOON_MS, (), again=False))
    with pytest.raises(RebirthNeededError, match="no birth announced"):
        edge.data(block)


def test_a_block_of_another_layout_travels_with_it() -> None:
    edge = Edge()
    edge.birth(edge.journal.ports())
    other = edge.journal.ports(ports=("GE9",))
    assert arrivals(edge.data(other)) == [other]


@pytest.mark.parametrize("node", [NodeId("west", "no1"), NodeId("east", "no9")])
def test_schools_the_city_does_not_know_are_refused(node: NodeId) -> None:
    edge = Edge()
    block = edge.journal.ports()
    assert reasons(edge.birth(block, node=node)) == ["unknown-school"]
    assert reasons(edge.birth(block, node=node, device=None)) == ["unknown-school"]
    assert reasons(edge.data(block, node=node)) == ["unknown-school"]
    assert edge.decoder.died(NodeDied(node, 0, NOON_MS, ())) == []


@pytest.mark.parametrize(
    ("node", "device"),
    [
        (NodeId("east", "no2"), "switch-sw1"),
        (NODE, "switch-sw2"),
        (NODE, None),
    ],
)
def test_nobody_speaks_for_another(node: NodeId, device: str | None) -> None:
    edge = Edge()
    block = edge.journal.ports()
    items = edge.birth(block, node=node, device=device)
    assert arrivals(items) == []
    assert "wrong-subject" in reasons(items)


def test_a_subject_that_is_no_subject() -> None:
    edge = Edge()
    block = edge.journal.block(Layout("port-state", ("oper",), ("GE1",)), "no1//x", {"oper": [1]})
    raw = Metric(name="Block/Raw", datatype=DataType.BYTES, value=block.data)
    document = edge.layout(block).document
    layout = Metric(name="Block/Layout", datatype=DataType.BYTES, value=document)
    items = edge.decoder.data(Data(NODE, "switch-sw1", NOON_MS, (raw, layout)))
    assert reasons(items) == ["wrong-subject"]


def test_data_that_does_not_fit_is_quarantined_with_its_bytes() -> None:
    edge = Edge()
    block = edge.journal.ports()
    edge.birth(block)
    items = edge.data(block, drop="port-state/oper")
    (refusal,) = [item for item in items if isinstance(item, Refusal)]
    assert refusal.reason == "malformed"
    assert "port-state/oper" in refusal.sentence
    assert refusal.data


def test_a_birth_with_a_broken_layout_is_quarantined() -> None:
    edge = Edge()
    bad = Metric(name="port-state/Layout", datatype=DataType.BYTES, value=b"{}")
    items = edge.decoder.device_born(DeviceBorn(NODE, "switch-sw1", NOON_MS, (bad,)))
    assert reasons(items) == ["malformed"]


def test_a_stream_this_version_cannot_read_costs_the_others_nothing() -> None:
    """A newer agent: asking it for rebirths would be in vain, and without end."""
    edge = Edge()
    state, status = edge.journal.ports(), edge.journal.status()
    newer = edge.layout(status).document.replace(b"poll_error", b"poll_mood")

    def metrics(block: Block) -> tuple[Metric, ...]:
        streams = [(edge.layout(state), state), (edge.layout(status), block)]
        return tuple(
            replace(one, value=newer) if one.name == "switch-status/Layout" else one
            for one in edge.writer.declare("switch-sw1", streams, now_ms=NOON_MS)
        )

    items = edge.decoder.device_born(DeviceBorn(NODE, "switch-sw1", NOON_MS, metrics(status)))
    assert arrivals(items) == [state]
    (refusal,) = [item for item in items if isinstance(item, Refusal)]
    assert refusal.reason == "malformed"
    assert "poll_mood" in refusal.sentence
    assert "newer than this controller" in refusal.sentence
    assert newer in refusal.data
    again = edge.data(status)
    assert [type(item) for item in again] == [Heard]
    assert arrivals(edge.data(edge.journal.ports())) == [edge.journal.made[-1][0]]


def test_numbers_that_no_store_holds_stay_outside() -> None:
    edge = Edge()
    edge.journal.heads[PriorityClass.P1] = (2**63, bytes(32))
    items = edge.birth(edge.journal.ports())
    assert arrivals(items) == []
    assert reasons(items) == ["malformed"]
    huge = {"Journal_P1_Base": 2**63, "Journal_P1_Head": 2**63}
    items = node_birth(Journal_Id="ab" * 16, **huge)
    assert not [item for item in items if isinstance(item, BaseNotice)]


def node_birth(**values: object) -> list[Item]:
    metrics = tuple(
        Metric(name=name.replace("_", "/"), datatype=DataType.UINT64, value=value)  # type: ignore[arg-type]  # a table of values
        for name, value in values.items()
    )
    return Edge().decoder.born(NodeBorn(NODE, 0, NOON_MS, metrics, again=False))


def test_a_birth_names_its_version_and_its_journals_bases() -> None:
    journal = "ab" * 16
    items = node_birth(
        Journal_Id=journal,
        Agent_Version="1.2",
        Journal_P0_Base=0,
        Journal_P0_Head=0,
        Journal_P1_Base=5,
        Journal_P1_Head=9,
        Journal_P2_Base=10,
        Journal_P2_Head=9,
        Journal_P3_Base=3,
    )
    assert isinstance(items[0], AgentBorn)
    assert items[0].version == "1.2"
    (notice,) = [item for item in items if isinstance(item, BaseNotice)]
    assert (notice.chain.priority, notice.base) == (PriorityClass.P1, 5)
    assert notice.chain.journal_id.hex() == journal


@pytest.mark.parametrize("journal", ["", "zz", "ab", 7])
def test_a_journal_id_that_is_none_excuses_nothing(journal: object) -> None:
    items = node_birth(Journal_Id=journal, Journal_P1_Base=5, Journal_P1_Head=9)
    assert not [item for item in items if isinstance(item, BaseNotice)]


def test_a_death_is_told() -> None:
    assert Edge().decoder.died(NodeDied(NODE, 0, NOON_MS, ())) == [AgentDied(node=NODE)]


def test_a_refused_block_names_its_place_where_all_its_bytes_came() -> None:
    """What is passed in the end is exactly what came (decision 0016)."""
    edge = Edge()
    first = edge.journal.ports()
    edge.birth(first)
    block = edge.journal.ports()
    whole = edge.data(block)
    assert arrivals(whole) == [block]
    items = edge.data(block, spoil="port-state/duplex")
    (refusal,) = [item for item in items if isinstance(item, Refusal)]
    assert refusal.block is not None
    assert refusal.block.seq == block.seq
    assert refusal.block.chain == ChainKey(block.journal_id, block.priority)
    assert refusal.block.node == NODE
    assert len(refusal.block.data) == len(block.data) + 1
    dropped = edge.data(block, drop="port-state/oper")
    (refusal,) = [item for item in dropped if isinstance(item, Refusal)]
    assert refusal.block is None, "not all of it came"
