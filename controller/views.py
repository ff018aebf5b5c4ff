"""What the city looks like right now, as values: the seam between state and screens.

The state rooms build these, the API and the pages read them. Field names are those of
CONTRACT.md "HTTP"; JSON is these dataclasses with enumerations as their labels.
Times are epoch seconds (UTC); ages are seconds at the moment the view was made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.arrays import F64
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, EvidenceMethod, Severity, Tier, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One way a verdict was come by, and how old it is."""

    method: EvidenceMethod
    age_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Which switch and port carries a link, and since when."""

    switch: str
    port: str
    valid_from: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """A class board beside its class's link. None is unknown."""

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
    """Since when ``online`` is what it is."""
    age_seconds: float | None
    """Age of the last word from or about the board; None: never heard of."""
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredView:
    """What is measured of a link, each figure with its window and age; None is unknown."""

    utilisation_in_ratio: float | None = None
    utilisation_out_ratio: float | None = None
    utilisation_ratio: float | None = None
    """The busier direction at full duplex, both together at half; 1 is a full line."""
    interval_seconds: float | None = None
    """What the three are the mean of: between the two newest readings of the counters."""
    utilisation_p95_ratio: float | None = None
    """Nearest rank over the five-minute means of the last eight hours."""
    error_ratio: float | None = None
    """Broken frames among all, of the worse direction, over the newest 10,000 or more."""
    discard_ratio: float | None = None
    error_window_seconds: float | None = None
    """Over how long those frames came."""
    counters_age_seconds: float | None = None
    loss_ratio: float | None = None
    loss_packets: int | None = None
    """Of how many probe packets."""
    loss_verdict: Verdict = Verdict.UNKNOWN
    """Whether that many packets prove that the loss is within its limit, or beyond."""
    rtt_seconds: float | None = None
    jitter_seconds: float | None = None
    """P95 of the difference between one delay and the next."""
    probes_age_seconds: float | None = None
    dns_answers: bool | None = None
    dns_age_seconds: float | None = None
    flaps: int = 0
    """How often the link was away between two good polls since the controller started."""


