"""Proofs over a restart: what an end, a kill, another target and a bad file make of them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import pytest

from controller.bus import Bus
from controller.house import House
from controller.plan import CityPlan, WitnessPlan
from controller.proofs import FILE, FOLDER, MARGIN_NS, OLDEST_NS, WRITE_SECONDS, ProofsRoom
from controller.sla.class_minutes import Clause
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.state.path_file import decode
from controller.store.blocks import SqliteBlockStore
from controller.store.protocols import NS
from controller.store.records import SqlRecords
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.config.city import City
from tenone.runtime.clock import ManualClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.probes import OUTAGE_PACKETS, PROBE_BURST, PROBE_SAMPLES, PROOF_PACKETS
from tenone.vocabulary.states import Verdict

from .conftest import NOON_NS, FakeJournal
from .watched import ANSWERED, LOST, watched_city

P = ParamSpec("P")
T = TypeVar("T")


async def in_records(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return work(*args, **kwargs)


class Town:
    """Controllers one after the other, on one folder, with one agent's journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wall_ns = NOON_NS
        self.store = SqliteBlockStore(folder / "blocks", retention_days=30)
        self.store.start()
        self.journal = FakeJournal()
        self.plan = watched_city()
        self.boots = 0
        self.start()

    def start(self, plan: CityPlan | None = None) -> None:
        """Another process: its monotonic clock begins elsewhere, its columns are empty."""
        self.plan = plan or self.plan
        self.boots += 1
        self.clock = ManualClock(wall_ns=self.wall_ns, monotonic_ns=self.boots * 7_000 * NS)
        self.live = LiveState(Numbering(self.plan), now_ns=self.clock.monotonic_ns())
        self.room = ProofsRoom(
            House(
                config=cast("City", None),
                plan=self.plan,
                clock=self.clock,
                folder=self.folder,
                live=self.live,
                city=LiveCity(self.live, self.clock),
                store=self.store,
                records=cast("SqlRecords", None),
                bus=Bus(),
                in_records=in_records,
            )
        )
        self.room.open()

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.wall_ns = self.clock.wall_ns()

    def give(self, block: Block) -> None:
        """What ingest does: commit, then show."""
        arrival = self.journal.arrival(
            block, received_ns=self.clock.wall_ns(), monotonic_ns=self.clock.monotonic_ns()
        )
        result = self.store.commit([arrival])
        if result.stored:
            self.live.apply(arrival)

    def probe(self, *fates: int, target: str = "t-c301") -> Block:
        rows = tuple(f"{target}/{number}" for number in range(len(fates)))
        block = self.journal.block(
            Layout("probe-samples", PROBE_SAMPLES, rows),
            "no1/gateway/probe",
            {"probe_outcome": list(fates), "probe_dscp_sent": [0] * len(fates)},
        )
        self.give(block)
        return block

    def burst(self, fate: int, count: int) -> None:
        self.give(
            self.journal.block(
                Layout("probe-burst", PROBE_BURST, tuple(str(row) for row in range(count))),
                "no1/gateway/probe",
                {
                    "probe_target": ["t-c301"] * count,
                    "probe_outcome": [fate] * count,
                    "probe_dscp_sent": [0] * count,
                },
            )
        )

    def packets(self) -> int:
        return int(self.live.measures.loss_packets[self.live.numbering.link_number["no1/c301"]])

    def loss(self) -> Verdict:
        clauses = self.live.clauses(self.clock.monotonic_ns())
        number = self.live.numbering.link_number["no1/c301"]
        return Verdict(int(clauses.verdicts[Clause.LOSS][number]))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.store.close()


def test_an_orderly_restart_keeps_the_proof(town: Town) -> None:
    assert "proved anew" in town.room.health().sentence
    town.burst(ANSWERED, PROOF_PACKETS)
    assert town.loss() is Verdict.GOOD
    town.wait(30)
    town.room.close()
    town.start()
    assert "windows taken over" in town.room.health().sentence
    assert town.loss() is Verdict.UNKNOWN, "nothing was heard yet"
    town.probe(ANSWERED)
    assert town.loss() is Verdict.GOOD


