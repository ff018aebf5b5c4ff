"""A switch of school.yaml as somebody to ask."""

from drivers.snmp.errors import BadTarget
from drivers.snmp.message import Version
from drivers.snmp.target import Target
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from tenone.config import Polling, Snmp, Switch
from tenone.config.hints import TrapUser

_VERSIONS = {"v1": Version.V1, "v2c": Version.V2C, "v3": Version.V3}


def snmp_target(switch: Switch, polling: Polling) -> Target:
    """Whom to ask, with the secrets fetched; raises ``SecretError`` and :class:`BadTarget`."""
    snmp = switch.snmp
    try:
        return Target(
            host=switch.host,
            port=switch.port,
            version=_VERSIONS[snmp.version],
            community=snmp.community.fetch() if snmp.community is not None else "",
            user=_user(snmp),
            timeout_seconds=polling.timeout_seconds,
            retries=polling.retries,
        )
    except BadTarget as error:
        raise BadTarget(f"the switch {switch.name!r} cannot be asked: {error}") from error


def _user(snmp: Snmp) -> User | None:
    if snmp.user is None:
        return None
    return User(
        name=snmp.user,
        auth=Auth.named(snmp.auth.protocol) if snmp.auth is not None else None,
        auth_password=snmp.auth.password.fetch() if snmp.auth is not None else "",
        priv=Priv.named(snmp.priv.protocol) if snmp.priv is not None else None,
        priv_password=snmp.priv.password.fetch() if snmp.priv is not None else "",
        context=snmp.context or "",
        engine_id=bytes.fromhex(snmp.engine_id or ""),
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
