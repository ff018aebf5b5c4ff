"""``tenone demo``: a whole small city in one process tree, with faults that come and go."""

import asyncio
import contextlib
import json
import re
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import yaml

from firmware_sims import city, city_calendars
from firmware_sims.director import Fault, Place, faults
from firmware_sims.repairs import CLI_PASSWORD, CLI_USER, CLI_VARIABLE
from firmware_sims.switch import plan
from firmware_sims.switch.server import address
from tenone.cli import demo_repairs
from tenone.cli._places import place
from tenone.cli.processes import (
    Child,
    ChildError,
    Tree,
    free_port,
    free_quiet_udp_ports,
    free_udp_port,
)
from tenone.config.quantities import duration_seconds

HTTP_PORT = 8010
LOOPBACK = "127.0.0.1"
FIRST_BOARD = "127.77.0.1"
"""All of 127.0.0.0/8 is this machine (RFC 1122 section 3.2.1.3): an address for each board."""
_AGENT_UP = re.compile(rb"^tenone_agent_up\{.*\} 1(\.0)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asked for."""

    schools: int
    seconds: float | None
    port: int
    seed: int
    speed: float


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    schools: Annotated[
        int, typer.Option(min=1, max=city.MOST_SCHOOLS, help="How many schools.")
    ] = 12,
    for_: Annotated[
        str | None, typer.Option("--for", help="End by itself after so long, such as 90s or 5m.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The page's port; 0 takes a free one.")
    ] = HTTP_PORT,
    seed: Annotated[int, typer.Option(help="What the city and its faults come from.")] = 0,
    speed: Annotated[
        float, typer.Option(min=0.1, max=10.0, help="How much faster faults come and go.")
    ] = 1.0,
) -> None:
    """A small city on this machine: real SNMP, real MQTT, a page to look at. Ctrl-C ends it."""
    try:
        seconds = None if for_ is None else duration_seconds(for_)
    except ValueError as error:
        raise _refused(f"--for {for_!r}: {error}") from error
    wanted = Wanted(schools=schools, seconds=seconds, port=port, seed=seed, speed=speed)
    try:
        asyncio.run(_run(wanted))
    except ChildError as error:
        raise _refused(str(error), code=1) from error


def _refused(sentence: str, code: int = 2) -> typer.Exit:
    typer.echo(f"tenone demo: {sentence}", err=True)
    return typer.Exit(code)


