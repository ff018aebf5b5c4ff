"""``tenone snmp record``: what a switch says, as a file that ``tenone sim switch`` serves.

One variable a line, ``OID|tag|value``, in the order of the tree: the ``.snmprec`` form of the
recordings the tests replay. Octets are always in hexadecimal, so nothing is lost in them.
"""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from drivers.snmp.ber import Missing, Oid, Tag, oid_text
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError
from drivers.snmp.message import VarBind
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from tenone.cli.snmp_target import V3_HELP, target
from tenone.config import SecretError
from tenone.runtime.clock import SystemClock

MIB_2: Oid = (1, 3, 6, 1, 2, 1)
LLDP: Oid = (1, 0, 8802, 1, 1, 2)
MAX_ROWS = 200_000
"""More variables than any switch of a school has under one root."""
_HEX = frozenset({Tag.OCTET_STRING, Tag.OPAQUE, Tag.IP_ADDRESS})


def record(  # noqa: PLR0917 - typer hands options over by name
    address: Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="[::1]:161 for IPv6.")],
    community: Annotated[
        str | None, typer.Option("--community", "-c", help="Community, env:NAME or file:PATH.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; else standard output.")
    ] = None,
    root: Annotated[
        list[str] | None, typer.Option(help="Subtree to read; default mib-2 and LLDP.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer, each time.")] = 1.0,
    v1: Annotated[bool, typer.Option("--v1", help="Ask by SNMPv1, not v2c.")] = False,
    v3: Annotated[str | None, typer.Option("--v3", metavar="USER", help=V3_HELP)] = None,
) -> None:
    """Write down everything a switch says, for tests and for the simulator to replay."""
    try:
        roots = [_oid(text) for text in root] if root else [LLDP, MIB_2]
        asked = target(address, community=community, v1=v1, v3=v3, timeout=timeout, retries=2)
        varbinds, errors = asyncio.run(read(asked, roots))
    except (SnmpError, SecretError) as error:
        _say(str(error))
        raise typer.Exit(1) from error
    for sentence in errors:
        _say(sentence)
    lines = "".join(recording_lines(varbinds))
    if output is None:
        sys.stdout.write(lines)
    elif lines:  # a switch that said nothing must not empty an earlier recording
        output.write_text(lines, encoding="ascii")
    _say(f"{len(varbinds)} variables. It names people's devices: look before you pass it on")
    if errors or not varbinds:
        raise typer.Exit(1)


async def read(target: Target, roots: Iterable[Oid]) -> tuple[list[VarBind], list[str]]:
    """All variables under ``roots`` in tree order, and why some are missing."""
    async with SnmpClient(clock=SystemClock()) as client:
        session = Session(client, await client.device(target))
        walks = await session.walk_all(sorted(roots), max_rows=MAX_ROWS)
    found = {bind.name: bind for walk in walks for bind in walk.varbinds}
    errors = dict.fromkeys(str(walk.error) for walk in walks if walk.error is not None)
    return [found[name] for name in sorted(found)], list(errors)


def recording_lines(varbinds: Iterable[VarBind]) -> Iterable[str]:
    """One line a variable, with its end of line."""
    for name, tag, value in varbinds:
        match value:
            case bytes() if tag in _HEX:
                yield f"{oid_text(name)}|{tag}x|{value.hex()}\n"
            case tuple():
                yield f"{oid_text(name)}|{tag}|{oid_text(value)}\n"
            case int():
                yield f"{oid_text(name)}|{tag}|{value}\n"
            case None:
                yield f"{oid_text(name)}|{tag}|\n"
            case bytes() | Missing():
                continue  # a type that no agent of today sends and no recording can hold


def _oid(text: str) -> Oid:
    try:
        return tuple(int(part) for part in text.strip(".").split("."))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no OID: write numbers with dots") from None


def _say(sentence: str) -> None:
    typer.echo(f"tenone snmp record: {sentence.removesuffix('.')}.", err=True)
