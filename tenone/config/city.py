"""``city.yaml``: the promise, the schools it was made to, and the controller's own house."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from tenone.calendar.school import SchoolCalendar
from tenone.config.base import Broker, CertificatePair, ConfigModel, SchemaVersion
from tenone.config.brokers import account_of_ours
from tenone.config.calendar import CalendarFile
from tenone.config.enforcement import Enforcement
from tenone.config.escalation import Damping, Escalation
from tenone.config.oidc import Oidc
from tenone.config.promises import TierContract
from tenone.config.quantities import (
    Days,
    Host,
    LocalPath,
    Name,
    Port,
    Seconds,
    Slug,
    is_loopback,
)
from tenone.config.refusal import base_directory, refusal
from tenone.config.school import Link, School
from tenone.config.secret import SecretRef
from tenone.config.trust import Trust
from tenone.config.vault import VaultConfig
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import slug
from tenone.vocabulary.states import Tier

HTTP_PORT = 8010
DEFAULT_CALENDAR = slug("default")
_SQLITE = "sqlite:///"


class CityIdentity(ConfigModel):
    """Which city this is."""

    id: Slug
    name: Name
    name_zh: Name | None = None


class District(ConfigModel):
    """One district."""

    id: Slug
    name: Name
    name_zh: Name | None = None


class Profile(ConfigModel):
    """The contract of each tier, and when silence makes it unknown."""

    tiers: dict[Tier, TierContract] = Field(
        default={"uplink": {"contract_mbps": "10G"}, "class": {"contract_mbps": "1G"}},
        validate_default=True,
    )
    stale_after_intervals: Annotated[float, Field(ge=1, le=1000)] = 3.0
    """Evidence older than this many state intervals is stale: unknown, never good."""
    calendar: Slug | None = None
    """Which of the city's ``calendars`` says when its schools are served; None: the one called
    ``default``, or the only one."""
    class_minute_objective: Annotated[float, Field(gt=0, lt=1)] = 0.99
    """The share of the known class-minutes that shall be good; the rest is the error budget."""


class CityBroker(Broker):
    """The broker between agents and controller."""

    host_id: Slug = Field(default="tenone", validate_default=True)
    """The controller's Sparkplug host id; the agents' ``uplink.host_id`` must be the same."""


class Influx(ConfigModel):
    """A server with the InfluxDB v2 API to which committed samples are exported."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    org: Name = "tenone"
    bucket: Name = "tenone"
    token: SecretRef | None = None


class Store(ConfigModel):
    """Where blocks are committed."""

    path: LocalPath = Field(default="store", validate_default=True)
    retention_days: Annotated[Days, Field(ge=1)] = 14.0
    influx: Influx | None = None


def _records_url(value: object, info: ValidationInfo) -> str:
    if not isinstance(value, str) or not value.startswith(_SQLITE) or value == _SQLITE:
        raise refusal(
            "this version keeps its records in SQLite",
            "write 'sqlite:///PATH', or leave the key out",
        )
    return f"{_SQLITE}{base_directory(info) / Path(value.removeprefix(_SQLITE))}"


class Records(ConfigModel):
    """Where inventory, bindings and sessions are kept."""

    url: Annotated[str, BeforeValidator(_records_url)] = Field(
        default="sqlite:///records.db", validate_default=True
    )
    """SQLAlchemy URL; a relative path starts from the configuration file's directory."""


class HttpTls(CertificatePair):
    """How pages and API are served over TLS: without files, by one of the city's own authority."""


def _http_tls(value: object) -> object:
    """``auto``, ``off`` or the two files."""
    if isinstance(value, str | bool):
        if value not in {"auto", "off"}:
            raise refusal(
                "'tls' is 'auto', 'off' or a certificate and its key",
                "write 'auto', or '{certificate: PATH, key: PATH}'",
            )
        return {} if value == "auto" else None
    return value


class Http(ConfigModel):
    """Where pages and API are served."""

    host: Host = "127.0.0.1"
    port: Port = HTTP_PORT
    tls: Annotated[HttpTls | None, BeforeValidator(_http_tls)] = HttpTls()
    """In the file ``auto``, ``off`` or ``{certificate, key}``; None is ``off``."""
    behind_tls: bool = False
    """A web server with TLS stands in front: cookies are marked Secure."""
    hosts: tuple[Host, ...] = ()
    """The names it answers to; empty: any."""
    metrics_token: SecretRef | None = None
    """Bearer token for ``/metrics`` from other machines; without it they are refused."""

    @model_validator(mode="before")
    @classmethod
    def _plain_behind_tls(cls, value: object) -> object:
        """Who has TLS in front needs none here, unless it is asked for."""
        if isinstance(value, dict) and value.get("behind_tls") is True:
            return {"tls": "off", **value}
        return value

    @model_validator(mode="after")
    def _reached_safely(self) -> Self:
        if self.tls is None and not is_loopback(self.host):
            raise refusal(
                f"plain HTTP is not served on {self.host}, where other machines read along",
                "leave 'tls' out, or keep 127.0.0.1 and put a web server with TLS in front of it",
            )
        is_own = self.tls is not None and self.tls.certificate is None
        if is_own and self.is_everywhere and not self.hosts:
            raise refusal(
                f"on {self.host} nobody knows by which names browsers come, and the certificate "
                "must bear them",
                "name them in 'hosts'",
            )
        return self

    @property
    def is_everywhere(self) -> bool:
        """It listens on every address of the machine."""
        return self.host in {"0.0.0.0", "::"}

    @property
    def is_secure(self) -> bool:
        """Browsers come by TLS, here or in front."""
        return self.tls is not None or self.behind_tls


