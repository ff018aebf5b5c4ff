"""``tenone inventory``: the inventory for another system, and another system's as a proposal."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from controller.inventory.netbox import NetboxError, export, fragment, propose
from tenone.cli._console import CityFile, configured
from tenone.config import City, School, load_city

BAD_INPUT = 2
Format = Literal["netbox"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="The inventory out to another system, and back as a proposal.")
    group.command("export")(export_inventory)
    group.command("import")(import_inventory)
    app.add_typer(group, name="inventory")


def export_inventory(
    config: CityFile,
    to: Annotated[Path, typer.Option("--to", help="Folder for the CSV files.")],
    format_: Annotated[str, typer.Option("--format", help="netbox")] = "netbox",
    school: Annotated[str | None, typer.Option(help="Only this school.")] = None,
) -> None:
    """Write sites, devices, interfaces and cables as NetBox's bulk import takes them."""
    _known(format_)
    city = configured(load_city, config)
    schools = city.schools if school is None else (_school(city, school),)
    tables = export(city, schools)
    to.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (to / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
        typer.echo(f"{to / name}.csv: {text.count(chr(10)) - 1} rows")


def import_inventory(
    config: CityFile,
    folder: Annotated[Path, typer.Argument(help="Folder with devices.csv and interfaces.csv.")],
    school: Annotated[str, typer.Option(help="The school it is about.")],
    format_: Annotated[str, typer.Option("--format", help="netbox")] = "netbox",
) -> None:
    """Say what differs and print a fragment of school.yaml; nothing is changed."""
    _known(format_)
    city = configured(load_city, config)
    found = _school(city, school)
    try:
        tables = [
            (folder / f"{name}.csv").read_text(encoding="utf-8")
            for name in ("devices", "interfaces")
        ]
        made = propose(city, found, tables[0], tables[1])
    except (NetboxError, OSError, UnicodeDecodeError) as error:
        typer.echo(f"tenone inventory import: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    for line in (*made.differences, *(f"# {note}" for note in made.notes)):
        typer.echo(line, err=True)
    if not made.differences:
        typer.echo("nothing differs", err=True)
    typer.echo(fragment(found, made), nl=False)


def _known(format_: str) -> None:
    if format_ != "netbox":
        typer.echo(f"the format {format_!r} is unknown: use netbox", err=True)
        raise typer.Exit(BAD_INPUT)


def _school(city: City, name: str) -> School:
    found = city.school_by_id.get(name)
    if found is None:
        typer.echo(f"there is no school {name!r} in this city", err=True)
        raise typer.Exit(BAD_INPUT)
    return found
