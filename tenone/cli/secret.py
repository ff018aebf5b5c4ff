"""``tenone secret``: the vault a configuration file names. Values come from standard input."""

import contextlib
import getpass
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tenone.cli._console import refuse
from tenone.cli._vault_changes import known, refuse_set_back, seen, tell
from tenone.cli.check import references
from tenone.config import CalendarFile, ConfigError, SecretError, load
from tenone.config.document import read_document
from tenone.config.own_files import OWN, make_own_key
from tenone.config.refusal import REFUSAL
from tenone.config.secret import REMEDY, SecretRef, VaultPlace, readable_for_others, vault_key
from tenone.config.vault import VaultConfig
from tenone.journal.disk import sync_folder
from tenone.trust.envelope import EnvelopeError, KeyKey, Suite
from tenone.trust.masked import Secret
from tenone.trust.vault import MAX_SECRET_BYTES, Vault, VaultError, alone
from tenone.trust.vault_mark import set_back


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="Secrets sealed at rest: the vault a configuration names.")
    group.command("init")(init)
    # What is too much is taken in and refused by us: the parser would quote it, and it may be the
    # value.
    loose = {"allow_extra_args": True, "ignore_unknown_options": True}
    group.command("set", context_settings=loose)(put)
    group.command("promote")(promote)
    group.command("list")(listing)
    group.command("remove")(remove)
    group.command("rotate-key")(rotate_key)
    group.command("check")(check)
    group.command("seal")(seal)
    group.command("accept")(accept)
    app.add_typer(group, name="secret")


Config = Annotated[
    Path, typer.Option("-c", "--config", help="The school.yaml or city.yaml with 'vault'.")
]
Name = Annotated[str, typer.Argument(help="The secret's name, as in vault:NAME.")]


def init(config: Config) -> None:
    """Make the vault, and its key where that is a file that is not there."""
    with _said("init"):
        place, suite = _place(config)
        if place.key.scheme == "file" and not Path(place.key.name).exists():
            _write_key(Path(place.key.name), KeyKey.fresh())
            typer.echo(f"made the key {place.key}; keep a copy of it off this machine")
        vault = Vault.create(place.path, vault_key(place.key), suite=suite)
        seen(config, make_own_key(place))
        typer.echo(f"made the vault {vault.path}, sealed by {suite}")


def put(
    context: typer.Context,
    name: Name,
    config: Config,
    following: Annotated[
        bool, typer.Option("--next", help="It shall follow the current value.")
    ] = False,
) -> None:
    """Keep a value, read from standard input or asked for; never from the command line."""
    with _said("set"):
        if context.args:
            raise SecretError(
                "a value is not given on the command line, where every user of the machine can "
                "read it: pipe it into standard input, or be asked for it"
            )
        place, _ = _place(config)
        refuse_set_back(config, place.open())  # before anybody types a password in vain
        value = _value(name)
        act = "secret.next" if following else "secret.set"
        with _changing(config, place, act, name) as vault:
            number = vault.put(name, value, now=round(time.time()), following=following)
        typer.echo(f"{name}: version {number} is the {'next' if following else 'current'} one")


def promote(name: Name, config: Config) -> None:
    """The next value becomes the current one; the old one is forgotten."""
    with _said("promote"):
        place, _ = _place(config)
        with _changing(config, place, "secret.promote", name) as vault:
            number = vault.promote(name)
        typer.echo(f"{name}: version {number} is the current one")


def listing(config: Config) -> None:
    """Name what is in the vault; needs no key and shows no value."""
    with _said("list"):
        place, _ = _place(config)
        found = Vault.listing(place.path)
        for one in found:
            made = datetime.fromtimestamp(one.made, UTC).strftime("%Y-%m-%d %H:%M UTC")
            following = f", next version {one.next}" if one.next else ""
            typer.echo(f"{one.name}: version {one.current} of {made}{following}")
        if not found:
            typer.echo(f"the vault {place.path} is empty")


def remove(name: Name, config: Config) -> None:
    """Take a secret out of the vault."""
    with _said("remove"):
        place, _ = _place(config)
        with _changing(config, place, "secret.remove", name) as vault:
            vault.remove(name)
        typer.echo(f"{name}: removed")


def rotate_key(
    config: Config,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Where the new key is; unsaid: a new one in the key's file."),
    ] = None,
) -> None:
    """Seal the vault with another key. No value is touched or given anew."""
    with _said("rotate-key"):
        place, _ = _place(config)
        tell(config, "secret.rotate-key")
        with alone(place.path):
            if to is None:
                seen(config, _rotate_in_place(config, place))
                typer.echo(f"the vault is sealed with a new key, in {place.key}")
                return
            reference = _reference(to, config)
            if reference.scheme == "file" and not Path(reference.name).exists():
                _write_key(Path(reference.name), KeyKey.fresh())
            vault = place.open()
            refuse_set_back(config, vault)
            vault.rewrap(vault_key(reference))
            seen(config, vault)
        typer.echo(f"the vault is sealed with {reference}: write it as vault.key in {config}")


def seal(config: Config) -> None:
    """Make the key that seals TenOne's own files, where the services may not write the vault."""
    with _said("seal"):
        place, _ = _place(config)
        tell(config, "secret.seal")
        seen(config, make_own_key(place))
        typer.echo("TenOne's own files are sealed when they are read next: restart its services")


