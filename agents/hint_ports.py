"""Opens the ports for traps and log lines that school.yaml asks for."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable

from agents.hints import Hints
from agents.listener import Listener
from agents.snmp_target import trap_user
from drivers.snmp.endpoint import Address
from drivers.syslog.line import LineError, read_line
from drivers.syslog.patterns import hint_of
from tenone.config import School
from tenone.config.hints import Syslog, Traps
from tenone.runtime.clock import Clock
from tenone.vocabulary.hints import Hint, Refusal

log = logging.getLogger(__name__)

RESOLVE_SECONDS = 300.0
"""How often the names of switches are looked up again."""
TICK_SECONDS = 1.0


class HintPorts:
    """Both ports. Give :meth:`run` to a supervisor; it raises what :class:`Listener` does.

    pysnmp is imported only where there are ``traps``: it takes 6 MB of memory and more.
    """

    def __init__(self, school: School, hints: Hints, *, clock: Clock) -> None:
        self._hints = hints
        self._clock = clock
        self._senders = senders(school)
        self._addresses: dict[str, list[str]] = {}
        """What each host was last found at; a name server that is away takes nothing back."""
        for name, hosts in self._senders.items():
            hints.known(name, [host for host in hosts if _is_numeric(host)])
        self._listeners: list[Listener] = []
        self._tick: Callable[[float], None] = _nothing
        if school.traps is not None:
            self._open_traps(school.traps)
        if school.syslog is not None:
            self._open_syslog(school.syslog)

    def close(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    async def run(self) -> None:
        """Keep the addresses of the senders true, and let pysnmp forget what is old."""
        resolved_ns: int | None = None
        while True:
            now_ns = self._clock.monotonic_ns()
            if resolved_ns is None or now_ns - resolved_ns >= RESOLVE_SECONDS * 1e9:
                resolved_ns = now_ns
                for name, hosts in self._senders.items():
                    for host in hosts:
                        self._addresses[host] = await addresses_of(host) or self._of(host)
                    self._hints.known(name, [at for host in hosts for at in self._of(host)])
            self._tick(now_ns / 1e9)
            await self._clock.sleep(TICK_SECONDS)

    def _of(self, host: str) -> list[str]:
        return self._addresses.get(host, [])

    def _open_traps(self, config: Traps) -> None:
        from drivers.snmp.traps import TrapEngine  # noqa: PLC0415 - memory for those who want it

        def send(data: bytes, address: Address) -> None:
            listener.send(data, address)

        engine = TrapEngine(
            communities=[one.fetch() for one in config.communities],
            users=[trap_user(one) for one in config.users],
            send=send,
        )
        listener = Listener(
            config.listen,
            lambda data, address: self._hints.take(data, address, engine.take),
            what="the trap receiver",
        )
        self._listeners.append(listener)
        self._tick = engine.tick

    def _open_syslog(self, config: Syslog) -> None:
        self._listeners.append(
            Listener(
                config.listen,
                lambda data, address: self._hints.take(data, address, read_syslog),
                what="the syslog receiver",
            )
        )


def senders(school: School) -> dict[str, tuple[str, ...]]:
    """Hosts that each polled device sends from, by the name the poller knows it by."""
    found: dict[str, tuple[str, ...]] = {
        one.id: (one.host,) for one in school.devices if one.host is not None
    }
    found.update((one.name, (one.host, *one.also_from)) for one in school.switches)
    return found


def _nothing(_: float) -> None:
    """No traps: nothing ages."""


def read_syslog(data: bytes, address: Address) -> Hint | Refusal:
    """A log line as a hint."""
    del address
    try:
        return hint_of(read_line(data))
    except LineError:
        return Refusal.MALFORMED


async def addresses_of(host: str) -> list[str]:
    """The numeric addresses of a host; none where its name has none now."""
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        log.warning("what %s sends is not known: its name has no address (%s)", host, error)
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
