"""What the configuration says about the city, flattened to rows of values.

State and records are built from this, not from the configuration models, so that a city can
also be made by a test or a benchmark in a few lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tenone.calendar.school import SchoolCalendar
from tenone.config.city import City as CityConfig
from tenone.vocabulary.scope import ScopePath, slug
from tenone.vocabulary.states import Tier

DEFAULT_STALE_SECONDS = 30.0
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
                calendar=config.calendar_of(one),
                class_minute_objective=config.profile_of(one).class_minute_objective,
            )
            for one in schools
        ],
        switches=[
            SwitchPlan(school=one.id, name=switch.name, host=switch.host, port=switch.port)
            for one in schools
            for switch in one.switches
        ],
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
            )
            for one in schools
            for device in one.devices
        ],
    )
