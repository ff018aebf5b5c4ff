"""Where inventory and network differ (R33). Pure: what is seen now, each with its sentence."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from controller.plan import LinkPlan
from controller.topology.model import Place
from controller.topology.net import SchoolNet
from tenone.vocabulary.states import Tier


class DriftKind(StrEnum):
    """What differs."""

    PORT_MISSING = "port-missing"
    SWITCH_REPLACED = "switch-replaced"
    MOVED = "moved"
    WRONG_NEIGHBOUR = "wrong-neighbour"
    UNKNOWN_NEIGHBOUR = "unknown-neighbour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference. ``subject`` is what it is about: a link's id, a switch, a port."""

    school: str
    kind: DriftKind
    subject: str
    link: str | None
    """Id of the link it concerns."""
    place: str
    """The switch and port, in words."""
    expected: str
    seen: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same difference as before."""
        return self.kind.value, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftView:
    """A difference, since when, and until when."""

    drift: Drift
    since_ns: int
    resolved_ns: int | None = None

    @property
    def id(self) -> str:
        """One standing of one difference: stable, and other when it comes back."""
        drift = self.drift
        subject = hashlib.sha256(drift.subject.encode()).hexdigest()[:12]
        return f"{drift.school}.{drift.kind}.{self.since_ns // 1_000_000}.{subject}"


Found = Iterator[Drift]


def find_drift(net: SchoolNet) -> dict[tuple[str, str], Drift]:
    """All differences of a school, by key."""
    return {one.key: one for check in _CHECKS for one in check(net)}


def is_open_question(net: SchoolNet, drift: Drift) -> bool:
    """Whether a standing difference can be judged by nothing told yet: then it stands.

    Stations are told hourly and not kept, so after a start nobody knows where a moved device is
    until the switch that saw it has spoken again.
    """
    switch, _, _ = drift.seen.partition(" ")
    if drift.kind is not DriftKind.MOVED or switch not in net.hosts or switch in net.stations:
        return False
    bound, places = net.bound, net.places()
    return any(
        mac not in places and home in bound and home.words == drift.expected
        for mac, home in (net.homes | net.listed_homes()).items()
        if net.directory.label(mac) == drift.subject
    )


def _port_missing(net: SchoolNet) -> Found:
    for link in net.links:
        if link.switch is None or link.port is None or link.switch not in net.ports:
            continue
        if net.ports[link.switch].key_of(link.port) is None:
            place = Place(link.switch, link.port)
            yield _of_link(DriftKind.PORT_MISSING, link, place, expected=link.port, seen="-")


def _switch_replaced(net: SchoolNet) -> Found:
    for switch, now in net.identities.items():
        before = net.accepted.get(switch)
        if before is not None and now.is_other_than(before):
            yield Drift(
                school=net.school,
                kind=DriftKind.SWITCH_REPLACED,
                subject=switch,
                link=None,
                place=switch,
                expected=before.words,
                seen=now.words,
            )


def _moved(net: SchoolNet) -> Found:
    """What sits elsewhere than the inventory says, or, where it says nothing, than it used to."""
    bound = net.bound
    places = net.places()
    for mac, home in (net.homes | net.listed_homes()).items():
        place, link = places.get(mac), bound.get(home)
        if place is None or link is None or place == home:
            continue
        yield Drift(
            school=net.school,
            kind=DriftKind.MOVED,
            subject=net.directory.label(mac),
            link=link.id,
            place=place.words,
            expected=home.words,
            seen=place.words,
        )


def _wrong_neighbour(net: SchoolNet) -> Found:
    """A switch of the school on a port that is promised to a classroom."""
    bound = net.bound
    for edge in net.edges.values():
        place = Place(edge.heard.switch, edge.heard.port)
        link = bound.get(place)
        switch = net.directory.switch_of(edge.heard)
        if link is not None and link.tier is Tier.CLASS and switch is not None:
            room = link.room or link.name
            yield _of_link(DriftKind.WRONG_NEIGHBOUR, link, place, expected=room, seen=switch)


def _unknown_neighbour(net: SchoolNet) -> Found:
    """Network gear nobody configured. Behind an uplink stands the carrier's, which nobody does.

    Silent while some switch of the school has not told its addresses: it could be that one.
    """
    if not net.all_told:
        return
    bound = net.bound
    for edge in net.edges.values():
        heard = edge.heard
        place = Place(heard.switch, heard.port)
        link = bound.get(place)
        known = net.directory.switch_of(heard) or net.directory.device_of(heard)
        if known is not None or not heard.is_network:
            continue
        if link is not None and link.tier is Tier.UPLINK:
            continue
        yield Drift(
            school=net.school,
            kind=DriftKind.UNKNOWN_NEIGHBOUR,
            subject=f"{place.switch}/{place.port}/{heard.key[2]}",
            link=None if link is None else link.id,
            place=place.words,
            expected="-",
            seen=heard.words,
        )


_CHECKS: tuple[Callable[[SchoolNet], Found], ...] = (
    _port_missing,
    _switch_replaced,
    _moved,
    _wrong_neighbour,
    _unknown_neighbour,
)


def _of_link(kind: DriftKind, link: LinkPlan, place: Place, *, expected: str, seen: str) -> Drift:
    return Drift(
        school=link.school,
        kind=kind,
        subject=link.id,
        link=link.id,
        place=place.words,
        expected=expected,
        seen=seen,
    )


_EN = {
    DriftKind.PORT_MISSING: "{link} is bound to {place}, and the switch has no such port: "
    "correct the port in the school's configuration.",
    DriftKind.SWITCH_REPLACED: "{place} is another device than before: it says {seen}, and was "
    "{expected}. If it was replaced, accept the new one.",
    DriftKind.MOVED: "{subject} belongs to {expected} ({link}) and is now seen on {seen}: a patch "
    "cord was moved. Put it back, or bind the link to the new port.",
    DriftKind.WRONG_NEIGHBOUR: "{place} is promised to {expected} ({link}), and the switch {seen} "
    "is plugged in there.",
    DriftKind.UNKNOWN_NEIGHBOUR: "On {place} there is a network device that nobody configured: "
    "{seen}.",
}
_ZH = {
    DriftKind.PORT_MISSING: "链路 {link} 绑定到 {place}，但该交换机没有这个端口："
    "请更正学校配置中的端口。",
    DriftKind.SWITCH_REPLACED: "{place} 已不是原来的设备：现在是 {seen}，原来是 {expected}。"
    "如确已更换，请确认新设备。",
    DriftKind.MOVED: "{subject} 应接在 {expected}（{link}），现在出现在 {seen}：跳线被移动。"
    "请接回原处，或将链路改绑到新端口。",
    DriftKind.WRONG_NEIGHBOUR: "{place} 已承诺给 {expected}（{link}），但那里接的是交换机 {seen}。",
    DriftKind.UNKNOWN_NEIGHBOUR: "{place} 上有一台未登记的网络设备：{seen}。",
}


def sentences(drift: Drift) -> tuple[str, str]:
    """What differs and how to mend it, in English and in Chinese."""
    words = {
        "link": drift.link or "-",
        "place": drift.place,
        "subject": drift.subject,
        "expected": drift.expected,
        "seen": drift.seen,
    }
    return _EN[drift.kind].format(**words), _ZH[drift.kind].format(**words)