NOTHING_MEASURED = MeasuredView()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """One promise to a place, judged."""

    id: str
    school: str
    name: str
    """For people, any Unicode; shown escaped."""
    tier: Tier
    room: str | None
    contract_mbps: int
    negotiated_mbps: int | None
    duplex: str | None
    oper: str | None
    admin: str | None
    verdict: Verdict
    severity: Severity
    causes: Sequence[Cause]
    """By priority, the first is the one to name."""
    since: float | None
    """Since when the verdict is what it is."""
    coverage: float | None
    """1 - unknown share of the time since the controller first judged this link, 0..1."""
    evidence: Sequence[Evidence]
    binding: Binding | None
    stale: bool
    """The evidence is older than three intervals: shown grey with its age, never as good."""
    verified: bool
    """Probed or tested, not only negotiated."""
    boards: Sequence[BoardView] = ()
    measured: MeasuredView = NOTHING_MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many links of one tier stand how."""

    tier: Tier
    good: int = 0
    bad: int = 0
    unknown: int = 0
    unverified: int = 0
    """Of the good ones: good by negotiation only."""

    @property
    def total(self) -> int:
        """All links of the tier."""
        return self.good + self.bad + self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchView:
    """A switch as its agent sees it."""

    id: str
    name: str
    reachable: bool | None
    poll_error: str
    descr: str
    uptime_seconds: float | None
    age_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """A school's gateway."""

    school: str
    online: bool
    """Born and not dead, by Sparkplug."""
    version: str
    last_report_age_seconds: float | None
    outbox_bytes: int | None
    outbox_blocks: int | None
    quarantined_total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolView:
    """A school in a list."""

    id: str
    name: str
    district: str
    scope: ScopePath
    verdict: Verdict
    severity: Severity
    tallies: Sequence[Tally]
    worst: LinkView | None
    """The link to look at first; None when all is good."""
    agent: AgentView
    boards_online: int
    boards_total: int
    since: float | None
    name_zh: str | None = None
    """For Chinese pages, where ``name`` is not Chinese itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """City or district totals, with denominators and the age of the data."""

    scope: ScopePath
    name: str
    schools_total: int
    schools_reporting: int
    schools_good: int
    schools_bad: int
    schools_unknown: int
    tallies: Sequence[Tally]
    boards_online: int
    boards_total: int
    data_age_seconds: float | None
    """Age of the newest report from anywhere; None: nothing ever."""
    made_at: float
    name_zh: str | None = None
    """For Chinese pages, where ``name`` is not Chinese itself."""
    schools_unverified: int = 0
    """Of the good ones: those with a link that is good by negotiation only."""


Body = dict[str, object]
"""The JSON of a view."""


class Change:
    """One thing that changed, for the live stream; ``body`` is the JSON of the view.

    A body that is handed in as a function is made when it is first asked for, and says how things
    are then: of what changes again before anybody looks, only the last is ever made.
    """

    __slots__ = ("_body", "id", "kind", "scope")

    def __init__(
        self,
        *,
        scope: ScopePath,
        kind: str,
        id: str,  # noqa: A002 - its name on the wire
        body: Body | Callable[[], Body] | None = None,
    ) -> None:
        """``kind``: ``link``, ``board``, ``agent``, ``switch``, ``school`` or ``overview``."""
        self.scope = scope
        self.kind = kind
        self.id = id
        self._body: Body | Callable[[], Body] = {} if body is None else body

    @property
    def body(self) -> Body:
        """The JSON of the view."""
        if not isinstance(self._body, dict):
            self._body = self._body()
        return self._body


LinkLabel = tuple[str, str, str, str]
"""District, school, link and tier, as the labels of /metrics have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFigures:
    """Figures of many links as columns: one value a link, NaN is unknown."""

    labels: Sequence[LinkLabel]
    columns: Mapping[str, F64]
    """``verdict``, ``contract_mbps``, ``negotiated_mbps``, ``evidence_age_seconds``, and fields of
    :class:`MeasuredView`."""


@dataclass(frozen=True, slots=True)
class SchoolName:
    """What people call a school."""

    id: str
    scope: ScopePath
    name: str
    name_zh: str | None
    """None: ``name`` serves on every page."""


class City(Protocol):
    """Read access to live state. Every method filters by ``scope`` (a prefix test)."""

    def overview(self, scope: ScopePath) -> Overview:
        """Totals of everything inside ``scope``."""
        ...

    def districts(self, scope: ScopePath) -> Sequence[Overview]:
        """One overview a district inside ``scope``."""
        ...

    def schools(self, scope: ScopePath) -> Sequence[SchoolView]:
        """All schools inside ``scope``, worst first, then by name."""
        ...

    def school_scopes(self, scope: ScopePath) -> Sequence[ScopePath]:
        """The scopes of all schools inside ``scope``, for who takes a city piece by piece."""
        ...

    def school_names(self, scope: ScopePath) -> Sequence["SchoolName"]:
        """What all schools inside ``scope`` are called, without how they stand: that is quick."""
        ...

    def agent_ages(self, scope: ScopePath) -> Mapping[str, float | None]:
        """Of each school inside ``scope``, the seconds since its agent was last heard."""
        ...

    def links(self, scope: ScopePath) -> Sequence[LinkView]:
        """All links inside ``scope``, uplinks first, then by room and id."""
        ...

    def figures(self, scope: ScopePath, *, good: bool) -> LinkFigures:
        """Of all links inside ``scope``, or of those that are not good; quick for a whole city."""
        ...

    def link(self, link_id: str) -> tuple[ScopePath, LinkView] | None:
        """One link with the scope that decides who may see it."""
        ...

    def switches(self, scope: ScopePath) -> Sequence[SwitchView]:
        """All switches inside ``scope``."""
        ...

    def boards(self, scope: ScopePath) -> Sequence[BoardView]:
        """All class boards inside ``scope``."""
        ...

    def scope_of_school(self, school: str) -> ScopePath | None:
        """The scope path of a school; None where there is no such school."""
        ...
