"""``tenone enrol ca``: the city's authority, and how a new one takes over without a refusal."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Protocol

import typer

from controller.trust.authorities import Authorities
from controller.trust.ca import CaError
from controller.trust.machine_records import MachineRecords
from controller.trust.machine_standing import behind
from controller.trust.registry import Machine
from tenone.cli._console import CityFile
from tenone.config.secret import SecretError, SecretRef
from tenone.trust.files import read_open, read_private

Id = Annotated[str, typer.Argument(help="The authority's id, as 'tenone enrol ca status' says it.")]


class Files(Protocol):
    """A city's files, opened."""

    @property
    def authorities(self) -> Authorities:
        """The folder of the authorities."""
        ...

    @property
    def records(self) -> MachineRecords:
        """Machines."""
        ...

    @property
    def now(self) -> int:
        """Seconds of the epoch."""
        ...


Opens = Callable[[Path], AbstractContextManager[Files]]


def register_authority(group: typer.Typer, office: Opens) -> None:
    """Add the commands."""
    ca = typer.Typer(help="The city's certificate authority.")
    _steps(ca, office)
    _others(ca, office)
    group.add_typer(ca, name="ca")


def _steps(ca: typer.Typer, office: Opens) -> None:
    @ca.command("new")
    def new(config: CityFile) -> None:
        """Step 1 of 3: a new root, trusted beside the one that issues."""
        with office(config) as here:
            made = here.authorities.add(here.now)
            typer.echo(
                f"{made.id} is trusted from now on; machines hear of it when they renew. When "
                "'tenone enrol ca status' names nobody any more: tenone enrol ca switch "
                f"{made.id}"
            )

    @ca.command("switch")
    def switch(
        config: CityFile,
        authority: Id,
        force: Annotated[
            bool, typer.Option("--force", help="Also where machines have not heard of it.")
        ] = False,
    ) -> None:
        """Step 2 of 3: let another one issue, once all machines trust it."""
        with office(config) as here:
            behind = _behind(here, authority)
            if behind and not force:
                names = ", ".join(one.name for one in behind[:5])
                raise CaError(
                    f"{len(behind)} machines have not renewed since {authority} is trusted and "
                    f"would refuse its servers ({names}): wait, or add --force"
                )
            here.authorities.switch(authority)
            typer.echo(f"{authority} issues from now on")

    @ca.command("retire")
    def retire(config: CityFile, authority: Id) -> None:
        """Step 3 of 3: trust one no longer, once nothing it signed is valid any more."""
        with office(config) as here:
            holders = {
                machine.name
                for machine in here.records.load(here.now)
                for one in machine.certificates
                if one.authority == authority and one.not_after > here.now and not one.revoked_ns
            }
            if holders:
                names = ", ".join(sorted(holders)[:5])
                raise CaError(
                    f"{len(holders)} machines still hold certificates of {authority}: {names}"
                )
            here.authorities.retire(authority)
            typer.echo(f"{authority} is trusted no longer")


def _others(ca: typer.Typer, office: Opens) -> None:
    @ca.command("status")
    def status(config: CityFile) -> None:
        """Which authorities there are, and which machines hold nothing of the newest."""
        with office(config) as here:
            _status(here)

    @ca.command("import")
    def bring(
        config: CityFile,
        certificates: Annotated[Path, typer.Argument(help="Its certificate, then those above.")],
        key: Annotated[Path, typer.Argument(help="Its key, PEM, mode 0600.")],
        passphrase: Annotated[str, typer.Option(help="Of the key: env:NAME or file:PATH.")] = "",
    ) -> None:
        """Take in an authority made elsewhere; it is trusted, and issues after a switch."""
        with office(config) as here:
            word = None
            if passphrase:
                try:
                    word = SecretRef.parse(passphrase, Path.cwd()).reveal().encode()
                except (SecretError, ValueError) as error:
                    raise CaError(str(error)) from None
            made = here.authorities.bring(
                read_open(certificates), read_private(key), word, now=here.now
            )
            typer.echo(f"{made.id} is trusted from now on; it issues after a switch")


def _status(here: Files) -> None:
    issuing = here.authorities.issuing.id
    for one in here.authorities.trusted:
        until = one.certificate.not_valid_after_utc
        word = "issues" if one.id == issuing else "is trusted"
        unheard = _behind(here, one.id)
        typer.echo(
            f"{one.id} {word}, until {until:%Y-%m-%d}; {len(unheard)} machines have not "
            f"heard of it{''.join(f' {each.name}' for each in unheard[:10])}"
        )


def _behind(here: Files, authority_id: str) -> list[Machine]:
    """Machines whose newest certificate is older than our trust in the authority."""
    return behind(here.records.load(here.now), here.authorities.since(authority_id), here.now)
