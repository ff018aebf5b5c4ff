"""What the city's broker shall allow, from the plan and the machines. Pure.

A school has an account named like it (the CN of its agent's certificate, or a user name) and a
role of its own. A machine that does not count has an account without roles, disabled: by its
certificate alone it could still connect to Mosquitto 2.0.11, but not do anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from drivers.wire.access_lists import HOST_ROLE, SCHOOL_ROLE, host_role, keeper_role, school_role
from drivers.wire.dynsec_plan import Desired
from drivers.wire.dynsec_values import Client, State
from drivers.wire.topics import NodeId
from tenone.trust.credentials import MARK, mark_of
from tenone.trust.masked import Secret


def node_client_id(school: str) -> str:
    """The MQTT client id of a school's agent at the city's broker."""
    return f"tenone-node-{school}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The host's own account where it has a password."""

    username: str
    client_id: str
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the lists are made of."""

    host_id: str
    schools: Iterable[NodeId]
    keeper: str
    """Name of the account that keeps the lists."""
    allowed: frozenset[str] | None = None
    """Schools whose machine counts now; None: all."""
    host: Account | None = None
    passwords: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    """By school, where agents have passwords."""
    by_password: bool = False
    remove_foreign: bool = False


def desired(wanted: Wanted) -> Desired:
    """The whole of it."""
    schools = list(wanted.schools)
    roles = [keeper_role(), host_role(wanted.host_id)]
    roles += [school_role(node, wanted.host_id) for node in schools]
    clients = [_school(wanted, node.node) for node in schools]
    passwords = {one: wanted.passwords[one] for one in _names(schools) if one in wanted.passwords}
    if wanted.host is not None:
        host = wanted.host
        clients.append(
            Client(
                username=host.username,
                client_id=host.client_id,
                roles=frozenset({HOST_ROLE}),
                mark=mark_of(host.username, host.password),
            )
        )
        passwords[host.username] = host.password
    return Desired(
        state=State.of(roles, clients),
        passwords=passwords,
        untouched=frozenset({wanted.keeper}),
        remove_foreign=wanted.remove_foreign,
    )


def _school(wanted: Wanted, school: str) -> Client:
    password = wanted.passwords.get(school)
    counts = wanted.allowed is None or school in wanted.allowed
    if wanted.by_password and password is None:
        counts = False
    return Client(
        username=school,
        client_id=node_client_id(school) if wanted.by_password else None,
        roles=frozenset({f"{SCHOOL_ROLE}{school}"} if counts else ()),
        disabled=not counts,
        mark=mark_of(school, password) if wanted.by_password else MARK,
    )


def _names(schools: Iterable[NodeId]) -> list[str]:
    return [one.node for one in schools]
