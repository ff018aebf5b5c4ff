"""A school's agent with the real uplink and journal but no switches, and a city for it."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.birth_counter import BirthCounter
from agents.commands import Commands, Verb
from agents.uplink import Uplink, UplinkSettings
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import Endpoint
from drivers.wire.sparkplug.edge import EdgeSession
from drivers.wire.topics import NodeId
from tenone.blocks.block import Block, Draft, Stamp
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import Layout
from tenone.config import City, load_city
from tenone.journal.disk import OsDisk
from tenone.journal.journal import Journal
from tenone.journal.keeper import JournalKeeper
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.metrics import BOARD_HEALTH, PORT_STATE
from tenone.vocabulary.states import ClockQuality

PORTS = ("GE1", "GE2", "XGE1")
PORT_LAYOUT = Layout("port-state", PORT_STATE, PORTS)
BOARD_LAYOUT = Layout("board-health", BOARD_HEALTH, ("b1",))

_CITY = """
schema_version: 1
city: {{id: binhai, name: Binhai, name_zh: 滨海市}}
districts: [{districts}]
schools: schools
broker: {{host: 127.0.0.1, port: {port}}}
http: {{host: 127.0.0.1, port: {http}, tls: off}}
"""
_SCHOOL = """
schema_version: 1
school: {{id: {school}, name: {school}, name_zh: 学校{school}, district: {district}, city: binhai}}
uplink: {{broker: {{host: 127.0.0.1, port: {port}}}}}
switches:
  - {{name: sw1, host: 127.0.0.1, snmp: {{community: "env:X"}}}}
links:
  - {{id: up, tier: uplink, switch: sw1, port: XGE1}}
  - {{id: c301, tier: class, switch: sw1, port: GE1, room: r301}}
  - {{id: c302, tier: class, switch: sw1, port: GE2, room: r302}}
devices: [{{id: board/b1, room: r301}}]
"""


def write_city(folder: Path, *, broker_port: int, http_port: int, schools: Sequence[str]) -> Path:
    """A city.yaml with its schools (``west/no3``: in west, ``no1``: in east); returns its path."""
    (folder / "schools").mkdir(parents=True)
    districts = {"east": "{id: east, name: East, name_zh: 东区}"}
    for one in schools:
        district, _, school = one.rpartition("/")
        if district:
            districts[district] = f"{{id: {district}, name: {district}}}"
        text = _SCHOOL.format(school=school, port=broker_port, district=district or "east")
        (folder / "schools" / f"{school}.yaml").write_text(text)
    path = folder / "city.yaml"
    named = ", ".join(districts.values())
    path.write_text(_CITY.format(port=broker_port, http=http_port, districts=named))
    return path


def city_config(folder: Path, *, broker_port: int, schools: Sequence[str] = ("no1",)) -> City:
    """The same, loaded."""
    return load_city(write_city(folder, broker_port=broker_port, http_port=8010, schools=schools))


class SchoolAgent:
    """``async with SchoolAgent(...) as agent: await agent.keep_ports(...)``."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        school: str = "no1",
        district: str = "east",
        verbs: Mapping[str, Verb] | None = None,
        resend_seconds: float = 2.0,
    ) -> None:
        self.school = school
        self.made: dict[tuple[int, int], bytes] = {}
        """(class, seq) -> hash of everything kept."""
        self._clock = SystemClock()
        self._boot_id = secrets.token_bytes(16)
        self.journal = Journal.open(
            folder / "outbox",
            clock=self._clock,
            agent=f"{school}/gateway/agent",
            boot_id=self._boot_id,
            limit_bytes=64 * 1024 * 1024,
        )
        self.keeper = JournalKeeper(self.journal)
        counter = BirthCounter(folder / "outbox", disk=OsDisk())
        endpoint = Endpoint(host="127.0.0.1", port=port)
        self.commands = Commands(verbs or {}, clock=self._clock)
        self.uplink = Uplink(
            session=EdgeSession(
                node=NodeId(district, school), host_id="tenone", last_bd_seq=counter.last()
            ),
            birth_counter=counter,
            keeper=self.keeper,
            clock=self._clock,
            version="test",
            boot_id=self._boot_id,
            make_port=lambda plan: MqttPort(
                endpoint=endpoint,
                client_id=f"agent-{school}",
                will=plan.will,
                clean_start=plan.clean_start,
                session_expiry_seconds=plan.session_expiry_seconds,
            ),
            commands=self.commands,
            settings=UplinkSettings(resend_seconds=resend_seconds),
        )
        self._tasks = Supervisor(self._clock)

    async def __aenter__(self) -> Self:
        self._tasks.start("journal", self.keeper.run)
        self._tasks.start("uplink", self.uplink.run)
        self._tasks.start("commands", self.commands.run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._tasks.close()
        await self.keeper.close()

    async def keep_ports(self, **columns: Sequence[Value | None]) -> Block:
        """One sweep: all as promised unless ``columns`` says otherwise."""
        values: dict[str, Sequence[Value | None]] = {
            "if_index": [1, 2, 3],
            "admin": [1, 1, 1],
            "oper": [1, 1, 1],
            "speed_mbps": [1000, 1000, 10_000],
            "duplex": [3, 3, 3],
            "last_change_ticks": [0, 0, 0],
        }
        return await self._keep(PORT_LAYOUT, f"{self.school}/switch/sw1", values | columns)

    async def keep_board(self, **columns: Sequence[Value | None]) -> Block:
        """One word of the class board."""
        return await self._keep(BOARD_LAYOUT, f"{self.school}/board/all", columns)

    async def _keep(
        self, layout: Layout, subject: str, values: Mapping[str, Sequence[Value | None]]
    ) -> Block:
        stamp = Stamp(
            agent=f"{self.school}/gateway/agent",
            subject=subject,
            boot_id=self._boot_id,
            wall_ns=self._clock.wall_ns(),
            monotonic_ns=self._clock.monotonic_ns(),
            clock_quality=ClockQuality.SYNCHRONISED,
        )
        rows = len(layout.rows)
        columns = [Column.of(name, values.get(name, [None] * rows)) for name in layout.columns]
        (block,) = await self.uplink.keep([Draft.of(layout, stamp, columns)])
        self.made[int(block.priority), block.seq] = block.hash
        return block

    async def drained(self, seconds: float = 60.0) -> None:
        """Wait until everything kept has been receipted."""
        await until(lambda: self.uplink.is_drained, seconds, "everything kept is receipted")


async def until(fact: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a fact, bounded."""
    try:
        async with asyncio.timeout(seconds):
            while not fact():  # noqa: ASYNC110 - facts of all kinds, none has an event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None
