"""Roles and what they allow: one table, read by API, pages, approvals and tests.

A person or program holds *grants*: a role at a scope path, effective there and inside. City,
district and school roles are the same roles at scopes of different depth (R20). The three
administrators of GB/T 22239-2019 8.1.5 (system, security, audit) are roles of their own; nobody
may hold two of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tenone.vocabulary.scope import ScopePath


class Permission(StrEnum):
    """One thing that can be allowed. Reading personal data comes with part 5, to no role yet."""

    LOOK = "look"
    """See links, incidents, devices, reports: nothing personal."""
    POLL = "poll"
    """Ask agents to poll now."""
    ACT_ON_INCIDENTS = "incidents.act"
    """Acknowledge, comment, assign, mute, close."""
    PLAN_MAINTENANCE = "maintenance.plan"
    KEEP_DUTY = "duty.keep"
    ACT_ON_TICKETS = "tickets.act"
    KEEP_INVENTORY = "inventory.keep"
    """Accept drift, import and export the inventory."""
    REQUEST_ACTIONS = "actions.request"
    """Propose a change of a switch."""
    APPROVE_ACTIONS = "actions.approve"
    """Approve one that somebody else proposed."""
    KEEP_SYSTEM = "system.keep"
    """Configuration, brokers, backup, stop all enforcement."""
    KEEP_USERS = "users.keep"
    """Accounts, grants, API keys."""
    KEEP_MACHINES = "machines.keep"
    """Enrol, renew and revoke machines."""
    READ_AUDIT = "audit.read"


class Role(StrEnum):
    """What a grant makes of its holder inside its scope."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    MAINTAINER = "maintainer"
    """An outsourced technician: works on incidents, tickets and the inventory."""
    SYSTEM_ADMIN = "system-admin"
    SECURITY_ADMIN = "security-admin"
    AUDIT_ADMIN = "audit-admin"


ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""Kept apart: nobody holds two of these, at whatever scopes."""

_P = Permission
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({_P.LOOK}),
        Role.OPERATOR: frozenset(
            {
                _P.LOOK,
                _P.POLL,
                _P.ACT_ON_INCIDENTS,
                _P.PLAN_MAINTENANCE,
                _P.KEEP_DUTY,
                _P.ACT_ON_TICKETS,
                _P.KEEP_INVENTORY,
                _P.REQUEST_ACTIONS,
            }
        ),
        Role.APPROVER: frozenset({_P.LOOK, _P.APPROVE_ACTIONS}),
        Role.MAINTAINER: frozenset(
            {_P.LOOK, _P.POLL, _P.ACT_ON_INCIDENTS, _P.ACT_ON_TICKETS, _P.KEEP_INVENTORY}
        ),
        Role.SYSTEM_ADMIN: frozenset({_P.LOOK, _P.KEEP_SYSTEM}),
        Role.SECURITY_ADMIN: frozenset({_P.KEEP_USERS, _P.KEEP_MACHINES}),
        Role.AUDIT_ADMIN: frozenset({_P.READ_AUDIT}),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role at a scope: effective there and everywhere inside."""

    role: Role
    scope: ScopePath


def allowed(grants: Iterable[Grant], permission: Permission, scope: ScopePath) -> bool:
    """Whether one of ``grants`` allows ``permission`` on something at ``scope``."""
    return any(
        permission in PERMISSIONS[grant.role] and grant.scope.covers(scope) for grant in grants
    )


def reach(grants: Iterable[Grant], permission: Permission) -> tuple[ScopePath, ...]:
    """The scopes inside which ``grants`` allow ``permission``; none lies inside another."""
    found = {grant.scope for grant in grants if permission in PERMISSIONS[grant.role]}
    return tuple(
        sorted(
            scope
            for scope in found
            if not any(other.covers(scope) for other in found if other != scope)
        )
    )
