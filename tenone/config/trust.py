"""The ``trust`` group of ``city.yaml``: what the city keeps to be believed.

Each concern is a group of its own below it; a part of TenOne that needs keys adds its group here.
"""

import ipaddress
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from tenone.config.base import ConfigModel
from tenone.config.brokers import CityControl
from tenone.config.quantities import Days, Host, LocalPath, Port, Seconds
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef

LEAST_RETENTION_DAYS = 180.0
"""Six months: article 21 of China's cybersecurity law for logs; TRUST.md section 5."""
SYSLOG_PORTS = {"tls": 6514, "tcp": 601, "udp": 514}
"""RFC 5425 section 4.1; RFC 6587 names no port of its own, 601 is RFC 3195's; RFC 5426 3.3."""


def _network(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ipaddress.ip_network(value.strip())
    except ValueError as error:
        raise refusal(
            f"{value[:60]!r} is no network: {error}", "write it like 10.1.0.0/16 or 10.1.2.3/32"
        ) from None


Network: TypeAlias = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)
]
"""Addresses in CIDR notation; no bit is set behind the prefix."""


class LedgerKeeping(ConfigModel):
    """How the audit ledger is kept. It lies in the folder ``ledger`` below ``store.path``."""

    hash: Literal["sha256", "sm3"] = "sha256"
    """What chains the entries. A change begins a new segment; older ones stay as they are."""
    retention_days: Days | None = None
    """How long whole segments stay; None: for ever."""

    @field_validator("retention_days")
    @classmethod
    def _long_enough(cls, days: float | None) -> float | None:
        if days is not None and days < LEAST_RETENTION_DAYS:
            raise refusal(
                f"the audit ledger is kept {LEAST_RETENTION_DAYS:.0f} days at least, not {days:g}",
                f"write {LEAST_RETENTION_DAYS:.0f}d or more, or leave it out to keep it for ever",
            )
        return days


class Anchor(ConfigModel):
    """One place off this machine's disk where the ledger's newest hash is put again and again."""

    file: LocalPath | None = None
    """A file that is appended to: on another machine's mount, or it protects little."""
    url: Annotated[str, Field(pattern=r"^https://[^\s@]+$")] | None = None
    """A service that takes a JSON document by POST and keeps it."""
    token: SecretRef | None = None
    """Bearer token for ``url``."""
    ca: LocalPath | None = None
    """Whom to trust for ``url``; without it, the system's authorities."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise refusal(
                "an anchor is either a 'file' or a 'url'", "write one of the two in each anchor"
            )
        if self.file is not None and (self.token or self.ca):
            raise refusal("a file needs no 'token' and no 'ca'", "remove them")
        return self


class Siem(ConfigModel):
    """Where every entry of the ledger is also sent: a syslog server, or a file of JSON lines."""

    file: LocalPath | None = None
    host: Host | None = None
    transport: Literal["tls", "tcp", "udp"] = "tls"
    port: Port | None = None
    """Without it the transport's own: 6514, 601, 514."""
    ca: LocalPath | None = None
    """Whom to trust; without it, the system's authorities."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.host is None):
            raise refusal(
                "the export goes either to a 'host' or to a 'file'", "write one of the two"
            )
        if self.ca is not None and (self.host is None or self.transport != "tls"):
            raise refusal("'ca' is for 'transport: tls' only", "remove it")
        return self

    @property
    def at_port(self) -> int:
        """The port to talk to."""
        return SYSLOG_PORTS[self.transport] if self.port is None else self.port


class CertificateAuthority(ConfigModel):
    """The city's certificate authority: who is enrolled as what machine."""

    path: LocalPath = Field(default="ca", validate_default=True)
    """The folder of its keys and certificates; keep it out of backups that are not sealed."""
    passphrase: SecretRef | None = None
    """Seals its keys on disk; None leaves that to the files' mode, 0600."""
    algorithm: Literal["ecdsa-p256"] = "ecdsa-p256"
    agent_days: Annotated[Days, Field(ge=0.001, le=90)] = 7.0
    """How long an agent's certificate is valid; it is renewed at 2/3 of that."""
    device_days: Annotated[Days, Field(ge=0.001, le=366)] = 30.0
    server_days: Annotated[Days, Field(ge=0.001, le=398)] = 90.0
    """398 days is what browsers take at most (CA/Browser Forum baseline requirements 6.3.2)."""
    crl_file: LocalPath | None = None
    """Where the list of revoked certificates is written for a broker (PEM); it is rewritten
    whole. None: only in the folder of the authority."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s@/?#]+$")] | None = None
    """Where machines reach this controller, like ``https://city.example:8010``; certificates name
    it as the place of the list of revoked ones."""

    @field_validator("algorithm", mode="before")
    @classmethod
    def _offered(cls, algorithm: object) -> object:
        if isinstance(algorithm, str) and algorithm.lower().startswith("sm2"):
            raise refusal(
                "certificates with SM2 keys are not offered: the packages for it have had no "
                "release since 2023, and Mosquitto's TLS does not speak it",
                "leave 'algorithm' out; SM3 and SM4 can be chosen where they are offered",
            )
        return algorithm


class Trust(ConfigModel):
    """All of it."""

    ca: CertificateAuthority = Field(default={}, validate_default=True)

    ledger: LedgerKeeping = Field(default={}, validate_default=True)
    anchors: tuple[Anchor, ...] = ()
    anchor_seconds: Annotated[Seconds, Field(ge=1, le=86_400)] = 60.0
    """How often the newest hash is put to the anchors."""
    witness_seconds: Annotated[Seconds, Field(ge=1, le=3600)] = 1800.0
    """About how often the newest hash is given to each school, which keeps it."""
    siem: Siem | None = None
    broker: CityControl | None = None
    """Who keeps the access lists of the city's Mosquitto; None: nobody does."""
    outward_allow: tuple[Network, ...] = ()
    """Private or loopback networks that webhooks and anchors may be in. Everything else they reach
    must be on the public internet; see :mod:`controller.trust.outward`."""