class Auth(ConfigModel):
    """Who may look."""

    session_seconds: Seconds = 12 * 3600.0
    """How long a sign-in lasts."""
    idle_seconds: Seconds = 30 * 60.0
    """How long one may be left alone."""
    second_factor: tuple[Role, ...] = (
        Role.OPERATOR,
        Role.APPROVER,
        Role.SYSTEM_ADMIN,
        Role.SECURITY_ADMIN,
        Role.AUDIT_ADMIN,
    )
    """Roles whose holders sign in with a second factor, at whatever scope."""
    oidc: Oidc | None = None
    """An identity provider people may sign in by as well."""


class City(ConfigModel):
    """The whole of ``city.yaml``, with its schools read in."""

    LATER: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "applications": "linkage with applications",
        }
    )

    schema_version: SchemaVersion = 1
    city: CityIdentity
    profiles: dict[Slug, Profile] = Field(default={"default": {}}, validate_default=True)
    districts: tuple[District, ...] = Field(min_length=1)
    schools: tuple[School, ...] = ()
    """In the file: a directory, or a list of paths and of schools written out."""
    calendars: dict[Slug, CalendarFile] = Field(default={})
    """In the file: a name -> the path of a calendar.yaml. Without any, every hour of every day is
    served, and there are no class-minutes."""
    broker: CityBroker
    store: Store = Field(default={}, validate_default=True)
    records: Records = Field(default={}, validate_default=True)
    http: Http = Http()
    vault: VaultConfig | None = None
    auth: Auth = Auth()
    trust: Trust = Field(default={}, validate_default=True)
    incidents: Damping = Field(default={}, validate_default=True)
    escalation: Escalation = Field(default={}, validate_default=True)
    enforcement: Enforcement = Field(default={}, validate_default=True)

    @model_validator(mode="after")
    def _accounts_apart(self) -> Self:
        """Where access lists are kept, the host's account is none a certificate can bear."""
        if self.trust.broker is not None and self.broker.embedded:
            raise refusal(
                "the embedded broker knows no accounts, so there is nothing for 'trust.broker'",
                "remove 'trust.broker', or run Mosquitto and give its host",
            )
        if self.trust.broker is not None and self.broker.username is not None:
            account_of_ours(self.broker.username)
            if self.broker.username == self.trust.broker.username:
                raise refusal(
                    "the controller and the keeper of the access lists have the same account",
                    "use two, such as tenone.host and tenone.keeper",
                )
        return self

    @property
    def id(self) -> str:
        """The city's slug."""
        return self.city.id

    @cached_property
    def school_by_id(self) -> Mapping[str, School]:
        """Every school by its slug."""
        return MappingProxyType({school.id: school for school in self.schools})

    def profile_of(self, school: School) -> Profile:
        """The profile a school is judged by."""
        return self.profiles[school.school.profile]

    def contract_mbps(self, school: School, link: Link) -> int:
        """What was promised for ``link``: its own contract, else its tier's."""
        if link.contract_mbps is not None:
            return link.contract_mbps
        return self.profile_of(school).tiers[link.tier].contract_mbps

    def calendar_of(self, school: School) -> SchoolCalendar | None:
        """When ``school`` is served; None where the city has no calendar."""
        name = self.calendar_name(self.profile_of(school))
        return None if name is None else self.calendars[name].of_school(school.id)

    def calendar_name(self, profile: Profile) -> Slug | None:
        """Which calendar a profile's schools go by; None: there is none."""
        if profile.calendar is not None:
            return profile.calendar
        if DEFAULT_CALENDAR in self.calendars:
            return DEFAULT_CALENDAR
        return next(iter(self.calendars)) if len(self.calendars) == 1 else None

    def stale_after_seconds(self, school: School) -> float:
        """How old evidence from ``school`` may be."""
        return self.profile_of(school).stale_after_intervals * school.polling.state_seconds

    def counters_stale_after_seconds(self, school: School) -> float:
        """How old counters from ``school`` may be."""
        return self.profile_of(school).stale_after_intervals * school.polling.counters_seconds
