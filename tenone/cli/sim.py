"""``tenone sim``: devices as software, alone or in fleets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_sims.board import fleet as boards
from firmware_sims.board.session import PROTOCOLS, Session
from firmware_sims.console import Console
from firmware_sims.switch import fleet, plan, replay
from firmware_sims.switch.agent import DEFAULT_MAX_REPLY, LARGEST_REPLY, SMALLEST_MAX_REPLY
from firmware_sims.switch.flaws import NAMES, flaw
from firmware_sims.switch.notify import Destinations, destination
from firmware_sims.switch.server import Fleet, address
from firmware_sims.switch.usm import V3User
from firmware_sims.switch.vendors import SCHOOL_VENDORS, Vendor
from firmware_sims.ups import unit as ups
from tenone.cli._places import place, written
from tenone.config.quantities import duration_seconds
from tenone.runtime.clock import Clock, SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.scope import slug

if TYPE_CHECKING:
    from firmware_sims.switch.console.front import ConsoleFront
    from firmware_sims.switch.console.offer import Offer

MOST_SWITCHES = 4096
MOST_BOARDS = 4096
SHORTEST_INTERVAL_SECONDS, LONGEST_INTERVAL_SECONDS = 0.1, 3600.0
MIXED = "mixed"


def register(app: typer.Typer) -> None:
    """Add the command."""
    sims = typer.Typer(help="Devices as software, alone or in fleets.", no_args_is_help=True)
    sims.command("switch")(switch)
    sims.command("board")(board)
    app.add_typer(sims, name="sim")


@dataclass(frozen=True, slots=True)
class Where:
    """The addresses switches listen on."""

    host: str
    port: int
    spread: bool

    def of(self, number: int) -> tuple[str, int]:
        """The address of switch ``number``, counted from 0."""
        return address(self.host, self.port, number, spread=self.spread)


def switch(  # noqa: PLR0917 - typer hands options over by name
    recording: Annotated[
        Path | None, typer.Option("--replay", help="Serve this .snmprec recording.")
    ] = None,
    fleet_file: Annotated[
        Path | None,
        typer.Option(
            "--fleet",
            help="JSON list of switches (name, vendor, ports, uplinks, ...) and of UPS "
            "(kind, name, feeds, ...).",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=MOST_SWITCHES, help="How many.")] = 1,
    ports: Annotated[int, typer.Option(min=1, max=512, help="1G ports of each.")] = 24,
    uplinks: Annotated[int, typer.Option(min=0, max=32, help="10G ports of each.")] = 2,
    virtual: Annotated[
        bool, typer.Option(help="Give each a virtual interface, as real ones have.")
    ] = True,
    vendor: Annotated[
        str, typer.Option(help=f"{', '.join(Vendor)}, or {MIXED} for schools' four in turn.")
    ] = Vendor.HUAWEI.value,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="First UDP port; 0 takes free ones.")
    ] = 0,
    host: Annotated[
        str, typer.Option(help="Address to listen on (with --spread: the first one).")
    ] = "127.0.0.1",
    spread: Annotated[
        bool, typer.Option("--spread", help="An address each from --host on, all on --port.")
    ] = False,
    community: Annotated[str, typer.Option(help="SNMP community.")] = "public",
    seed: Annotated[int, typer.Option(help="What all chance comes from.")] = 0,
    misbehave: Annotated[
        str | None, typer.Option(help=f"What it gets wrong: {', '.join(NAMES)}.")
    ] = None,
    max_reply: Annotated[
        int,
        typer.Option(min=SMALLEST_MAX_REPLY, max=LARGEST_REPLY, help="Bytes of a reply at most."),
    ] = DEFAULT_MAX_REPLY,
    traps: Annotated[
        str | None, typer.Option(help="Where link changes are told as SNMP traps, HOST:PORT.")
    ] = None,
    inform: Annotated[
        bool, typer.Option("--inform", help="Informs instead of traps: told until answered.")
    ] = False,
    syslog: Annotated[
        str | None, typer.Option(help="Where link changes are told as log lines, HOST:PORT.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Number the answers and log each to this file.")
    ] = None,
    v3_user: Annotated[
        list[str] | None,
        typer.Option(help="NAME[:AUTH:PASSWORD[:PRIV:PASSWORD]] may ask by SNMPv3; repeatable."),
    ] = None,
    console: Annotated[
        str | None,
        typer.Option(
            help="Give each a command line over SSH on a free port: 'vendor' for what its make "
            "speaks, or a dialect such as huawei-vrp8."
        ),
    ] = None,
    console_user: Annotated[str, typer.Option(help="Who may log in there.")] = "tenone",
    console_password: Annotated[str, typer.Option(help="With this password.")] = "simulated",  # noqa: S107 - a simulator's
    console_enable: Annotated[
        str, typer.Option(help="Second password of IOS-likes; empty: none is asked for.")
    ] = "",
    ready_json: Annotated[
        bool, typer.Option("--ready-json", help="Say where they are as one JSON line.")
    ] = False,
) -> None:
    """Switches that answer SNMP v1, v2c and v3 on UDP; control lines (JSON) on standard input."""
    clock = SystemClock()
    where = Where(host, port, spread)
    with ExitStack() as closing:
        try:
            log = None
            if answers is not None:
                out = closing.enter_context(answers.open("a", encoding="utf-8"))
                log = fleet.AnswerLog(out, clock)
            setting = fleet.Setting(
                clock=clock,
                seed=seed,
                misbehave=None if misbehave is None else flaw(misbehave),
                max_reply=max_reply,
                log=log,
                v3_users=tuple(map(V3User.parse, v3_user or ())),
                to=Destinations(
                    traps=None if traps is None else destination(traps),
                    syslog=None if syslog is None else destination(syslog),
                    inform=inform,
                ),
                consoles=None
                if console is None
                else _offer(console, (console_user, console_password, console_enable), host, seed),
            )
            upses: list[ups.UpsUnit] = []
            if recording is not None:
                units = _recorded(recording, count, community, where, setting)
            else:
                plans = (
                    plan.read(fleet_file)
                    if fleet_file is not None
                    else plan.alike(
                        count=count,
                        vendors=SCHOOL_VENDORS if vendor == MIXED else [plan.vendor(vendor)],
                        ports=ports,
                        uplinks=uplinks,
                        virtual=virtual,
                        community=community,
                    )
                )
                units, upses = _made(plans, where, setting)
        except (OSError, ValueError) as error:
            typer.echo(f"tenone sim switch: {_sentence(error)}", err=True)
            raise typer.Exit(2) from error
        asyncio.run(_serve_switches(units, upses, ready_json=ready_json))


def _made(
    plans: Sequence[plan.Plan | ups.UpsPlan], where: Where, setting: fleet.Setting
) -> tuple[list[fleet.Unit], list[ups.UpsUnit]]:
    """Switches, and what feeds them; each at the address of its place in the list."""
    placed = [(one, where.of(number)) for number, one in enumerate(plans)]
    units = [fleet.live(p, at, setting) for p, at in placed if isinstance(p, plan.Plan)]
    switches = {unit.name: unit.switch for unit in units if unit.switch is not None}
    return units, [
        ups.live(p, at, setting.clock, switches) for p, at in placed if isinstance(p, ups.UpsPlan)
    ]


def _offer(speaks: str, login: tuple[str, str, str], host: str, seed: int) -> "Offer":
    """Consoles for a fleet; raises ValueError for a dialect nobody speaks."""
    from firmware_sims.switch.console.front import Login  # noqa: PLC0415 - only where asked for
    from firmware_sims.switch.console.offer import Offer, dialect  # noqa: PLC0415 - the same

    dialect(speaks, Vendor.HUAWEI)
    return Offer(speaks=speaks, login=Login(*login), host=host, seed=seed)


def _sentence(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used: {error.strerror}"
    return str(error)


def _recorded(
    path: Path, count: int, community: str, where: Where, setting: fleet.Setting
) -> list[fleet.Unit]:
    held = replay.load(path)
    names = [path.stem] if count == 1 else [f"{path.stem}-{n + 1}" for n in range(count)]
    return [
        fleet.recorded(held, name, community, where.of(n), setting) for n, name in enumerate(names)
    ]


async def _serve_switches(
    units: list[fleet.Unit], upses: list[ups.UpsUnit], *, ready_json: bool
) -> None:
    console = Console()
    parts = [part for unit in units for part in unit.parts]
    fronts = [unit.front for unit in units if unit.front is not None]
    async with Fleet([*parts, *(part for one in upses for part in one.parts)]), _opened(fronts):
        if ready_json:
            feeding = {"ups": [one.ready() for one in upses]} if upses else {}
            switches = [unit.ready() for unit in units]
            console.say({"ready": True, "switches": switches, **feeding})
        else:
            for unit in units:
                console.line(
                    f"{unit.name} ({unit.vendor}, {len(unit.ports)} ports): "
                    f"{unit.endpoint.host}:{unit.endpoint.port} "
                    f"community {unit.agent.community.decode()}"
                )
        await console.serve(fleet.Controls(units, upses).handle)


@asynccontextmanager
async def _opened(fronts: "Sequence[ConsoleFront]") -> AsyncIterator[None]:
    """Consoles, where there are any: nothing of SSH is loaded otherwise."""
    if not fronts:
        yield
        return
    from firmware_sims.switch.console.front import Consoles  # noqa: PLC0415 - only where asked for

    async with Consoles(fronts):
        yield


def board(  # noqa: PLR0917 - typer hands options over by name
    broker: Annotated[str | None, typer.Option(help="The school's MQTT broker, HOST:PORT.")] = None,
    fleet_file: Annotated[
        Path | None,
        typer.Option("--fleet", help="JSON list of {serial, broker}, for several brokers."),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=MOST_BOARDS, help="How many, called b-1, b-2, ...")
    ] = 1,
    serials: Annotated[
        str | None, typer.Option(help="Their serials with commas between, instead of --count.")
    ] = None,
    interval: Annotated[
        str, typer.Option(help="Time between measurements: seconds, or such as 500ms or 1m.")
    ] = "30",
    mqtt: Annotated[str, typer.Option(help=f"MQTT version: {' or '.join(PROTOCOLS)}.")] = "5",
    seed: Annotated[int, typer.Option(help="What all chance comes from.")] = 0,
    faults_per_hour: Annotated[
        float, typer.Option(min=0, help="How often something befalls each board by chance.")
    ] = 0.0,
    events: Annotated[
        bool, typer.Option("--events", help="Tell each start on the event topic too.")
    ] = False,
    reflect: Annotated[
        str | None,
        typer.Option(
            help="Answer probes: HOST:PORT of the first, an address each from HOST on; "
            "port 0 takes a free one of HOST for each."
        ),
    ] = None,
    ready_json: Annotated[
        bool, typer.Option("--ready-json", help="Say who they are as one JSON line.")
    ] = False,
) -> None:
    """Class boards that speak MQTT; control lines (JSON) on standard input."""
    try:
        brokers = _brokers(broker, fleet_file, count, serials)
        protocol = boards.protocol(mqtt)
        interval_seconds = _interval(interval)
        reflecting = None if reflect is None else place(reflect)
    except (OSError, ValueError) as error:
        typer.echo(f"tenone sim board: {_sentence(error)}", err=True)
        raise typer.Exit(2) from error

    def make(clock: Clock) -> list[Session]:
        made = boards.sessions(
            brokers,
            clock=clock,
            seed=seed,
            interval_seconds=interval_seconds,
            protocol=protocol,
            faults_per_hour=faults_per_hour,
            events=events,
        )
        if reflecting is not None:
            boards.reflect(made, *reflecting)
        return made

    try:
        asyncio.run(_run_boards(make, ready_json=ready_json))
    except OSError as error:
        typer.echo(f"tenone sim board: {reflect}: {error.strerror or error}", err=True)
        raise typer.Exit(2) from error


def _brokers(
    broker: str | None, fleet_file: Path | None, count: int, serials: str | None
) -> dict[str, str]:
    """Serial -> broker, as the options say; raises ValueError or OSError."""
    if fleet_file is not None:
        return boards.read(fleet_file)
    if broker is None:
        raise ValueError("say which broker: --broker HOST:PORT, or --fleet FILE for several")
    boards.broker(broker)
    names = [f"b-{n + 1}" for n in range(count)] if serials is None else serials.split(",")
    return {slug(name.strip(), "serial"): broker for name in names}


def _interval(text: str) -> float:
    """Seconds; raises ValueError."""
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else duration_seconds(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no interval: write seconds, or such as 500ms or 1m"
        ) from None
    if not SHORTEST_INTERVAL_SECONDS <= seconds <= LONGEST_INTERVAL_SECONDS:
        raise ValueError(
            f"an interval of {text} is outside {SHORTEST_INTERVAL_SECONDS:g} to "
            f"{LONGEST_INTERVAL_SECONDS:g} seconds"
        )
    return seconds


async def _run_boards(make: Callable[[Clock], list[Session]], *, ready_json: bool) -> None:
    console = Console()
    clock = SystemClock()
    sessions = make(clock)
    async with Supervisor(clock) as tasks:
        for session in sessions:
            tasks.start(f"board {session.board.serial}", session.run)
        said = [
            {
                "serial": session.board.serial,
                "broker": f"{session.line.host}:{session.line.port}",
            }
            | _reflecting(session)
            for session in sessions
        ]
        if ready_json:
            console.say({"ready": True, "boards": said})
        else:
            for one in said:
                console.line(f"{one['serial']} -> {one['broker']}")
        await console.serve(boards.Controls(sessions).handle)
    for session in sessions:
        session.close()


def _reflecting(session: Session) -> dict[str, str]:
    """Where a board answers probes, for the ready line."""
    found = session.reflector
    return {} if found is None else {"reflector": written(found.host, found.port)}
