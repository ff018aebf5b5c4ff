"""What a switch says unasked: traps and informs (v2c, RFC 3416 section 4.2.6), syslog lines."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from firmware_sims.switch import ber, message
from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.vendors import Vendor
from tenone.vocabulary.states import OperStatus

TRAP, INFORM, RESPONSE = 0xA7, 0xA6, 0xA2
_SYS_UP_TIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
_TRAP_OID = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_COLD_START = (1, 3, 6, 1, 6, 3, 1, 1, 5, 1)
_LINK_DOWN, _LINK_UP = (1, 3, 6, 1, 6, 3, 1, 1, 5, 3), (1, 3, 6, 1, 6, 3, 1, 1, 5, 4)
_IF_INDEX, _IF_OPER, _IF_NAME = (
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 1),
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 8),
    (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1),
)
INFORM_TRIES, INFORM_SECONDS = 3, 1.0
_WARNING, _LOCAL7 = 4, 23
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """A port came up or went down."""

    if_index: int
    name: str
    up: bool
    uptime_ticks: int


@dataclass(frozen=True, slots=True)
class StartEvent:
    """The switch has started."""

    uptime_ticks: int


Event = LinkEvent | StartEvent


def trap(event: Event, *, community: str, number: int, inform: bool = False) -> bytes:
    """The bytes of a notification; ``number`` is its request-id."""
    bound: list[tuple[ber.Arcs, bytes]] = []
    which = _COLD_START
    if isinstance(event, LinkEvent):
        oper = OperStatus.UP if event.up else OperStatus.DOWN
        which = _LINK_UP if event.up else _LINK_DOWN
        bound = [
            ((*_IF_INDEX, event.if_index), ber.integer(event.if_index)),
            ((*_IF_OPER, event.if_index), ber.integer(oper)),
            ((*_IF_NAME, event.if_index), ber.tlv(ber.OCTET_STRING, event.name.encode())),
        ]
    return notification(
        which,
        bound,
        uptime_ticks=event.uptime_ticks,
        community=community,
        number=number,
        inform=inform,
    )


def notification(
    which: ber.Arcs,
    bound: Sequence[tuple[ber.Arcs, bytes]],
    *,
    uptime_ticks: int,
    community: str,
    number: int,
    inform: bool = False,
) -> bytes:
    """A v2c notification of the type ``which`` with encoded values ``bound`` by name."""
    bound = [
        (_SYS_UP_TIME, ber.integer(uptime_ticks, ber.TIMETICKS)),
        (_TRAP_OID, ber.oid(which)),
        *bound,
    ]
    varbinds = b"".join(ber.tlv(ber.SEQUENCE, ber.oid(name) + value) for name, value in bound)
    pdu = ber.integer(number) + ber.integer(0) * 2 + ber.tlv(ber.SEQUENCE, varbinds)
    body = ber.integer(message.V2C) + ber.tlv(ber.OCTET_STRING, community.encode())
    return ber.tlv(ber.SEQUENCE, body + ber.tlv(INFORM if inform else TRAP, pdu))


def answered(data: bytes) -> int | None:
    """The number of the inform that ``data`` answers, or None."""
    try:
        reply = message.parse(data)
        number, _ = ber.read_integer(reply.request_id, 0, len(reply.request_id))
    except ber.BerError:
        return None
    return number if reply.pdu == RESPONSE else None


_LINES: dict[Vendor, str] = {
    Vendor.HUAWEI: "%%01IFNET/4/IF_STATE(l)[0]:Interface {port} has turned into {STATE} state.",
    Vendor.H3C: "IFNET/3/PHY_UPDOWN: Physical state on the interface {port} changed to {state}.",
    Vendor.RUIJIE: "%LINK-3-UPDOWN: Interface {port}, changed state to {state}.",
    Vendor.HUAWEI_CE: "%%01IFNET/4/IF_STATE(l)[0]:Interface {port} has turned into {STATE} state.",
    Vendor.CISCO: "%LINK-3-UPDOWN: Interface {port}, changed state to {state}",
    Vendor.ZTE: "%LINK-3-UPDOWN: Interface {port}, changed state to {state}.",
}


def syslog_line(vendor: Vendor, name: str, event: Event) -> bytes:
    """A line as the make writes it (RFC 3164, without the time, which nobody believes)."""
    if isinstance(event, LinkEvent):
        state = "up" if event.up else "down"
        text = _LINES[vendor].format(port=event.name, state=state, STATE=state.upper())
    else:
        text = "%SYS-5-RESTART: System restarted --"
    return f"<{_LOCAL7 * 8 + _WARNING}>{name} {text}".encode()


def destination(text: str) -> tuple[str, int]:
    """``host:port``, numeric; raises ValueError."""
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None or not port.isdecimal() or not 1 <= int(port) <= _MAX_PORT:
        raise ValueError(f"{text!r} is no address to send to: write such as 127.0.0.1:20162")
    return str(address), int(port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Where a switch's notifications go; None: nowhere."""

    traps: tuple[str, int] | None = None
    syslog: tuple[str, int] | None = None
    inform: bool = False
    """Informs instead of traps: sent until they are answered, three times at most."""


