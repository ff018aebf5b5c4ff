"""``tenone broker``: the files a Mosquitto starts with, and the passwords of its accounts."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from agents.local_accounts import desired as school_desired
from agents.local_accounts import names as device_names
from controller.trust.brokers_desired import Account, Wanted
from controller.trust.brokers_desired import desired as city_desired
from drivers.wire.access_lists import KEEPER_ROLE
from drivers.wire.dynsec_values import SALT_BYTES, Client, State, first_document
from drivers.wire.endpoint import EndpointError, endpoint_of
from drivers.wire.mosquitto_conf import PLUGIN, Conf, MutualTls, conf_text, reload_texts, unit_text
from drivers.wire.topics import NodeId
from tenone.cli._console import BAD_CONFIGURATION, configured
from tenone.config import CalendarFile, City, School, SecretError, load
from tenone.config.brokers import BrokerControl
from tenone.config.own_files import own_files
from tenone.trust.credentials import CredentialsError, make_credentials, read_credentials
from tenone.trust.files import OPEN, KeyFileError, write_whole
from tenone.trust.masked import Secret

CANNOT = 1
FIRST = "dynamic-security.first.json"
CONF = "mosquitto.conf"
UNIT = "tenone.conf"
CITY_QUEUED, CITY_QUEUED_MB = 100_000, 256
"""A city's births after a restart all wait for one client, the controller."""
LISTEN_PORT = 8883

Config = Annotated[Path, typer.Option("-c", "--config", help="city.yaml or school.yaml.")]


