"""``tenone agent``: one school's gateway agent."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Annotated

import typer

from agents.checkpoints import SealKeyError
from agents.egress import Guard, rules_of
from agents.egress_hook import install
from agents.egress_nft import NftError, rules_text, system_resolvers
from agents.identity import IdentityError
from agents.ledger_heads import FILE_NAME as HEADS_NAME
from agents.ledger_heads import REFUSED_NAME, line_of, read_lines, trouble_of
from agents.listener import ListenError
from agents.lock import LockedError
from agents.origin import clock_quality
from agents.service import Agent
from drivers.snmp.errors import BadTarget
from drivers.wire.endpoint import EndpointError
from tenone.blocks.block import Block
from tenone.cli._console import BAD_CONFIGURATION, MaybeSchoolFile, SchoolFile, configured
from tenone.cli._logs import start_log
from tenone.cli._service import run_service, sd_notify
from tenone.config import School, SecretError, load_school
from tenone.config.quantities import is_loopback
from tenone.journal.disk import OsDisk
from tenone.journal.journal import JournalError
from tenone.runtime.clock import SystemClock
from tenone.trust.approval_keys import KeySetError
from tenone.vocabulary.states import ClockQuality

log = logging.getLogger(__name__)

CANNOT_START = 1


class Witness:
    """Writes a line about each kept block, for whoever checks later that none was lost.

    A file that takes no more is told once as an error; the agent goes on without it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._out: IO[str] | None = path.open("a", encoding="ascii")

    def write(self, blocks: Sequence[Block]) -> None:
        """Journal, priority class, sequence number and hash of each, on disk before it returns."""
        if self._out is None:
            return
        lines = [
            json.dumps([block.journal_id.hex(), int(block.priority), block.seq, block.hash.hex()])
            for block in blocks
        ]
        try:
            self._out.write("".join(f"{line}\n" for line in lines))
            self._out.flush()
        except OSError as error:
            log.error("%s takes no more lines, kept blocks go unwitnessed: %s", self._path, error)  # noqa: TRY400 - the disk is to blame, not a line of code
            self.close()

    def close(self) -> None:
        """Close the file; nothing is written any more."""
        if self._out is not None:
            with suppress(OSError):  # what it would not take it will not take now
                self._out.close()
            self._out = None


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(invoke_without_command=True, help=agent.__doc__)
    group.callback()(agent)
    group.command("egress")(egress)
    group.command("heads")(heads)
    app.add_typer(group, name="agent")


def agent(  # noqa: PLR0917 - typer hands options over by name
    context: typer.Context,
    config: MaybeSchoolFile = None,
    kept: Annotated[
        Path | None, typer.Option(help="Write a line about each kept block to this file.")
    ] = None,
    ready_json: Annotated[
        bool, typer.Option("--ready-json", help="Say that it is ready as one JSON line.")
    ] = False,
    demo: Annotated[
        bool, typer.Option(hidden=True, help="City and agent share this machine's clock.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
) -> None:
    """Watch one school's switches and boards, report to the city. SIGTERM drains and stops."""
    if context.invoked_subcommand is not None:
        return
    if config is None:
        raise typer.BadParameter("name the school's file", param_hint="'-c' / '--config'")
    start_log(verbose=verbose)
    school = configured(load_school, config)
    if demo and not is_loopback(school.uplink.broker.host):
        typer.echo(
            "tenone agent: --demo takes this machine's clock for set: it is for a city on this "
            "machine; leave it out",
            err=True,
        )
        raise typer.Exit(BAD_CONFIGURATION)
    quality = _shared_clock if demo else clock_quality
    try:
        witness = None if kept is None else Witness(kept)
    except OSError as error:
        typer.echo(f"tenone agent: --kept {kept} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(CANNOT_START) from None
    try:
        run_service(lambda stop: _serve(school, stop, witness, quality, ready_json=ready_json))
    except (
        BadTarget, EndpointError, IdentityError, JournalError, ListenError, LockedError,
        KeySetError, SealKeyError, SecretError
    ) as error:  # fmt: skip
        typer.echo(f"tenone agent: {error}", err=True)
        raise typer.Exit(CANNOT_START) from None
    finally:
        if witness is not None:
            witness.close()


def egress(
    config: SchoolFile,
    nft: Annotated[
        bool, typer.Option("--nft", help="As rules for nft -f, which root applies.")
    ] = False,
    user: Annotated[str, typer.Option(help="Whose packets the rules are about.")] = "tenone",
    machine: Annotated[
        bool, typer.Option("--machine", help="The rules are about all of this machine.")
    ] = False,
) -> None:
    """Say where the agent may speak to."""
    rules = rules_of(configured(load_school, config), system_resolvers())
    if not nft:
        for rule in rules:
            port = "any port" if rule.port is None else f"port {rule.port}"
            typer.echo(f"{rule.to} {port} {rule.protocol}: {rule.why}")
        return
    try:
        typer.echo(rules_text(rules, user=None if machine else user), nl=False)
    except NftError as error:
        typer.echo(f"tenone agent egress: {error}", err=True)
        raise typer.Exit(CANNOT_START) from None


def heads(
    config: SchoolFile,
    refused: Annotated[
        bool, typer.Option("--refused", help="Those that contradict what is kept, as evidence.")
    ] = False,
) -> None:
    """Print what this school keeps of the city's audit ledger, beside a running agent too.

    The lines are a file for ``tenone audit verify --anchors``: who holds them need not believe
    the city. Ends with 1 where the city has shown what contradicts them.
    """
    folder = configured(load_school, config).outbox.path
    disk = OsDisk()
    try:
        kept = read_lines(disk, folder / HEADS_NAME)
        against = read_lines(disk, folder / REFUSED_NAME)
    except OSError as error:
        typer.echo(f"tenone agent heads: {folder} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(CANNOT_START) from None
    for line in against if refused else kept:
        typer.echo(line_of(line), nl=False)
    trouble = trouble_of(kept, against)
    typer.echo(f"{len(kept)} heads are kept, {len(against)} were refused. {trouble}", err=True)
    if trouble:
        raise typer.Exit(CANNOT_START)


def _shared_clock() -> ClockQuality:
    """City and agent of a demo run by one clock: whatever it says is what both mean."""
    return ClockQuality.SYNCHRONISED


async def _serve(
    school: School,
    stop: asyncio.Event,
    witness: Witness | None,
    quality: Callable[[], ClockQuality],
    *,
    ready_json: bool,
) -> None:
    on_kept = None if witness is None else witness.write
    listed = school.egress
    guard = Guard(rules_of(school), enforce=listed.enforce, pin_names=listed.pin_names)
    install(guard)
    async with Agent(
        school, clock=SystemClock(), on_kept=on_kept, guard=guard, quality=quality
    ) as running:
        ready = asyncio.create_task(running.ready())
        ending = {asyncio.create_task(stop.wait()), asyncio.create_task(running.failed())}
        await asyncio.wait({ready, *ending}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            sd_notify("READY=1")
            if ready_json:
                typer.echo(json.dumps(ready.result().as_json()))
            log.info("the agent of %s is up", school.id)
        await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
        for task in (ready, *ending):
            task.cancel()
        sd_notify("STOPPING=1")
        log.info("stopping")
    if running.keeper.journal.broken:
        raise JournalError(running.keeper.journal.broken)