NOWHERE = Destinations()


@dataclass(slots=True)
class Notifier:
    """Sends what happens to one switch, from an address of its own."""

    switch: Switch
    to: Destinations
    host: str
    community: str = "public"
    answers: int = 0
    """Informs that were answered."""
    _socket: socket.socket | None = None
    _number: int = 0
    _waiting: dict[int, asyncio.TimerHandle] = field(default_factory=dict)
    _timers: set[asyncio.TimerHandle] = field(default_factory=set)

    def attach(self) -> None:
        """Notify from now on, in the running loop."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind((self.host, 0))
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        self.switch.on_link = self.link
        self.switch.on_start = self.start

    def close(self) -> None:
        """Say nothing more."""
        self.switch.on_link = self.switch.on_start = None
        for timer in (*self._timers, *self._waiting.values()):
            timer.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def link(self, port: Port, *, up: bool) -> None:
        """A port came up or went down."""
        now = self.switch.uptime_ticks(self.switch.now())
        self._tell(LinkEvent(port.if_index, port.name, up, now))

    def start(self, after_seconds: float) -> None:
        """The switch has started and says so as soon as it can say anything."""

        def say() -> None:
            self._timers.discard(timer)
            self._tell(StartEvent(self.switch.uptime_ticks(self.switch.now())))

        timer = asyncio.get_running_loop().call_later(after_seconds, say)
        self._timers.add(timer)

    def _tell(self, event: Event) -> None:
        if not self.switch.answers(self.switch.now()):
            return
        if self.to.traps is not None:
            self._number += 1
            data = trap(event, community=self.community, number=self._number, inform=self.to.inform)
            self._send_trap(data, self._number, INFORM_TRIES if self.to.inform else 1)
        if self.to.syslog is not None:
            line = syslog_line(self.switch.style.vendor, self.switch.name, event)
            self._send(line, self.to.syslog)

    def _send_trap(self, data: bytes, number: int, tries: int) -> None:
        self._waiting.pop(number, None)
        self._send(data, self.to.traps)
        if tries > 1:
            self._waiting[number] = asyncio.get_running_loop().call_later(
                INFORM_SECONDS, self._send_trap, data, number, tries - 1
            )

    def _send(self, data: bytes, to: tuple[str, int] | None) -> None:
        if self._socket is None or to is None:
            return
        try:
            self._socket.sendto(data, to)
        except OSError:
            return  # UDP promises nothing

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(_MAX_PORT)
        except OSError:
            return
        timer = self._waiting.pop(answered(data) or 0, None)
        if timer is not None:
            timer.cancel()
            self.answers += 1
