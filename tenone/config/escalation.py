"""``incidents`` and ``escalation`` of city.yaml: when trouble opens, who hears of it and how."""

from collections.abc import Mapping
from datetime import time
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import LocalPath, Seconds, duration_seconds
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef
from tenone.vocabulary.states import Cause

MINUTES_A_DAY = 24 * 60


def _delay(value: object) -> object:
    return duration_seconds(value) if isinstance(value, str) else value


def _quiet(value: object) -> object:
    """``22:00-07:00`` as two minutes of the day."""
    if not isinstance(value, str):
        return value
    first, _, last = value.partition("-")
    try:
        return tuple(
            moment.hour * 60 + moment.minute
            for moment in (time.fromisoformat(first.strip()), time.fromisoformat(last.strip()))
        )
    except ValueError:
        raise refusal(
            f"{value[:40]!r} is no span of the day", "write it like 22:00-07:00"
        ) from None


def _cause(value: object) -> object:
    if isinstance(value, str):
        for cause in Cause:
            if cause.label == value:
                return cause
        known = ", ".join(cause.label for cause in Cause)
        raise refusal(f"the cause {value[:40]!r} is unknown", f"use one of {known}")
    return value


Delay = Annotated[float, BeforeValidator(_delay), Field(ge=0)]
"""A duration that may be nothing: ``0``, ``30s``, ``2h``."""
CauseName = Annotated[Cause, BeforeValidator(_cause)]
SeverityName = Literal["info", "warning", "critical"]
Quiet = Annotated[
    tuple[
        Annotated[int, Field(ge=0, lt=MINUTES_A_DAY)], Annotated[int, Field(ge=0, lt=MINUTES_A_DAY)]
    ],
    BeforeValidator(_quiet),
]


class Damping(ConfigModel):
    """``incidents``: how long trouble lasts before it opens, and quiet before it closes."""

    hold_seconds: Delay = 10.0
    """Bad for so long before an incident opens; what is critical opens at once."""
    holds: dict[CauseName, Delay] = Field(
        default={"agent-silent": 30.0, "switch-silent": 15.0}, validate_default=True
    )
    """Other times by cause. Silence is no evidence of harm: one lost answer or a gateway that
    starts anew is not worth a call."""
    clear_seconds: Seconds = 30.0
    reopen_seconds: Seconds = 1800.0
    flap_count: Annotated[int, Field(ge=2, le=32)] = 3
    flap_window_seconds: Seconds = 600.0
    flap_clear_seconds: Seconds = 600.0
    recheck_seconds: Delay = 15.0
    settle_seconds: Delay = 30.0
    verify_seconds: Seconds = 60.0


class Channel(ConfigModel):
    """One way to tell people or programs."""

    kind: Literal["webhook", "email-file", "log"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")] | None = None
    """Of a webhook: where it is posted."""
    secret: SecretRef | None = None
    """Of a webhook: the key of its HMAC-SHA-256 signature."""
    path: LocalPath | None = None
    """Of ``email-file``: the folder that a mail program empties."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "webhook" and (self.url is None or self.secret is None):
            raise refusal(
                "a webhook needs 'url' and 'secret'", "add both; unsigned ones are not sent"
            )
        if self.kind == "email-file" and self.path is None:
            raise refusal("'path' is missing", "name the folder where mails are laid down")
        return self


class Level(ConfigModel):
    """One level: after how long it hears of what nobody has answered, or mended."""

    after: Mapping[SeverityName, Delay] = Field(default_factory=dict)
    """Unacknowledged for so long since the alarm. A severity that is not named never comes here."""
    unresolved_after: Mapping[SeverityName, Delay] = Field(default_factory=dict)
    """Unresolved for so long, acknowledged or not."""
    quiet: Quiet | None = None
    """Hours of the day without messages, critical ones excepted, such as ``22:00-07:00``."""
    channels: tuple[Channel, ...] = (Channel(kind="log"),)


_SCHOOL: Mapping[str, object] = MappingProxyType(
    {"after": {"info": 0, "warning": 0, "critical": 0}}
)
_DISTRICT: Mapping[str, object] = MappingProxyType(
    {
        "after": {"critical": "15m", "warning": "4h"},
        "unresolved_after": {"critical": "2h", "warning": "24h"},
    }
)
_CITY: Mapping[str, object] = MappingProxyType(
    {
        "after": {"critical": "1h", "warning": "24h"},
        "unresolved_after": {"critical": "8h", "warning": "72h"},
    }
)


class Escalation(ConfigModel):
    """``escalation``: school, then district, then city."""

    school: Level = Field(default=dict(_SCHOOL), validate_default=True)
    district: Level = Field(default=dict(_DISTRICT), validate_default=True)
    city: Level = Field(default=dict(_CITY), validate_default=True)

    @property
    def levels(self) -> tuple[Level, Level, Level]:
        """From the one that hears first."""
        return self.school, self.district, self.city
