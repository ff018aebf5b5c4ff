"""``school.yaml``: what one school's agent watches, how often, and where it reports to."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, AliasChoices, Field, Strict, model_validator

from tenone.config.base import Broker, ConfigModel, SchemaVersion
from tenone.config.brokers import LocalBroker
from tenone.config.calendar import CalendarFile
from tenone.config.compliance import Care
from tenone.config.egress import Egress
from tenone.config.hints import Syslog, Traps
from tenone.config.probes import Probes
from tenone.config.quantities import (
    Host,
    LocalPath,
    Mbps,
    Megabytes,
    Name,
    Port,
    PortName,
    Ratio,
    Seconds,
    Slug,
)
from tenone.config.refusal import refusal
from tenone.config.snmp import Snmp
from tenone.config.switch_cli import SwitchCli
from tenone.config.vault import VaultConfig
from tenone.vocabulary.scope import DeviceId, DeviceKind, LinkId, ScopePath
from tenone.vocabulary.states import Tier

SNMP_PORT = 161
BYTES_PER_MB = 1_000_000


class SchoolIdentity(ConfigModel):
    """Who the school is and where it belongs."""

    id: Slug
    name: Name
    name_zh: Name | None = None
    """The Chinese name where ``name`` is not it."""
    district: Slug
    city: Slug
    profile: Slug = Field(default="default", validate_default=True)
    """Which of the city's profiles holds this school's contracts."""
    students: Annotated[int, Strict(), Field(ge=0, le=100_000)] | None = None
    """How many there are; the duty register asks for a technician for each 1,000."""


IDENTITY_FILE = "identity.pem"
"""In the folder of ``uplink.identity``: the agent's key and certificate."""
TRUST_FILE = "ca.pem"
"""There too: the roots of the city."""


class Uplink(ConfigModel):
    """Where the agent reports to."""

    broker: Broker
    host_id: Slug = Field(default="tenone", validate_default=True)
    """Sparkplug host id of the controller; the agent waits for its STATE."""
    identity: LocalPath | None = None
    """The folder ``tenone enrol`` writes; ``broker.tls`` is then filled from it."""
    controller: Annotated[str, Field(pattern=r"^https?://[^\s@/?#]+$", max_length=300)] | None = (
        None
    )
    """Where the controller is asked for certificates, like ``https://city.example:8010``."""

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, value: object) -> object:
        """An identity is what the broker is met with, unless the broker's own keys say another."""
        if not isinstance(value, dict) or not isinstance(value.get("identity"), str | Path):
            return value
        if value.get("controller") is None:
            raise refusal(
                "there is an 'identity' and no 'controller' to renew it with",
                "add 'controller: https://HOST:PORT', the address of the city's controller",
            )
        broker, folder = value.get("broker"), Path(value["identity"])
        if not isinstance(broker, dict):
            return value
        tls = broker.get("tls")
        if tls is False:
            raise refusal(
                "an 'identity' is shown over TLS, and the broker says 'tls: false'", "remove that"
            )
        own = tls if isinstance(tls, dict) else {}
        if "certificate" in own or "key" in own:
            raise refusal(
                "the broker's 'tls' names a certificate, and there is an 'identity'",
                "keep one of the two",
            )
        pem = str(folder / IDENTITY_FILE)
        filled = {"ca": str(folder / TRUST_FILE), **own, "certificate": pem, "key": pem}
        return {**value, "broker": {**broker, "tls": filled}}

    @model_validator(mode="after")
    def _remote(self) -> Self:
        if self.broker.embedded:
            raise refusal(
                "the uplink's broker cannot be embedded in the agent",
                "give the host and port of the city's broker",
            )
        return self


def _mac(text: str) -> str:
    digits = re.sub(r"[-:. ]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise refusal(
            "this is no hardware address", "write it like 00:11:22:aa:bb:cc or 0011-22aa-bbcc"
        )
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


Mac = Annotated[str, AfterValidator(_mac)]
"""A hardware address as any maker writes it; kept as lower-case hex with colons."""


