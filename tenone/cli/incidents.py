"""``tenone incidents``: incidents and their tickets as CSV, and tickets' states back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from controller.incidents.records import IncidentRecords
from controller.incidents.tickets import TicketError, TicketRecords, from_csv, to_csv
from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from tenone.cli._console import CityFile, configured
from tenone.config import load_city

CANNOT = 1
BAD_INPUT = 2
DAY_NS = 86_400 * 1_000_000_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="Incidents and tickets as CSV, beside a running controller too.")
    group.command("export")(export_incidents)
    group.command("import")(import_tickets)
    app.add_typer(group, name="incidents")


def export_incidents(
    config: CityFile,
    to: Annotated[
        Path | None, typer.Option("--to", help="File; without it standard output.")
    ] = None,
    days: Annotated[int, typer.Option(help="Resolved ones of so many days too.", min=0)] = 0,
) -> None:
    """One line an incident, with its ticket where it has one."""
    with _records(config) as records:
        incidents = IncidentRecords(records.engine)
        now_ns = time.time_ns()
        kept = [*incidents.load(now_ns).incidents]
        known = {one.id for one in kept}
        if days:
            past = incidents.past((), now_ns - days * DAY_NS, 1_000_000)
            kept += [one for one in past if one.id not in known]
        tickets = {one.number: one for one in TicketRecords(records.engine).all()}
        kept.sort(key=lambda one: (one.opened_ns, one.id))
        text = to_csv([(tickets.get(one.ticket), one) for one in kept])
    if to is None:
        typer.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8", newline="")
        typer.echo(f"{to}: {len(kept)} incidents")


def import_tickets(
    config: CityFile,
    file: Annotated[Path, typer.Argument(help="CSV with number and state at least.")],
    by: Annotated[str, typer.Option(help="Who brings it in; it stays in the record.")],
) -> None:
    """Take over what another system says of tickets; nothing of a file that has a wrong line."""
    try:
        updates = from_csv(file.read_text(encoding="utf-8"))
    except (TicketError, OSError, UnicodeDecodeError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    with _records(config) as records:
        tickets = TicketRecords(records.engine)
        changed, unknown = tickets.take(updates, who=by, at_ns=time.time_ns())
    typer.echo(f"{changed} of {len(updates)} tickets changed")
    for number in unknown:
        typer.echo(f"ticket {number} is unknown here", err=True)
    if unknown:
        raise typer.Exit(CANNOT)


@contextmanager
def _records(config: Path) -> Iterator[SqlRecords]:
    city = configured(load_city, config)
    records = SqlRecords(city.records.url)
    try:
        records.start()
        yield records
    except StoreError as error:
        typer.echo(f"tenone incidents: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    finally:
        records.close()
