import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.boards import BoardTable, Outcome
from agents.gateway import Gateway
from agents.origin import Origin
from agents.ports import Keep
from agents.quarantine import Quarantine
from drivers.devices.message import Reason
from drivers.wire.mqtt import Endpoint, MqttPort, Will
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tests.agents.conftest import Broker, Kept, until

Say = Callable[..., Awaitable[None]]
BOARDS = ("b1", "b2", "b3")


@pytest.fixture
def origin() -> Origin:
    return Origin(school="no3", boot_id=bytes(16), clock=SystemClock())


class Site:
    """A gateway at a real broker, and a way to be a board."""

    def __init__(self, broker: Broker, origin: Origin, kept: Kept, folder: Path) -> None:
        self.endpoint = Endpoint(host=broker.host, port=broker.port)
        self.origin, self.kept, self.folder = origin, kept, folder
        self.keep: Keep = kept.keep
        self.gateway = self._gateway()

    def _gateway(self) -> Gateway:
        return Gateway(
            table=BoardTable(BOARDS),
            quarantine=Quarantine(self.folder / "quarantine", disk=OsDisk()),
            origin=self.origin,
            keep=self.keep,
            make_port=lambda: MqttPort(
                endpoint=self.endpoint,
                client_id="agent",
                clean_start=False,
                session_expiry_seconds=3600,
            ),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Gateway]:
        self.gateway = self._gateway()
        async with Supervisor(self.origin.clock) as tasks:
            self.gateway.start(tasks)
            await until(self.gateway.listening.is_set)
            yield self.gateway

    @asynccontextmanager
    async def board(self, serial: str) -> AsyncIterator[Say]:
        will = Will(
            topic=f"t1/board/{serial}/s", payload=b'{"v":{"online":false}}', qos=1, retain=True
        )
        port = MqttPort(endpoint=self.endpoint, client_id=f"board-{serial}", will=will)
        async with port:
            counter = 0

            async def say(channel: str = "m", raw: bytes | None = None, **values: object) -> None:
                nonlocal counter
                counter += 1
                body = {"ts": time.time_ns() // 10**6, "n": counter, "boot": "k", "v": values}
                payload = json.dumps(body).encode() if raw is None else raw
                await port.publish(
                    f"t1/board/{serial}/{channel}", payload, qos=1, retain=channel == "s"
                )

            yield say
            await port.disconnect(with_will=True)

    def column(self, name: str) -> list[list[object]]:
        """A column of each kept block."""
        return [
            list(draft.columns[draft.layout.columns.index(name)])
            for draft in self.kept.of("board-health")
        ]


@pytest.fixture
def site(broker: Broker, origin: Origin, kept: Kept, tmp_path: Path) -> Site:
    return Site(broker, origin, kept, tmp_path)


async def test_what_boards_say_becomes_one_block(site: Site) -> None:
    async with site.running(), site.board("b1") as one, site.board("b3") as three:
        await one("s", online=True)
        await three("s", online=True)
        await one(app="课堂", cpu_ratio=0.5, rssi_dbm=None)
        await until(lambda: ["课堂", None, None] in site.column("app"))
        await until(lambda: [1, None, 1] in site.column("online"))
    last = site.kept.of("board-health")[-1]
    assert last.layout.rows == BOARDS
    assert last.stamp.subject == "no3/board/all"


async def test_the_will_says_offline(site: Site) -> None:
    async with site.running():
        async with site.board("b2") as board:
            await board("s", online=True)
            await until(lambda: [None, 1, None] in site.column("online"))
        await until(lambda: [None, 0, None] in site.column("online"))


async def test_a_retained_status_is_learnt_after_a_restart(site: Site) -> None:
    async with site.board("b1") as board:
        await board("s", online=True)
        async with site.running():
            await until(lambda: [1, None, None] in site.column("online"))


async def test_what_does_not_fit_is_put_aside_with_its_reason(site: Site) -> None:
    bad = {
        "t1/board/b1/m": [
            b"{",
            b'{"n":1,"boot":"k","v":{"cpu_ratio":NaN}}',
            b'{"n":1,"boot":"k","v":{"cpu_ratio":7}}',
            b'{"n":1,"boot":"k","v":{"surprise":7}}',
            b" " * 300_000,
        ],
        "t1/board/stranger/m": [b'{"n":1,"boot":"k","v":{}}'],
        "t1/toaster/b1/m": [b"{}"],
        "t1/sensor/s1/m": [b"{}"],
        "t1/board/b1/e/swipe": [b"{}"],
    }
    async with site.running() as gateway:
        async with MqttPort(endpoint=site.endpoint, client_id="bad") as port:
            for topic, payloads in bad.items():
                for payload in payloads:
                    await port.publish(topic, payload, qos=1)
            async with site.board("b2") as good:
                await good(app="still here")
                await until(lambda: [None, "still here", None] in site.column("app"))
        expected = {
            Reason.JSON: 2,
            Reason.RANGE: 1,
            Reason.FIELD: 1,
            Reason.SIZE: 1,
            Reason.UNKNOWN_DEVICE: 1,
            Reason.TOPIC: 1,
            Reason.KIND: 2,
        }
        await until(lambda: gateway.quarantine.counts == expected)
        file = site.folder / "quarantine" / "quarantine.jsonl"
        await until(lambda: file.exists() and len(file.read_bytes().splitlines()) == 8)
    assert set(site.column("cpu_ratio")[-1]) == {None}


async def test_a_flood_starves_nobody_and_is_counted(site: Site) -> None:
    async with site.running() as gateway, site.board("b1") as flood, site.board("b2") as calm:
        await asyncio.gather(*(flood(app="x") for _ in range(900)))
        await calm(app="calm")
        await until(lambda: [row[1] for row in site.column("app")][-1:] == ["calm"])
        await until(
            lambda: (
                gateway.quarantine.counts[Reason.FLOOD] + sum(gateway.table.outcomes.values())
                == 901
            )
        )
    assert gateway.quarantine.counts[Reason.FLOOD] > 700


async def test_strangers_share_one_bucket(site: Site) -> None:
    async with (
        site.running() as gateway,
        MqttPort(endpoint=site.endpoint, client_id="bad") as port,
    ):
        await asyncio.gather(
            *(port.publish(f"t1/board/x{index}/m", b"{}", qos=1) for index in range(400))
        )
        await until(lambda: gateway.quarantine.total == 400)
    assert gateway.quarantine.counts[Reason.FLOOD] > 300
    assert gateway.quarantine.counts[Reason.UNKNOWN_DEVICE] >= 50


async def test_nothing_is_acknowledged_before_it_is_kept(site: Site) -> None:
    refused = asyncio.Event()

    async def refusing(drafts: object) -> list[object]:
        refused.set()
        raise OSError("the disk is full")

    site.keep = refusing  # type: ignore[assignment]  # it never returns
    async with site.running(), site.board("b1") as board:
        await board(app="precious")
        await refused.wait()
    assert not site.kept.drafts
    site.keep = site.kept.keep
    async with site.running():
        await until(lambda: ["precious", None, None] in site.column("app"))


async def test_a_redelivered_message_is_folded(site: Site) -> None:
    async with site.running() as gateway, site.board("b1") as board:
        raw = b'{"n":900,"boot":"k","v":{"app":"once"}}'
        await board(raw=raw)
        await board(raw=raw)
        await until(lambda: sum(gateway.table.outcomes.values()) == 2)
        await until(lambda: ["once", None, None] in site.column("app"))
    assert gateway.table.outcomes[Outcome.DUPLICATE] == 1


async def test_without_a_broker_presence_is_unknown_and_comes_back(
    site: Site, broker: Broker
) -> None:
    async with site.running() as gateway:
        async with site.board("b1") as board:
            await board("s", online=True)
            await until(lambda: [1, None, None] in site.column("online"))
            await asyncio.to_thread(broker.kill)
        await until(lambda: site.column("online")[-1] == [None, None, None])
        await asyncio.to_thread(broker.start)
        await until(gateway.listening.is_set)
        async with site.board("b1") as board:
            await board("s", online=True)
            await until(lambda: site.column("online")[-1] == [1, None, None])


@asynccontextmanager
async def simulated(
    endpoint: Endpoint, *arguments: str
) -> AsyncIterator[Callable[[dict[str, object]], Awaitable[None]]]:
    """``tenone sim board``; yields a way to give it control lines."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tenone.cli", "sim", "board", "--ready-json"),
        *("--broker", f"{endpoint.host}:{endpoint.port}", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    assert json.loads(await stdout.readline())["ready"]

    async def tell(line: dict[str, object]) -> None:
        stdin.write(json.dumps(line).encode() + b"\n")
        await stdin.drain()
        assert json.loads(await stdout.readline()) == {"ok": True}

    try:
        yield tell
    finally:
        process.terminate()
        await process.communicate()


async def test_the_simulated_boards_and_all_their_faults(site: Site) -> None:
    faults = {
        "bad-json": Reason.JSON,
        "nan": Reason.JSON,
        "unknown-field": Reason.FIELD,
        "out-of-range": Reason.RANGE,
        "flood": Reason.FLOOD,
    }
    async with (
        site.running() as gateway,
        simulated(site.endpoint, "--serials", "b1,b2,b9", "--interval", "200ms") as tell,
    ):
        counts, outcomes = gateway.quarantine.counts, gateway.table.outcomes
        await until(lambda: site.column("online")[-1] == [1, 1, None])
        assert {reason for reason in counts if counts[reason]} == {Reason.UNKNOWN_DEVICE}
        for fault, reason in faults.items():
            before = counts[reason]
            await tell({"board": "b1", "set": {"fault": fault}})
            await until(lambda: counts[reason] > before)  # noqa: B023 - awaited in the same round
        await tell({"board": "b1", "set": {"fault": "duplicates"}})
        await until(lambda: outcomes[Outcome.DUPLICATE] > 0)
        await tell({"board": "b1", "set": {"fault": "clock-1970"}})
        await until(lambda: site.column("device_time_ms")[-1][0] is None)
        assert site.column("device_time_ms")[-1][1] is not None
        await tell({"board": "b2", "set": {"offline": True}})
        await until(lambda: site.column("online")[-1] == [1, 0, None])
        await tell({"board": "b2", "set": {"offline": False}})
        await until(lambda: site.column("online")[-1] == [1, 1, None])
