"""Class-minutes as values, for the API and the pages (see :mod:`controller.views`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from controller.sla.class_minutes import Tally
from tenone.calendar.school import SchoolDay, Service
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnView:
    """One alert: rates are multiples of the budget's even use; None where nothing is known."""

    threshold: float
    long: float | None
    short: float | None
    verdict: Verdict
    """BAD: the alert stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolMinutes:
    """One school's class-minutes of the local day so far, and its burn rates."""

    school: str
    scope: ScopePath
    taught: bool | None
    """Whether the last whole minute was a lesson's; None: the city has no calendar for it."""
    served: bool
    tally: Tally
    objective_ratio: float
    burn: Mapping[str, BurnView] = field(default_factory=dict)
    """By the long window, such as ``1h``."""
    unknown_days: Sequence[SchoolDay] = ()
    """Days of this month of which nobody has said what they are."""
    today: Service | None = None
    """The local day: its hours, lessons and exams; None without a calendar."""
