"""``tenone verify``: recomputes a report from its evidence, without the controller."""

import json
from pathlib import Path
from typing import Annotated

import typer

from controller.evidence.verify import Verdict
from controller.evidence.verify import verify as verify_bytes

NOT_EQUAL = 1
UNREADABLE = 2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    file: Annotated[Path, typer.Argument(help="A bundle made by 'tenone report --evidence'.")],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="Id of a gateway's key you know; any other is a fault."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Recompute every number of a report from its sealed blocks: equal, or what does not fit."""
    try:
        data = file.read_bytes()
    except OSError as error:
        typer.echo(f"tenone verify: {file} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(UNREADABLE) from None
    verdict = verify_bytes(data, key or ())
    typer.echo(json.dumps(verdict.as_json(), ensure_ascii=False) if as_json else told(verdict))
    if not verdict.equal:
        raise typer.Exit(NOT_EQUAL)


def told(verdict: Verdict) -> str:
    """The verdict in sentences."""
    about = verdict.report.get("about", {})
    of = about.get("link") or about.get("school") or "?"
    period = f"{about.get('first', '?')} to {about.get('last', '?')}"
    if verdict.equal:
        lines = [
            f"EQUAL: the report of {of}, {period}, follows from its evidence to the last digit."
        ]
    else:
        lines = [f"NOT EQUAL: the report of {of}, {period}. The first that does not fit:"]
        lines += [f"  {fault}" for fault in verdict.faults[:20]]
        if len(verdict.faults) > 20:  # noqa: PLR2004 - as many as are shown
            lines.append(f"  and {len(verdict.faults) - 20} more")
    return "\n".join([*lines, *(f"- {note}" for note in verdict.notes)])
