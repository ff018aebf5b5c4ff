"""Whether an account that once asked or approved still is one that may. Within a transaction."""

import sqlalchemy as sa
from sqlalchemy.orm import Session as Work

from controller.trust.people.model import ACTOR
from controller.trust.people.tables import AccountGrantRow, AccountRow
from tenone.vocabulary.roles import Grant, Permission, Role, allowed
from tenone.vocabulary.scope import ScopePath

SECOND_NS = 1_000_000_000


def stands(work: Work, actor: str, permission: Permission, scope: ScopePath, since_ns: int) -> bool:
    """Whether ``actor`` is an enabled account that may, and the one it was at ``since_ns``.

    An account that was removed and made anew under the same name is another one. An account that
    is locked for wrong passwords stands: anybody who knows its name can lock it.
    """
    row = work.get(AccountRow, actor.removeprefix(ACTOR), populate_existing=True)
    if not actor.startswith(ACTOR) or row is None or not row.enabled:
        return False
    if row.created_at > since_ns / SECOND_NS:
        return False
    grants = work.scalars(sa.select(AccountGrantRow).where(AccountGrantRow.account == row.name))
    return allowed(
        (Grant(Role(one.role), ScopePath.parse(one.scope)) for one in grants), permission, scope
    )
