"""What the API says of incidents, as OpenAPI sees it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from controller.api.schemas import SeverityName


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HarmedOut(_Closed):
    """Whom it hurts."""

    links: int
    classes: int
    named: list[str]
    lessons: int | None = Field(description="lessons it met so far in each of these classes")


class IncidentOut(_Closed):
    """One cause and all it harms. Moments are epoch seconds, null is not yet."""

    id: str
    school: str
    school_name: str
    school_name_zh: str | None
    scope: str
    kind: Literal["agent", "switch", "power", "configuration", "link"]
    name: str
    link: str | None
    tier: str | None
    cause: str
    severity: SeverityName | None
    state: Literal["open", "resolved"]
    states: list[str]
    began: float = Field(description="since when the evidence is bad")
    opened: float
    alarmed: float | None = Field(description="when people were told")
    clearing: float | None = Field(description="since when the evidence is good again")
    resolved: float | None
    resolved_by: str = Field(description="empty: the evidence")
    count: int = Field(description="how often the trouble began")
    owner: str | None = Field(description="the incident of the dead parent it lies behind")
    shadowed: list[str] = Field(description="what is bad behind it and has no incident")
    maintenance: str | None
    repair: str | None = Field(description="the action of TenOne under way there")
    cable: list[object] | None = Field(description="the newest cable test, pair by pair")
    acknowledged: float | None
    acknowledged_by: str
    assignee: str
    ticket: str
    level: int = Field(description="highest level told: 0 school, 1 district, 2 city, -1 none")
    figures: dict[str, int | float | str | None]
    proofs: list[str] = Field(description="hashes of the blocks that showed it")
    harmed: HarmedOut
    version: int


class LevelTimesOut(_Closed):
    """Mean stages of the repairs of one level, in seconds of service time."""

    level: Literal["school", "district", "city"]
    repairs: int
    detect_seconds: float | None
    acknowledge_seconds: float | None
    fix_seconds: float | None
    verify_seconds: float | None


class TimesOut(_Closed):
    """Every level that had a repair."""

    items: list[LevelTimesOut]
    total: int


class EventOut(_Closed):
    """One line of a timeline; ``who`` is empty where evidence spoke."""

    at: float
    act: str
    who: str
    fields: dict[str, int | float | str | None]


class IncidentOneOut(IncidentOut):
    """One incident with its timeline."""

    timeline: list[EventOut]


class WindowOut(_Closed):
    """Planned work that a named person approved."""

    id: str
    scope: str
    link: str | None
    start: float
    end: float
    reason: str
    asked_by: str
    approved_by: str
    made: float
    ended: float | None
    ended_by: str


class IncidentPage(_Closed):
    """A page of incidents."""

    items: list[IncidentOut]
    total: int
    next_cursor: str | None


class WindowPage(_Closed):
    """A page of windows."""

    items: list[WindowOut]
    total: int
    next_cursor: str | None


class DutyOut(_Closed):
    """Somebody in a role; phone and mail address are null for those who may only look."""

    id: str
    scope: str
    role: Literal["leader", "head", "technician", "maintainer"]
    name: str
    phone: str | None
    email: str | None
    valid_from: float
    valid_to: float | None


class DutyPage(_Closed):
    """A page of the duty register."""

    items: list[DutyOut]
    total: int
    next_cursor: str | None


class GapOut(_Closed):
    """A role that ``have`` people hold where ``need`` are needed."""

    scope: str
    role: Literal["leader", "head", "technician", "maintainer"]
    have: int
    need: int


class GapsOut(_Closed):
    """All gaps of a scope."""

    items: list[GapOut]
    total: int


class TicketOut(_Closed):
    """A ticket about an incident."""

    id: str
    number: str
    incident: str
    school: str
    state: Literal["open", "in-progress", "done", "closed"]
    assignee: str
    note: str
    made: float
    changed: float
    changed_by: str
    version: int


class TicketPage(_Closed):
    """A page of tickets."""

    items: list[TicketOut]
    total: int
    next_cursor: str | None
