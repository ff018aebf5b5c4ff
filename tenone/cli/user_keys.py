"""``tenone user key``: keys of programs, on the machine of the records."""

import json
import time
from typing import Annotated

import typer

from controller.trust.keys.desk import made_key
from controller.trust.keys.model import (
    DEFAULT_A_MINUTE,
    DEFAULT_DAYS,
    MOST_A_MINUTE,
    MOST_DAYS,
    KeyState,
    UnknownKeyError,
    check_key_grants,
)
from controller.trust.keys.records import KeyRecords
from controller.trust.people.model import RefusedError
from controller.trust.people.parts import written
from tenone.cli._console import CityFile, by_console
from tenone.cli._users import GrantText, grant_of, note, opened

KeyId = Annotated[str, typer.Argument(help="The key's id, as `tenone user key list` shows it.")]


def register(users: typer.Typer) -> None:
    """Add the commands to ``tenone user``."""
    group = typer.Typer(help="Keys of programs: what they may, until when.")
    for name, work in (
        ("list", list_keys),
        ("add", add),
        ("disable", disable),
        ("remove", remove),
    ):
        group.command(name)(work)
    users.add_typer(group, name="key")


def list_keys(
    config: CityFile,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Every key with its state and grants; no secret."""
    with opened(config, "key list") as (records, _):
        found = KeyRecords(records.engine).all()
        now = time.time()
        for one in found:
            if as_json:
                body = {
                    "id": one.id,
                    "name": one.name,
                    "state": one.state(now).value,
                    "grants": [f"{grant.role}@{grant.scope}" for grant in one.grants],
                    "expires_at": one.expires_at,
                    "used_at": one.used_at,
                    "a_minute": one.a_minute,
                }
                typer.echo(json.dumps(body, ensure_ascii=False))
                continue
            typer.echo(f"{one.id} {one.state(now):<8} {one.name:<24} {written(one.grants)}")
        if not found and not as_json:
            typer.echo("There is no key: tenone user key add NAME --grant viewer@")


def add(
    config: CityFile,
    name: Annotated[str, typer.Argument(help="Which application it is for.")],
    grants: GrantText,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS)] = DEFAULT_DAYS,
    a_minute: Annotated[
        int, typer.Option(min=1, max=MOST_A_MINUTE, help="Requests a minute.")
    ] = DEFAULT_A_MINUTE,
) -> None:
    """A new key; its text is printed this once."""
    with opened(config, "key add") as (records, city):
        if not name.isprintable() or not 1 <= len(name) <= 120:  # noqa: PLR2004 - as Name of the configuration
            raise RefusedError("A key's name is 1 to 120 printable characters.")
        kept = check_key_grants(grant_of(one, city) for one in grants)
        made, text = made_key(name, kept, by_console(), time.time(), days=days, a_minute=a_minute)
        KeyRecords(records.engine).add(made)
        note(records, "key.create", made.id, application=name, grants=written(kept))
        typer.echo(f"Key of {name}, good for {days} days, shown this once: {text}")


def disable(config: CityFile, key: KeyId) -> None:
    """It opens nothing from now on, for good."""
    with opened(config, "key disable") as (records, _):
        KeyRecords(records.engine).disable(key, time.time())
        note(records, "key.disable", key)


def remove(config: CityFile, key: KeyId) -> None:
    """Forget a key that is disabled or expired; the ledger keeps what it did."""
    with opened(config, "key remove") as (records, _):
        kept = KeyRecords(records.engine)
        known = kept.find(key)
        if known is None:
            raise UnknownKeyError(f"There is no key {key[:40]!r}.")
        if known.state(time.time()) is KeyState.ACTIVE:
            raise RefusedError("This key is in use: disable it first.")
        kept.remove(key)
        note(records, "key.remove", key)
