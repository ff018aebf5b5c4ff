"""``tenone snmp show``: one switch as TenOne sees it, for a person or as JSON (CONTRACT.md)."""

import asyncio
import json
import sys
from typing import Annotated, Any

import typer

from drivers.snmp import chassis
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError
from drivers.snmp.health import HealthReader
from drivers.snmp.reading import Reading
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from tenone.cli.snmp_record import record
from tenone.cli.snmp_target import V3_HELP, target
from tenone.cli.snmp_view import Snapshot, as_json, render
from tenone.config import SecretError
from tenone.runtime.clock import SystemClock

Json = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    snmp = typer.Typer(help="Look at one switch by SNMP.", no_args_is_help=True)
    snmp.callback()(_keep_command_name)
    snmp.command(
        "show", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
    )(show)
    snmp.command("record")(record)
    app.add_typer(snmp, name="snmp")


def _keep_command_name() -> None:
    """Look at one switch by SNMP."""


def show(  # noqa: PLR0917 - typer hands options over by name
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="HOST[:PORT]", help="An IPv6 address as [::1]:161.")
    ],
    community: Annotated[
        str | None, typer.Option("--community", "-c", help="Community, env:NAME or file:PATH.")
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer, each time.")] = 1.0,
    retries: Annotated[int, typer.Option(help="How often to ask again.")] = 1,
    v1: Annotated[bool, typer.Option("--v1", help="Ask by SNMPv1, not v2c.")] = False,
    v3: Annotated[str | None, typer.Option("--v3", metavar="USER", help=V3_HELP)] = None,
) -> None:
    """One switch as TenOne sees it: system, ports, neighbours, and what its agent gets wrong."""
    if context.args:
        raise typer.BadParameter(f"{context.args[0]!r} is no option of this command: see --help")
    try:
        asked = target(address, community=community, v1=v1, v3=v3, timeout=timeout, retries=retries)
        snapshot = asyncio.run(read(asked))
    except (SnmpError, SecretError) as error:
        _refuse(str(error))
        return
    if as_json_:
        sys.stdout.write(json.dumps(as_json(snapshot), ensure_ascii=False, indent=2) + "\n")
    else:
        render(snapshot)


async def read(target: Target) -> Snapshot:
    """Everything about one switch, once; raises :class:`SnmpError`."""
    async with SnmpClient(clock=SystemClock()) as client:
        reader = SwitchReader(client, target, sweep_seconds=60, inventory_seconds=60)
        inventory = await reader.inventory()
        state = await reader.state()
        counters = await reader.counters()
        body: tuple[Reading, ...] = (chassis.reading(inventory.system),)
        errors: tuple[str, ...] = ()
        try:
            health = await HealthReader(reader).read()
            body = (*health.readings, *body)
            errors = tuple(str(error) for error in health.errors)
        except SnmpError as error:
            errors = (str(error),)
        return Snapshot(
            label=target.label,
            inventory=inventory,
            state=state,
            counters=counters,
            narrow=reader.narrow_counters,
            body=body,
            body_errors=errors,
        )


def _refuse(sentence: str) -> None:
    typer.echo(f"tenone snmp show: {sentence}.".replace("..", "."), err=True)
    raise typer.Exit(1)