class Stage:
    """Says what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """One line."""
        typer.echo(f"{time.monotonic() - self._started:6.1f} s  {text}")


class Demo:
    """The running city."""

    def __init__(self, wanted: Wanted, folder: Path, stage: Stage) -> None:
        self._wanted = wanted
        self._folder = folder
        self._stage = stage
        self._plan = city.plan(schools=wanted.schools, seed=wanted.seed)
        self._pace = city.Pace.at(wanted.speed)
        self._tree = Tree(stage.say)
        self._served: dict[str, city.Served] = {}
        self._agents: dict[str, Child] = {}
        self._boards: dict[str, Child] = {}
        self._probed: dict[str, tuple[str, int]] = {}
        self._syslog: dict[str, str] = {}
        self._listening: asyncio.Task[None] | None = None
        self.controller: Child
        self._switches = self._child(
            *("switches", "sim", "switch", "--fleet", str(folder / "fleet")),
            *("--console", "vendor", "--console-user", CLI_USER),
            *("--console-password", CLI_PASSWORD),
        )

    def _child(self, name: str, *argv: str) -> Child:
        return Child(
            name,
            [*argv, "--ready-json"],
            log=self._folder / f"{name}.log",
            env={city.COMMUNITY_VARIABLE: city.COMMUNITY, CLI_VARIABLE: CLI_PASSWORD},
        )

    async def start(self) -> None:
        """Bring everything up; raises :class:`ChildError`."""
        made = self._plan
        ports = free_quiet_udp_ports(len(made.schools))
        self._syslog = {
            school.id: f"{LOOPBACK}:{port}"
            for school, port in zip(made.schools, ports, strict=True)
        }
        switches = [
            replace(one, syslog=self._syslog[school.id])
            for school in made.schools
            for one in school.switches
        ]
        (self._folder / "fleet").write_text(
            plan.write(switches, [one.entry for one in made.upses]), encoding="utf-8"
        )
        await self._tree.start(self._switches)
        broker = free_port()  # chosen now: the switches' consoles have taken a port each
        http = free_port(self._wanted.port)
        if self._wanted.port not in {0, http}:
            self._stage.say(f"port {self._wanted.port} is taken, the page is on {http}")
        for one in (*self._switches.ready["switches"], *self._switches.ready["ups"]):
            self._served[one["name"]] = city.Served(
                host=one["host"],
                port=one["port"],
                ports=one.get("ports", ()),
                console=demo_repairs.console_of(one),
            )
        self._stage.say(
            f"{len(made.switches)} switches answer SNMP and SSH on loopback, "
            f"{len(made.upses)} UPS besides"
        )
        await self._start_reflector()
        locals_ = {school.id: free_port() for school in made.schools}
        self._write(broker, http, locals_)
        controller = self._child(
            "controller", "controller", "-c", str(self._folder / "city.yaml"), "--demo"
        )
        self.controller = controller
        await self._tree.start(controller)
        self._stage.say("controller, broker and store are up")
        trust = self._folder / "data" / "store" / "trust"
        for school in made.schools:
            demo_repairs.enrol(school, self._served, trust, self._folder / "outbox" / school.id)
        self._agents = {
            school.id: self._child(
                f"agent-{school.id}",
                "agent",
                "-c",
                str(self._folder / "schools" / f"{school.id}.yaml"),
                "--demo",
            )
            for school in made.schools
        }
        await self._tree.start(*self._agents.values())
        self._stage.say(f"{len(self._agents)} schools' gateway agents are up")
        await self._start_boards(locals_)
        _announce(controller.ready)
        self._listening = asyncio.create_task(self._hear_codes(controller), name="codes")
        await self._wait_for_reports(f"http://{LOOPBACK}:{http}/metrics")

    async def _wait_for_reports(self, url: str) -> None:
        """Until every school's agent is up by the city's own metrics."""
        while True:
            with contextlib.suppress(urllib.error.URLError, TimeoutError):
                if len(_AGENT_UP.findall(await asyncio.to_thread(_get, url))) == len(self._agents):
                    break
            await asyncio.sleep(0.5)
        self._stage.say(f"all {len(self._agents)} schools report; faults begin")

    async def _hear_codes(self, controller: Child) -> None:
        """Each code opens one session, so a fresh one is shown whenever one is used."""
        while True:
            try:
                said = await controller.hear()
            except ChildError:
                await asyncio.sleep(1.0)  # it is started again, with a ready line of its own
                continue
            if "sign_in_code" in said:
                self._stage.say(f"the next sign-in code is {said['sign_in_code']}")

    async def _start_reflector(self) -> None:
        """What answers probes: the city's core now, the boards, each at an address, soon."""
        core = self._child("reflector", "reflector", "--listen", f"{LOOPBACK}:0")
        await self._tree.start(core)
        self._probed[city.CORE] = place(core.ready["listening"][0])
        port = free_udp_port(FIRST_BOARD)
        boards = [serial for school in self._plan.schools for serial, _, _ in school.boards]
        for number, serial in enumerate(boards):
            self._probed[serial] = address(FIRST_BOARD, port, number, spread=True)

    async def _start_boards(self, brokers: dict[str, int]) -> None:
        fleet = [
            {"serial": serial, "broker": f"{LOOPBACK}:{brokers[school.id]}"}
            for school in self._plan.schools
            for serial, _, _ in school.boards
        ]
        path = self._folder / "boards"
        path.write_text(json.dumps(fleet), encoding="utf-8")
        _, port = self._probed[fleet[0]["serial"]]
        boards = self._child(
            *("boards", "sim", "board", "--fleet", str(path), "--interval", "10s"),
            *("--reflect", f"{FIRST_BOARD}:{port}"),
        )
        await self._tree.start(boards)
        self._boards = dict.fromkeys((entry["serial"] for entry in fleet), boards)
        self._stage.say(f"{len(fleet)} class boards speak MQTT and answer probes")

    def _write(self, broker: int, http: int, locals_: dict[str, int]) -> None:
        schools = self._folder / "schools"
        schools.mkdir()
        for school in self._plan.schools:
            body = city.school_yaml(
                school,
                self._served,
                broker_port=broker,
                local_port=locals_[school.id],
                pace=self._pace,
                outbox=self._folder / "outbox" / school.id,
                probed=self._probed,
                syslog=self._syslog[school.id],
            )
            _dump(schools / f"{school.id}.yaml", body)
        data = self._folder / "data"
        data.mkdir()
        calendar, vacation = self._folder / "calendar.yaml", self._folder / "vacation.yaml"
        year = datetime.now(tz=UTC).year
        _dump(calendar, city_calendars.calendar_yaml(year))
        _dump(vacation, city_calendars.vacation_yaml(year))
        body = city.city_yaml(
            schools=schools, data=data, broker_port=broker, http_port=http, calendar=calendar,
            vacation=vacation, cares={one.scope: one.care for one in self._plan.schools},
        )  # fmt: skip
        _dump(self._folder / "city.yaml", body)

    async def play(self, ended: asyncio.Event) -> None:
        """Break and mend things until ``ended``."""
        mending: set[asyncio.Task[None]] = set()
        start = time.monotonic()
        for fault in faults(self._plan, self._served, speed=self._wanted.speed):
            if await _wait(ended, start + fault.start_seconds - time.monotonic()):
                break
            task = asyncio.create_task(self._one(fault, start))
            mending.add(task)
            task.add_done_callback(mending.discard)
        for task in mending:
            task.cancel()
        await asyncio.gather(*mending, return_exceptions=True)

    async def _one(self, fault: Fault, start: float) -> None:
        where = f"{fault.school.name_zh} {fault.what}".strip()
        try:
            self._stage.say(f"■ {fault.kind.value}: {where}")
            await self._carry_out(fault, begins=True)
            await asyncio.sleep(max(0.0, start + fault.end_seconds - time.monotonic()))
            await self._carry_out(fault, begins=False)
            self._stage.say(f"● mended: {fault.kind.value}: {where}")
        except ChildError as error:
            self._stage.say(str(error))

    async def _carry_out(self, fault: Fault, *, begins: bool) -> None:
        command = fault.begin if begins else fault.end
        match fault.place:
            case Place.AGENTS:
                agent = self._agents[fault.school.id]
                if begins:
                    agent.signal(signal.SIGKILL)
                else:
                    await agent.start()
            case Place.BOARDS:
                await self._boards[str(command["board"])].ask(command)
            case Place.SWITCHES:
                if command:
                    await self._switches.ask(command)
        if begins and fault.cut_off_seconds:
            await asyncio.sleep(fault.cut_off_seconds)
        for serial in fault.cut_off:
            await self._boards[serial].ask({"board": serial, "set": {"offline": begins}})

    async def stop(self) -> None:
        """End every process."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._tree.stop()


async def _run(wanted: Wanted) -> None:
    stage = Stage()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    folder = Path(tempfile.mkdtemp(prefix="tenone-demo-"))
    running = Demo(wanted, folder, stage)
    try:
        stage.say(f"a city of {wanted.schools} schools, seed {wanted.seed}")
        starting = asyncio.create_task(running.start())
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        else:
            starting.result()
            await _for_a_while(running, wanted.seconds, ended)
        waiting.cancel()
    except ChildError:
        stage.say(f"the logs are kept in {folder}")
        raise
    else:
        stage.say("stopping")
    finally:
        await running.stop()
    shutil.rmtree(folder, ignore_errors=True)
    stage.say("nothing is left running")


async def _for_a_while(running: Demo, seconds: float | None, ended: asyncio.Event) -> None:
    playing = asyncio.create_task(running.play(ended))
    await _wait(ended, seconds)
    ended.set()
    await playing


async def _wait(ended: asyncio.Event, seconds: float | None) -> bool:
    """Wait that long; True as soon as ``ended`` is set."""
    if seconds is not None and seconds <= 0:
        return ended.is_set()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), seconds)
    return ended.is_set()


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
        body: bytes = answer.read()
        return body


def _dump(path: Path, body: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _announce(ready: dict[str, object]) -> None:
    lines: Sequence[str] = (
        "",
        f"  Open     {ready['url']}",
        f"  Sign in  {ready['sign_in_code']}   (once)",
        "  Ctrl-C ends it.",
        "",
    )
    for line in lines:
        typer.echo(line)
