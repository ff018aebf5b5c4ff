"""The accounts at the school's own Mosquitto: one a device, kept by the agent.

A device reaches its own subtree only, in the directions CONTRACT.md gives: it writes what it
measures and reads what it is told. The name of an account is ``<kind>.<serial>`` where devices have
passwords (the client id must be the same), and the certificate's CN where they have certificates.
"""

import logging
from collections.abc import Callable, Iterable, Mapping

from drivers.wire.access_lists import (
    DEVICE_ROLE,
    GATEWAY_ROLE,
    device_role,
    gateway_role,
    keeper_role,
)
from drivers.wire.dynsec_keeper import DynsecKeeper, Repair
from drivers.wire.dynsec_plan import Desired, told
from drivers.wire.dynsec_values import Client, Role, State
from drivers.wire.endpoint import EndpointError, endpoint_of
from drivers.wire.mqtt import MqttPort
from tenone.config import School
from tenone.config.brokers import DeviceAccounts
from tenone.config.own_files import own_files
from tenone.config.school import POLLED
from tenone.config.school import Device as DeviceConfig
from tenone.runtime.clock import Clock
from tenone.trust.credentials import CredentialsError, mark_of, read_credentials
from tenone.trust.masked import Secret
from tenone.trust.names import MachineName

log = logging.getLogger(__name__)


def gateway_client_id(school: str) -> str:
    """The agent's MQTT client id at its school's broker."""
    return f"tenone-agent-{school}"


def speaking(school: School) -> list[DeviceConfig]:
    """Devices that connect to the school's broker."""
    return [one for one in school.devices if one.kind not in POLLED]


def account_name(school: School, device: DeviceConfig, *, by_password: bool) -> str:
    """The user name of a device."""
    if by_password:
        return f"{device.kind.value}.{device.serial}"
    return MachineName.device(school.id, device.kind.value, device.serial).common_name


def desired(
    school: School, accounts: DeviceAccounts, passwords: Mapping[str, Secret], own: Secret
) -> Desired:
    """What the broker shall allow; ``own`` is the agent's password.

    A device that needs a password and has none yet has an account that is disabled.
    """
    by_password = accounts.identity == "password"
    gateway = Client(
        username=school.local_broker.username or "",
        client_id=gateway_client_id(school.id),
        roles=frozenset({GATEWAY_ROLE}),
        mark=mark_of(school.local_broker.username or "", own),
    )
    roles: list[Role] = [keeper_role(), gateway_role()]
    clients = [gateway]
    for device in speaking(school):
        name = account_name(school, device, by_password=by_password)
        password = passwords.get(name) if by_password else None
        counts = not by_password or password is not None
        roles.append(device_role(device.kind, device.serial))
        clients.append(
            Client(
                username=name,
                client_id=name if by_password else None,
                roles=frozenset(
                    {f"{DEVICE_ROLE}{device.kind.value}-{device.serial}"} if counts else ()
                ),
                disabled=not counts,
                mark=mark_of(name, password),
            )
        )
    known = {one.username for one in clients}
    return Desired(
        state=State.of(roles, clients),
        passwords={
            **{name: secret for name, secret in passwords.items() if name in known},
            gateway.username: own,
        },
        untouched=frozenset({accounts.username}),
        remove_foreign=accounts.foreign == "remove",
    )


def local_accounts(school: School, *, clock: Clock) -> DynsecKeeper | None:
    """The keeper of the school's lists; None where none is configured. EndpointError."""
    accounts = school.local_broker.devices
    if accounts is None:
        return None
    endpoint = endpoint_of(accounts.broker)
    own = Secret.of(endpoint_of(school.local_broker).password or "")
    try:
        read_credentials(accounts.passwords, own_files(school.vault))
    except CredentialsError as error:
        raise EndpointError(f"local_broker.devices: {error}") from error

    async def before_repair(repair: Repair) -> None:
        log.warning(
            "the school's broker: %d changes%s: %s%s",
            len(repair.commands),
            "" if repair.first else " were needed",
            told(repair.commands),
            f"; foreign accounts: {', '.join(repair.foreign)}" if repair.foreign else "",
        )

    return DynsecKeeper(
        make_port=lambda: MqttPort(endpoint=endpoint, client_id=f"{accounts.username}-{school.id}"),
        desired=_rereading(school, accounts, own),
        clock=clock,
        before_repair=before_repair,
        check_seconds=accounts.check_seconds,
    )


def _rereading(school: School, accounts: DeviceAccounts, own: Secret) -> Callable[[], Desired]:
    """Passwords made meanwhile count at the next look, without a restart."""
    kept: dict[str, Secret] = {}
    files = own_files(school.vault)

    def now() -> Desired:
        nonlocal kept
        try:
            kept = read_credentials(accounts.passwords, files)
        except CredentialsError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence is all there is to say
        return desired(school, accounts, kept, own)

    return now


def names(school: School) -> Iterable[str]:
    """Accounts that need a password."""
    return [account_name(school, one, by_password=True) for one in speaking(school)]
