import asyncio
import errno
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.birth_counter import BirthCounter
from agents.commands import Code, CommandFailed, Commands
from agents.uplink import Uplink, UplinkSettings
from drivers.wire.commands import CommandState, Request
from drivers.wire.mqtt import Endpoint, MqttPort, PublishRefusedError
from drivers.wire.sparkplug.edge import EdgeSession
from tenone.blocks.block import Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout, layout
from tenone.journal.disk import OsDisk
from tenone.journal.journal import Journal, JournalError
from tenone.journal.keeper import JournalKeeper
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.metrics import PORT_STATE
from tenone.vocabulary.states import PriorityClass
from tests.agents.conftest import Broker, until
from tests.agents.host import HOST_ID, NODE, FakeHost

P0, P1, P2, P3 = PriorityClass
BOOT = bytes(range(16))
ROWS = ("GE0/0/1", "GE0/0/2")
CLOCK = SystemClock()


@pytest.fixture
def endpoint(broker: Broker) -> Endpoint:
    return Endpoint(host=broker.host, port=broker.port)


@pytest.fixture
def host(endpoint: Endpoint) -> FakeHost:
    return FakeHost(endpoint)


class Node:
    """One gateway's uplink on a journal in ``folder``, started as often as a test likes."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.endpoint, self.folder = endpoint, folder
        self.settings = UplinkSettings(resend_seconds=30)
        self.limit_bytes = 64 * 1024 * 1024
        self.asked: list[Mapping[str, object]] = []
        self.value = 0
        self.kept: dict[tuple[PriorityClass, int], bytes] = {}
        """What the journal said is kept."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Node"]:
        keeper = JournalKeeper(
            Journal.open(
                self.folder / "outbox",
                clock=CLOCK,
                agent="no3",
                boot_id=BOOT,
                limit_bytes=self.limit_bytes,
            )
        )
        counter = BirthCounter(self.folder / "outbox", disk=OsDisk())
        self.commands = Commands({"Poll": self._poll}, clock=CLOCK)
        self.uplink = Uplink(
            session=EdgeSession(node=NODE, host_id=HOST_ID, last_bd_seq=counter.last()),
            birth_counter=counter,
            keeper=keeper,
            clock=CLOCK,
            version="1",
            boot_id=BOOT,
            make_port=lambda plan: MqttPort(
                endpoint=self.endpoint, client_id="node-no3", will=plan.will
            ),
            commands=self.commands,
            settings=self.settings,
        )
        self.journal = keeper.journal
        async with Supervisor(CLOCK) as tasks:
            tasks.start("journal", keeper.run)
            tasks.start("commands", self.commands.run)
            tasks.start("uplink", self.uplink.run)
            yield self
            await tasks.stop("uplink")
        await keeper.close()

    async def _poll(self, arguments: Mapping[str, object]) -> str:
        self.asked.append(arguments)
        if arguments.get("switch") == "gone":
            raise CommandFailed(Code.FAILED, "gone did not answer")
        if arguments.get("switch") == "slow":
            await asyncio.sleep(30)
        return "done"

    def draft(
        self,
        priority: PriorityClass | None = None,
        switch: str = "core",
        stream: Layout | None = None,
    ) -> Draft:
        self.value += 1
        used = stream or layout("port-state", PORT_STATE, ROWS)
        stamp = Stamp(
            agent="no3",
            subject=f"no3/switch/{switch}",
            boot_id=BOOT,
            wall_ns=CLOCK.wall_ns(),
            monotonic_ns=CLOCK.monotonic_ns(),
        )
        columns = [
            Column.of(name, [self.value if name == "if_index" else 1] * len(used.rows))
            for name in PORT_STATE
        ]
        return Draft.of(used, stamp, columns, priority)

    async def keep(self, *drafts: Draft) -> None:
        for block in await self.uplink.keep(drafts):
            self.kept[block.priority, block.seq] = block.data

    def is_empty(self) -> bool:
        return self.uplink.is_drained


@pytest.fixture
def node(endpoint: Endpoint, tmp_path: Path) -> Node:
    return Node(endpoint, tmp_path)


def check_all_arrived(node: Node, host: FakeHost) -> None:
    """Every kept block arrived, byte for byte, and none that was not kept."""
    stored = {(cls, seq): block.data for (_, cls, seq), block in host.store.blocks.items()}
    assert stored == node.kept


async def test_blocks_flow_live_and_are_forgotten_on_receipt(node: Node, host: FakeHost) -> None:
    async with host.running(), node.running():
        await until(lambda: node.uplink.is_online)
        for _ in range(20):
            await node.keep(node.draft(), node.draft(switch="access-1"))
        await until(node.is_empty)
        assert len(host.births) == 1
        assert not host.faults
    assert not any(arrival.historical for arrival in host.arrivals)
    assert len(host.store.blocks) == host.store.deliveries == 40
    check_all_arrived(node, host)


