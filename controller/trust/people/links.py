"""Which account an identity provider's subject is."""

import sqlalchemy as sa
from sqlalchemy.orm import Session as Work

from controller.trust.people.model import RefusedError
from controller.trust.people.tables import AccountRow


def checked_link(work: Work, name: str, link: tuple[str, str]) -> tuple[str, str]:
    """The link, if it is no other account's; raises :class:`RefusedError`."""
    provider, subject = link
    other = sa.select(AccountRow.name).where(
        AccountRow.provider == provider, AccountRow.subject == subject, AccountRow.name != name
    )
    if provider and work.scalars(other).first() is not None:
        raise RefusedError("Another account is linked to that subject already.")
    return link
