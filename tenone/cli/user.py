"""``tenone user``: accounts, for whoever runs the machine; beside a running controller too.

It works on the records themselves. A running controller ends the sessions at once, lets their
streams go within seconds and tells the ledger; a stopped one tells it when it starts.
"""

import getpass
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from controller.trust.entries import Entry
from controller.trust.people import second
from controller.trust.people.desk import CODE_LENGTH
from controller.trust.people.model import PASS_SECONDS, Account, PeopleError, needs_second_factor
from controller.trust.people.parts import written
from controller.trust.people.records import AccountRecords
from tenone.config import City, ConfigError, load_city
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import IdentifierError, ScopePath

REFUSED = 1
BAD_INPUT = 2

Config = Annotated[Path, typer.Option("-c", "--config", help="The city's city.yaml.")]
AccountName = Annotated[str, typer.Argument(help="The account's name: a-z, 0-9, '.', '_', '-'.")]
GrantText = Annotated[
    list[str], typer.Option("--grant", help="role@scope, such as operator@binhai/east; repeat.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Accounts: who may sign in, with which roles.")
    for name, work in (
        ("list", list_accounts),
        ("add", add),
        ("enable", enable),
        ("disable", disable),
        ("grant", grant),
        ("reset", reset),
        ("remove", remove),
    ):
        group.command(name)(work)
    app.add_typer(group, name="user")


def list_accounts(
    config: Config,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Every account with its state and grants."""
    with _opened(config, "list") as (records, city):
        found = records.all()
        for one in found:
            if as_json:
                typer.echo(json.dumps(_json(one), ensure_ascii=False))
                continue
            typer.echo(f"{one.name:<20} {_state(one, city):<34} {written(one.grants) or '-'}")
        if not found and not as_json:
            typer.echo("There is no account: tenone user add NAME --grant security-admin@")


def add(
    config: Config,
    name: AccountName,
    grants: GrantText = [],  # noqa: B006 - typer reads it, nobody changes it
    display: Annotated[str, typer.Option(help="As people call the person.")] = "",
) -> None:
    """A new account; prints the one-time code by which its holder sets password and factor."""
    with _opened(config, "add") as (records, city):
        kept = [_grant(one, city) for one in grants]
        made = records.create(name, display, kept, time.time())
        _note(records, "account.create", name, grants=written(made.grants))
        _say_code(records, name)


def enable(config: Config, name: AccountName) -> None:
    """Enable an account again, or unlock it."""
    with _opened(config, "enable") as (records, _):
        records.edit(name, enabled=True)
        _note(records, "account.enable", name)


def disable(config: Config, name: AccountName) -> None:
    """Disable an account: its sessions end at once."""
    with _opened(config, "disable") as (records, _):
        records.edit(name, enabled=False)
        _note(records, "account.disable", name)


def grant(
    config: Config,
    name: AccountName,
    add_: Annotated[list[str], typer.Option("--add", help="role@scope; repeat.")] = [],  # noqa: B006 - as above
    remove_: Annotated[list[str], typer.Option("--remove", help="role@scope; repeat.")] = [],  # noqa: B006 - as above
) -> None:
    """Add and remove grants; the account's sessions end at once."""
    with _opened(config, "grant") as (records, city):
        more = {_grant(one, city) for one in add_}
        fewer = {_grant(one, city, known=False) for one in remove_}
        edited = records.regrant(name, lambda held: (set(held) | more) - fewer)
        _note(records, "account.grant", name, grants=written(edited.grants))
        typer.echo(written(edited.grants) or "no grants")


def reset(
    config: Config,
    name: AccountName,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Forget the second factor, too.")
    ] = False,
) -> None:
    """Forget the password; prints the one-time code for a new one."""
    with _opened(config, "reset") as (records, _):
        _say_code(records, name, keep_second=not second_factor)
        _note(records, "account.reset", name, second_kept=not second_factor)


def remove(config: Config, name: AccountName) -> None:
    """Forget an account; the ledger keeps what it did."""
    with _opened(config, "remove") as (records, _):
        records.remove(name)
        _note(records, "account.remove", name)


def _say_code(records: AccountRecords, name: str, *, keep_second: bool = True) -> None:
    code = second.new_code(CODE_LENGTH)
    until = time.time() + PASS_SECONDS
    records.reset(name, second.digest(code), until, keep_second=keep_second)
    typer.echo(f"One-time code for {name}, good for 72 hours: {code}")


def _note(records: AccountRecords, act: str, name: str, **detail: str | bool) -> None:
    """The controller tells the ledger; it alone writes it."""
    by = f"console:{getpass.getuser()}"
    records.note(Entry(act=act, actor=by, subject=name, detail=detail))


@contextmanager
def _opened(config: Path, what: str) -> Iterator[tuple[AccountRecords, City]]:
    try:
        city = load_city(config)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(BAD_INPUT) from None
    records = SqlRecords(city.records.url)
    try:
        records.start()
        yield AccountRecords(records.engine), city
    except (PeopleError, StoreError) as error:
        typer.echo(f"tenone user {what}: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    finally:
        records.close()


def _grant(text: str, city: City, *, known: bool = True) -> Grant:
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


def _state(account: Account, city: City) -> str:
    words = ["enabled" if account.usable else "new" if account.enabled else "disabled"]
    if account.locked_until > time.time():
        words.append("locked")
    if account.has_second_factor:
        words.append("second factor")
    elif needs_second_factor(account.grants, frozenset(city.auth.second_factor)):
        words.append("second factor missing")
    return ", ".join(words)


def _json(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "display": account.display,
        "enabled": account.enabled,
        "usable": account.usable,
        "second_factor": account.has_second_factor,
        "locked_until": account.locked_until,
        "grants": [f"{one.role}@{one.scope}" for one in account.grants],
    }
