"""The city's side of ``tenone enrol``: tokens, lists, certificates of servers, the authority.

All of it works on the city's files, so it needs the rights of whom the controller runs as. A
running controller takes it up within seconds and tells the ledger who did it.
"""

import getpass
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from controller.store.protocols import NS, StoreError
from controller.store.records import SqlRecords
from controller.trust.authorities import Authorities
from controller.trust.ca import CaError
from controller.trust.machine_records import MachineRecords
from controller.trust.machine_room import authorities_of, crl_url_of, lifetimes_of, scopes_of
from controller.trust.manifest import ManifestError, manifest_id, read_list
from controller.trust.manifest import sign as sign_manifest
from controller.trust.manifest import verify as verify_manifest
from controller.trust.offline import OfflineError, answer, keep_server
from controller.trust.servers import server_certificate
from tenone.cli._console import CityFile, by_console, configured
from tenone.cli.enrol_authority import register_authority
from tenone.config import City, load_city
from tenone.trust.enrolment import EnrolmentError, Token
from tenone.trust.files import KeyFileError, read_open, write_whole
from tenone.trust.names import MachineKind, MachineName
from tenone.vocabulary.scope import IdentifierError

CANNOT = 1
HOUR = 3600

ERRORS = (
    CaError, EnrolmentError, IdentifierError, KeyFileError, ManifestError, OfflineError, StoreError
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A city's files, opened."""

    city: City
    authorities: Authorities
    records: MachineRecords
    now_ns: int

    @property
    def now(self) -> int:
        """Seconds of the epoch."""
        return self.now_ns // NS


def register_city(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("token")(token)
    group.command("list")(list_machines)
    group.command("revoke")(revoke)
    group.command("sign")(sign)
    group.command("server")(server)
    manifest = typer.Typer(help="Factory manifests: keys burnt into devices by their maker.")
    manifest.command("sign")(manifest_sign)
    manifest.command("import")(manifest_import)
    group.add_typer(manifest, name="manifest")
    register_authority(group, office)


@contextmanager
def office(config: Path) -> Iterator[Office]:
    """Open the city's files; every error ends the program with its sentence."""
    city = configured(load_city, config)
    records = SqlRecords(city.records.url)
    now_ns = time.time_ns()
    try:
        authorities = authorities_of(city)
        records.start()
        authorities.open(now_ns // NS)
        yield Office(
            city=city, authorities=authorities, records=MachineRecords(records), now_ns=now_ns
        )
    except ERRORS as error:
        typer.echo(f"tenone enrol: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    finally:
        records.close()


def token(
    config: CityFile,
    machine: Annotated[str, typer.Argument(help="A school's id, or a whole name: device:...")],
    hours: Annotated[float, typer.Option(help="How long it may be used.", min=0.02, max=720)] = 24,
) -> None:
    """A one-time token for one machine; it is printed once and kept nowhere."""
    with office(config) as here:
        name = MachineName.parse(machine if ":" in machine else f"agent:{machine}")
        scope = scopes_of(here.city)(name)
        if scope is None or name.kind is MachineKind.SERVER:
            raise EnrolmentError(
                "a server's certificate is made with 'tenone enrol server'"
                if scope is not None
                else f"the school of {name} is not in {config}"
            )
        made = Token.new(here.authorities.issuing.spki)
        expires_ns = here.now_ns + round(hours * HOUR) * NS
        here.records.invite(
            str(name),
            scope,
            made.digest,
            by=by_console(),
            now_ns=here.now_ns,
            expires_ns=expires_ns,
            told=False,
        )
        until = datetime.fromtimestamp(expires_ns / NS, UTC)
        typer.echo(f"for {name}, once, until {until:%Y-%m-%d %H:%M} UTC:", err=True)
        typer.echo(made.text)


def list_machines(
    config: CityFile,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Every machine: its state, how long its certificate is valid, its serial number."""
    with office(config) as here:
        now = here.now_ns / NS
        for one in sorted(here.records.load(here.now), key=lambda each: each.name):
            newest, until = one.newest, one.valid_until
            if as_json:
                body = {
                    "machine": one.name,
                    "state": one.state(now).value,
                    "expires_at": until,
                    "serial": None if newest is None else newest.serial,
                    "why": one.why,
                }
                typer.echo(json.dumps(body))
                continue
            left = "" if until is None else f"{(until - now) / 86_400:.1f} days left"
            serial = "" if newest is None else newest.serial
            typer.echo(f"{one.name:40} {one.state(now).value:8} {left:16} {serial} {one.why}")


def revoke(
    config: CityFile,
    machine: Annotated[str, typer.Argument(help="A school's id, or a whole name: device:...")],
    why: Annotated[str, typer.Option(help="It stays in the record.")],
) -> None:
    """No certificate and no token of a machine counts any more; the controller cuts it off."""
    with office(config) as here:
        name = MachineName.parse(machine if ":" in machine else f"agent:{machine}")
        if here.records.machine(str(name)) is None:
            raise EnrolmentError(f"there is no machine {name}")
        said = f"{why[:300]} ({getpass.getuser()} on the console)"
        cut = here.records.revoke(str(name), said, here.now_ns)
        typer.echo(
            f"{name}: {cut} certificates are revoked; a running controller writes the new list and "
            "cuts its session within seconds"
        )


def sign(
    config: CityFile,
    request: Annotated[Path, typer.Argument(help="What 'tenone enrol --csr-out' wrote.")],
    out: Annotated[Path, typer.Option(help="Where the answer goes.")],
) -> None:
    """Answer a request that was carried here as a file; its token is used up."""
    with office(config) as here:
        papers = answer(
            read_open(request),
            city=here.city.id,
            authorities=here.authorities,
            records=here.records,
            scope_of=scopes_of(here.city),
            lifetimes=lifetimes_of(here.city),
            crl_url=crl_url_of(here.city),
            now_ns=here.now_ns,
        )
        write_whole(out, json.dumps(papers.as_json()).encode(), mode=0o644)
        typer.echo(f"{papers.machine}: {out}")


def server(
    config: CityFile,
    name: Annotated[str, typer.Argument(help="What the server is called here: broker, web.")],
    out: Annotated[Path, typer.Option(help="The folder of certificate.pem, key.pem, ca.pem.")],
    dns: Annotated[list[str] | None, typer.Option(help="A host name; may be repeated.")] = None,
    ip: Annotated[list[str] | None, typer.Option(help="An address; may be repeated.")] = None,
) -> None:
    """A certificate for a broker or web server; run it again to renew, it does so when due."""
    with office(config) as here:
        lifetime = lifetimes_of(here.city)[MachineKind.SERVER]
        made = server_certificate(
            here.authorities,
            name,
            [*(dns or ()), *(ip or ())],
            out,
            city=here.city.id,
            now=here.now,
            lifetime=lifetime,
            crl_url=crl_url_of(here.city),
        )
        if made.fresh:
            keep_server(
                here.records,
                here.authorities,
                made,
                name=name,
                city=here.city.id,
                now_ns=here.now_ns,
            )
        until = made.certificate.not_valid_after_utc
        word = "made" if made.fresh else "still good"
        typer.echo(f"server:{name}: {word}, until {until:%Y-%m-%d}: {out}")


def manifest_sign(
    config: CityFile,
    devices: Annotated[Path, typer.Argument(help="The maker's list: serial, kind, key.")],
    out: Annotated[Path, typer.Option(help="Where the signed manifest goes.")],
) -> None:
    """Check a maker's list against the configuration and sign it."""
    with office(config) as here:
        owners = {
            (one.kind.value, str(one.serial)): school.id
            for school in here.city.schools
            for one in school.devices
        }
        bound = read_list(read_open(devices), lambda kind, serial: owners.get((kind, serial)))
        text = sign_manifest(bound, here.city.id, here.authorities.issuing)
        write_whole(out, text.encode("ascii"), mode=0o644)
        typer.echo(f"{out}: {len(bound)} devices")


def manifest_import(
    config: CityFile, manifest: Annotated[Path, typer.Argument(help="A signed manifest.")]
) -> None:
    """Let the devices of a signed manifest be enrolled by their keys."""
    with office(config) as here:
        data = read_open(manifest)
        bound = verify_manifest(data, here.city.id, here.authorities.trusted)
        scope_of = scopes_of(here.city)
        for one in bound:
            if scope_of(one.machine) is None:
                raise ManifestError(f"the school of {one.machine} is not in {config}")
        pairs = [(one.key, str(one.machine)) for one in bound]
        fresh = here.records.add_factory_keys(
            pairs, manifest_id(data), now_ns=here.now_ns, told=False
        )
        typer.echo(f"{manifest}: {fresh} of {len(bound)} keys are new")