async def test_the_birth_says_who_and_carries_the_newest_blocks(node: Node, host: FakeHost) -> None:
    async with node.running():
        for _ in range(5):
            await node.keep(node.draft(), node.draft(switch="access-1"))
        async with host.running():
            await until(node.is_empty)
        named = {metric.name: metric.value for metric in host.births[0].metrics}
    assert named["Journal/Id"] == node.journal.journal_id.hex()
    assert (named["Journal/P1/Base"], named["Journal/P1/Head"]) == (0, 10)
    assert named["Agent/Boot Id"] == BOOT.hex()
    assert {"Poll/Request", "Poll/Reply", "Node Control/Durable Through"} <= named.keys()
    by_birth = [arrival.seq for arrival in host.arrivals if arrival.by_birth]
    assert by_birth == [9, 10]
    assert [arrival.seq for arrival in host.arrivals if arrival.historical] == list(range(1, 9))
    check_all_arrived(node, host)


async def test_nothing_is_forgotten_without_a_receipt_and_it_is_sent_again(
    node: Node, host: FakeHost
) -> None:
    node.settings = UplinkSettings(resend_seconds=0.5)
    host.receipts = False
    async with host.running(), node.running():
        await until(lambda: node.uplink.is_online)
        for _ in range(4):
            await node.keep(node.draft())
        await until(lambda: host.store.deliveries >= 12)
        assert node.journal.kept_blocks == 4
        host.receipts = True
        await until(node.is_empty)
    check_all_arrived(node, host)


async def test_backfill_goes_by_class_then_age_and_live_is_not_starved(
    node: Node, host: FakeHost
) -> None:
    node.settings = UplinkSettings(window_bytes=8 * 1024)
    async with node.running():
        for priority in (P3, P2, P1, P0):
            await node.keep(*(node.draft(priority) for _ in range(300)))
        async with host.running():
            await until(lambda: len(host.arrivals) > 100)
            await node.keep(node.draft(P3, switch="live"))
            late = node.kept.keys()
            await until(lambda: any(a.priority is P3 and a.seq == 301 for a in host.arrivals))
            assert not node.is_empty()
            assert len(late) == 1201
            await until(node.is_empty)
    order = [a for a in host.arrivals if a.historical]
    for priority in PriorityClass:
        seqs = [a.seq for a in order if a.priority is priority]
        assert seqs == sorted(seqs)
    first = {priority: [a.priority for a in order].index(priority) for priority in PriorityClass}
    assert first[P0] < first[P1] < first[P2] < first[P3]
    assert [a.priority for a in order] == sorted(a.priority for a in order)
    check_all_arrived(node, host)


async def test_what_is_just_being_kept_is_no_backfill(node: Node, host: FakeHost) -> None:
    """It may be the first block of a device that no birth knows of."""
    async with node.running():
        for _ in range(5):
            await node.keep(node.draft())
        keep, release = node.uplink._keeper.keep, asyncio.Event()

        async def keep_slowly(drafts: Sequence[Draft]) -> list[Block]:
            blocks = await keep(drafts)
            await release.wait()
            return blocks

        node.uplink._keeper.keep = keep_slowly  # type: ignore[method-assign] # the moment in between
        keeping = asyncio.create_task(node.keep(node.draft(switch="new")))
        await until(lambda: node.journal.head(P1) == 6)
        async with host.running():
            await until(lambda: len(host.arrivals) >= 5)
            await asyncio.sleep(0.3)
            assert node.uplink.is_online
            release.set()
            await keeping
            await until(node.is_empty)
            assert len(host.births) == 1
    check_all_arrived(node, host)


async def test_a_broker_that_is_killed_costs_nothing(
    node: Node, host: FakeHost, broker: Broker
) -> None:
    node.settings = UplinkSettings(resend_seconds=2)
    async with node.running():
        async with host.running():
            await until(lambda: node.uplink.is_online)
            for _ in range(10):
                await node.keep(node.draft())
            await asyncio.to_thread(broker.kill)
            for _ in range(30):
                await node.keep(node.draft())
        await until(lambda: not node.uplink.is_online)
        await asyncio.to_thread(broker.start)
        async with host.running():
            await until(node.is_empty)
            births = [born.bd_seq for born in host.births]
    assert births == sorted(births)
    assert births[-1] >= 1
    check_all_arrived(node, host)


