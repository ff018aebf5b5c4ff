"""How far the controller goes by itself: which line of ``enforcement.modes`` holds where. Pure."""

from collections.abc import Collection

from tenone.config.enforcement import Enforcement
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.scope import ScopePath


def mode_of(rules: Enforcement, scope: ScopePath, intent: Intent) -> Mode:
    """Of the lines that fit, the most particular place wins, then the last."""
    found, depth = rules.mode, -1
    for rule in rules.modes:
        where = ScopePath() if rule.scope is None else ScopePath.parse(rule.scope)
        if intent in rule.actions and where.covers(scope) and len(where.parts) >= depth:
            found, depth = rule.mode, len(where.parts)
    return found


def agreed(mode: Mode, intent: Intent, automatic: Collection[Intent]) -> Mode:
    """``auto`` where the school agreed to it for the switch; else people approve."""
    return Mode.APPROVE if mode is Mode.AUTO and intent not in automatic else mode
