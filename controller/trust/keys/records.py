"""API keys among the records. Methods block; they raise StoreError and PeopleError."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session as Work

from controller.store.records import Unit
from controller.trust.keys.model import ApiKey, UnknownKeyError
from controller.trust.keys.tables import ApiKeyGrantRow, ApiKeyRow
from controller.trust.people.model import RefusedError
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath

MOST_KEYS = 1000


class KeyRecords:
    """See the module."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[ApiKey]:
        """Every key, disabled ones too."""
        with Unit(self._engine) as work:
            rows = work.scalars(sa.select(ApiKeyRow).order_by(ApiKeyRow.id)).all()
            grants: dict[str, list[Grant]] = {}
            for one in work.scalars(sa.select(ApiKeyGrantRow)):
                grants.setdefault(one.key, []).append(_grant(one))
            return [_key(row, grants.get(row.id, ())) for row in rows]

    def find(self, key: str) -> ApiKey | None:
        """One of them."""
        with Unit(self._engine) as work:
            row = work.get(ApiKeyRow, key)
            return None if row is None else _key(row, _grants_of(work, key))

    def add(self, key: ApiKey) -> None:
        """A new one."""
        with Unit(self._engine) as work:
            count = work.scalar(sa.select(sa.func.count()).select_from(ApiKeyRow)) or 0
            if count >= MOST_KEYS:
                raise RefusedError(f"There are {MOST_KEYS} keys; remove some that are disabled.")
            work.add(
                ApiKeyRow(
                    id=key.id,
                    name=key.name,
                    digest=key.digest,
                    created_by=key.created_by,
                    created_at=key.created_at,
                    expires_at=key.expires_at,
                    disabled_at=None,
                    used_at=None,
                    a_minute=key.a_minute,
                )
            )
            for one in key.grants:
                work.add(ApiKeyGrantRow(key=key.id, role=one.role.value, scope=str(one.scope)))

    def disable(self, key: str, now: float) -> ApiKey:
        """For good: there is no way back. A disabled one stays as it is."""
        with Unit(self._engine) as work:
            row = work.get(ApiKeyRow, key)
            if row is None:
                raise UnknownKeyError(f"There is no key {key[:40]!r}.")
            if row.disabled_at is None:
                row.disabled_at = now
            return _key(row, _grants_of(work, key))

    def used(self, key: str, now: float) -> None:
        """It was used."""
        with Unit(self._engine) as work:
            work.execute(sa.update(ApiKeyRow).where(ApiKeyRow.id == key).values(used_at=now))

    def remove(self, key: str) -> None:
        """Forget one that is disabled or over; the ledger keeps what it did."""
        with Unit(self._engine) as work:
            work.execute(sa.delete(ApiKeyGrantRow).where(ApiKeyGrantRow.key == key))
            work.execute(sa.delete(ApiKeyRow).where(ApiKeyRow.id == key))


def _grants_of(work: Work, key: str) -> list[Grant]:
    return [
        _grant(one)
        for one in work.scalars(sa.select(ApiKeyGrantRow).where(ApiKeyGrantRow.key == key))
    ]


def _grant(row: ApiKeyGrantRow) -> Grant:
    return Grant(Role(row.role), ScopePath.parse(row.scope))


def _key(row: ApiKeyRow, grants: Sequence[Grant]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        digest=row.digest,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        disabled_at=row.disabled_at,
        used_at=row.used_at,
        a_minute=row.a_minute,
        grants=tuple(sorted(grants)),
    )
