"""What the commands of ``tenone user`` share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from controller.trust.entries import Entry
from controller.trust.people.model import PeopleError
from controller.trust.people.records import AccountRecords
from tenone.cli._console import by_console, configured
from tenone.config import City, load_city
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import IdentifierError, ScopePath

REFUSED = 1
BAD_INPUT = 2

AccountName = Annotated[str, typer.Argument(help="The account's name: a-z, 0-9, '.', '_', '-'.")]
GrantText = Annotated[
    list[str], typer.Option("--grant", help="role@scope, such as operator@binhai/east; repeat.")
]


def note(records: AccountRecords, act: str, name: str, **detail: str | bool) -> None:
    """The controller tells the ledger; it alone writes it."""
    records.note(Entry(act=act, actor=by_console(), subject=name, detail=detail))


@contextmanager
def opened(config: Path, what: str) -> Iterator[tuple[AccountRecords, City]]:
    """Accounts and configuration; what goes wrong is said, and the command ends."""
    city = configured(load_city, config)
    records = SqlRecords(city.records.url)
    try:
        records.start()
        yield AccountRecords(records.engine), city
    except (PeopleError, StoreError) as error:
        typer.echo(f"tenone user {what}: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    finally:
        records.close()


def grant_of(text: str, city: City, *, known: bool = True) -> Grant:
    """``role@scope``; without a scope the whole city."""
    role, _, scope = text.partition("@")
    try:
        found = Grant(Role(role), ScopePath.parse(scope))
    except ValueError as error:
        roles = ", ".join(Role)
        sentence = str(error) if isinstance(error, IdentifierError) else f"use one of {roles}"
        typer.echo(f"tenone user: {text!r} is no grant such as operator@city: {sentence}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    if known and not _is_there(found.scope, city):
        typer.echo(f"tenone user: there is no scope {scope!r} in this city", err=True)
        raise typer.Exit(BAD_INPUT)
    return found


def _is_there(scope: ScopePath, city: City) -> bool:
    root = ScopePath.parse(city.id)
    there = [root, *(root.child(one.id) for one in city.districts)]
    there += [root.child(one.school.district).child(one.id) for one in city.schools]
    return any(one.covers(scope) if len(one.parts) > 2 else one == scope for one in there) or (  # noqa: PLR2004 - a school
        not scope.parts
    )
