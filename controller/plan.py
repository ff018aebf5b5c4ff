"""What the configuration says about the city, flattened to rows of values.

State and records are built from this, not from the configuration models, so that a city can
also be made by a test or a benchmark in a few lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.sla.class_minutes import Clause, MinuteProfile
from controller.sla.rules import DEFAULT_RULES, LinkRules
from tenone.calendar.school import SchoolCalendar
from tenone.config.city import City as CityConfig
from tenone.config.school import Link, School
from tenone.vocabulary.scope import ScopePath, slug
from tenone.vocabulary.states import Tier

DEFAULT_STALE_SECONDS = 30.0
DEFAULT_COUNTERS_STALE_SECONDS = 180.0
DEFAULT_OBJECTIVE = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictPlan:
    """One district."""

    id: str
    name: str
    name_zh: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolPlan:
    """One school and what is judged in it."""

    id: str
    district: str
    name: str
    name_zh: str | None = None
    profile: str = "default"
    stale_after_seconds: float = DEFAULT_STALE_SECONDS
    counters_stale_after_seconds: float = DEFAULT_COUNTERS_STALE_SECONDS
    calendar: SchoolCalendar | None = None
    """When it is served; None: always, and there are no class-minutes."""
    class_minute_objective: float = DEFAULT_OBJECTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPlan:
    """One switch; ``host`` and ``port`` are where its agent asks it."""

    school: str
    name: str
    host: str = ""
    port: int = 161
    fed_by: tuple[str, ...] = ()
    """Serials of the UPSes of its school that feed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPlan:
    """A probe's target that witnesses a link; of several DSCPs the first one judges."""

    target: str
    dscp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlan:
    """One promise, and the binding that is in force now."""

    school: str
    link: str
    name: str
    tier: Tier
    room: str | None
    contract_mbps: int
    switch: str | None
    port: str | None
    rules: LinkRules = DEFAULT_RULES
    witness: WitnessPlan | None = None

    @property
    def id(self) -> str:
        """``<school>/<link>``."""
        return f"{self.school}/{self.link}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """One device beside its place; part 1 knows class boards."""

    school: str
    kind: str
    serial: str
    name: str
    room: str | None
    mac: str | None = None
    """Its hardware address, lower-case hex with colons, where the school has written it down."""

    @property
    def id(self) -> str:
        """``<school>/<kind>/<serial>``."""
        return f"{self.school}/{self.kind}/{self.serial}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CityPlan:
    """The whole city."""

    id: str
    name: str
    districts: Sequence[DistrictPlan]
    schools: Sequence[SchoolPlan]
    switches: Sequence[SwitchPlan]
    links: Sequence[LinkPlan]
    devices: Sequence[DevicePlan]
    name_zh: str | None = None

    def scope_of(self, school: SchoolPlan) -> ScopePath:
        """``city/district/school``."""
        return ScopePath((slug(self.id), slug(school.district), slug(school.id)))


def plan_of(config: CityConfig) -> CityPlan:
    """Read a city's configuration."""
    schools = config.schools
    return CityPlan(
        id=config.id,
        name=config.city.name,
        name_zh=config.city.name_zh,
        districts=[
            DistrictPlan(id=one.id, name=one.name, name_zh=one.name_zh) for one in config.districts
        ],
        schools=[
            SchoolPlan(
                id=one.id,
                district=one.school.district,
                name=one.school.name,
                name_zh=one.school.name_zh,
                profile=one.school.profile,
                stale_after_seconds=config.stale_after_seconds(one),
                counters_stale_after_seconds=config.counters_stale_after_seconds(one),
                calendar=config.calendar_of(one),
                class_minute_objective=config.profile_of(one).class_minute_objective,
            )
            for one in schools
        ],
        switches=[switch for one in schools for switch in _switches_of(one)],
        links=[
            LinkPlan(
                school=one.id,
                link=link.id,
                name=link.label,
                tier=link.tier,
                room=link.room,
                contract_mbps=config.contract_mbps(one, link),
                switch=link.switch,
                port=link.port,
                rules=_rules_of(config, one, link),
                witness=_witness_of(one, link),
            )
            for one in schools
            for link in one.links
        ],
        devices=[
            DevicePlan(
                school=one.id,
                kind=device.kind.value,
                serial=device.serial,
                name=device.label,
                room=device.room,
                mac=device.mac,
            )
            for one in schools
            for device in one.devices
        ],
    )


def _switches_of(school: School) -> list[SwitchPlan]:
    return [
        SwitchPlan(
            school=school.id,
            name=one.name,
            host=one.host,
            port=one.port,
            fed_by=school.fed_by(one.name),
        )
        for one in school.switches
    ]


def _witness_of(school: School, link: Link) -> WitnessPlan | None:
    """The first target listed for the link; a core's target that names none is every uplink's."""
    for target in school.probes.targets:
        core = target.kind == "core" and target.link is None and link.tier is Tier.UPLINK
        if core or target.link == link.id:
            return WitnessPlan(target=target.name, dscp=target.dscp[0])
    return None


def _rules_of(config: CityConfig, school: School, link: Link) -> LinkRules:
    """The profile's; clauses it does not list are those that the school's probes measure."""
    contract = config.profile_of(school).tiers.get(link.tier)
    if contract is None:
        return DEFAULT_RULES  # the link has a contract of its own, and its tier none
    limits, listed = contract.thresholds, contract.objectives.clauses
    if listed is not None:
        clauses = frozenset(Clause(name) for name in listed)
    else:
        clauses = frozenset({Clause.LINK})
        if _witness_of(school, link) is not None:
            clauses |= {Clause.LOSS, Clause.JITTER, Clause.RTT}
        if school.probes.dns:
            clauses |= {Clause.DNS}
    return LinkRules(
        minute=MinuteProfile(
            clauses=clauses,
            loss_ratio=limits.loss_ratio,
            ipdv_p95_ms=limits.jitter_seconds * 1000,
            rtt_ms=limits.rtt_seconds * 1000,
        ),
        error_ratio=limits.error_ratio,
        discard_ratio=limits.discard_ratio,
        utilisation_ratio=limits.utilisation_ratio,
    )
