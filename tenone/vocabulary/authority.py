"""Grants compiled for many questions: the answers of :func:`roles.allowed`, by looking up prefixes.

Whoever asks once uses ``allowed``; whoever asks for every row of a city compiles first.
"""

from collections.abc import Iterable

from tenone.vocabulary.roles import PERMISSIONS, Grant, Permission
from tenone.vocabulary.scope import ScopePath, Slug

_NONE: frozenset[tuple[Slug, ...]] = frozenset()


class Authority:
    """What one holder's grants allow; never changes."""

    __slots__ = ("_deepest", "_everywhere", "_inside")

    def __init__(self, grants: Iterable[Grant]) -> None:
        inside: dict[Permission, set[tuple[Slug, ...]]] = {}
        for grant in grants:
            for permission in PERMISSIONS[grant.role]:
                inside.setdefault(permission, set()).add(grant.scope.parts)
        self._inside = {permission: frozenset(found) for permission, found in inside.items()}
        self._everywhere = frozenset(p for p, found in inside.items() if () in found)
        self._deepest = {p: max(map(len, found)) for p, found in inside.items()}

    def allows(self, permission: Permission, scope: ScopePath) -> bool:
        """Whether ``permission`` is granted on something at ``scope``."""
        if permission in self._everywhere:
            return True
        found = self._inside.get(permission, _NONE)
        if not found:
            return False
        parts = scope.parts
        if parts in found:
            return True
        for depth in range(1, min(len(parts), self._deepest[permission] + 1)):
            if parts[:depth] in found:
                return True
        return False
