"""Everything the HTTP side is handed: ports to the rest of the controller, nothing global."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from controller.api.action_services import Approvals, NoApprovals, own_account
from controller.api.audit_services import Audit, NoAudit
from controller.api.configuration_services import Configurations, NoConfigurations
from controller.api.enforcement_services import Enforcement, NoEnforcement
from controller.api.hub import Hub
from controller.api.incident_services import Incidents, NoIncidents
from controller.api.machine_services import (
    Machines,
    MachineSessions,
    NoMachines,
    NoMachineSessions,
)
from controller.api.office_services import NoOffice, Office
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from controller.minutes.views import SchoolMinutes
from controller.sla.class_minutes import Tally
from controller.trust.entries import Ledger, NoLedger, Notes
from controller.trust.keys.desk import Keys
from controller.trust.oidc import OidcDoor
from controller.trust.people.desk import People
from controller.views import City
from tenone.runtime.clock import Clock
from tenone.trust.masked import Secret
from tenone.vocabulary.scope import ScopePath


class Records(Protocol):
    """What was true at a past moment (records carry valid-from and valid-to)."""

    def resources(self) -> frozenset[str]:
        """Names of the resources that can be answered, such as ``bindings``."""
        ...

    def as_of(
        self, resource: str, scope: ScopePath, moment: float
    ) -> Sequence[Mapping[str, object]]:
        """The resource's items inside ``scope`` as they stood at ``moment`` (epoch seconds).

        Each item has an ``id``. Called in a worker thread, so it may read a database.
        """
        ...


class NoRecords:
    """Nothing is kept: every ``?as_of=`` is refused with a sentence."""

    def resources(self) -> frozenset[str]:
        """See :class:`Records`."""
        return frozenset()

    def as_of(
        self, resource: str, scope: ScopePath, moment: float
    ) -> Sequence[Mapping[str, object]]:
        """See :class:`Records`; the API never gets here."""
        raise LookupError(f"no past of {resource} at {moment} in {str(scope) or 'the city'}")


class ClassMinutes(Protocol):
    """Class-minutes of the day so far, burn rates, availability of the month so far."""

    def tally(self, scope: ScopePath) -> Tally:
        """The local day's class-minutes inside ``scope``."""
        ...

    def total(self, school: str) -> Tally:
        """One school's class-minutes since the controller started."""
        ...

    def schools(self, scope: ScopePath) -> Sequence[SchoolMinutes]:
        """Every school inside ``scope``."""
        ...

    def availability(self, link: str) -> tuple[float | None, float | None]:
        """A link's availability of the month so far and its coverage, 0 to 1; None: no figure."""
        ...


class NoClassMinutes:
    """Nothing is counted."""

    def tally(self, scope: ScopePath) -> Tally:  # noqa: ARG002 - see the protocol
        """See :class:`ClassMinutes`."""
        return Tally()

    def total(self, school: str) -> Tally:  # noqa: ARG002 - see the protocol
        """See :class:`ClassMinutes`."""
        return Tally()

    def schools(self, scope: ScopePath) -> Sequence[SchoolMinutes]:  # noqa: ARG002 - see the protocol
        """See :class:`ClassMinutes`."""
        return ()

    def availability(self, link: str) -> tuple[float | None, float | None]:  # noqa: ARG002 - see the protocol
        """See :class:`ClassMinutes`."""
        return None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReply:
    """An agent's answer to a request, in the words of its command channel."""

    state: str
    """``executing``, ``successful`` or ``failed``."""
    code: str
    """Short and stable, for programs; empty when all is well."""
    message: str
    """One sentence for people."""


class Topology(Protocol):
    """Cables as the network tells them, and where they differ from the inventory."""

    def schools_in(self, scope: ScopePath) -> Sequence[str]:
        """Ids of the schools whose cables can be asked for."""
        ...

    def graph(self, school: str) -> Mapping[str, object]:
        """Id, nodes and edges of one of them."""
        ...

    def drift(self, scope: ScopePath) -> Sequence[Mapping[str, object]]:
        """Differences that stand."""
        ...

    async def past_drift(self, scope: ScopePath) -> Sequence[Mapping[str, object]]:
        """Differences that are over, the newest of them; StoreError."""
        ...

    async def accept(self, drift_id: str, scope: ScopePath) -> Mapping[str, object] | None:
        """Take what is seen for right; None: no such difference; ValueError: not this way."""
        ...


class NoTopology:
    """Knows no cables."""

    def schools_in(self, _scope: ScopePath) -> Sequence[str]:
        """See :class:`Topology`."""
        return ()

    def graph(self, school: str) -> Mapping[str, object]:
        """See :class:`Topology`."""
        return {"id": school, "school": school, "nodes": [], "edges": []}

    def drift(self, _scope: ScopePath) -> Sequence[Mapping[str, object]]:
        """See :class:`Topology`."""
        return ()

    async def past_drift(self, _scope: ScopePath) -> Sequence[Mapping[str, object]]:
        """See :class:`Topology`."""
        return ()

    async def accept(self, _drift_id: str, _scope: ScopePath) -> Mapping[str, object] | None:
        """See :class:`Topology`."""
        return None


