"""Where the agent may speak to: one list, made from its configuration, and the count of the rest.

GB/T 22239-2019 asks nodes and gateways to limit whom they talk to. The list is what school.yaml
names: its broker, switches, probes, platforms; and ``egress.also``. :class:`Guard` decides, and
:mod:`agents.egress_hook` asks it for everything this process opens. A name's addresses are those
its look-up said, when this process looked it up; loopback, link-local and multicast addresses are
never taken from a name.
"""

import ipaddress
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from tenone.config import School
from tenone.vocabulary.scope import DeviceKind

log = logging.getLogger(__name__)

MAX_DESTINATIONS = 200
"""Different refused destinations that are counted by themselves and logged."""
MAX_ADDRESSES = 64
"""Addresses of one name that are remembered; CDNs hand out many."""
MAX_PASSED = 20_000
DNS_PORT = 53
NTP_PORT = 123
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class EgressRefusedError(PermissionError):
    """Something was about to be sent where the list does not lead. One sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One place that may be spoken to."""

    to: str
    """A name, an address or a network."""
    protocol: str
    """``tcp``, ``udp`` or ``icmp``."""
    port: int | None
    """None: any."""
    why: str
    own_machine: bool = False
    """Only for the machine's rules: this process does not speak to it itself."""


def rules_of(school: School, resolvers: Iterable[str] = ()) -> tuple[Rule, ...]:
    """All that ``school`` names; ``resolvers`` are the machine's where it names none."""
    return tuple(dict.fromkeys(_rules(school, resolvers)))


def _rules(school: School, resolvers: Iterable[str]) -> Iterator[Rule]:
    yield from _of_brokers(school)
    yield from _of_polling(school)
    yield from _of_probes(school)
    egress = school.egress
    for entry in egress.also:
        yield Rule(entry.to, entry.protocol, entry.port, entry.why)
    for resolver in egress.resolvers or resolvers:
        for protocol in ("udp", "tcp"):
            yield Rule(resolver, protocol, DNS_PORT, "the machine's resolver", own_machine=True)
    for server in egress.ntp:
        yield Rule(server, "udp", NTP_PORT, "the machine's clock", own_machine=True)


def _of_brokers(school: School) -> Iterator[Rule]:
    broker, local = school.uplink.broker, school.local_broker
    yield Rule(broker.host, "tcp", broker.port, "the city's broker")
    if school.uplink.controller is not None:
        where = urlsplit(school.uplink.controller)
        port = where.port or (443 if where.scheme == "https" else 80)
        yield Rule(where.hostname or "", "tcp", port, "the city's controller")
    if not local.embedded:
        yield Rule(local.host, "tcp", local.port, "the school's broker")
        if local.devices is not None:
            yield Rule(local.devices.host, "tcp", local.devices.port, "the school's broker")
    elif any(one.kind is DeviceKind.BOARD for one in school.devices):
        # On loopback, at whatever port the system gave.
        yield Rule(local.host, "tcp", None, "the school's broker")


def _of_polling(school: School) -> Iterator[Rule]:
    polled = [(f"switch {one.name}", one) for one in school.switches]
    polled += [(one.id, one.polled) for one in school.devices if one.polled is not None]
    for one in school.switches:
        if one.cli is not None:  # spoken to by a child process, which asks here first
            host = one.cli.host or one.host
            yield Rule(host, "tcp", one.cli.port, f"command line of {one.name}")
    for name, switch in polled:
        yield Rule(switch.host, "udp", switch.port, name)
        if school.traps is not None:
            for host in (switch.host, *switch.also_from):
                yield Rule(host, "udp", None, f"answers to informs of {name}")


def _of_probes(school: School) -> Iterator[Rule]:
    for target in school.probes.targets:
        yield Rule(target.host, "udp", target.port, f"probe target {target.name}")
    for probe in school.probes.dns:
        for resolver in probe.resolvers:
            for protocol in ("udp", "tcp"):
                yield Rule(resolver, protocol, probe.port, f"look-ups of {probe.name}")
    for platform in school.probes.platforms:
        yield _of_url(platform.url, f"platform {platform.id}")
        if platform.path:
            yield Rule(platform.host, "udp", None, f"path to {platform.id}")
            yield Rule(platform.host, "icmp", None, f"path to {platform.id}")


def _of_url(url: str, why: str) -> Rule:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Rule(parts.hostname or "", "tcp", port, why)


