"""What commands share: the configuration they are given, and who types them."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from tenone.config import ConfigError

BAD_CONFIGURATION = 2
"""The exit code of a command whose configuration is wrong."""

CITY_OPTION = typer.Option("-c", "--config", help="The city's city.yaml.")
SCHOOL_OPTION = typer.Option("-c", "--config", help="The school's school.yaml.")
CityFile = Annotated[Path, CITY_OPTION]
SchoolFile = Annotated[Path, SCHOOL_OPTION]
MaybeCityFile = Annotated[Path | None, CITY_OPTION]
MaybeSchoolFile = Annotated[Path | None, SCHOOL_OPTION]

T = TypeVar("T")


def configured(load: Callable[[Path], T], path: Path) -> T:
    """What ``load`` reads from ``path``, or the command ends with its problems."""
    try:
        return load(path)
    except ConfigError as error:
        refuse(error)


def refuse(error: ConfigError) -> NoReturn:
    """Tell each problem on a line and end the command."""
    for problem in error.problems:
        typer.echo(str(problem), err=True)
    raise typer.Exit(BAD_CONFIGURATION) from None


def by_console() -> str:
    """Who types, as the ledger names them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user on this machine, as in some containers
        user = "unknown"
    return f"console:{user}"