@pytest.mark.parametrize("orderly", [True, False])
async def test_a_host_that_restarts_gets_a_birth_and_the_rest(
    orderly: bool,
    node: Node,
    host: FakeHost,
) -> None:
    async with node.running():
        async with host.running(orderly=orderly):
            await until(lambda: node.uplink.is_online)
            await node.keep(node.draft())
            await until(node.is_empty)
        await until(lambda: not node.uplink.is_online)
        for _ in range(25):
            await node.keep(node.draft())
        async with host.running():
            await until(node.is_empty)
    assert [born.bd_seq for born in host.births] == [0, 1]
    check_all_arrived(node, host)


async def test_no_birth_before_the_host_is_online(node: Node, host: FakeHost) -> None:
    async with node.running():
        await node.keep(node.draft())
        await asyncio.sleep(0.5)  # there is no fact to wait for: nothing must happen
        assert not node.uplink.is_online
        async with host.running():
            await until(node.is_empty)


async def test_a_rebirth_repeats_births_with_the_same_bd_seq(node: Node, host: FakeHost) -> None:
    async with host.running(), node.running():
        await until(lambda: node.uplink.is_online)
        await node.keep(node.draft())
        await until(lambda: len(host.store.blocks) == 1)
        await host.ask_rebirth()
        await until(lambda: len(host.births) == 2)
        await node.keep(node.draft())
        await until(node.is_empty)
        assert [born.bd_seq for born in host.births] == [0, 0]
        assert host.births[1].again
    check_all_arrived(node, host)


async def test_a_changed_layout_is_announced_and_older_blocks_travel_whole(
    node: Node, host: FakeHost
) -> None:
    wider = layout("port-state", PORT_STATE, (*ROWS, "GE0/0/3"))
    async with node.running():
        for _ in range(3):
            await node.keep(node.draft())
        await node.keep(node.draft(stream=wider))
        async with host.running():
            await until(node.is_empty)
            assert [a.seq for a in host.arrivals if a.raw] == [1, 2, 3]
            await node.keep(node.draft())  # back to the narrow one: a new DBIRTH, no rebirth
            await until(node.is_empty)
        assert host.rebirths == 0
    assert [(a.seq, a.by_birth) for a in host.arrivals][-1] == (5, True)
    check_all_arrived(node, host)


async def test_a_restart_goes_on_with_the_same_journal_and_the_next_bd_seq(
    node: Node, host: FakeHost
) -> None:
    async with node.running():
        for _ in range(5):
            await node.keep(node.draft())
    async with host.running():
        async with node.running():
            await until(node.is_empty)
            await node.keep(node.draft())
            await until(node.is_empty)
        await until(lambda: len(host.deaths) == 1)
        async with node.running():
            await node.keep(node.draft())
            await until(node.is_empty)
    bd_seqs = [born.bd_seq for born in host.births]
    assert bd_seqs[1] == bd_seqs[0] + 1
    assert host.deaths[0].bd_seq == bd_seqs[0]
    check_all_arrived(node, host)


async def test_an_evicted_range_is_told_as_a_gap(node: Node, host: FakeHost) -> None:
    node.limit_bytes = 256 * 1024
    async with node.running():
        for _ in range(40):
            await node.keep(*(node.draft() for _ in range(50)))
        assert node.journal.evicted_blocks > 0
        async with host.running():
            await until(node.is_empty)
        journal_id = node.journal.journal_id
        assert host.store.watermark(journal_id, P1) == node.journal.head(P1)
    lost = {seq for _, cls, seq in host.store.gaps if cls is P1}
    stored = set(host.store.seqs(P1))
    assert lost | stored == set(range(1, node.journal.head(P1) + 1))
    assert {(P1, seq) for seq in stored} - node.kept.keys() <= {
        key[1:] for key, stream in host.store.streams.items() if stream == "gap"
    }


def request(identity: str, seconds: float = 20, **arguments: object) -> Request:
    return Request(
        verb="Poll",
        id=identity,
        deadline_ms=time.time_ns() // 10**6 + round(seconds * 1000),
        arguments=arguments,
    )


async def test_commands_are_carried_out_once_and_answered(node: Node, host: FakeHost) -> None:
    async with host.running(), node.running():
        await until(lambda: bool(host.births))
        for _ in range(3):
            await host.ask(request("a1", switch="core"))
        await until(lambda: len(host.replies) >= 4)
        await host.ask(request("a2", seconds=-1, switch="core"))
        await host.ask(request("a3", switch="gone"))
        await host.ask(request("a4", seconds=0.3, switch="slow"))
        await until(
            lambda: (
                {"a2", "a3", "a4"}
                <= {reply.id for reply in host.replies if reply.state is CommandState.FAILED}
            )
        )
    assert [arguments["switch"] for arguments in node.asked].count("core") == 1
    answers = {reply.id: (reply.state, reply.code, reply.message) for reply in host.replies}
    assert answers == {
        "a1": (CommandState.SUCCESSFUL, Code.OK, "done"),
        "a2": (
            CommandState.FAILED,
            Code.EXPIRED,
            "the deadline had passed when the command arrived",
        ),
        "a3": (CommandState.FAILED, Code.FAILED, "gone did not answer"),
        "a4": (
            CommandState.FAILED,
            Code.EXPIRED,
            "the deadline passed while the command was carried out",
        ),
    }


