"""What Mosquitto's dynamic security knows: clients, roles, access lists; values, no I/O.

Names and meanings are those of the plugin (mosquitto.org, "Dynamic Security Plugin"; behaviour as
run with 2.0.11). Groups are not used here: a client of ours that is in one is drift.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from tenone.trust.masked import Secret, bare

PBKDF2_ROUNDS = 101
"""What the plugin itself uses; our passwords are 256 random bits, which no rounds make safer."""
SALT_BYTES = 12


class DynsecError(Exception):
    """The broker's access control cannot be read or changed; one sentence."""


class AclType(StrEnum):
    """What a line of a role is about."""

    SEND = "publishClientSend"
    """A client publishes."""
    RECEIVE = "publishClientReceive"
    """A message is delivered to a client."""
    SUBSCRIBE = "subscribeLiteral"
    """Exactly this filter may be subscribed to, wildcards taken literally."""
    SUBSCRIBE_PATTERN = "subscribePattern"
    """Every filter inside this pattern may be subscribed to."""
    UNSUBSCRIBE = "unsubscribeLiteral"
    UNSUBSCRIBE_PATTERN = "unsubscribePattern"


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One line of a role. A role holds one line for a type and topic."""

    type: AclType
    topic: str
    allow: bool = True
    priority: int = 0

    def as_json(self) -> dict[str, object]:
        """As the control topic and the plugin's file write it."""
        return {
            "acltype": self.type.value,
            "topic": self.topic,
            "priority": self.priority,
            "allow": self.allow,
        }


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of lines."""

    name: str
    acls: frozenset[Acl]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One account. A password cannot be read back: ``mark`` says which one was set.

    ``client_id`` binds accounts with a password. For those known by their certificate the plugin
    of 2.0.11 looks at neither ``client_id`` nor ``disabled`` when they connect: there the
    listener's ``use_username_as_clientid`` binds the id, and only a client without roles is
    kept from everything.
    """

    username: str
    roles: frozenset[str] = frozenset()
    client_id: str | None = None
    disabled: bool = False
    mark: str = ""
    """Kept as the account's text description."""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is allowed where no role says anything. As made: nothing but to unsubscribe."""

    send: bool = False
    receive: bool = False
    subscribe: bool = False
    unsubscribe: bool = True

    def rows(self) -> dict[str, bool]:
        """By the plugin's names."""
        return {
            "publishClientSend": self.send,
            "publishClientReceive": self.receive,
            "subscribe": self.subscribe,
            "unsubscribe": self.unsubscribe,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All the plugin holds, by name."""

    access: Access = field(default_factory=Access)
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    clients: Mapping[str, Client] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls, roles: Sequence[Role], clients: Sequence[Client], access: Access | None = None
    ) -> "State":
        """From plain lists."""
        return cls(
            access=access or Access(),
            roles={one.name: one for one in roles},
            clients={one.username: one for one in clients},
        )


def read_client(row: object) -> Client:
    """An account as ``listClients`` shows it; raises :class:`DynsecError`."""
    found = _object(row, "client")
    return Client(
        username=_text(found, "username"),
        roles=frozenset(_names(found, "roles", "rolename")),
        client_id=_text(found, "clientid") if "clientid" in found else None,
        disabled=found.get("disabled") is True,
        mark=_text(found, "textdescription") if "textdescription" in found else "",
        groups=frozenset(_names(found, "groups", "groupname")),
    )


def read_role(row: object) -> Role:
    """A role as ``listRoles`` shows it; raises :class:`DynsecError`."""
    found = _object(row, "role")
    acls = found.get("acls", [])
    if not isinstance(acls, list):
        raise DynsecError("the broker's answer has a role without a list of lines")
    return Role(_text(found, "rolename"), frozenset(_acl(one) for one in acls))


def read_access(rows: object) -> Access:
    """What ``getDefaultACLAccess`` answers; raises :class:`DynsecError`."""
    if not isinstance(rows, list):
        raise DynsecError("the broker's answer has no list of default access")
    found = {}
    for one in rows:
        row = _object(one, "default")
        found[_text(row, "acltype")] = row.get("allow") is True
    return Access(
        send=found.get("publishClientSend", False),
        receive=found.get("publishClientReceive", False),
        subscribe=found.get("subscribe", False),
        unsubscribe=found.get("unsubscribe", False),
    )


def first_document(
    state: State, passwords: Mapping[str, Secret | str], *, salts: Mapping[str, bytes]
) -> str:
    """The plugin's file with which a broker starts; ``salts`` has 12 random bytes an account."""
    clients = []
    for client in state.clients.values():
        row: dict[str, object] = {
            "username": client.username,
            "textdescription": client.mark,
            "roles": [{"rolename": name} for name in sorted(client.roles)],
        }
        if client.client_id is not None:
            row["clientid"] = client.client_id
        if client.disabled:
            row["disabled"] = True
        if client.username in passwords:
            salt = salts[client.username]
            secret = bare(Secret.of(passwords[client.username])).encode()
            digest = hashlib.pbkdf2_hmac("sha512", secret, salt, PBKDF2_ROUNDS)
            row["password"] = base64.b64encode(digest).decode()
            row["salt"] = base64.b64encode(salt).decode()
            row["iterations"] = PBKDF2_ROUNDS
        clients.append(row)
    roles = [
        {"rolename": role.name, "acls": [acl.as_json() for acl in sorted(role.acls)]}
        for role in state.roles.values()
    ]
    document = {
        "defaultACLAccess": state.access.rows(),
        "clients": clients,
        "groups": [],
        "roles": roles,
    }
    return json.dumps(document, indent=1) + "\n"


def _acl(row: object) -> Acl:
    found = _object(row, "line")
    try:
        kind = AclType(_text(found, "acltype"))
    except ValueError:
        raise DynsecError(f"the broker has a line of unknown type {found['acltype']!r}") from None
    priority = found.get("priority", 0)
    return Acl(
        kind,
        _text(found, "topic"),
        found.get("allow") is True,
        priority if isinstance(priority, int) else 0,
    )


def _object(row: object, what: str) -> dict[str, object]:
    if not isinstance(row, dict):
        raise DynsecError(f"the broker's answer has a {what} that is no object")
    return row


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise DynsecError(f"the broker's answer has no {key!r} where one belongs")
    return value


def _names(row: Mapping[str, object], key: str, name: str) -> list[str]:
    rows = row.get(key, [])
    if not isinstance(rows, list):
        raise DynsecError(f"the broker's answer has no list {key!r}")
    return [_text(_object(one, key), name) for one in rows]
