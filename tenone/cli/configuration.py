"""``tenone configuration``: at the gateway, every configuration its switches have had."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from agents.configuration_history import History, HistoryError, hash_of, open_history
from drivers.cli.care.rules import broken
from drivers.cli.care.text import as_text, differences
from tenone.calendar.zone import CITY_ZONE
from tenone.cli._console import SchoolFile, configured
from tenone.config import ConfigError, School, load_school
from tenone.config.compliance import load_compliance
from tenone.journal.disk import OsDisk
from tenone.trust.files import KeyFileError, write_whole

CANNOT = 1
BAD_INPUT = 2

Switch = Annotated[str, typer.Argument(help="The switch's name in school.yaml.")]
Commit = Annotated[
    str | None, typer.Option("--version", help="Which one, from the list; else the newest.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    configuration = typer.Typer(
        help="What the switches of this school have been set to. Run it at the gateway, as the "
        "account the agent runs as.",
        no_args_is_help=True,
    )
    configuration.command("versions")(versions)
    configuration.command("show")(show)
    configuration.command("diff")(diff)
    configuration.command("check")(check)
    configuration.command("restore")(restore)
    app.add_typer(configuration, name="configuration")


def versions(config: SchoolFile, switch: Switch) -> None:
    """List every version, newest first; ``*`` marks the accepted one."""
    with _opened(config, switch) as (history, _):
        for one in history.versions(switch):
            at = datetime.fromtimestamp(one.at, UTC).astimezone(ZoneInfo(CITY_ZONE))
            mark = "*" if one.accepted else " "
            typer.echo(f"{mark} {one.commit[:12]}  {at:%Y-%m-%d %H:%M:%S}  {one.why}")


def show(config: SchoolFile, switch: Switch, version: Commit = None) -> None:
    """Print a version, its secrets masked."""
    with _opened(config, switch) as (history, _):
        typer.echo("\n".join(history.lines(switch, version)))


def diff(
    config: SchoolFile,
    switch: Switch,
    since: Annotated[str, typer.Option(help="The older version; else the accepted one.")] = "",
    version: Commit = None,
) -> None:
    """Print what differs, secrets masked; ends with 1 where something does."""
    with _opened(config, switch) as (history, _):
        before = history.lines(switch, since) if since else history.accepted(switch)
        found = differences(before, history.lines(switch, version))
    if found:
        typer.echo(as_text(found))
        raise typer.Exit(CANNOT)


def check(config: SchoolFile, switch: Switch, version: Commit = None) -> None:
    """Hold a version against the rules; ends with 1 where one does not hold."""
    with _opened(config, switch) as (history, school):
        rules = load_compliance(school.care.rules).rules
        dialect = next(
            one.cli.dialect for one in school.switches if one.name == switch and one.cli is not None
        )
        lines = history.restore(switch, version)
        found = broken(rules, dialect, lines, hide=history.hidden)
    for one in found:
        typer.echo(f"{one.severity.label}: {one.en} / {one.zh}")
        for place in one.where:
            typer.echo(f"  {place}")
    if found:
        raise typer.Exit(CANNOT)


def restore(
    config: SchoolFile,
    switch: Switch,
    to: Annotated[Path, typer.Option(help="The file to write, readable for you alone.")],
    version: Commit = None,
) -> None:
    """Write a version whole, with its secrets, to load it into a switch."""
    with _opened(config, switch) as (history, _):
        lines = history.restore(switch, version)
    try:
        write_whole(to, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    except KeyFileError as error:
        typer.echo(f"tenone configuration restore: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    named = hash_of(history.lines(switch, version))[:12]
    typer.echo(f"{to}: {len(lines)} lines of {switch} ({named}) with every secret; guard it")


@contextmanager
def _opened(config: Path, switch: str) -> Iterator[tuple[History, School]]:
    """History and school; what goes wrong is said, and the command ends."""
    school = configured(load_school, config)
    known = [one.name for one in school.switches if one.cli is not None]
    if switch not in known:
        said = ", ".join(known) or "none"
        typer.echo(f"{config}: no switch {switch!r} with a 'cli'; there are: {said}", err=True)
        raise typer.Exit(BAD_INPUT)
    try:
        yield open_history(school, OsDisk()), school
    except HistoryError as error:
        typer.echo(f"tenone configuration: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(BAD_INPUT) from None
