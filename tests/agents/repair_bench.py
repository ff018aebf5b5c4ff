"""A school with one simulated switch: its console, its ports, and wires that can be cut."""

import asyncio
import heapq
import itertools
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from agents.origin import Origin
from agents.port_look import Look, LookError, PortSeen
from agents.repairs import Repairs
from drivers.cli.console import ConsoleLogin
from drivers.cli.dialect import Line
from drivers.cli.dialects.registry import dialect as dialect_called
from drivers.cli.errors import LineRefusedError, LoginError, SessionLostError
from drivers.cli.hostkeys import HostKey, HostKeyStore
from firmware_sims.switch.console import CommandLine
from firmware_sims.switch.model import Port as SimPort
from firmware_sims.switch.model import Switch as SimSwitch
from firmware_sims.switch.vendors import Vendor
from tenone.config import School
from tenone.journal.disk import Disk
from tenone.vocabulary.intents import Dialect
from tenone.vocabulary.repairs import RepairStep
from tests.agents.conftest import Kept
from tests.trust.approving import approval

T = TypeVar("T")

VENDORS = {
    Dialect.HUAWEI_VRP5: Vendor.HUAWEI,
    Dialect.HUAWEI_VRP8: Vendor.HUAWEI,
    Dialect.COMWARE: Vendor.H3C,
    Dialect.RUIJIE: Vendor.RUIJIE,
    Dialect.ZTE: Vendor.ZTE,
    Dialect.CISCO_IOS: Vendor.RUIJIE,
}
PASSWORD = "a-Secret-of-the-switch"
KEY = HostKey.of(b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00 " + bytes(32))
START_NS = 1_790_000_000_000_000_000


class JumpingClock:
    """Time passes only when everything waits for it: then it jumps to whoever is due next."""

    def __init__(self) -> None:
        self._now_ns = 10**9
        self._wall_ns = START_NS
        self._due: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    def wall_ns(self) -> int:
        return self._wall_ns + self._now_ns

    def monotonic_ns(self) -> int:
        return self._now_ns

    @property
    def seconds(self) -> float:
        return self._now_ns / 1e9

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due_ns = self._now_ns + round(seconds * 1e9)
        heapq.heappush(self._due, (due_ns, next(self._number), future))
        await future

    def pass_on(self, seconds: float) -> None:
        """Let so much time pass at once (nobody is running)."""
        self._now_ns += round(seconds * 1e9)

    def jump(self) -> bool:
        """To the next one due; False if nobody waits."""
        while self._due:
            due_ns, _, future = heapq.heappop(self._due)
            if future.done():
                continue
            self._now_ns = max(self._now_ns, due_ns)
            future.set_result(None)
            return True
        return False


async def _idle() -> None:
    """Let everything run that can without time passing."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined] # nothing else tells
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - there is no event that says that nothing runs
        await asyncio.sleep(0)


async def drive(clock: JumpingClock, work: Awaitable[T], *, most_seconds: float = 3600.0) -> T:
    """The result of ``work``, however long it takes by that clock."""
    task = asyncio.ensure_future(work)
    end = clock.seconds + most_seconds
    try:
        while not task.done():
            await _idle()
            if not task.done():
                assert clock.jump(), "everything waits and nobody for time"
                assert clock.seconds < end, "it takes too long"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return task.result()


class Killed(BaseException):
    """The agent's process is gone."""


@dataclass
class Wire:
    """Between gateway and switch."""

    down_until: float = 0.0
    """By the clock, in seconds."""
    cut_at: int | None = None
    """Cut at the typing of this line, counted over all sessions since :meth:`arm`."""
    taken: bool = True
    """Whether that line still arrives; its answer never does."""
    typed: int = 0
    away_seconds: float = 20.0
    killing: bool = False
    """Not the wire but the agent ends there."""
    transcript: list[str] = field(default_factory=list)

    armed: int | None = None
    refuse: str = ""
    """A line the switch does not take, this once."""

    def arm(self, cut_at: int | None, *, taken: bool, killing: bool = False) -> None:
        """Cut at that line from now on."""
        self.cut_at, self.taken, self.killing, self.typed = cut_at, taken, killing, 0

    def begin(self) -> None:
        """An action begins: lines are counted from here, and cut at :attr:`armed`."""
        self.cut_at, self.typed = self.armed, 0


class SimConsole:
    """A session with a simulated switch, as the child process would hold it."""

    def __init__(self, school: "SimSchool", line: CommandLine) -> None:
        self._school = school
        self._line = line
        self._dialect = dialect_called(line.dialect)
        self.lost = False

    async def run(self, lines: Sequence[Line]) -> list[str]:
        answers = []
        for number, line in enumerate(lines):
            answers.append(await self._type(number, line))
        return answers

    async def _type(self, number: int, line: Line) -> str:
        wire, clock = self._school.wire, self._school.clock
        await clock.sleep(0.05)  # SWITCHES.md 3: a command of a kept session costs 88 ms
        if self.lost or self._line.closed or clock.seconds < wire.down_until:
            self._lose()
            raise SessionLostError(number, f"the session ended at {line.text!r}")
        cut = wire.cut_at == wire.typed
        wire.typed += 1
        if cut:
            if wire.taken:
                self._carry_out(line)
            self._lose()
            wire.down_until = clock.seconds + wire.away_seconds
            if wire.killing:
                raise Killed
            raise SessionLostError(number, f"the session ended at {line.text!r}")
        if wire.refuse and line.text == wire.refuse:
            wire.refuse = ""
            raise LineRefusedError(number, f"core does not take {line.text!r}")
        answer = self._carry_out(line)
        wire.transcript.append(line.text)
        if not line.optional:
            for pattern in self._dialect.refusals:
                if pattern.search(answer):
                    raise LineRefusedError(number, f"core does not take {line.text!r}: {answer!r}")
        if line.pause:
            await clock.sleep(line.pause)
        return answer

    def _carry_out(self, line: Line) -> str:
        printed = self._line.type(line.text)
        for _ in range(8):
            if self._line.closed:
                return printed
            asked = next((ask for ask in line.asks if re.search(ask.pattern, printed)), None)
            if asked is None:
                break
            printed = self._line.type(asked.answer)
        while self._line.paging:
            printed += self._line.type(" ")
        return printed.removesuffix(self._line.prompt).strip("\n")

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            self._line.close()

    async def close(self) -> None:
        self._lose()


class SimConsoles:
    """Where they come from."""

    def __init__(self, school: "SimSchool") -> None:
        self._school = school
        self.opened = 0
        self.logins: list[ConsoleLogin] = []

    async def open(self, login: ConsoleLogin) -> SimConsole:
        school = self._school
        await school.clock.sleep(0.3)
        self.logins.append(login)
        if school.clock.seconds < school.wire.down_until:
            await school.clock.sleep(1.0)
            raise LoginError("core does not answer")
        self.opened += 1
        line = CommandLine(school.switch, login.dialect)
        console = SimConsole(school, line)
        for quiet in console._dialect.quiet:
            console._carry_out(quiet)
        return console

    async def close(self) -> None:
        """Nothing is held."""


class SimEyes:
    """Polls the same switch."""

    def __init__(self, school: "SimSchool") -> None:
        self._school = school
        self.looks = 0
        self.lies: list[Callable[[dict[str, PortSeen]], None]] = []
        """Each look has the next one change what is seen; the last one stays."""
        self.gateway_at: frozenset[str] = frozenset()
        self.hostile: frozenset[str] = frozenset()
        """Ports the switch reports beside its own."""

    async def look(self, switch: str) -> Look:
        school = self._school
        asked_ns = school.clock.monotonic_ns()
        await school.clock.sleep(0.02)
        self.looks += 1
        if switch != "core" or school.clock.seconds < school.wire.down_until:
            raise LookError(f"{switch} does not answer")
        school.switch.tick()
        ports = {port.name: seen(port) for port in school.switch.sockets}
        if self.lies:
            (self.lies.pop(0) if len(self.lies) > 1 else self.lies[0])(ports)
        return Look(asked_ns=asked_ns, ports=ports)

    def reported(self, _switch: str) -> frozenset[str]:
        return self.hostile.union(port.name for port in self._school.switch.sockets)

    def means(self, switch: str, text: str) -> str | None:
        return text if text in self.reported(switch) else None

    def identity(self, _switch: str) -> str:
        return "core 1.3.6.1.4.1.2011.2.23.291"

    def own_ports(self, _switch: str) -> frozenset[str]:
        return self.gateway_at


def seen(port: SimPort) -> PortSeen:
    return PortSeen(
        admin=port.admin, oper=port.oper, speed_mbps=port.speed_mbps, duplex=port.duplex
    )


class SimSchool:
    """All of it."""

    def __init__(self, folder: Path, dialect: Dialect, **cli: Any) -> None:
        self.clock = JumpingClock()
        self.folder = folder
        self.dialect = dialect
        self.switch = SimSwitch(name="core", vendor=VENDORS[dialect], clock=self.clock, ports=4)
        self.wire = Wire()
        self.eyes = SimEyes(self)
        self.consoles = SimConsoles(self)
        self.port = self.switch.sockets[0].name
        self.uplink = self.switch.sockets[-1].name
        (folder / "outbox").mkdir(parents=True, exist_ok=True)
        self.lives: list[Life] = []
        self.config = self.school(cli)
        store = HostKeyStore(folder / "outbox" / "ssh-host-keys")
        store.pin("192.0.2.1", 22, KEY, KEY.fingerprint)

    def school(self, cli: dict[str, Any]) -> School:
        (self.folder / "password").write_text(PASSWORD)
        return School.model_validate(
            {
                "school": {"id": "no1", "name": "No. 1", "district": "d", "city": "c"},
                "uplink": {"broker": {"host": "192.0.2.9"}},
                "switches": [
                    {
                        "name": "core",
                        "host": "192.0.2.1",
                        "snmp": {"community": "env:NOTHING"},
                        "cli": {
                            "dialect": self.dialect.value,
                            "username": "tenone",
                            "password": f"file:{self.folder / 'password'}",
                            "quarantine_vlan": 99,
                            **cli,
                        },
                    },
                    {"name": "bare", "host": "192.0.2.2", "snmp": {"community": "env:NOTHING"}},
                ],
                "links": [
                    {
                        "id": "class-1",
                        "tier": "class",
                        "switch": "core",
                        "port": self.port,
                        "room": "r1",
                        "contract_mbps": 1000,
                    },
                    {"id": "up", "tier": "uplink", "switch": "core", "port": self.uplink},
                ],
                "outbox": {"path": str(self.folder / "outbox")},
            },
            context={"base": self.folder},
        )

    def type(self, *lines: str) -> str:
        """As somebody does at the switch's own console."""
        line = CommandLine(self.switch, self.dialect)
        printed = "".join(line.type(text) for text in lines)
        line.close()
        return printed


class Life:
    """One run of the agent's part that repairs; a new one after a kill."""

    def __init__(self, sim: SimSchool, disk: Disk, kept: Kept) -> None:
        self.sim = sim
        self.repairs = Repairs(
            sim.config,
            consoles=sim.consoles,
            eyes=sim.eyes,
            origin=Origin(school="no1", boot_id=bytes(16), clock=sim.clock),
            keep=kept.keep,
            disk=disk,
        )
        self.worker = asyncio.ensure_future(self.repairs._of["core"].run())

    async def act(self, intent: str, **parameters: str) -> str:
        """As :class:`agents.approvals.Approvals` does once all is checked."""
        at = {"switch": "core", **parameters}
        document = approval(intent=intent, parameters=at, action=f"a-{intent}")
        lines = await self.repairs.shop.render(document)
        self.sim.wire.begin()
        return await self.repairs.shop.execute(document, lines)

    async def ended(self) -> None:
        """Until nothing is under way; raises :class:`Killed` when the agent is."""
        while self.repairs.book.of("core") is not None or self.repairs._of["core"]._job:
            if self.worker.done():
                self.worker.result()
            await self.sim.clock.sleep(0.1)

    async def close(self) -> None:
        """The end of the process, whichever way."""
        self.worker.cancel()
        await asyncio.gather(self.worker, return_exceptions=True)
        await self.repairs.close()


def steps_of(kept: Kept) -> list[RepairStep]:
    """The steps that were kept."""
    return [RepairStep(cast("int", value)) for value in kept.values("repairs", "repair_step")]


def sentences_of(kept: Kept) -> list[str]:
    """Their sentences."""
    return [str(value) for value in kept.values("repairs", "repair_sentence")]
