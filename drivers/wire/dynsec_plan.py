"""From what the broker's access control is to what it shall be: the fewest commands. Pure.

Taking away comes before giving, so that a plan that breaks off half-way leaves too little, not too
much. Lines are added to and removed from roles one by one, which disturbs nobody; a change of an
account ends its session, for the plugin knows no other way.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from drivers.wire.dynsec_values import Acl, Client, Role, State
from tenone.trust.masked import Secret, bare

MARK = "tenone"
"""Begins the mark of every account that is ours."""
TOGETHER = "tenone.together"
"""A group that is there only while many sessions are ended."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the control topic, and what it means in words."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    secret: Secret | None = None
    """A password; put in on the way out only."""

    def as_json(self) -> dict[str, object]:
        """As it is sent."""
        body: dict[str, object] = {"command": self.name, **self.arguments}
        if self.secret is not None:
            body["password"] = bare(self.secret)
        return body

    def __str__(self) -> str:
        told = [str(self.arguments[key]) for key in ("username", "rolename", "groupname") if key in
                self.arguments]  # fmt: skip
        told += [f"{self.arguments[key]}" for key in ("acltype", "topic") if key in self.arguments]
        return " ".join((self.name, *told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What shall be. What it does not name is foreign, unless its mark says it was ours once."""

    state: State
    passwords: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    """Of accounts that are made here; one whose mark changes gets its password anew."""
    untouched: frozenset[str] = frozenset()
    """Accounts whose password and roles somebody else keeps: never changed, never removed."""
    remove_foreign: bool = False


def create_role(role: Role) -> Command:
    """A role with all its lines."""
    acls = [acl.as_json() for acl in sorted(role.acls)]
    return Command("createRole", {"rolename": role.name, "acls": acls})


def add_role_acl(role: str, acl: Acl) -> Command:
    """One line more."""
    return Command("addRoleACL", {"rolename": role, **acl.as_json()})


def remove_role_acl(role: str, acl: Acl) -> Command:
    """One line less."""
    return Command(
        "removeRoleACL", {"rolename": role, "acltype": acl.type.value, "topic": acl.topic}
    )


def create_client(client: Client, password: Secret | None = None) -> Command:
    """An account; enabled, as the plugin makes them."""
    arguments: dict[str, object] = {
        "username": client.username,
        "textdescription": client.mark,
        "roles": _roles(client),
    }
    if client.client_id is not None:
        arguments["clientid"] = client.client_id
    return Command("createClient", arguments, password)


def disable_client(username: str) -> Command:
    """End its session; with a password it cannot come back, with a certificate it can."""
    return Command("disableClient", {"username": username})


def enable_client(username: str) -> Command:
    """Let it connect again."""
    return Command("enableClient", {"username": username})


def set_client_password(username: str, password: Secret) -> Command:
    """A new password; ends its session."""
    return Command("setClientPassword", {"username": username}, password)


def strip_client(username: str) -> Command:
    """Take all roles away and end its session.

    By its certificate it may still connect to 2.0.11, disabled or not; then it can do nothing.
    """
    return Command("modifyClient", {"username": username, "roles": [], "groups": []})


def kick(username: str) -> tuple[Command, Command]:
    """End its session and let it come back at once, if its certificate or password still counts."""
    return disable_client(username), enable_client(username)


def end_together(usernames: Iterable[str]) -> tuple[Command, ...]:
    """End the sessions of many at once, and take nothing away.

    2.0.11 writes its whole file at each command, but a group takes all its members in one, and
    changing or deleting a group ends their sessions. One account that does not exist spoils it.
    """
    members = [{"username": name} for name in usernames]
    group = {"groupname": TOGETHER}
    return (
        Command("createGroup", group),
        Command("modifyGroup", {**group, "clients": members}),
        Command("deleteGroup", group),
    )


def plan(desired: Desired, actual: State) -> list[Command]:
    """The commands that make ``actual`` what is desired; none where it is."""
    return [
        *_access(desired.state, actual),
        *_clients_gone(desired, actual),
        *_roles_gone(desired, actual),
        *_lines_gone(desired.state, actual),
        *_roles_made(desired.state, actual),
        *_clients_made(desired, actual),
    ]


def foreign(desired: Desired, actual: State) -> tuple[str, ...]:
    """Accounts that are neither desired nor ours nor known to be somebody else's."""
    return tuple(
        sorted(
            name
            for name, client in actual.clients.items()
            if name not in desired.state.clients
            and name not in desired.untouched
            and not client.mark.startswith(MARK)
        )
    )


def _access(state: State, actual: State) -> Iterator[Command]:
    wanted, found = state.access.rows(), actual.access.rows()
    changed = [
        {"acltype": kind, "allow": allow} for kind, allow in wanted.items() if found[kind] != allow
    ]
    if changed:
        yield Command("setDefaultACLAccess", {"acls": changed})


def _clients_gone(desired: Desired, actual: State) -> Iterator[Command]:
    for name, client in actual.clients.items():
        if name in desired.state.clients or name in desired.untouched:
            continue
        if desired.remove_foreign or client.mark.startswith(MARK):
            yield Command("deleteClient", {"username": name})


def _roles_gone(desired: Desired, actual: State) -> Iterator[Command]:
    if not desired.remove_foreign:
        return
    kept = {
        role
        for name in desired.untouched
        if name in actual.clients
        for role in actual.clients[name].roles
    }
    for name in actual.roles:
        if name not in desired.state.roles and name not in kept:
            yield Command("deleteRole", {"rolename": name})


def _lines_gone(state: State, actual: State) -> Iterator[Command]:
    for name, role in state.roles.items():
        found = actual.roles.get(name)
        if found is not None:
            for acl in sorted(found.acls - role.acls):
                yield remove_role_acl(name, acl)


def _roles_made(state: State, actual: State) -> Iterator[Command]:
    for name, role in state.roles.items():
        found = actual.roles.get(name)
        if found is None:
            yield create_role(role)
            continue
        for acl in sorted(role.acls - found.acls):
            yield add_role_acl(name, acl)


def _clients_made(desired: Desired, actual: State) -> Iterator[Command]:
    for name, client in desired.state.clients.items():
        found = actual.clients.get(name)
        password = desired.passwords.get(name)
        if found is None:
            yield create_client(client, password)
            if client.disabled:
                yield disable_client(name)
            continue
        if client.client_id is None and found.client_id is not None:
            # The plugin has no word for taking a bound client id away.
            yield Command("deleteClient", {"username": name})
            yield create_client(client, password)
            if client.disabled:
                yield disable_client(name)
            continue
        yield from _client_changed(client, found, password)


def _client_changed(client: Client, found: Client, password: Secret | None) -> Iterator[Command]:
    if password is not None and found.mark != client.mark:
        yield set_client_password(client.username, password)
    changed: dict[str, object] = {}
    if found.client_id != client.client_id:
        changed["clientid"] = client.client_id
    if found.mark != client.mark:
        changed["textdescription"] = client.mark
    if found.roles != client.roles:
        changed["roles"] = _roles(client)
    if found.groups != client.groups:
        changed["groups"] = [{"groupname": name} for name in sorted(client.groups)]
    if changed:
        yield Command("modifyClient", {"username": client.username, **changed})
    if client.disabled and not found.disabled:
        yield disable_client(client.username)
    if found.disabled and not client.disabled:
        yield enable_client(client.username)


def _roles(client: Client) -> list[dict[str, str]]:
    return [{"rolename": name} for name in sorted(client.roles)]


def told(commands: Iterable[Command], limit: int = 5) -> str:
    """The first few commands in words, for logs and the ledger; never a password."""
    words = [str(one) for one in commands]
    more = f" and {len(words) - limit} more" if len(words) > limit else ""
    return "; ".join(words[:limit]) + more
