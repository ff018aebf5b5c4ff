"""The plugin's control topic as a pure function, for properties; held against the real one."""

from collections.abc import Iterable
from dataclasses import replace

from drivers.wire.dynsec_plan import Command
from drivers.wire.dynsec_values import Acl, AclType, Client, Role, State, read_access, read_role


class RefusedError(Exception):
    """The plugin would refuse it."""


def apply(state: State, commands: Iterable[Command]) -> State:
    """``state`` after ``commands``; raises where the plugin would refuse one."""
    for command in commands:
        state = _one(state, command)
    return state


def _one(state: State, command: Command) -> State:
    body = {key: value for key, value in command.as_json().items() if key != "password"}
    roles, clients = dict(state.roles), dict(state.clients)
    role, user = str(body.get("rolename")), str(body.get("username"))
    match command.name:
        case "setDefaultACLAccess":
            rows = {
                kind: {"acltype": kind, "allow": on} for kind, on in state.access.rows().items()
            }
            assert isinstance(body["acls"], list)
            rows |= {row["acltype"]: row for row in body["acls"]}
            return replace(state, access=read_access(list(rows.values())))
        case "createRole":
            _absent(role, roles)
            roles[role] = read_role(body)
        case "deleteRole":
            _present(role, roles)
            del roles[role]
            clients = {
                name: replace(one, roles=one.roles - {role}) for name, one in clients.items()
            }
        case "addRoleACL" | "removeRoleACL":
            _present(role, roles)
            roles[role] = _line(roles[role], command, body)
        case "createClient":
            _absent(user, clients)
            clients[user] = _changed(Client(username=user), body, roles)
        case "deleteClient":
            _present(user, clients)
            del clients[user]
        case "modifyClient":
            _present(user, clients)
            clients[user] = _changed(clients[user], body, roles)
        case "disableClient" | "enableClient":
            _present(user, clients)
            clients[user] = replace(clients[user], disabled=command.name == "disableClient")
        case "setClientPassword":
            _present(user, clients)
        case other:
            raise RefusedError(f"Unknown command {other}")
    return replace(state, roles=roles, clients=clients)


def _line(role: Role, command: Command, body: dict[str, object]) -> Role:
    kind, topic = AclType(str(body["acltype"])), str(body["topic"])
    same = {acl for acl in role.acls if (acl.type, acl.topic) == (kind, topic)}
    if command.name == "removeRoleACL":
        if not same:
            raise RefusedError("ACL not found")
        return replace(role, acls=role.acls - same)
    if same:
        raise RefusedError("ACL with this topic already exists")
    priority = body["priority"]
    assert isinstance(priority, int)
    return replace(role, acls=role.acls | {Acl(kind, topic, bool(body["allow"]), priority)})


def _changed(client: Client, body: dict[str, object], roles: dict[str, Role]) -> Client:
    if "roles" in body:
        assert isinstance(body["roles"], list)
        names = frozenset(row["rolename"] for row in body["roles"])
        for name in names:
            _present(name, roles)
        client = replace(client, roles=names)
    if "groups" in body:
        assert body["groups"] == []
        client = replace(client, groups=frozenset())
    if "clientid" in body:
        client = replace(client, client_id=str(body["clientid"]))
    if "textdescription" in body:
        client = replace(client, mark=str(body["textdescription"]))
    return client


def _present(name: str, among: object) -> None:
    assert isinstance(among, dict)
    if name not in among:
        raise RefusedError(f"{name} not found")


def _absent(name: str, among: object) -> None:
    assert isinstance(among, dict)
    if name in among:
        raise RefusedError(f"{name} already exists")
