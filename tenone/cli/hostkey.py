"""``tenone hostkey``: pins SSH host keys of switches, by a fingerprint read elsewhere."""

from typing import Annotated

import typer

from agents.console_credentials import place_of
from agents.sessions import HOST_KEYS
from drivers.cli.errors import LoginError
from drivers.cli.hostkeys import HostKey, HostKeyError, HostKeyStore, HostKeyUnknownError, place
from tenone.cli._console import SchoolFile, configured
from tenone.config import School, load_school

FAILED = 1

Switch = Annotated[str, typer.Argument(help="The switch's name in school.yaml.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="SSH host keys of switches: shown, pinned, removed.")
    group.command("list")(listing)
    group.command("show")(show)
    group.command("pin")(pin)
    group.command("remove")(remove)
    app.add_typer(group, name="hostkey")


def listing(config: SchoolFile) -> None:
    """Every switch that has a command line, with the fingerprint that is pinned."""
    school = configured(load_school, config)
    store = _store(school)
    for switch in school.switches:
        if switch.cli is None:
            continue
        host, port = place_of(switch)
        try:
            said = store.pinned(host, port).fingerprint
        except HostKeyUnknownError:
            said = "not pinned: nothing is changed there"
        except HostKeyError as error:
            raise _failed(str(error)) from None
        typer.echo(f"{switch.name}  {place(host, port)}  {said}")


def show(switch: Switch, config: SchoolFile) -> None:
    """What the switch shows to anybody who connects. It proves nothing: compare it elsewhere."""
    school = configured(load_school, config)
    offered = _offered(*_place(school, switch))
    typer.echo(f"{switch} shows {offered.kind} {offered.fingerprint}")
    typer.echo("read the same at the switch's own console before you pin it", err=True)


def pin(
    switch: Switch,
    fingerprint: Annotated[str, typer.Argument(help="As read at the console: SHA256:...")],
    config: SchoolFile,
) -> None:
    """Pin the key the switch shows, if it is the one whose fingerprint was read elsewhere."""
    school = configured(load_school, config)
    host, port = _place(school, switch)
    store = _store(school)
    offered = _offered(host, port)
    try:
        store.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        store.pin(host, port, offered, fingerprint)
    except HostKeyError as error:
        raise _failed(str(error)) from None
    except OSError as error:
        raise _failed(f"{store.path.parent} cannot be made: {error.strerror}") from None
    typer.echo(f"pinned {fingerprint} for {switch} ({place(host, port)}) in {store.path}")


def remove(switch: Switch, config: SchoolFile) -> None:
    """Forget the key of a switch that was replaced."""
    school = configured(load_school, config)
    host, port = _place(school, switch)
    try:
        _store(school).unpin(host, port)
    except HostKeyError as error:
        raise _failed(str(error)) from None
    typer.echo(f"{switch} ({place(host, port)}) has no pinned key now: nothing is changed there")


def _store(school: School) -> HostKeyStore:
    return HostKeyStore(school.outbox.path / HOST_KEYS)


def _place(school: School, name: str) -> tuple[str, int]:
    found = next((one for one in school.switches if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in school.switches if one.cli is not None)
        raise _failed(f"school.yaml has no switch {name!r}; with 'cli': {known or 'none'}")
    try:
        return place_of(found)
    except LoginError as error:
        raise _failed(str(error)) from None


def _offered(host: str, port: int) -> HostKey:
    try:
        from drivers.cli.ssh import offered_key  # noqa: PLC0415 - an extra, and 45 MB
    except ImportError:
        raise _failed("SSH is not installed here: pip install 'tenone[cli]'") from None
    try:
        return offered_key(host, port)
    except (LoginError, HostKeyError) as error:
        raise _failed(str(error)) from None


def _failed(sentence: str) -> typer.Exit:
    typer.echo(f"tenone hostkey: {sentence}", err=True)
    return typer.Exit(FAILED)
