"""``care`` of school.yaml, and the file of rules that configurations are held against."""

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from tenone.config.base import ConfigModel, SchemaVersion
from tenone.config.document import read_document
from tenone.config.explain import explain
from tenone.config.problems import ConfigError
from tenone.config.quantities import LocalPath, Prose, Slug
from tenone.config.refusal import refusal
from tenone.vocabulary.intents import Dialect

OURS = Path(__file__).with_name("compliance.yaml")
"""What a school without a file of its own is held against."""
MOST_PATTERN = 300


def _pattern(value: object) -> object:
    if not isinstance(value, str) or len(value) > MOST_PATTERN:
        raise refusal("this is no pattern", f"write a regular expression of up to {MOST_PATTERN}")
    try:
        return re.compile(value)
    except re.error as error:
        raise refusal(f"{value[:60]!r} is no regular expression ({error})", "mend it") from None


def _minute(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = time.fromisoformat(value)
    except ValueError:
        raise refusal(f"{value[:20]!r} is no time of the day", "write it like 02:40") from None
    return moment.hour * 60 + moment.minute


Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]


class ComplianceRule(ConfigModel):
    """One rule."""

    id: Slug
    dialects: Annotated[tuple[Dialect, ...], Field(min_length=1)]
    severity: Literal["info", "warning", "critical"] = "warning"
    en: Prose
    zh: Prose
    each: Pattern | None = None
    """Only sections whose first line fits, such as ``interface .*``."""
    must: tuple[Pattern, ...] = ()
    must_not: tuple[Pattern, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.must or self.must_not):
            raise refusal(
                f"the rule {self.id} asks for nothing", "add 'must' or 'must_not' with patterns"
            )
        return self


class Compliance(ConfigModel):
    """All rules of a file."""

    schema_version: SchemaVersion = 1
    rules: tuple[ComplianceRule, ...]

    @model_validator(mode="after")
    def _once(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise refusal(f"two rules are called {twice[0]!r}", "give each its own id")
        return self


def load_compliance(path: Path | None = None) -> Compliance:
    """The rules of a file, or ours; raises :class:`ConfigError` with all problems found."""
    document = read_document(OURS if path is None else path)
    try:
        return Compliance.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError(explain(document, Compliance, error)) from error


class Care(ConfigModel):
    """``care`` of school.yaml: how the configurations of switches with ``cli`` are looked after."""

    nightly: Annotated[int, BeforeValidator(_minute)] = 2 * 60 + 40
    """Minute of the day (city's zone) at which each is fetched; in the file ``02:40``."""
    rules: LocalPath | None = None
    """A file of rules; without it TenOne's own."""
