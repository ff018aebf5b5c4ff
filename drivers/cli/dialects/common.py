"""What the switches of all vendors have in common: a section a port, lines forth and lines back.

None of it was run on real hardware.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from drivers.cli import reading
from drivers.cli.dialect import CableState, Change, Line, Meant, PortMode, PortSettings
from drivers.cli.errors import CannotError
from drivers.cli.grammar import PortGrammar
from drivers.cli.reading import Vocabulary
from tenone.vocabulary.intents import MEANINGS, Intent
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.states import Duplex

BOUNCE_SECONDS = 1.6
"""IEEE 802.3 break_link_timer is 1.2 to 1.5 s: the far end has to see that the link was gone."""
POE_SECONDS = 4.0
"""Well above the time a powered device lives on what is stored in it."""
PAUSES = {"enabled": BOUNCE_SECONDS, "poe": POE_SECONDS}
SHOW_SECONDS = 60.0
CABLE_SECONDS = 60.0
SAVE_SECONDS = 120.0

CABLE_FAULTS = {
    "open": CableState.OPEN,
    "short": CableState.SHORT,
    "crosstalk": CableState.CROSSTALK,
    "mismatch": CableState.MISMATCH,
}
"""What is wrong with a pair, as vendors write it; for a whole one each has its own words."""


class Sectioned(ABC):
    """See :class:`drivers.cli.dialect.Dialect`; a family's module and a vendor's fill in words."""

    name: Name
    device_type: str
    refusals: tuple[re.Pattern[str], ...]
    hinders: Mapping[Intent, re.Pattern[str]]

    grammar: ClassVar[PortGrammar]
    vocabulary: ClassVar[Vocabulary]
    start: ClassVar[PortSettings]
    """What a port is of which the section says nothing."""

    @abstractmethod
    def forth_and_back(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """The lines of an intent, and those that undo them."""

    @abstractmethod
    def save(self) -> tuple[Line, ...]:
        """See :class:`drivers.cli.dialect.Dialect`."""

    def check_port(self, port: str) -> str:
        """Short forms, as SNMP reports them, become the long words of the configuration."""
        return self.grammar.typed(port)

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        """The lines, and the inverse ones."""
        apply, undo = self.forth_and_back(intent, port, before, after)
        return Change(
            intent=intent,
            port=port,
            before=before,
            after=after,
            apply=apply,
            undo=undo,
            keep=self.save() if MEANINGS[intent].configures else (),
        )

    def meant(self, lines: Sequence[str]) -> Meant:
        """By the table of rules, in the view each line is typed in."""
        return reading.meant(self.vocabulary, lines)


def wire(settings: PortSettings) -> tuple[bool, int | None, Duplex | None]:
    """What decides how a link comes up."""
    return settings.negotiation, settings.speed_mbps, settings.duplex


def duplex_word(duplex: Duplex) -> str:
    """``full`` or ``half``; :class:`CannotError` for unknown."""
    if duplex.label is None:
        raise CannotError("a port cannot be set to an unknown duplex")
    return duplex.label


def check_all_negotiated(after: PortSettings) -> None:
    """Of a port that negotiates: raises :class:`CannotError` where something is forced as well."""
    if after.speed_mbps is not None or after.duplex is not None:
        raise CannotError("a port of this switch that negotiates has no speed or duplex set")


def check_something_forced(after: PortSettings) -> None:
    """Of a port that does not negotiate: raises :class:`CannotError` where nothing is forced."""
    if after.speed_mbps is None and after.duplex is None:
        raise CannotError("a port of this switch that does not negotiate has a speed or a duplex")


def check_movable(before: PortSettings, after: PortSettings, movable: frozenset[PortMode]) -> None:
    """Raises :class:`CannotError` where a port would change between switched and routed, ..."""
    if before.mode not in movable or after.mode not in movable:
        raise CannotError(
            f"a port is not made {after.mode.value} out of {before.mode.value} by software"
        )
