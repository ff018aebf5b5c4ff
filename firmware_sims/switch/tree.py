"""What an agent serves: variables in OID order, found by bisection."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Protocol


class Tree(Protocol):
    """Variables in order; positions count from 0."""

    @property
    def keys(self) -> Sequence[bytes]:
        """The sort keys, ascending. A changed set of variables is a *new* sequence object."""
        ...

    def varbind(self, position: int) -> bytes:
        """The encoded variable binding at ``position``."""
        ...

    def knows_object(self, key: bytes) -> bool:
        """Whether ``key`` lies under an object type that is served (RFC 3416 section 4.2.1)."""
        ...


class FixedTree:
    """Variables that never change: a recording."""

    def __init__(self, variables: Sequence[tuple[bytes, bytes]]) -> None:
        """``variables`` are pairs of sort key and encoded variable binding, in any order."""
        ordered = sorted(variables)
        self._keys = [key for key, _ in ordered]
        self._varbinds = [varbind for _, varbind in ordered]

    @property
    def keys(self) -> Sequence[bytes]:
        """See :class:`Tree`."""
        return self._keys

    def varbind(self, position: int) -> bytes:
        """See :class:`Tree`."""
        return self._varbinds[position]

    def knows_object(self, key: bytes) -> bool:
        """A recording has no MIB: an object is known when the instance has siblings."""
        prefix = key[:-WORD]
        position = bisect_left(self._keys, prefix)
        if position == len(self._keys):
            return False
        sibling = self._keys[position]
        return sibling.startswith(prefix) and len(sibling) == len(key)


WORD = 4
"""Bytes an arc takes in a sort key."""


def find(keys: Sequence[bytes], key: bytes) -> int | None:
    """The position of ``key``, or None."""
    position = bisect_left(keys, key)
    return position if position < len(keys) and keys[position] == key else None


def after(keys: Sequence[bytes], key: bytes) -> int:
    """The position of the first key after ``key``; ``len(keys)`` when there is none."""
    return bisect_right(keys, key)