class BrokerFilesError(Exception):
    """The files cannot be made; one sentence."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="The files a Mosquitto starts with, and the passwords of its accounts.",
        no_args_is_help=True,
    )
    group.command("config")(config_files)
    group.command("passwords")(passwords)
    app.add_typer(group, name="broker")


def config_files(
    config: Config,
    *,
    folder: Annotated[Path, typer.Option(help="Where to write them.")],
    ca: Annotated[Path, typer.Option(help="The authority that clients' certificates are of.")],
    certificate: Annotated[Path, typer.Option(help="The broker's certificate.")],
    key: Annotated[Path, typer.Option(help="Its key.")],
    crl: Annotated[
        Path | None, typer.Option(help="The list of revoked certificates, if there is one.")
    ] = None,
    listen: Annotated[str, typer.Option(help="Address of the TLS listener.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(help="Port of the TLS listener.")] = LISTEN_PORT,
    data: Annotated[Path, typer.Option(help="The broker's own folder, as it sees it.")] = Path(
        "/var/lib/mosquitto"
    ),
    user: Annotated[str, typer.Option(help="Whom the broker runs as.")] = "mosquitto",
) -> None:
    """Write mosquitto.conf and the first file of its access lists, for a city or a school."""
    try:
        folder = folder.absolute()
        loaded = _load(config)
        control, state, secrets, by_password = _first(loaded)
        listener = MutualTls(
            host=listen,
            port=port,
            ca=ca,
            certificate=certificate,
            key=key,
            crl=crl if crl is not None or isinstance(loaded, School) else loaded.trust.ca.crl_file,
            passwords=by_password,
        )
        conf = Conf(folder=data, loopback_port=control.port, tls=listener, user=user)
        if isinstance(loaded, City):
            conf = replace(conf, max_queued=CITY_QUEUED, max_queued_mb=CITY_QUEUED_MB)
        salts = {name: os.urandom(SALT_BYTES) for name in state.clients}
        document = first_document(state, secrets, salts=salts)
        write_whole(folder / CONF, conf_text(conf).encode(), mode=OPEN)
        write_whole(folder / FIRST, document.encode())
        write_whole(folder / UNIT, unit_text(conf, folder / FIRST).encode(), mode=OPEN)
        units = {} if listener.crl is None else reload_texts(listener.crl.absolute())
        for name, text in units.items():
            write_whole(folder / name, text.encode(), mode=OPEN)
    except (
        BrokerFilesError, CredentialsError, EndpointError, KeyFileError, SecretError
    ) as error:  # fmt: skip
        typer.echo(f"tenone broker: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    if not PLUGIN.exists():
        typer.echo(f"note: {PLUGIN} is not on this machine; look where your broker's is", err=True)
    typer.echo(f"{folder / CONF}: loopback port {control.port}, TLS on {listen} port {port}")
    typer.echo(f"{folder / FIRST}: {len(state.clients)} accounts, for {conf.dynsec_file}")
    typer.echo(f"{folder / UNIT}: for /etc/systemd/system/mosquitto.service.d/")
    for name in units:
        typer.echo(f"{folder / name}: for /etc/systemd/system/")


def passwords(
    config: Config,
    anew: Annotated[
        list[str] | None, typer.Option(help="An account whose password is made anew; repeatable.")
    ] = None,
) -> None:
    """Make the missing passwords, and print those that were made: once, now and never again."""
    try:
        loaded = _load(config)
        path, wanted = _accounts(loaded)
        _check_known(anew or (), wanted)
        files = own_files(loaded.vault)
        made = make_credentials(path, wanted, anew=anew or (), files=files)
    except (BrokerFilesError, CredentialsError, SecretError) as error:
        typer.echo(f"tenone broker: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    for name, secret in made.items():
        typer.echo(f"{name}\t{secret.use()}")
    typer.echo(f"{len(made)} made, {len(wanted)} accounts in {path}", err=True)


def _check_known(names: Iterable[str], accounts: Iterable[str]) -> None:
    for name in sorted(set(names) - set(accounts)):
        raise BrokerFilesError(f"there is no account {name}: look at the configuration")


def _load(config: Path) -> City | School:
    """Which of the two it is, is said by its keys."""
    loaded = configured(load, config)
    if isinstance(loaded, CalendarFile):
        typer.echo(f"{config}: this is a calendar; name a city's or a school's file", err=True)
        raise typer.Exit(BAD_CONFIGURATION)
    return loaded


def _accounts(loaded: City | School) -> tuple[Path, list[str]]:
    if isinstance(loaded, School):
        devices = loaded.local_broker.devices
        if devices is None or devices.identity != "password":
            raise BrokerFilesError(
                "local_broker.devices with 'identity: password' is not configured: add it, or "
                "give the devices certificates (tenone enrol)"
            )
        return devices.passwords, list(device_names(loaded))
    control = loaded.trust.broker
    if control is None or control.passwords is None:
        raise BrokerFilesError(
            "trust.broker with 'identity: password' is not configured: agents have certificates "
            "(tenone enrol)"
        )
    return control.passwords, [one.id for one in loaded.schools]


def _first(loaded: City | School) -> tuple[BrokerControl, State, Mapping[str, Secret], bool]:
    """The keeper's account, all that is known already, its passwords, whether by password."""
    if isinstance(loaded, School):
        devices = loaded.local_broker.devices
        if devices is None:
            raise BrokerFilesError("local_broker.devices is not configured: add it")
        own = _password(endpoint_of(loaded.local_broker).password)
        secrets = read_credentials(devices.passwords, own_files(loaded.vault))
        wanted = school_desired(loaded, devices, secrets, own)
        return _with_keeper(devices, wanted.state, wanted.passwords, devices.identity)
    control = loaded.trust.broker
    if control is None:
        raise BrokerFilesError("trust.broker is not configured: add it")
    files = own_files(loaded.vault)
    secrets = {} if control.passwords is None else read_credentials(control.passwords, files)
    allowed = frozenset[str]() if control.agents == "enrolled" else None
    wanted = city_desired(
        Wanted(
            host_id=loaded.broker.host_id,
            schools=[NodeId(one.school.district, one.id) for one in loaded.schools],
            keeper=control.username,
            allowed=allowed,
            host=_host(loaded),
            passwords=secrets,
            by_password=control.identity == "password",
        )
    )
    return _with_keeper(control, wanted.state, wanted.passwords, control.identity)


def _with_keeper(
    control: BrokerControl, state: State, passwords: Mapping[str, Secret], identity: str
) -> tuple[BrokerControl, State, Mapping[str, Secret], bool]:
    keeper = Client(username=control.username, roles=frozenset({KEEPER_ROLE}), mark="")
    whole = replace(state, clients={**state.clients, keeper.username: keeper})
    secret = _password(endpoint_of(control.broker).password)
    return control, whole, {**passwords, keeper.username: secret}, identity == "password"


def _host(city: City) -> Account | None:
    broker = city.broker
    if broker.username is None:
        raise BrokerFilesError(
            "the controller needs an account: add 'username' and 'password' to 'broker'"
        )
    return Account(
        username=broker.username,
        client_id=f"tenone-{broker.host_id}",
        password=_password(endpoint_of(broker).password),
    )


def _password(found: Secret | str | None) -> Secret:
    if not found:
        raise BrokerFilesError("an account has no password: add 'password' beside its 'username'")
    return Secret.of(found)