async def test_a_hole_in_the_journal_stops_nothing_behind_it(node: Node, host: FakeHost) -> None:
    """Damaged blocks never come; what lies behind them goes on, however much it is."""
    async with node.running():
        for _ in range(40):
            await node.keep(*(node.draft(switch="core") for _ in range(50)))
    path = next((node.folder / "outbox" / "p1").iterdir())
    data = bytearray(path.read_bytes())
    for seq in (3, 900):
        data[data.find(node.kept.pop((P1, seq))) + 200] ^= 1
    path.write_bytes(data)
    async with host.running(), node.running():
        await until(node.is_empty, 60)
    assert {seq for _, cls, seq in host.store.gaps if cls is P1} == {3, 900}
    assert (
        node.kept.items()
        <= {(cls, seq): block.data for (_, cls, seq), block in host.store.blocks.items()}.items()
    )


async def test_a_full_disk_does_not_cut_the_school_off(
    node: Node, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the journal holds must get through, for only its receipts make room again."""

    replace = OsDisk.replace

    def full(disk: OsDisk, path: Path, data: bytes) -> None:
        if path.name == "bdseq":
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(disk, path, data)

    monkeypatch.setattr(OsDisk, "replace", full)
    async with host.running(), node.running():
        await node.keep(node.draft())
        await until(node.is_empty)
    check_all_arrived(node, host)


async def test_a_restored_folder_is_found_out_and_goes_on_as_a_new_journal(
    node: Node, host: FakeHost
) -> None:
    """The numbers it would give are taken at the city, and what had them would be refused."""
    outbox, image = node.folder / "outbox", node.folder / "image"
    async with host.running():
        async with node.running():
            await node.keep(*(node.draft() for _ in range(10)))
            await until(node.is_empty)
        shutil.copytree(outbox, image)
        async with node.running():
            await node.keep(*(node.draft() for _ in range(10)))
            await until(node.is_empty)
        shutil.rmtree(outbox)
        image.rename(outbox)
        async with node.running():
            await until(lambda: node.journal.broken)
            assert "is a copy or was restored" in node.journal.broken
            with pytest.raises(JournalError, match="at the next start"):
                await node.keep(node.draft())
            before = node.journal.journal_id
        async with node.running():
            assert node.journal.journal_id != before
            await node.uplink.keep([node.draft()])
            await until(node.is_empty)
            assert (node.journal.journal_id, P1, 1) in host.store.blocks


async def test_what_is_too_large_for_the_broker_stalls_nothing(
    host: FakeHost, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the numbers of the session nor the receipts wait for what can never be sent."""
    monkeypatch.setattr(MqttPort, "publish", narrow(MqttPort.publish, 6500))
    fits = layout("port-state", PORT_STATE, [f"p{number}" for number in range(300)])
    huge = layout("port-state", PORT_STATE, [f"p{number}" for number in range(3000)])
    assert len(fits.document) < 300 * 15 < 6500 < len(fits.document) + 300 * 15
    async with host.running(), node.running():
        await until(lambda: node.uplink.is_online)
        for _ in range(3):
            await node.keep(node.draft())
            await node.keep(node.draft(switch="large", stream=fits))
            await node.uplink.keep([node.draft(switch="huge", stream=huge)])
        await until(node.is_empty)
        await host.ask_rebirth()
        await until(lambda: len(host.births) == 2)
        await node.keep(node.draft())
        await until(node.is_empty)
    assert host.rebirths == 1
    assert not host.faults
    assert (
        node.kept.items()
        <= {(cls, seq): block.data for (_, cls, seq), block in host.store.blocks.items()}.items()
    )
    assert len(host.store.gaps) == 3


def narrow(publish: Callable[..., Awaitable[None]], limit: int) -> Callable[..., Awaitable[None]]:
    """A broker's bound on packets, which the port finds before anything is sent."""

    async def bounded(port: MqttPort, topic: str, payload: bytes, **options: object) -> None:
        if len(payload) > limit:
            raise PublishRefusedError(f"{len(payload)} bytes are too many", topic, 0x95)
        await publish(port, topic, payload, **options)

    return bounded
