"""Names, platforms and paths: a round of questions each, at its own interval, one block a round."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, Protocol, TypeVar

from agents.origin import Origin
from agents.ports import Keep
from agents.probe_blocks import (
    SUBJECT,
    dns_columns,
    dns_rows,
    hop_columns,
    http_columns,
    path_rows,
)
from agents.prober import Resolve, resolve_host
from agents.schedule import Grid
from drivers.probe.dns import DnsSample, RecordType
from drivers.probe.dns import resolve as ask_resolver
from drivers.probe.http import HttpSample, fetch
from drivers.probe.path import HopSample, Method, trace
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout, layout
from tenone.config.probes import Platform, Probes
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.probes import DNS_SAMPLES, HTTP_SAMPLES, PATH_HOPS, HopOutcome

log = logging.getLogger(__name__)

T = TypeVar("T")

QUESTIONS_AT_ONCE: Final = 8
REQUESTS_AT_ONCE: Final = 4
JITTER_RATIO: Final = 0.1


class Asking(Protocol):
    """The drivers behind the rounds."""

    async def name(self, name: str, resolver: str, port: int, kind: RecordType) -> DnsSample:
        """One question to one resolver."""
        ...

    async def page(self, url: str) -> HttpSample:
        """One chain of requests."""
        ...

    async def hops(self, address: str, hops: int, packets: int, method: Method) -> list[HopSample]:
        """One run along a path; raises OSError."""
        ...


class Drivers:
    """:class:`Asking` by this machine's network."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tls: ssl.SSLContext | None = None

    async def name(self, name: str, resolver: str, port: int, kind: RecordType) -> DnsSample:
        """See :class:`Asking`."""
        return await ask_resolver(name, resolver, clock=self._clock, port=port, kind=kind)

    async def page(self, url: str) -> HttpSample:
        """See :class:`Asking`. The authorities' file is read once."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return await fetch(url, clock=self._clock, tls=self._tls)

    async def hops(self, address: str, hops: int, packets: int, method: Method) -> list[HopSample]:
        """See :class:`Asking`."""
        return await trace(address, clock=self._clock, hops=hops, packets=packets, method=method)


class Rounds:
    """Give them their tasks with :meth:`start`."""

    def __init__(
        self,
        probes: Probes,
        *,
        origin: Origin,
        keep: Keep,
        asking: Asking | None = None,
        resolve: Resolve = resolve_host,
    ) -> None:
        self._probes = probes
        self._origin = origin
        self._clock = origin.clock
        self._keep = keep
        self._asking = asking or Drivers(origin.clock)
        self._resolve = resolve
        self._watched = [platform for platform in probes.platforms if platform.path]

    def start(self, tasks: Supervisor) -> None:
        """A task for each kind that is configured."""
        probes = self._probes
        if probes.dns:
            named = layout("dns-samples", DNS_SAMPLES, dns_rows(probes))
            tasks.start("probe names", self._round(named, probes.dns_seconds, self._names))
        if probes.platforms:
            ids = [platform.id for platform in probes.platforms]
            paged = layout("http-samples", HTTP_SAMPLES, ids)
            tasks.start("probe platforms", self._round(paged, probes.platform_seconds, self._pages))
        if self._watched:
            hopped = layout("path-hops", PATH_HOPS, path_rows(probes))
            tasks.start("probe paths", self._round(hopped, probes.path_seconds, self._paths))

    def _round(
        self, made: Layout, seconds: float, ask: Callable[[], Awaitable[list[Column]]]
    ) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            clock = self._clock
            start_ns = clock.monotonic_ns()
            grid = Grid.of(
                made.stream, start_ns=start_ns, interval=seconds, jitter_ratio=JITTER_RATIO
            )
            while True:
                begun_ns = clock.monotonic_ns()
                columns = await ask()
                stamp = self._origin.stamp(
                    SUBJECT, sent_ns=begun_ns, received_ns=clock.monotonic_ns()
                )
                await self._keep([Draft.of(made, stamp, columns)])
                due_ns = grid.after(clock.monotonic_ns())
                await clock.sleep((due_ns - clock.monotonic_ns()) / 1e9)

        return run

    async def _names(self) -> list[Column]:
        return dns_columns(
            await _bounded(
                QUESTIONS_AT_ONCE,
                (
                    self._asking.name(probe.name, resolver, probe.port, probe.type)
                    for probe in self._probes.dns
                    for resolver in probe.resolvers
                ),
            )
        )

    async def _pages(self) -> list[Column]:
        urls = (platform.url for platform in self._probes.platforms)
        return http_columns(
            await _bounded(REQUESTS_AT_ONCE, (self._asking.page(url) for url in urls))
        )

    async def _paths(self) -> list[Column]:
        found = [hop for platform in self._watched for hop in await self._hops(platform)]
        return hop_columns(found, self._probes.owners)

    async def _hops(self, platform: Platform) -> list[HopSample]:
        most, packets = self._probes.path_hops, self._probes.path_packets
        try:
            address = await self._resolve(platform.host)
            return await self._asking.hops(address, most, packets, self._probes.path_method)
        except OSError as error:
            # Of a name without address the request to the platform tells, too.
            log.warning("no path to %s: %s", platform.host, error.strerror or error)
            return [
                HopSample(ttl=ttl, number=number, outcome=HopOutcome.NOT_SENT)
                for ttl in range(1, most + 1)
                for number in range(packets)
            ]


async def _bounded(most: int, work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order; at most so many at a time."""
    room = asyncio.Semaphore(most)

    async def one(coroutine: Coroutine[Any, Any, T]) -> T:
        async with room:
            return await coroutine

    return await asyncio.gather(*map(one, work))
