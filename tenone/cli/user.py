"""``tenone user``: accounts, for whoever runs the machine; beside a running controller too.

It works on the records themselves. A running controller ends the sessions at once, lets their
streams go within seconds and tells the ledger; a stopped one tells it when it starts.
"""

import json
import time
from typing import Annotated

import typer

from controller.trust.oidc import provider_id
from controller.trust.people import second
from controller.trust.people.desk import CODE_LENGTH
from controller.trust.people.model import PASS_SECONDS, Account, RefusedError, needs_second_factor
from controller.trust.people.parts import written
from controller.trust.people.records import AccountRecords
from tenone.cli import user_keys
from tenone.cli._console import CityFile
from tenone.cli._users import AccountName, GrantText, grant_of, note, opened
from tenone.config import City


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
        ("link", link),
        ("remove", remove),
    ):
        group.command(name)(work)
    user_keys.register(group)
    app.add_typer(group, name="user")


def list_accounts(
    config: CityFile,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Every account with its state and grants."""
    with opened(config, "list") as (records, city):
        found = records.all()
        for one in found:
            if as_json:
                typer.echo(json.dumps(_json(one), ensure_ascii=False))
                continue
            typer.echo(f"{one.name:<20} {_state(one, city):<34} {written(one.grants) or '-'}")
        if not found and not as_json:
            typer.echo("There is no account: tenone user add NAME --grant security-admin@")


def add(
    config: CityFile,
    name: AccountName,
    grants: GrantText = [],  # noqa: B006 - typer reads it, nobody changes it
    display: Annotated[str, typer.Option(help="As people call the person.")] = "",
) -> None:
    """A new account; prints the one-time code by which its holder sets password and factor."""
    with opened(config, "add") as (records, city):
        kept = [grant_of(one, city) for one in grants]
        made = records.create(name, display, kept, time.time())
        note(records, "account.create", name, grants=written(made.grants))
        _say_code(records, name)


def enable(config: CityFile, name: AccountName) -> None:
    """Enable an account again, or unlock it."""
    with opened(config, "enable") as (records, _):
        records.edit(name, enabled=True)
        note(records, "account.enable", name)


def disable(config: CityFile, name: AccountName) -> None:
    """Disable an account: its sessions end at once."""
    with opened(config, "disable") as (records, _):
        records.edit(name, enabled=False)
        note(records, "account.disable", name)


def grant(
    config: CityFile,
    name: AccountName,
    add_: Annotated[list[str], typer.Option("--add", help="role@scope; repeat.")] = [],  # noqa: B006 - as above
    remove_: Annotated[list[str], typer.Option("--remove", help="role@scope; repeat.")] = [],  # noqa: B006 - as above
) -> None:
    """Add and remove grants; the account's sessions end at once."""
    with opened(config, "grant") as (records, city):
        more = {grant_of(one, city) for one in add_}
        fewer = {grant_of(one, city, known=False) for one in remove_}
        edited = records.regrant(name, lambda held: (set(held) | more) - fewer)
        note(records, "account.grant", name, grants=written(edited.grants))
        typer.echo(written(edited.grants) or "no grants")


def reset(
    config: CityFile,
    name: AccountName,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Forget the second factor, too.")
    ] = False,
) -> None:
    """Forget the password; prints the one-time code for a new one."""
    with opened(config, "reset") as (records, _):
        _say_code(records, name, keep_second=not second_factor)
        note(records, "account.reset", name, second_kept=not second_factor)


def link(
    config: CityFile,
    name: AccountName,
    subject: Annotated[str, typer.Argument(help="The provider's 'sub'; '' to unlink.")],
) -> None:
    """Let an account sign in by the identity provider of auth.oidc; its sessions end."""
    with opened(config, "link") as (records, city):
        provider = ""
        if subject:
            if city.auth.oidc is None:
                raise RefusedError("city.yaml names no identity provider (auth.oidc).")
            provider = provider_id(city.auth.oidc.issuer)
        records.edit(name, link=(provider, subject))
        note(records, "account.edit", name, provider=provider)


def remove(config: CityFile, name: AccountName) -> None:
    """Forget an account; the ledger keeps what it did."""
    with opened(config, "remove") as (records, _):
        records.remove(name)
        note(records, "account.remove", name)


def _say_code(records: AccountRecords, name: str, *, keep_second: bool = True) -> None:
    code = second.new_code(CODE_LENGTH)
    until = time.time() + PASS_SECONDS
    records.reset(name, second.digest(code), until, keep_second=keep_second)
    typer.echo(f"One-time code for {name}, good for 72 hours: {code}")


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