class Switch(ConfigModel):
    """One switch (or stack under one address)."""

    name: Slug
    host: Host
    port: Port = SNMP_PORT
    snmp: Snmp
    also_from: tuple[Host, ...] = ()
    """Other addresses that its traps and log lines come from."""
    cli: SwitchCli | None = None
    """How it is repaired; without it, it is only watched."""


class Link(ConfigModel):
    """A promise to a place, and the port that carries it today."""

    LATER: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"applications": "the assurance of application classes"}
    )

    id: Slug
    tier: Tier
    switch: Slug
    port: PortName
    room: Slug | None = None
    name: Name | None = None
    contract_mbps: Mbps | None = None
    """Only where this link's contract differs from its profile's."""

    @property
    def label(self) -> str:
        """A name for people."""
        return self.name or self.id


POLLED = (DeviceKind.UPS, DeviceKind.AP)
"""Kinds that are asked by SNMP, as switches are."""


class Device(ConfigModel):
    """A class board, which speaks to the school's broker; a UPS or access point, which is polled.

    ``ap`` is a wireless controller too.
    """

    kind: DeviceKind
    serial: Slug
    room: Slug | None = None
    name: Name | None = None
    host: Host | None = None
    port: Port | None = None
    """161 where a polled device's is not written."""
    snmp: Snmp | None = None
    mac: Mac | None = None
    """Its hardware address: what switches learn of it may leave the school (decision 0008)."""
    feeds: Annotated[tuple[Slug, ...], Field(min_length=1)] | None = None
    """Switches that hang on a UPS. One that does not say feeds all that no other one names."""

    @model_validator(mode="before")
    @classmethod
    def _split_id(cls, value: object) -> object:
        """``id: board/b-0301`` is short for ``kind: board`` and ``serial: b-0301``."""
        if not isinstance(value, dict) or "id" not in value:
            return value
        if "kind" in value or "serial" in value:
            raise refusal("'id' already says kind and serial", "keep 'id' or the two, not both")
        kind, separator, serial = str(value["id"]).partition("/")
        if not separator:
            raise refusal(
                f"the device id {value['id']!r} is not of the form kind/serial",
                "write it like board/b-0301",
            )
        return {**{k: v for k, v in value.items() if k != "id"}, "kind": kind, "serial": serial}

    @model_validator(mode="after")
    def _spoken(self) -> Self:
        if self.feeds is not None and self.kind is not DeviceKind.UPS:
            raise refusal(
                f"a device of the kind {self.kind.value!r} feeds nothing",
                "keep 'feeds' for UPS (ups), or remove it",
            )
        if self.kind in POLLED:
            for key in ("host", "snmp"):
                if getattr(self, key) is None:
                    raise refusal(
                        f"a device of the kind {self.kind.value!r} is polled: {key!r} is missing",
                        "add 'host' and 'snmp' as a switch has them",
                    )
            return self
        if self.kind is not DeviceKind.BOARD:
            raise refusal(
                f"devices of the kind {self.kind.value!r} come with a later version of TenOne",
                "list class boards, UPS and access points only (board, ups, ap), for now",
            )
        for key in ("host", "port", "snmp"):
            if getattr(self, key) is not None:
                raise refusal(
                    f"a class board is not polled: {key!r} would do nothing",
                    "remove it; the board connects to the school's broker",
                )
        return self

    @property
    def polled(self) -> Switch | None:
        """How it is asked, in a switch's terms; None for what is not."""
        if self.host is None or self.snmp is None:
            return None
        port = SNMP_PORT if self.port is None else self.port
        return Switch(name=self.serial, host=self.host, port=port, snmp=self.snmp)

    @property
    def id(self) -> str:
        """``<kind>/<serial>``, unique in the school."""
        return f"{self.kind.value}/{self.serial}"

    @property
    def label(self) -> str:
        """A name for people."""
        return self.name or self.serial


