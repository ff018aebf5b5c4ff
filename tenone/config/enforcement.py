"""``enforcement`` of city.yaml: what may be repaired where, by whom, how often and when not."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Name, Seconds
from tenone.config.refusal import refusal
from tenone.vocabulary.intents import MEANINGS, Intent, Mode
from tenone.vocabulary.scope import IdentifierError, ScopePath

Count = Annotated[int, Strict(), Field(ge=0, le=10_000)]


def _place(text: str) -> str:
    try:
        ScopePath.parse(text)
    except IdentifierError as error:
        raise refusal(str(error), "write it like binhai/east or binhai/east/no3") from None
    return text


Place = Annotated[str, AfterValidator(_place)]
"""The path of a city, a district or a school."""


class ModeRule(ConfigModel):
    """One line of ``modes``. Of those that fit, the most particular place wins, then the last."""

    scope: Place | None = None
    """``city``, ``city/district`` or ``city/district/school``; left out: the whole city."""
    actions: Annotated[tuple[Intent, ...], Field(min_length=1)]
    mode: Mode

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.mode is Mode.AUTO:
            for intent in self.actions:
                if MEANINGS[intent].two_persons:
                    raise refusal(
                        f"{intent.value} takes two persons, so it is never 'auto'",
                        "write 'approve' or 'propose'",
                    )
        return self


class Freeze(ConfigModel):
    """Days on which nothing is changed, both included: exams, inspections."""

    first: date
    last: date
    why: Name
    scope: Place | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise refusal("the freeze ends before it begins", "exchange 'first' and 'last'")
        return self


class Caps(ConfigModel):
    """How much may be changed before a person has to look."""

    changes_a_day: Count = 6
    """Of one school, failed ones too."""
    failures_a_day: Count = 3
    """Of one school: after so many nothing more is done there by itself that day. A district stops
    once something failed in so many of its schools."""
    at_once_in_a_district: Annotated[int, Strict(), Field(ge=1, le=100)] = 4


class Enforcement(ConfigModel):
    """Which repairs the controller asks for, and what holds it back."""

    mode: Mode = Mode.PROPOSE
    """Where no line of ``modes`` fits."""
    modes: tuple[ModeRule, ...] = ()
    caps: Caps = Field(default={}, validate_default=True)
    freezes: tuple[Freeze, ...] = ()
    exam_freeze: bool = True
    """Nothing but exam priority is changed on days the school's calendar calls exam days."""
    in_class: Literal["never", "dark"] = "never"
    """Class hours: ``dark`` lets ports be touched that carry nothing anyway."""
    allowed_links: tuple[str, ...] = ()
    """Uplinks and backbone links (``school/link``) that may be touched all the same."""
    settle_seconds: Seconds = 10.0
    """How long a link is bad before something is asked for."""
    hold_seconds: Seconds = 5.0
    """How long the same indicator must stay good until a repair counts as proved."""

    @property
    def nothing(self) -> bool:
        """Nothing is ever asked for."""
        return self.mode is Mode.OFF and all(one.mode is Mode.OFF for one in self.modes)
