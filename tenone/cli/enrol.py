"""``tenone enrol``: a gateway becomes known to its city; and the city's side of it.

At the school: ``tenone enrol --token TOKEN -c school.yaml``. At the city: ``tenone enrol token``,
``list``, ``server``, ``manifest``, ``ca``; these work on the city's files, beside a running
controller too, which tells the ledger within seconds.
"""

import json
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding

from agents.identity import IdentityError, next_key, refuse_another, take_papers
from drivers.wire.door import Door, DoorError, check_url
from tenone.cli._console import MaybeSchoolFile, configured
from tenone.cli.enrol_city import register_city
from tenone.config import School, load_school
from tenone.config.own_files import own_files
from tenone.trust.enrolment import EnrolmentError, Token, make_csr, pinned
from tenone.trust.files import KeyFileError, read_open, write_whole
from tenone.trust.names import MachineName

CANNOT = 1
BAD_INPUT = 2
MAX_PAPERS = 200_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(
        help="Make this gateway known to its city; or keep the city's machines.",
        invoke_without_command=True,
    )
    group.callback()(enrol)
    register_city(group)
    app.add_typer(group, name="enrol")


def enrol(  # noqa: PLR0917 - typer reads the options from the signature
    context: typer.Context,
    config: MaybeSchoolFile = None,
    token: Annotated[
        str, typer.Option(help="The one-time token of 'tenone enrol token'.", envvar="TENONE_TOKEN")
    ] = "",
    controller: Annotated[
        str, typer.Option(help="Address of the controller; else uplink.controller.")
    ] = "",
    csr_out: Annotated[
        Path | None, typer.Option(help="Without a network: write the request to this file.")
    ] = None,
    certificate_in: Annotated[
        Path | None, typer.Option(help="Without a network: the city's answer in this file.")
    ] = None,
    public_tls: Annotated[
        bool, typer.Option("--public-tls", help="The controller shows a public certificate.")
    ] = False,
) -> None:
    """Make this gateway's key, have it certified by the city, and keep both in uplink.identity."""
    if context.invoked_subcommand is not None:
        return
    if config is None:
        typer.echo("tenone enrol: name the school's configuration with -c school.yaml", err=True)
        raise typer.Exit(BAD_INPUT)
    school = configured(load_school, config)
    try:
        folder = _folder(school)
        if csr_out is not None:
            _write_request(school, folder, csr_out, token)
        elif certificate_in is not None:
            _take_file(school, folder, certificate_in, controller)
        else:
            _over_network(school, folder, controller, token, public_tls=public_tls)
    except (DoorError, EnrolmentError, IdentityError, KeyFileError) as error:
        typer.echo(f"tenone enrol: {error}", err=True)
        raise typer.Exit(CANNOT) from None


def _folder(school: School) -> Path:
    folder = school.uplink.identity
    if folder is None:
        raise IdentityError(
            "school.yaml does not say where this gateway's identity is kept: add 'identity: "
            "identity' and 'controller: https://HOST:PORT' under 'uplink'"
        )
    machine = MachineName.agent(school.id)
    refuse_another(folder, machine, school.school.city, own_files(school.vault))
    return folder


def _over_network(
    school: School, folder: Path, controller: str, text: str, *, public_tls: bool
) -> None:
    """First the authority, checked by the token's word; then, over TLS it vouches for, the rest."""
    token = Token.parse(text)
    url = (controller or school.uplink.controller or "").rstrip("/")
    secure = check_url(url).scheme == "https"
    bundle = Door(url, blind=secure and not public_tls).authority()
    trusted = pinned(bundle, token.authority)
    if public_tls or not secure:
        door = Door(url)
    else:
        door = Door(url, b"".join(one.public_bytes(Encoding.PEM) for one in trusted))
    key = next_key(folder, own_files(school.vault))
    csr = make_csr(key, school.id)
    papers = door.post("/enrolments", {"token": token.text, "csr": csr})
    _keep(school, folder, papers, url)


def _write_request(school: School, folder: Path, out: Path, text: str) -> None:
    token, files = Token.parse(text), own_files(school.vault)
    body = {"token": token.text, "csr": make_csr(next_key(folder, files), school.id)}
    write_whole(out, json.dumps(body).encode())
    typer.echo(
        f"{out}: bring it to the city ('tenone enrol sign {out.name} -c city.yaml --out ANSWER'), "
        "and what comes back here with --certificate-in; the key has not left this machine"
    )


def _take_file(school: School, folder: Path, answer: Path, controller: str) -> None:
    data = read_open(answer)
    try:
        papers = json.loads(data[:MAX_PAPERS])
    except ValueError:
        papers = None
    if not isinstance(papers, dict):
        raise IdentityError(f"{answer} is no answer of 'tenone enrol sign'")
    _keep(school, folder, papers, controller or school.uplink.controller or "")


def _keep(school: School, folder: Path, papers: dict[str, object], url: str) -> None:
    urn = MachineName.agent(school.id).urn(school.school.city)
    files = own_files(school.vault)
    key = next_key(folder, files)
    made = take_papers(folder, papers, key, urn, controller=url, files=files)
    until = made.certificate.not_valid_after_utc
    typer.echo(
        f"{made.machine} of {made.city} is enrolled until {until:%Y-%m-%d %H:%M} UTC and renews "
        f"itself; key and certificate are in {folder}"
    )
