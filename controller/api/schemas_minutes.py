"""What the API answers about class-minutes and calendars, as OpenAPI sees it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MinuteTallyOut(_Closed):
    """Class-minutes by quality."""

    good: int
    bad: int
    unknown: int
    bad_by_cause: dict[str, int] = Field(description="adds up to ``bad``")
    sle_ratio: float | None = Field(description="good / (good + bad)")
    coverage: float | None = Field(description="share of the minutes that is known")


class BurnOut(_Closed):
    """One burn-rate alert; it stands where both rates exceed the threshold."""

    threshold: float
    long: float | None
    short: float | None
    verdict: Literal["good", "bad", "unknown"]


class ClassMinutesOut(MinuteTallyOut):
    """One school's class-minutes of the local day so far."""

    id: str
    scope: str
    taught: bool | None = Field(description="null: the school has no calendar")
    served: bool
    objective_ratio: float
    burn: dict[str, BurnOut] = Field(description="by the long window: 1h, 6h, 40h of lessons")


class ClassMinutesPage(_Closed):
    """A page of schools."""

    items: list[ClassMinutesOut]
    total: int
    next_cursor: str | None


class UnknownDayOut(_Closed):
    """A date of which nobody has said what it is."""

    date: str
    reason: str


class CalendarOut(_Closed):
    """One school's local day."""

    id: str
    scope: str
    has_calendar: bool
    hours: list[tuple[float, float]] | None = Field(description="epoch seconds, half open")
    lessons: list[tuple[float, float]] | None
    exams: list[tuple[float, float]] | None
    unknown_days: list[UnknownDayOut]


class CalendarPage(_Closed):
    """A page of schools."""

    items: list[CalendarOut]
    total: int
    next_cursor: str | None
