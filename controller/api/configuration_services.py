"""What the API asks of the room of configurations; see :mod:`controller.configurations`."""

from collections.abc import Sequence
from typing import Protocol

from controller.configurations.model import Configuration, NotDoneError
from tenone.vocabulary.scope import ScopePath


class Configurations(Protocol):
    """The port."""

    def configurations(self, scope: ScopePath) -> Sequence[Configuration]:
        """Of all switches inside ``scope`` that were ever tried."""
        ...

    def has(self, school: str, switch: str) -> bool:
        """Whether the school lists this switch."""
        ...

    def find(self, school: str, switch: str) -> Configuration | None:
        """One switch."""
        ...

    async def accept(self, school: str, switch: str, seen: str) -> str:
        """What was looked at (its hash) is right; NotDoneError."""
        ...

    async def fetch(self, school: str, switch: str) -> str:
        """Look at it now; NotDoneError."""
        ...


class NoConfigurations:
    """Knows none."""

    def configurations(self, _scope: ScopePath) -> Sequence[Configuration]:
        """See :class:`Configurations`."""
        return ()

    def has(self, _school: str, _switch: str) -> bool:
        """See :class:`Configurations`."""
        return False

    def find(self, _school: str, _switch: str) -> Configuration | None:
        """See :class:`Configurations`."""
        return None

    async def accept(self, school: str, switch: str, _seen: str) -> str:
        """See :class:`Configurations`; the API never gets here."""
        raise NotDoneError(f"Nothing is known of {school}/{switch}.")

    async def fetch(self, school: str, switch: str) -> str:
        """See :class:`Configurations`."""
        raise NotDoneError(f"Nothing is known of {school}/{switch}.")