async def test_a_kill_forgets_no_packet(town: Town) -> None:
    """The file is minutes old; what came after it is in the store: half a proof and an outage."""
    async with Supervisor(town.clock) as tasks:
        for name, work in town.room.tasks().items():
            tasks.start(name, work)
        town.burst(ANSWERED, 600)
        await asyncio.sleep(0)
        town.wait(WRITE_SECONDS)
        while not (town.folder / FOLDER / FILE).exists():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)
    town.wait(1)
    for _ in range(6):
        town.burst(ANSWERED, 100)
        town.wait(5)
    town.start()  # and no close before it
    assert "and 6 blocks after them" in town.room.health().sentence
    town.probe(ANSWERED)
    assert town.loss() is Verdict.GOOD
    town.wait(15)
    town.probe(*[LOST] * OUTAGE_PACKETS)
    town.probe(ANSWERED)
    town.start()
    town.probe(ANSWERED)
    assert town.loss() is Verdict.UNKNOWN, "an outage is over: the proof begins anew"
    assert town.packets() == 2


def test_a_block_that_comes_again_counts_once(town: Town) -> None:
    block = town.probe(ANSWERED, ANSWERED)
    town.room.close()
    town.start()
    town.live.apply(town.journal.arrival(block, received_ns=0, monotonic_ns=2**40))
    town.probe(ANSWERED)
    assert town.packets() == 3


def test_another_target_or_dscp_is_another_path(town: Town) -> None:
    town.burst(ANSWERED, PROOF_PACKETS)
    town.room.close()
    links = [
        replace(link, witness=WitnessPlan(target=link.witness.target, dscp=46))
        if link.witness is not None and link.link == "c301"
        else link
        for link in town.plan.links
    ]
    town.start(replace(town.plan, links=links))
    assert "left out: 1 of links that another target witnesses now" in town.room.health().sentence
    assert not town.live.probes.windows()[0].filled.any()


def test_old_packets_count_no_more(town: Town) -> None:
    town.burst(ANSWERED, PROOF_PACKETS)
    town.wait(OLDEST_NS / NS + 1)
    town.room.close()
    town.start()
    assert not town.live.probes.windows()[0].filled.any()
    assert "not probed for 14 days" in town.room.health().sentence


@pytest.mark.parametrize(
    ("bend", "why"),
    [
        (lambda data: data[:100], "damaged"),
        (lambda _data: b"", "does not begin like"),
        (lambda data: data[:60] + b"\0" + data[61:], "damaged"),
    ],
)
def test_a_damaged_file_costs_the_proof_and_nothing_else(
    town: Town, caplog: pytest.LogCaptureFixture, bend: Callable[[bytes], bytes], why: str
) -> None:
    town.burst(ANSWERED, PROOF_PACKETS)
    town.room.close()
    file = town.folder / FOLDER / FILE
    file.write_bytes(bend(file.read_bytes()))
    town.wait(2 * MARGIN_NS / NS)
    town.start()
    assert why in town.room.health().sentence
    assert town.room.health().ready
    assert caplog.messages
    town.probe(ANSWERED)
    assert (town.loss(), town.packets()) == (Verdict.UNKNOWN, 1)
    town.room.close()
    assert decode(file.read_bytes()).windows.filled.max() == 1


def test_a_file_of_a_time_to_come_is_refused(town: Town) -> None:
    town.burst(ANSWERED, PROOF_PACKETS)
    town.room.close()
    town.wall_ns -= 3600 * NS
    town.start()
    assert "look at the clock" in town.room.health().sentence


def test_a_folder_that_cannot_be_written_is_said(town: Town) -> None:
    (town.folder / FOLDER).write_text("in the way")
    town.burst(ANSWERED, 5)
    town.room.close()
    assert "would not survive a restart" in town.room.health().sentence
    assert town.room.health().ready