class Actions(Protocol):
    """Requests to agents. They read and poll; nothing here changes a network."""

    async def poll_now(self, school: str, switch: str | None) -> ActionReply:
        """Ask the school's agent to sweep ``switch`` now, or all of its switches.

        A silent agent, an unknown switch or a deadline that passed come back as
        ``failed`` with a sentence; nothing is raised.
        """
        ...


class NoActions:
    """There is no way to the agents: every request fails and says so."""

    async def poll_now(self, school: str, switch: str | None) -> ActionReply:
        """See :class:`Actions`."""
        what = switch or "all switches"
        return ActionReply(
            state="failed",
            code="no-command-channel",
            message=f"This controller has no command channel, so {what} of {school} "
            "cannot be polled on request.",
        )


class Reports(Protocol):
    """Days of links, added up from sealed evidence. Called in a worker thread.

    Local days, both included. ``LookupError`` with a sentence where there is nothing to report.
    """

    def sla(self, scope: ScopePath, first: date, last: date, by: str, /) -> Mapping[str, object]:
        """The SLA report of a scope."""
        ...

    def inspection(
        self, scope: ScopePath, first: date, last: date, by: str, size: str, /
    ) -> Mapping[str, object]:
        """A school's sheet; ``size``: ``weekly`` or ``semester``."""
        ...

    def indicators(
        self, scope: ScopePath, first: date, last: date, /
    ) -> Sequence[Mapping[str, object]]:
        """Schools at 10G and classes at 1G, by day."""
        ...

    def quality(
        self, scope: ScopePath, first: date, last: date, /
    ) -> Sequence[Mapping[str, object]]:
        """Data quality by school."""
        ...


class NoReports:
    """There is no evidence here: every request says so."""

    def sla(self, *_asked: object) -> Mapping[str, object]:
        """See :class:`Reports`."""
        raise LookupError("this controller keeps no evidence")

    inspection = sla

    def indicators(self, *_asked: object) -> Sequence[Mapping[str, object]]:
        """See :class:`Reports`."""
        raise LookupError("this controller keeps no evidence")

    quality = indicators


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One part's word about itself."""

    name: str
    ready: bool
    sentence: str


HealthSource = Callable[[], Health]
"""Asked at every ``/readyz``; must be quick and must not raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestFigures:
    """Counters and gauges of ingest, since the controller started."""

    samples_total: int = 0
    """Values committed."""
    blocks_total: int = 0
    """Blocks committed."""
    duplicates_total: int = 0
    """Blocks folded away as resent."""
    refused_total: int = 0
    """Payloads refused: damaged, unknown layout, wrong birth."""
    base_skipped_total: int = 0
    """Sequence numbers an agent had forgotten that this controller never committed."""
    receipts_total: int = 0
    """Receipts sent."""
    lag_seconds: float | None = None
    """Age of the newest committed block at its commit; None before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """What a deployment may set."""

    demo: bool = False
    """Pages say that this is a demonstration."""
    secure_cookies: bool = False
    """True where browsers come by TLS: cookies get ``Secure`` and the ``__Host-`` prefix."""
    hosts: tuple[str, ...] = ()
    """Host names this controller answers to, without port; empty: any."""
    metrics_token: Secret | str | None = None
    """Bearer token for ``/metrics`` from elsewhere, resolved from its reference; None: refused."""
    max_body_bytes: int = 64 * 1024
    """Largest request body."""


@dataclass(slots=True, kw_only=True)
class Services:
    """The seam between the composition root and the HTTP side."""

    city: City
    hub: Hub
    sessions: Sessions
    trend: Trend
    clock: Clock
    records: Records = field(default_factory=NoRecords)
    actions: Actions = field(default_factory=NoActions)
    minutes: ClassMinutes = field(default_factory=NoClassMinutes)
    health: Sequence[HealthSource] = ()
    ingest: Callable[[], IngestFigures] = IngestFigures
    config: HttpConfig = field(default_factory=HttpConfig)
    incidents: Incidents = field(default_factory=NoIncidents)
    topology: Topology = field(default_factory=NoTopology)
    office: Office = field(default_factory=NoOffice)
    reports: Reports = field(default_factory=NoReports)
    ledger: Ledger = field(default_factory=NoLedger)
    notes: Notes = field(default_factory=NoLedger)
    """The same ledger, for what must not wait for it: a red stop."""
    people: People | None = None
    """Accounts; None: this controller keeps none, and codes alone open sessions."""
    oidc: OidcDoor | None = None
    """The identity provider people may sign in by; None: there is none."""
    keys: Keys | None = None
    """Keys of programs; None: there are none."""
    audit: Audit = field(default_factory=NoAudit)
    machines: Machines = field(default_factory=NoMachines)
    machine_sessions: MachineSessions = field(default_factory=NoMachineSessions)
    approvals: Approvals = field(default_factory=NoApprovals)
    configurations: Configurations = field(default_factory=NoConfigurations)
    enforcement: Enforcement = field(default_factory=NoEnforcement)
    account_of: Callable[[str], str | None] = own_account
    """The account behind a session's actor, by what never changes of it; None: nobody's."""

    def now(self) -> float:
        """Epoch seconds."""
        return self.clock.wall_ns() / 1e9
