"""What the API answers, as OpenAPI sees it. A test holds :mod:`controller.encode` to these."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


VerdictName = Literal["good", "bad", "unknown"]
SeverityName = Literal["info", "warning", "critical"]
TierName = Literal["uplink", "class", "backbone", "wifi"]


class EvidenceOut(_Closed):
    """One way a verdict was come by."""

    method: Literal["negotiated", "probed", "tested"]
    age_seconds: float


class BindingOut(_Closed):
    """Which switch and port carries a link."""

    switch: str
    port: str
    valid_from: float = Field(description="epoch seconds")


class LinkBindingOut(BindingOut):
    """A binding in its own list; its id is the link's."""

    id: str
    school: str


class BoardOut(_Closed):
    """A class board."""

    id: str
    name: str
    room: str | None
    online: bool | None
    screen_on: bool | None
    app: str | None
    firmware: str | None
    cpu_ratio: float | None
    temperature_celsius: float | None
    rssi_dbm: int | None
    since: float | None
    age_seconds: float | None
    stale: bool


class MeasuredOut(_Closed):
    """What is measured of a link. Unknown is null, never 0; ages and windows in seconds."""

    utilisation_in_ratio: float | None
    utilisation_out_ratio: float | None
    utilisation_ratio: float | None = Field(description="busier direction; half duplex: both")
    interval_seconds: float | None = Field(description="what the three are the mean of")
    utilisation_p95_ratio: float | None = Field(description="of 5-minute means, 8 hours")
    error_ratio: float | None = Field(ge=0, le=1)
    discard_ratio: float | None = Field(ge=0, le=1)
    error_window_seconds: float | None
    counters_age_seconds: float | None
    loss_ratio: float | None = Field(ge=0, le=1)
    loss_packets: int | None
    loss_verdict: VerdictName
    rtt_seconds: float | None
    jitter_seconds: float | None = Field(description="P95 |ipdv|")
    probes_age_seconds: float | None
    dns_answers: bool | None
    dns_age_seconds: float | None
    flaps: int = Field(description="away between two good polls, since the controller started")


class LinkOut(_Closed):
    """One promise to a place, judged. Unknown is null, never 0."""

    id: str
    school: str
    name: str
    tier: TierName
    room: str | None
    contract_mbps: int
    negotiated_mbps: int | None
    duplex: Literal["full", "half"] | None
    oper: str | None
    admin: str | None
    verdict: VerdictName
    severity: SeverityName | None
    causes: list[str]
    since: float | None = Field(description="epoch seconds")
    coverage: float | None = Field(ge=0, le=1)
    evidence: list[EvidenceOut]
    binding: BindingOut | None
    stale: bool
    verified: bool = Field(description="probed or tested, not only negotiated")
    boards: list[BoardOut]
    measured: MeasuredOut


class TallyOut(_Closed):
    """How many links of one tier stand how; ``unverified`` are among the good ones."""

    tier: TierName
    good: int
    bad: int
    unknown: int
    unverified: int
    total: int


class AgentOut(_Closed):
    """A school's gateway."""

    school: str
    online: bool
    version: str
    last_report_age_seconds: float | None
    outbox_bytes: int | None
    outbox_blocks: int | None
    quarantined_total: int | None


class SchoolOut(_Closed):
    """A school and the link to look at first."""

    id: str
    name: str
    name_zh: str | None
    district: str
    scope: str
    verdict: VerdictName
    severity: SeverityName | None
    tallies: list[TallyOut]
    worst: LinkOut | None
    agent: AgentOut
    boards_online: int
    boards_total: int
    since: float | None


class OverviewOut(_Closed):
    """Totals with their denominators and the age of the data."""

    scope: str
    name: str
    name_zh: str | None
    schools_total: int
    schools_reporting: int
    schools_good: int
    schools_unverified: int = Field(description="of the good: not proved by a probe or test")
    schools_bad: int
    schools_unknown: int
    tallies: list[TallyOut]
    boards_online: int
    boards_total: int
    data_age_seconds: float | None
    made_at: float


class SampleOut(_Closed):
    """Links of a scope at a moment."""

    at: float
    good: int
    bad: int
    unknown: int


class TrendOut(_Closed):
    """The last half hour, oldest first."""

    scope: str
    samples: list[SampleOut]


class ScopeOut(_Closed):
    """A level of the hierarchy that has a page."""

    id: str
    kind: Literal["city", "district", "school"]
    name: str
    name_zh: str | None


class PortOut(_Closed):
    """A port that carries links: one, unless two are bound to it by mistake."""

    id: str
    school: str
    switch: str
    port: str
    links: list[str]
    admin: str | None
    oper: str | None
    speed_mbps: int | None
    duplex: Literal["full", "half"] | None


class DeviceOut(_Closed):
    """Any device: what all kinds share, and the kind's own view under ``detail``."""

    id: str
    kind: str
    school: str
    name: str
    state: Literal["online", "offline", "unknown"]
    age_seconds: float | None
    detail: dict[str, object]


class GrantOut(_Closed):
    """A role at a scope, effective there and inside."""

    role: str
    scope: str


class SessionOut(_Closed):
    """The caller's own session."""

    actor: str
    name: str
    grants: list[GrantOut]
    permissions: list[str]
    """What is allowed somewhere at least; where is decided grant by grant."""
    kind: Literal["use", "set-up", "enrol", "key"]
    opened_at: float
    ends_at: float


class ReplyOut(_Closed):
    """An agent's answer to a request."""

    state: Literal["executing", "successful", "failed"]
    code: str
    message: str


class _Page(_Closed):
    total: int
    next_cursor: str | None


class LinkPage(_Page):
    """A page of links."""

    items: list[LinkOut]


class SchoolPage(_Page):
    """A page of schools."""

    items: list[SchoolOut]


class ScopePage(_Page):
    """A page of scopes."""

    items: list[ScopeOut]


class BindingPage(_Page):
    """A page of bindings."""

    items: list[LinkBindingOut]


class PortPage(_Page):
    """A page of ports."""

    items: list[PortOut]


class DevicePage(_Page):
    """A page of devices."""

    items: list[DeviceOut]


class ProblemOut(BaseModel):
    """RFC 9457; ``detail`` is one sentence."""

    type: str
    title: str
    status: int
    detail: str
