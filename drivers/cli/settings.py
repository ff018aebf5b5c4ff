"""Two settings of a port compared: which attributes differ, and their values as text.

The same words are used by every dialect's ``meant``, so that what was rendered and what was read
back can be compared.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from drivers.cli.dialect import PortMode, PortSettings
from tenone.vocabulary.states import Duplex

ATTRIBUTES = (
    "enabled",
    "negotiation",
    "speed_mbps",
    "duplex",
    "mode",
    "access_vlan",
    "poe",
    "trust",
)
"""Everything a dialect can set, in the order in which differences are named."""
NOTHING = "-"
"""The value None as text."""
YES, NO = "yes", "no"


def as_text(value: object) -> str:
    """``yes`` and ``no``, ``-`` for None, ``full``, ``access``, or a number."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, Duplex):
        return value.label or NOTHING
    return str(value)


def text_of(settings: PortSettings, attribute: str) -> str:
    """One attribute as text."""
    return as_text(getattr(settings, attribute))


def differences(before: PortSettings, after: PortSettings) -> tuple[tuple[str, str], ...]:
    """(attribute, its new value as text) of all that differ; :attr:`PortSettings.other` aside."""
    return tuple(
        (name, text_of(after, name))
        for name in ATTRIBUTES
        if getattr(before, name) != getattr(after, name)
    )


def same(one: PortSettings, two: PortSettings) -> bool:
    """Whether nothing differs that a dialect can set."""
    return not differences(one, two)


def _number(text: str) -> int | None:
    return None if text == NOTHING else int(text)


_VALUES: dict[str, Callable[[str], Any]] = {
    "enabled": {YES: True, NO: False}.__getitem__,
    "negotiation": {YES: True, NO: False}.__getitem__,
    "speed_mbps": _number,
    "duplex": {NOTHING: None, "full": Duplex.FULL, "half": Duplex.HALF}.__getitem__,
    "mode": PortMode,
    "access_vlan": _number,
    "poe": {YES: True, NO: False}.__getitem__,
    "trust": {YES: True, NO: False}.__getitem__,
}


def set_one(settings: PortSettings, attribute: str, value: str) -> PortSettings:
    """``settings`` with one attribute set from its text; ValueError, KeyError for nonsense."""
    return replace(settings, **{attribute: _VALUES[attribute](value)})


def set_all(settings: PortSettings, sets: Iterable[tuple[str, str]]) -> PortSettings:
    """What is left when all of ``sets`` were done, in order."""
    for attribute, value in sets:
        settings = set_one(settings, attribute, value)
    return settings