class Passed(set[object]):
    """Bounded: full, it begins anew."""

    def add(self, place: object) -> None:
        """Remember ``place``."""
        if len(self) >= MAX_PASSED:
            self.clear()
        super().add(place)


class Guard:
    """Decides and counts. Asked from any thread.

    ``enforce`` false: what is not listed is counted and told, and let through.
    """

    def __init__(
        self, rules: Iterable[Rule], *, enforce: bool = True, pin_names: bool = False
    ) -> None:
        self.rules = tuple(rule for rule in rules if not rule.own_machine)
        self.enforce = enforce
        self.refused = 0
        """What was not listed, since the start."""
        self.last = ""
        """The newest of it, as a sentence."""
        self.by_destination: dict[str, int] = {}
        self.passed = Passed()
        """What was found listed, so that a sweep's thousandth datagram costs one look."""
        self._pin_names = pin_names
        self._lock = threading.Lock()
        self._places: set[tuple[str, str, int | None]] = set()
        self._networks: list[tuple[IpNetwork, str, int | None]] = []
        self._names: dict[str, list[Rule]] = {}
        self._known: dict[str, dict[str, None]] = {}
        """Addresses of each name, the newest last."""
        for rule in self.rules:
            address = _address(rule.to)
            if address is not None:
                self._places.add((str(address), rule.protocol, rule.port))
            elif "/" in rule.to:
                self._networks.append((ipaddress.ip_network(rule.to), rule.protocol, rule.port))
            else:
                self._names.setdefault(_folded(rule.to), []).append(rule)

    def check(self, protocol: str, host: str, port: int) -> bool:
        """Whether the list leads there; where not, it is counted and, by :attr:`enforce`, raises.

        Raises :class:`EgressRefusedError`.
        """
        address = _address(host)
        if address is None:
            # A name handed to the system to look up on the way: nobody would see its address.
            return self._refuse(f"{host[:100]!r} port {port} ({protocol.upper()})")
        text = str(address)
        if (text, protocol, port) in self._places or (text, protocol, None) in self._places:
            return True
        for network, its_protocol, its_port in self._networks:
            if its_protocol == protocol and its_port in {None, port} and address in network:
                return True
        return self._refuse(f"{text} port {port} ({protocol.upper()})")

    def check_name(self, host: str) -> None:
        """Whether ``host`` may be looked up; raises :class:`EgressRefusedError`."""
        if _folded(host) not in self._names and _address(host) is None:
            self._refuse(f"the look-up of {host[:100]!r}")

    def learn(self, host: str, addresses: Iterable[str]) -> list[str]:
        """Take in what a look-up said; returns the addresses that may be used."""
        rules = self._names.get(_folded(host))
        if rules is None:
            return list(addresses)
        with self._lock:
            known = self._known.setdefault(_folded(host), {})
            pinned = self._pin_names and bool(known)
            good = []
            for text in addresses:
                address = _address(text)
                if address is None or (pinned and str(address) not in known):
                    continue
                if host != "localhost" and _is_near(address):
                    continue
                known.pop(str(address), None)
                known[str(address)] = None
                good.append(text)
                self._places.update((str(address), one.protocol, one.port) for one in rules)
            while len(known) > MAX_ADDRESSES:
                self._forget(next(iter(known)), known, rules)
            return good

    def _forget(self, text: str, known: dict[str, None], rules: list[Rule]) -> None:
        del known[text]
        listed = {(str(_address(rule.to)), rule.protocol, rule.port) for rule in self.rules}
        others = [found for found in self._known.values() if text in found]
        if not others:
            gone = {(text, one.protocol, one.port) for one in rules}
            self._places -= gone - listed
            self.passed.clear()

    def _refuse(self, destination: str) -> bool:
        sentence = f"{destination} is not on the agent's egress list (school.yaml: egress)"
        with self._lock:
            self.refused += 1
            self.last = sentence
            new = destination not in self.by_destination
            if not new or len(self.by_destination) < MAX_DESTINATIONS:
                self.by_destination[destination] = self.by_destination.get(destination, 0) + 1
                tell = new
            else:
                tell = False
        if tell:
            log.warning("%s: %s", "refused" if self.enforce else "not listed", sentence)
        if self.enforce:
            raise EgressRefusedError(sentence)
        return False


@lru_cache(maxsize=4096)
def _address(text: str) -> IpAddress | None:
    """The address itself: without a zone, and IPv4 out of its IPv6 clothes."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _is_near(address: IpAddress) -> bool:
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    )


def _folded(host: str) -> str:
    return host.rstrip(".").lower()
