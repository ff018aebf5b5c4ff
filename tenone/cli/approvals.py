"""``tenone approvals``: the city's keys for approvals, beside a running controller too."""

from datetime import UTC, datetime
from pathlib import Path

import typer

from controller.trust.approval_signer import FILE_NAME, ApprovalSigner
from controller.trust.entries import LedgerError
from tenone.blocks.seal import key_id
from tenone.cli._console import CityFile, configured
from tenone.cli._ledger import ledgered
from tenone.config import City, load_city
from tenone.config.own_files import own_files
from tenone.trust.files import KeyFileError

CANNOT = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="The keys that sign approvals.", no_args_is_help=True)
    group.command("list")(list_keys)
    group.command("rotate")(rotate)
    app.add_typer(group, name="approvals")


def list_keys(config: CityFile) -> None:
    """Name the current and the next key, and since when they are."""
    city = configured(load_city, config)
    try:
        typer.echo(_said(_file(city), _signer(city)))
    except KeyFileError as error:
        typer.echo(f"tenone approvals list: {error}", err=True)
        raise typer.Exit(CANNOT) from None


def rotate(config: CityFile) -> None:
    """The next key becomes the current one, a fresh one the next. The controller need not stop."""
    city = configured(load_city, config)
    try:
        signer = _signer(city)
        number = signer.keys.number + 1
        ledgered(city, "approval.rotate-keys", detail={"number": number})
        signer.rotate()
        typer.echo(_said(_file(city), signer))
    except (KeyFileError, LedgerError) as error:
        typer.echo(f"tenone approvals rotate: nothing is changed: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    typer.echo(
        "Schools hear of it at the next approval. One that hears of neither this rotation nor the "
        "next one has to be enrolled anew."
    )


def _file(city: City) -> Path:
    return city.store.path / "trust" / FILE_NAME


def _signer(city: City) -> ApprovalSigner:
    """Raises KeyFileError, also where there are no keys: a command of the shell makes none."""
    file = _file(city)
    if not file.exists():
        raise KeyFileError(f"there is no {file}: start the controller once, it makes the keys")
    return ApprovalSigner(file.parent, city.id, own_files(city.vault))


def _said(file: Path, signer: ApprovalSigner) -> str:
    keys = signer.keys
    since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return (
        f"key set {keys.number}, since {since:%Y-%m-%d %H:%M} UTC: "
        f"current {key_id(keys.current)}, next {key_id(keys.next) if keys.next else 'none'}"
    )
