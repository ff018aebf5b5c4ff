"""What is known of one switch's configuration, and how it reads. Values only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from controller.foreign import read_foreign
from controller.topology.reading import Row, number, text
from tenone.vocabulary.scope import ScopePath

Json = dict[str, object]
MS = 1_000
HASH_DIGITS = 64


class NotDoneError(Exception):
    """The school did not do it; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A rule that does not hold."""

    rule: str
    severity: str
    en: str
    zh: str
    where: tuple[str, ...]
    """Sections or lines, the first of ``places``; none: something is missing altogether."""
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The newest word of one switch."""

    school: str
    switch: str
    at_ms: int
    """When it was last tried; epoch."""
    error: str = ""
    """Why that did not work; what else stands here is older then."""
    fetched_ms: int | None = None
    hash: str | None = None
    accepted: str | None = None
    differences: str = ""
    broken: tuple[BrokenRule, ...] = ()

    @property
    def id(self) -> str:
        """``school/switch``."""
        return f"{self.school}/{self.switch}"

    @property
    def drifted(self) -> bool | None:
        """Somebody has set something by hand; None: it was never fetched."""
        return None if self.hash is None else self.hash != self.accepted

    @property
    def state(self) -> str:
        """For lists."""
        words = {None: "unknown", True: "drifted", False: "accepted"}
        return words[self.drifted]

    @property
    def section(self) -> str:
        """The first section that differs, for a sentence."""
        heads = (line[1:].strip() for line in self.differences.splitlines() if line[:1] == "@")
        return next((head for head in heads if head), "")


def folded(
    before: Configuration | None, school: str, switch: str, row: Row, *, received_ms: int
) -> Configuration:
    """What is known after a row of the stream ``configurations``.

    A failed attempt changes nothing of what was found before. Nothing is found after it was
    received: a gateway's clock that was ahead once does not silence the switch until then.
    """
    at_ms = max(min(number(row, "config_at_ms") or 0, received_ms), 0)
    found = _hash(row, "config_hash")
    if before is not None and at_ms <= before.at_ms:
        return before  # a resend
    known = before or Configuration(school=school, switch=switch, at_ms=at_ms)
    if found is None:
        return Configuration(
            school=school,
            switch=switch,
            at_ms=at_ms,
            error=text(row, "config_error") or "it could not be fetched",
            fetched_ms=known.fetched_ms,
            hash=known.hash,
            accepted=known.accepted,
            differences=known.differences,
            broken=known.broken,
        )
    return Configuration(
        school=school,
        switch=switch,
        at_ms=at_ms,
        fetched_ms=at_ms,
        hash=found,
        accepted=_hash(row, "config_accepted"),
        differences=text(row, "config_differences") or "",
        broken=rules_of(text(row, "config_broken") or "[]"),
    )


def _hash(row: Row, name: str) -> str | None:
    found = text(row, name)
    return None if found is None else found[:HASH_DIGITS]


def rules_of(told: str) -> tuple[BrokenRule, ...]:
    """Read the JSON of an agent; what is not understood is left out."""
    try:
        rules = read_foreign(told)
    except ValueError:
        return ()
    found = (
        (_rule(one) for one in rules if isinstance(one, dict)) if isinstance(rules, list) else ()
    )
    return tuple(one for one in found if one is not None)


def _rule(told: Mapping[str, object]) -> BrokenRule | None:
    texts = [told.get(name) for name in ("rule", "severity", "en", "zh")]
    where, places = told.get("where"), told.get("places")
    if not all(isinstance(one, str) and one for one in texts) or not isinstance(where, list):
        return None
    rule, severity, en, zh = map(str, texts)
    return BrokenRule(
        rule=rule,
        severity=severity,
        en=en,
        zh=zh,
        where=tuple(str(place) for place in where),
        places=places if isinstance(places, int) else len(where),
    )


def rules_text(rules: tuple[BrokenRule, ...]) -> str:
    """As :func:`rules_of` reads it."""
    return json.dumps([_json(rule) for rule in rules], ensure_ascii=False)


def _json(rule: BrokenRule) -> Json:
    return {
        "rule": rule.rule,
        "severity": rule.severity,
        "en": rule.en,
        "zh": rule.zh,
        "where": list(rule.where),
        "places": rule.places,
    }


def configuration_json(one: Configuration, scope: ScopePath) -> Json:
    """As the API says it. Moments are epoch seconds."""
    return {
        "id": one.id,
        "school": one.school,
        "scope": str(scope),
        "switch": one.switch,
        "state": one.state,
        "at": one.at_ms / MS,
        "fetched": None if one.fetched_ms is None else one.fetched_ms / MS,
        "error": one.error,
        "hash": one.hash,
        "accepted": one.accepted,
        "differences": one.differences,
        "broken": [_json(rule) for rule in one.broken],
    }
