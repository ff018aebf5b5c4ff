"""``probes:`` of ``school.yaml``: what the gateway probes, how often, and who runs what."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Strict, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Host, Name, Port, Seconds, Slug
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef

STAMP_PORT = 862
"""RFC 8762 section 4.1: the port assigned to TWAMP-Test."""
DNS_PORT = 53
MOST_PACKETS_A_SECOND = 200.0
"""What one gateway may send in all; 100 classes every 15 s and a core every second make 8."""
MOST_BURST = 150.0
MOST_ROWS = 4096
"""Rows of one window's block: at most about 120 KB."""
LONGEST_URL = 2000
MOST_HOPS = 30


Item = TypeVar("Item")


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise refusal(
            f"{text[:60]!r} is not an IP address",
            "a resolver is asked before there are names: write its address such as 10.1.0.53",
        ) from None


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise refusal(
            f"{text[:60]!r} is not a network", f"write it like 10.1.0.0/16 ({error})"
        ) from None


def _url(text: str) -> str:
    parts = urlsplit(text)
    try:
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    plain = text.isascii() and text.isprintable() and " " not in text
    whole = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    if not (port_fits and plain and whole):
        raise refusal(
            f"{text[:60]!r} is not an address of a platform",
            "write it like https://exam.example.edu.cn/, in ASCII, without user and password",
        )
    return text


def _some(listed: tuple[Item, ...]) -> tuple[Item, ...]:
    # Field(min_length=1) would also call a list empty whose only entry is wrong.
    if not listed:
        raise refusal("the list is empty", "add at least one entry")
    return listed


Dscp: TypeAlias = Annotated[int, Strict(), Field(ge=0, le=63)]
"""Differentiated services code point (RFC 2474), 0 to 63; 46 is expedited forwarding."""
Address: TypeAlias = Annotated[str, AfterValidator(_address)]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]
Url: TypeAlias = Annotated[str, Field(max_length=LONGEST_URL), AfterValidator(_url)]
TargetKind: TypeAlias = Literal["core", "class"]


class ProbeTarget(ConfigModel):
    """A STAMP or TWAMP-light reflector: the city's core, or something in a class that answers."""

    name: Slug
    kind: TargetKind = "class"
    link: Slug | None = None
    """The link whose promise the probes witness."""
    host: Host
    port: Port = STAMP_PORT
    interval_seconds: Seconds | None = None
    """One packet of each DSCP this often; unsaid: 1 s to a core, 15 s to a class."""
    class_time_only: Annotated[bool, Strict()] | None = None
    """Unsaid: yes for a class, no for a core."""
    dscp: Annotated[tuple[Dscp, ...], Field(max_length=8), AfterValidator(_some)] = (0,)
    key: SecretRef | None = None
    """The shared key where the reflector speaks authenticated mode (RFC 8762 section 4.4)."""

    @property
    def every_seconds(self) -> float:
        """The interval in force."""
        return self.interval_seconds or (1.0 if self.kind == "core" else 15.0)

    @property
    def in_class_time_only(self) -> bool:
        """Whether it rests outside of class time."""
        return self.kind == "class" if self.class_time_only is None else self.class_time_only

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.dscp)) != len(self.dscp):
            raise refusal("a DSCP stands twice", "list each one once")
        return self


class DnsProbe(ConfigModel):
    """A name that must resolve, and who is asked."""

    name: Host
    type: Literal["A", "AAAA"] = "A"
    resolvers: Annotated[tuple[Address, ...], Field(max_length=8), AfterValidator(_some)]
    port: Port = DNS_PORT

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.resolvers)) != len(self.resolvers):
            raise refusal("a resolver stands twice", "list each one once")
        return self


class Platform(ConfigModel):
    """A named platform: teaching, exam, resource, and who runs it."""

    id: Slug
    name: Name | None = None
    url: Url
    owner: Name | None = None
    """Who is called when the platform itself is the slow part."""
    path: Annotated[bool, Strict()] = False
    """Whether the hops towards it are watched as well."""

    @property
    def label(self) -> str:
        """A name for people."""
        return self.name or self.id

    @property
    def host(self) -> str:
        """The host its address names."""
        return urlsplit(self.url).hostname or ""


class NetworkOwner(ConfigModel):
    """Whose network an address belongs to: the label on a slow hop."""

    network: Network
    owner: Name


class Probes(ConfigModel):
    """Everything the gateway measures by asking. Nothing is probed that is not listed here."""

    window_seconds: Annotated[Seconds, Field(ge=1, le=300)] = 15.0
    """One block of samples holds this long."""
    dns_seconds: Annotated[Seconds, Field(ge=1)] = 30.0
    platform_seconds: Annotated[Seconds, Field(ge=5)] = 60.0
    path_seconds: Annotated[Seconds, Field(ge=30)] = 600.0
    path_packets: Annotated[int, Strict(), Field(ge=1, le=10)] = 3
    """Packets of each lifetime towards a platform."""
    path_method: Literal["udp", "icmp"] = "udp"
    """``icmp`` (echo requests) passes more firewalls, and needs the system's ping_group_range."""
    path_hops: Annotated[int, Strict(), Field(ge=1, le=MOST_HOPS)] = 16
    burst: Annotated[bool, Strict()] = True
    """Probe quickly for a while when a target's loss is suspected and not yet decided, and until
    its packets prove that it keeps its promise."""
    burst_packets_a_second: Annotated[Seconds, Field(ge=1, le=MOST_BURST)] = 50.0
    """How quickly; there is one burst at a time."""
    targets: tuple[ProbeTarget, ...] = ()
    dns: tuple[DnsProbe, ...] = ()
    platforms: tuple[Platform, ...] = ()
    owners: tuple[NetworkOwner, ...] = ()

    @property
    def packets_a_second(self) -> float:
        """What all targets together cost while one of them has a burst."""
        if not self.targets:
            return 0.0
        paced = sum(len(target.dscp) / target.every_seconds for target in self.targets)
        return paced + self.burst_packets_a_second

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.packets_a_second > MOST_PACKETS_A_SECOND:
            raise refusal(
                f"the targets and a burst ask for {self.packets_a_second:.0f} packets a second, "
                f"more than {MOST_PACKETS_A_SECOND:.0f}",
                "raise 'interval_seconds', lower 'burst_packets_a_second', or list fewer targets "
                "or DSCPs",
            )
        rows = sum(
            len(target.dscp) * -(-self.window_seconds // target.every_seconds)
            for target in self.targets
        )
        if rows > MOST_ROWS:
            raise refusal(
                f"one window holds {rows:.0f} packets, more than {MOST_ROWS}",
                "lower 'window_seconds', or list fewer targets",
            )
        return self

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for group, names in (
            ("targets", [target.name for target in self.targets]),
            ("dns", [f"{probe.name} ({probe.type})" for probe in self.dns]),
            ("platforms", [platform.id for platform in self.platforms]),
            ("owners", [one.network for one in self.owners]),
        ):
            for twice in _repeated(names):
                raise refusal(
                    f"{twice} is used twice in {group!r}", "change or remove one of the two"
                )
        return self

    def strangers(self, links: Iterable[str]) -> Iterator[tuple[int, str]]:
        """Targets, by place, whose link is none of ``links``, with that link's name."""
        known = set(links)
        for index, target in enumerate(self.targets):
            if target.link is not None and target.link not in known:
                yield index, target.link


def _repeated(names: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)
