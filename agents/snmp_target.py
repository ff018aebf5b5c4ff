"""A switch of school.yaml as somebody to ask."""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.snmp.errors import BadTarget
from drivers.snmp.message import Version
from drivers.snmp.target import Target
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from tenone.config import Polling, Switch
from tenone.config.hints import TrapUser
from tenone.trust.masked import Secret

_VERSIONS = {"v1": Version.V1, "v2c": Version.V2C, "v3": Version.V3}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A switch as it is asked now, and as it shall be asked next."""

    current: Target
    following: Target | None = None
    """None: no secret of it has a next version."""
    mark: str = ""
    """Which versions ``following`` is made of, such as ``community=2``; no secret."""


def snmp_target(switch: Switch, polling: Polling) -> Target:
    """Whom to ask, with the secrets fetched; raises ``SecretError`` and :class:`BadTarget`."""
    return snmp_credentials(switch, polling).current


def snmp_credentials(switch: Switch, polling: Polling) -> Credentials:
    """The same, with the next secrets where the vault has them."""
    snmp = switch.snmp
    secrets = {
        name: reference.versions()
        for name, reference in (
            ("community", snmp.community),
            ("auth", None if snmp.auth is None else snmp.auth.password),
            ("priv", None if snmp.priv is None else snmp.priv.password),
        )
        if reference is not None
    }
    current = {name: both.current for name, both in secrets.items()}
    following = {name: both.next for name, both in secrets.items() if both.next is not None}
    mark = ",".join(f"{name}={secrets[name].next_number}" for name in sorted(following))
    try:
        return Credentials(
            _target(switch, polling, current),
            _target(switch, polling, current | following) if following else None,
            mark,
        )
    except BadTarget as error:
        raise BadTarget(f"the switch {switch.name!r} cannot be asked: {error}") from error


def _target(switch: Switch, polling: Polling, secrets: Mapping[str, Secret]) -> Target:
    snmp = switch.snmp
    none = Secret("")
    user = None
    if snmp.user is not None:
        user = User(
            name=snmp.user,
            auth=Auth.named(snmp.auth.protocol) if snmp.auth is not None else None,
            auth_password=secrets.get("auth", none),
            priv=Priv.named(snmp.priv.protocol) if snmp.priv is not None else None,
            priv_password=secrets.get("priv", none),
            context=snmp.context or "",
            engine_id=bytes.fromhex(snmp.engine_id or ""),
        )
    return Target(
        host=switch.host,
        port=switch.port,
        version=_VERSIONS[snmp.version],
        community=secrets.get("community", none),
        user=user,
        timeout_seconds=polling.timeout_seconds,
        retries=polling.retries,
    )


def trap_user(user: TrapUser) -> User:
    """An SNMPv3 user whose traps are believed; raises ``SecretError`` and :class:`BadTarget`."""
    try:
        return User(
            name=user.user,
            auth=Auth.named(user.auth.protocol) if user.auth is not None else None,
            auth_password=user.auth.password.fetch() if user.auth is not None else "",
            priv=Priv.named(user.priv.protocol) if user.priv is not None else None,
            priv_password=user.priv.password.fetch() if user.priv is not None else "",
            engine_id=bytes.fromhex(user.engine_id or ""),
        )
    except BadTarget as error:
        raise BadTarget(f"traps of the user {user.user!r} cannot be read: {error}") from error