def accept(config: Config) -> None:
    """Go on with a vault that was put back to an older state, after every secret was looked at."""
    with _said("accept"):
        place, _ = _place(config)
        with alone(place.path):
            vault = place.open()
            mark = known(config, vault)
            if not set_back(vault, mark) or mark is None:
                raise SecretError("the vault is as new as it is known to be: nothing is changed")
            tell(config, "secret.accept")
            vault.advance(mark.generation)
            seen(config, vault)
        typer.echo(f"{vault.path} counts from change {vault.generation} on")


def check(config: Config) -> None:
    """Open every value, and compare with what the configuration refers to."""
    with _said("check"):
        place, _ = _place(config)
        vault = place.open()
        count = vault.check()
        names = {one.name for one in Vault.listing(place.path)}
        loaded = load(config)
        named = (
            set()
            if isinstance(loaded, CalendarFile)
            else {
                one.name
                for one in references(loaded)
                if one.vault is not None and one.vault.path == place.path
            }
        )
        for name in sorted(one for one in names - named if not one.startswith(OWN)):
            typer.echo(f"{name}: nothing in {config} refers to it")
        missing = sorted(named - names)
        for name in missing:
            typer.echo(f"{name}: {config} refers to it and the vault does not have it", err=True)
        if missing:
            raise typer.Exit(1)
        typer.echo(f"the vault {place.path}: OK, {count} values of {len(names)} secrets open")


@contextlib.contextmanager
def _said(command: str) -> Iterator[None]:
    """One sentence a fault; files made meanwhile are the owner's alone."""
    mask = os.umask(0o077)
    try:
        yield
    except ConfigError as error:
        refuse(error)
    except (EnvelopeError, SecretError, VaultError) as error:
        typer.echo(f"tenone secret {command}: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        os.umask(mask)


@contextlib.contextmanager
def _changing(config: Path, place: VaultPlace, act: str, name: str) -> Iterator[Vault]:
    """The vault, locked, as new as it is known to be; the ledger hears before and after."""
    if name.startswith(OWN):
        raise SecretError(f"names that begin with {OWN!r} are TenOne's own: use another one")
    with alone(place.path):
        vault = place.open()
        refuse_set_back(config, vault)
        tell(config, act, name)
        yield vault
        seen(config, vault)


def _place(config: Path) -> tuple[VaultPlace, Suite]:
    """The file's vault; the rest of the file need not be in order yet."""
    document = read_document(config)
    group = document.values.get("vault")
    if group is None:
        what = "there is no 'vault'"
        remedy = "add 'vault: {path: vault, key: credential:NAME}'"
        raise ConfigError([document.problem((), what, remedy)])
    from pydantic import ValidationError  # noqa: PLC0415 - beside its one use

    try:
        found = VaultConfig.model_validate(group, context={"base": config.absolute().parent})
    except ValidationError as error:
        problems = [
            document.problem(
                ("vault", *one["loc"]),
                str(one["ctx"]["what"]) if one["type"] == REFUSAL else f"{one['type']} is wrong",
                str(one["ctx"]["remedy"]) if one["type"] == REFUSAL else "give 'path' and 'key'",
            )
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigError(problems) from None
    return VaultPlace(found.path, found.key), Suite(found.suite)


def _reference(text: str, config: Path) -> SecretRef:
    try:
        reference = SecretRef.parse(text, config.absolute().parent)
    except ValueError as error:
        raise SecretError(f"--to: {error}: {REMEDY}") from None
    return reference


def _value(name: str) -> Secret:
    """One value from a pipe or, asked twice, from a terminal."""
    if sys.stdin.isatty():
        value = getpass.getpass(f"{name}: ")
        if getpass.getpass("once more: ") != value:
            raise SecretError("the two are not the same: nothing was changed")
        return Secret(value)
    data = sys.stdin.buffer.read(MAX_SECRET_BYTES + 2)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError("what came by standard input is not UTF-8 text") from None
    return Secret(text.removesuffix("\n").removesuffix("\r"))


def _write_key(path: Path, key: KeyKey) -> None:
    """A new file, for its owner only, on disk before anything is sealed by it."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{key.text}\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        raise SecretError(f"the key {path} cannot be written ({error.strerror or error})") from None


def _rotate_in_place(config: Path, place: VaultPlace) -> Vault:
    """New key beside the old one, vault sealed with it, then the new one in its place.

    Broken off between the last two, the next run finds the key that fits and ends the work.
    """
    if place.key.scheme != "file":
        raise SecretError(f"the key {place.key} is not a file: say where the new one is with --to")
    path = Path(place.key.name)
    fresh = path.with_name(path.name + ".next")
    if fresh.exists():
        waiting = SecretRef("file", str(fresh))
        if readable_for_others(waiting):
            vault_key(
                waiting
            )  # says so; to be removed, it would have to be known as no key of ours
        try:
            Vault.open(place.path, vault_key(waiting))
        except (SecretError, VaultError):
            fresh.unlink()
        else:
            _swap(fresh, path)
    vault, key = place.open(), KeyKey.fresh()
    refuse_set_back(config, vault)
    _write_key(fresh, key)
    vault.rewrap(key)
    _swap(fresh, path)
    return vault


def _swap(fresh: Path, path: Path) -> None:
    try:
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SecretError(
            f"the new key {fresh} cannot take the place of {path} ({error.strerror or error}): "
            "run rotate-key again"
        ) from None
