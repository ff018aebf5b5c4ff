"""``tenone service unit``: a hardened systemd unit made of the configuration it shall run."""

import ipaddress
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from agents.egress import rules_of
from agents.egress_nft import system_addresses, system_resolvers
from tenone.cli._console import configured
from tenone.cli.check import references
from tenone.cli.units import Unit, UnitError, text_of
from tenone.config import City, School, load_city, load_school
from tenone.config.secret import SecretRef

CANNOT = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="Units of systemd for agent and controller.")
    unit = typer.Typer(help="Print a hardened unit.")
    unit.command("agent")(agent)
    unit.command("controller")(controller)
    group.add_typer(unit, name="unit")
    app.add_typer(group, name="service")


Config = Annotated[Path, typer.Option("-c", "--config", help="The configuration it shall run.")]
User = Annotated[str, typer.Option(help="Whom it runs as.")]
Memory = Annotated[int, typer.Option("--memory-mb", help="MemoryMax.")]


def agent(
    config: Config,
    user: User = "tenone",
    memory_mb: Memory = 256,
    any_address: Annotated[
        bool, typer.Option("--any-address", help="Do not limit addresses in the unit.")
    ] = False,
    freeze_names: Annotated[
        bool,
        typer.Option(
            "--freeze-names",
            help="Limit addresses even where the file has names: to those they have now.",
        ),
    ] = False,
) -> None:
    """Print the unit of a school's agent: apply it as /etc/systemd/system/tenone-agent.service."""
    school = configured(load_school, config)
    try:
        names = () if freeze_names else _names(school)
        addresses = None if any_address or names else _addresses(school)
        text = text_of(_agent_unit(school, config, user, memory_mb, addresses))
        for name in () if any_address else names:
            # A unit knows no names. Whose address changes one day would be cut off, unsaid.
            typer.echo(f"# IPAddressDeny is not here, for {name} may move; or: --freeze-names")
        typer.echo(text, nl=False)
    except (OSError, UnitError) as error:
        typer.echo(f"tenone service unit agent: {error}", err=True)
        raise typer.Exit(CANNOT) from None


def controller(config: Config, user: User = "tenone", memory_mb: Memory = 2048) -> None:
    """Print the unit of a city's controller: as /etc/systemd/system/tenone-controller.service."""
    city = configured(load_city, config)
    try:
        typer.echo(text_of(_controller_unit(city, config, user, memory_mb)), nl=False)
    except UnitError as error:
        typer.echo(f"tenone service unit controller: {error}", err=True)
        raise typer.Exit(CANNOT) from None


def _agent_unit(
    school: School, config: Path, user: str, memory_mb: int, addresses: list[str] | None
) -> Unit:
    listens = [one.listen.port for one in (school.traps, school.syslog) if one is not None]
    if school.local_broker.embedded:
        listens.append(school.local_broker.port)
    writes = [school.outbox.path.absolute()]
    if school.uplink.identity is not None:  # renewed by the agent itself
        writes.append(school.uplink.identity.absolute())
    return Unit(
        description=f"TenOne agent of {school.id}",
        command=_command("agent", config),
        user=user,
        writes=writes,
        credentials=_credentials(school),
        ports=listens,
        asks_clock=True,
        memory_mb=memory_mb,
        addresses=addresses,
    )


def _controller_unit(city: City, config: Path, user: str, memory_mb: int) -> Unit:
    records = Path(city.records.url.removeprefix("sqlite:///")).absolute().parent
    trust = city.trust
    files = [one.file for one in (*trust.anchors, trust.siem) if one is not None and one.file]
    files += [trust.ca.crl_file] if trust.ca.crl_file else []
    writes = [city.store.path.absolute(), records, trust.ca.path.absolute()]
    writes += [file.absolute().parent for file in files]
    writes += [
        channel.path.absolute()
        for level in city.escalation.levels
        for channel in level.channels
        if channel.path is not None
    ]
    return Unit(
        description=f"TenOne controller of {city.id}",
        command=_command("controller", config),
        user=user,
        writes=writes,
        credentials=_credentials(city),
        ports=[city.http.port, *([city.broker.port] if city.broker.embedded else [])],
        memory_mb=memory_mb,
    )


def _command(name: str, config: Path) -> list[str]:
    beside = Path(sys.executable).with_name("tenone")
    found = str(beside) if beside.exists() else shutil.which("tenone")
    if found is None:
        raise UnitError("the command 'tenone' is not installed beside this Python")
    return [found, name, "-c", str(config.absolute())]


def _credentials(config: School | City) -> list[str]:
    def keys(one: SecretRef) -> list[SecretRef]:
        return [one] if one.vault is None else [one, one.vault.key]

    # A school's secrets are its agent's; of a city only its own are fetched by the controller.
    own = config.model_copy(update={"schools": ()}) if isinstance(config, City) else config
    named = [key for one in references(own) for key in keys(one)]
    return sorted({one.name for one in named if one.scheme == "credential"})


def _names(school: School) -> tuple[str, ...]:
    """What the file names by name, and not by address, of all it speaks to."""
    senders = [host for one in school.switches for host in one.also_from]
    hosts = (*(rule.to for rule in rules_of(school) if not rule.own_machine), *senders)
    return tuple(host for host in dict.fromkeys(hosts) if host != "localhost" and _is_name(host))


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_network(host.partition("%")[0], strict=False)
    except ValueError:
        return True
    return False


def _addresses(school: School) -> list[str]:
    """Everything of the egress list, names as they are now, and whoever sends hints."""
    found: list[str] = []
    senders = [host for one in school.switches for host in one.also_from]
    for host in (*(rule.to for rule in rules_of(school, system_resolvers())), *senders):
        if "/" in host:
            found.append(host)
        else:
            try:
                found += [one.partition("%")[0] for one in system_addresses(host)]
            except OSError as error:
                raise UnitError(
                    f"{host} has no address now ({error.strerror or error}): write the unit when "
                    "it has one, or with --any-address"
                ) from error
    return found
