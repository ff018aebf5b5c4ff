"""What a profile asks of one link: the clauses that apply to it and their thresholds."""

from dataclasses import dataclass, field
from typing import Final

from controller.sla.class_minutes import Clause, MinuteProfile


def _link_alone() -> MinuteProfile:
    return MinuteProfile(clauses=frozenset({Clause.LINK}))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """Thresholds up to which a link is good. ``minute``: clauses and the thresholds of a path."""

    minute: MinuteProfile = field(default_factory=_link_alone)
    error_ratio: float = 0.001
    """Of frames, over the newest 10^4 or more (SLA.md, definition 5)."""
    discard_ratio: float = 0.01
    """Of frames, likewise."""
    utilisation_ratio: float = 0.95
    """Mean over five minutes."""


DEFAULT_RULES: Final = LinkRules()
"""Of a link nobody wrote rules for: its port alone, errors and congestion."""
