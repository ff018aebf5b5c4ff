"""``tenone switch``: at the gateway, what would be done at a switch. Nothing is done."""

import asyncio
import time
from typing import Annotated, NoReturn

import typer

from agents.commands import Code, CommandFailed
from agents.origin import Origin, clock_quality
from agents.pending import Pending, PendingBook
from agents.polled import Polled
from agents.port_look import Eyes
from agents.ports import Keep
from agents.sessions import Sessions
from agents.workshop import Drawing, RepairShop
from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.console import Consoles
from drivers.snmp.client import SnmpClient
from tenone.blocks.block import Block
from tenone.cli._console import SchoolFile, configured
from tenone.config import School, load_school
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import Clock, SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.trust.approval import Refused
from tenone.vocabulary.intents import MEANINGS, Intent

FAILED = 1
MINUTE_MS = 60_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="What would be done at a switch, seen from its gateway.")
    group.callback()(_only_at_the_gateway)
    group.command("plan")(plan)
    app.add_typer(group, name="switch")


def _only_at_the_gateway() -> None:
    """What would be done at a switch, seen from its gateway."""


def plan(
    switch: Annotated[str, typer.Argument(help="The switch's name in school.yaml.")],
    port: Annotated[str, typer.Argument(help="The port as the switch names it; - for none.")],
    intent: Annotated[Intent, typer.Argument(help="What is wanted.")],
    config: SchoolFile,
    minutes: Annotated[
        int, typer.Option(help="How long, for what ends by itself (exam-priority).")
    ] = 60,
) -> None:
    """Dry run: log in, read the port, print the exact lines. Nothing is changed."""
    school = configured(load_school, config)
    parameters = {"switch": switch}
    wanted = MEANINGS[intent].parameters
    if "port" in wanted:
        parameters["port"] = port
    if "until_ms" in wanted:
        parameters["until_ms"] = str(time.time_ns() // 1_000_000 + minutes * MINUTE_MS)
    try:
        drawing = asyncio.run(_looked(only(school, switch), intent, parameters))
    except (Refused, OSError) as error:
        _fail(str(error))
    for line in drawing.lines:
        typer.echo(line)
    typer.echo(f"takes {2 if MEANINGS[intent].two_persons else 1} other person(s) to approve it")


def only(school: School, switch: str) -> School:
    """The school with this switch alone: no other is asked anything."""
    return school.model_copy(
        update={
            "switches": tuple(one for one in school.switches if one.name == switch),
            "devices": (),
        }
    )


async def _looked(school: School, intent: Intent, parameters: dict[str, str]) -> Drawing:
    clock = SystemClock()
    origin = Origin(school=school.id, boot_id=bytes(16), clock=clock)
    tasks, consoles = Supervisor(clock), ChildConsoles()
    async with SnmpClient(clock=clock) as client:
        poller = Polled(school, client, origin=origin, disk=OsDisk()).poller(_unkept)
        poller.start(tasks)
        try:
            return await drawn(
                school, intent, parameters, eyes=poller, consoles=consoles, clock=clock
            )
        finally:
            await tasks.close()
            await consoles.close()


async def drawn(
    school: School,
    intent: Intent,
    parameters: dict[str, str],
    *,
    eyes: Eyes,
    consoles: Consoles,
    clock: Clock,
) -> Drawing:
    """The plan, by the school's own rules; raises :class:`Refused`."""
    sessions = Sessions(school, consoles, clock=clock)
    shop = RepairShop(
        school,
        sessions=sessions,
        eyes=eyes,
        book=PendingBook(school.outbox.path, disk=OsDisk()),
        doer=_Nobody(),
        clock=clock,
        quality=clock_quality,
    )
    try:
        return await shop.draw(intent.value, parameters)
    finally:
        await sessions.close()


class _Nobody:
    async def execute(self, _pending: Pending, /) -> NoReturn:
        raise CommandFailed(Code.FAILED, "a dry run does nothing")


async def _no_blocks(_drafts: object) -> list[Block]:
    return []


_unkept: Keep = _no_blocks


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"tenone switch plan: {sentence}", err=True)
    raise typer.Exit(FAILED)