class Polling(ConfigModel):
    """How often the agent asks, and how patiently. See ARCHITECTURE "Cadence"."""

    state_seconds: Seconds = 10.0
    counters_seconds: Seconds = 60.0
    inventory_seconds: Seconds = 3600.0
    """For neighbours and other surroundings too."""
    health_seconds: Seconds = 60.0
    """Sensors, optics, power over Ethernet, UPS."""
    timeout_seconds: Seconds = 1.0
    """How long one request waits for its answer."""
    retries: Annotated[int, Strict(), Field(ge=0, le=10)] = 2
    budget_seconds: Seconds | None = None
    """What one sweep of one switch may take in all; else one state interval, or the patience
    of one request where that is longer."""
    jitter_ratio: Ratio = 0.1
    """Each interval is spread by up to this share, so that switches are not asked at once."""

    @property
    def patience_seconds(self) -> float:
        """How long one request is tried before the switch counts as silent."""
        return self.timeout_seconds * (1 + self.retries)

    @property
    def sweep_budget_seconds(self) -> float:
        """What one sweep of one switch may take in all."""
        return self.budget_seconds or max(self.state_seconds, self.patience_seconds)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.patience_seconds > self.sweep_budget_seconds:
            raise refusal(
                f"one silent request takes timeout_seconds x (1 + retries) = "
                f"{self.patience_seconds:g} s, more than budget_seconds",
                "raise budget_seconds, or lower timeout_seconds or retries",
            )
        return self


class Outbox(ConfigModel):
    """The agent's journal on disk."""

    path: LocalPath = Field(default="outbox", validate_default=True)
    limit_mb: Annotated[
        Megabytes, Field(ge=4, validation_alias=AliasChoices("limit_mb", "limit"))
    ] = 512.0
    """The disk bound (also written ``limit``); beyond it the lowest class's oldest goes."""

    @property
    def limit_bytes(self) -> int:
        """The disk bound in bytes."""
        return round(self.limit_mb * BYTES_PER_MB)


class School(ConfigModel):
    """One school as its agent and the city know it."""

    LATER: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "sniff": "packet sightings",
        }
    )

    schema_version: SchemaVersion = 1
    school: SchoolIdentity
    uplink: Uplink
    switches: tuple[Switch, ...] = ()
    links: tuple[Link, ...] = ()
    devices: tuple[Device, ...] = ()
    local_broker: LocalBroker = Field(default={"embedded": True}, validate_default=True)
    polling: Polling = Polling()
    probes: Probes = Probes()
    outbox: Outbox = Field(default={}, validate_default=True)
    traps: Traps | None = None
    syslog: Syslog | None = None
    vault: VaultConfig | None = None
    egress: Egress = Egress()
    care: Care = Care()
    calendar: CalendarFile | None = None
    """Class time at the agent; None: all time. The file names its path. A city does not read it:
    what a minute counts as is said by the city's own calendars."""

    @property
    def id(self) -> str:
        """The school's slug, unique in its city."""
        return self.school.id

    @property
    def scope(self) -> ScopePath:
        """``city/district/school``."""
        return ScopePath((self.school.city, self.school.district, self.school.id))

    def link_id(self, link: Link) -> LinkId:
        """The link's id in the city: ``<school>/<link>``."""
        return LinkId(self.school.id, link.id)

    def device_id(self, device: Device) -> DeviceId:
        """The device's id in the city: ``<school>/<kind>/<serial>``."""
        return DeviceId(self.school.id, device.kind, device.serial)

    def fed_by(self, switch: str) -> tuple[str, ...]:
        """Serials of the UPSes that feed a switch: those that name it, else those that name none.

        With one UPS in a school nothing needs to be said.
        """
        upses = [one for one in self.devices if one.kind is DeviceKind.UPS]
        naming = tuple(one.serial for one in upses if one.feeds and switch in one.feeds)
        return naming or tuple(one.serial for one in upses if one.feeds is None)

    def links_of(self, switch: str) -> tuple[Link, ...]:
        """The links a switch carries."""
        return tuple(link for link in self.links if link.switch == switch)
