"""Probes every target at its own pace, keeps each packet, and looks closer where loss is suspected.

Sending, writing, finding addresses and bursts are tasks of their own: a slow disk or a name server
that hangs delays no packet, and a target that does not answer costs one small packet now and then.
What is under way when the agent stops is not kept: at most one window.
"""

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.origin import Origin
from agents.ports import Keep
from agents.probe_blocks import (
    BURST_LAYOUT,
    BURST_PART,
    SUBJECT,
    Row,
    burst_columns,
    sample_columns,
    target_columns,
)
from agents.probe_plan import SUSPECT_OF, Lane, Plan, Slot, is_suspect
from agents.probe_proofs import Proofs
from agents.waiting import within
from drivers.probe.burst import PACKETS, PacketSender, burst
from drivers.probe.datagrams import packed
from drivers.probe.sender import LATE_NS, Sample, Session
from tenone.blocks.block import Draft
from tenone.blocks.layout import layout
from tenone.config.probes import Probes, ProbeTarget
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.probes import PROBE_SAMPLES, PROBE_TARGETS, ProbeOutcome

log = logging.getLogger(__name__)

SETTLE_NS: Final = LATE_NS + 50_000_000
SETTLE_LOOK_SECONDS: Final = 0.25
"""Also what a duplicate of the last packet has."""
LOOK_SECONDS: Final = 5.0
TELL_SECONDS: Final = 300.0
"""The targets are told on change and this often; names are looked up again likewise."""
AGAIN_SECONDS: Final = 30.0
"""A name without an address is looked up again."""
LOOKUP_SECONDS: Final = 10.0
"""A lookup that takes longer has failed."""
REST_SECONDS: Final = 600.0
"""Between two bursts at one target that nobody asked for."""
PART_SECONDS: Final = 5.0
"""A proof is a row of bursts so long: in between, suspicions go first, and losses stop it."""
WAITING_WINDOWS: Final = 64
"""Windows that may wait for a disk that hangs."""
LATE_SHARE: Final = 0.5
"""A packet that is late by more than this share of its interval is left out, not caught up."""

Resolve = Callable[[str], Coroutine[Any, Any, str]]
"""A host's numeric address; raises OSError."""


class ProbeError(Exception):
    """A burst that cannot be; the message is one sentence."""


@dataclass(slots=True)
class _Target:
    """One target as it is known now."""

    config: ProbeTarget
    key: bytes | None = field(repr=False)
    address: str | None = None
    error: str = ""
    refusal: str = ""
    """Why the system did not send the last packet."""
    looked_ns: int | None = None
    rested_ns: int | None = None
    """When the last burst ended."""

    @property
    def told(self) -> tuple[str | None, str]:
        return self.address, self.error or self.refusal


@dataclass(slots=True)
class _Window:
    index: int
    start_ns: int
    end_ns: int
    rows: dict[int, Row] = field(default_factory=dict)
    sent: list[tuple[Lane, Sample]] = field(default_factory=list)


class Prober:
    """Give it its tasks with :meth:`start`. ``in_class`` judges a wall-clock time, nanoseconds."""

    def __init__(
        self,
        probes: Probes,
        *,
        origin: Origin,
        keep: Keep,
        sender: PacketSender,
        in_class: Callable[[int], bool] = lambda _wall_ns: True,
        resolve: Resolve | None = None,
    ) -> None:
        self.plan = Plan.of(probes)
        self._probes = probes
        self._origin = origin
        self._clock: Clock = origin.clock
        self._keep = keep
        self._sender = sender
        self._in_class = in_class
        self._resolve = resolve or resolve_host
        self._targets: dict[str, _Target] = {
            target.name: _Target(target, None if target.key is None else _key(target))
            for target in probes.targets
        }
        for target in self._targets.values():
            _take_numeric(target)
        self._sessions = {lane: self._session(lane) for lane in self.plan.lanes}
        self._recent = {lane: deque[bool](maxlen=SUSPECT_OF) for lane in self.plan.lanes}
        self._layout = layout("probe-samples", PROBE_SAMPLES, self.plan.rows)
        self._targets_layout = layout("probe-targets", PROBE_TARGETS, list(self._targets))
        self._start_ns: int | None = None
        self._closed: asyncio.Queue[_Window] = asyncio.Queue(WAITING_WINDOWS)
        self._wanted: list[Lane] = []
        self._proofs = Proofs(self.plan.witnesses)
        self._judged = asyncio.Event()
        self._bursting = asyncio.Lock()

    def start(self, tasks: Supervisor) -> None:
        """Its tasks; none where there are no targets."""
        if not self._targets:
            return
        tasks.start("probe addresses", self._look_up)
        tasks.start("probe send", self._send)
        tasks.start("probe write", self._write)
        if self._probes.burst:
            tasks.start("probe bursts", self._look_closer)

    # -- packets -------------------------------------------------------------------------

    async def _send(self) -> None:
        clock = self._clock
        if self._start_ns is None:
            self._start_ns = clock.monotonic_ns()
        while True:
            index = (clock.monotonic_ns() - self._start_ns) // self.plan.window_ns
            start_ns = self._start_ns + index * self.plan.window_ns
            window = _Window(index, start_ns, start_ns + self.plan.window_ns)
            for slot in self.plan.due(index):
                late_ns = clock.monotonic_ns() - (self._start_ns + slot.at_ns)
                if late_ns < 0:
                    await clock.sleep(-late_ns / 1e9)
                elif late_ns > slot.lane.every_ns * LATE_SHARE:
                    continue
                self._probe(window, slot)
            await clock.sleep(max(window.end_ns - clock.monotonic_ns(), 0) / 1e9)
            try:
                self._closed.put_nowait(window)
            except asyncio.QueueFull:
                log.error("%d windows of probes wait for the disk; one is lost", WAITING_WINDOWS)  # noqa: TRY400 - the sentence says it all

    def _probe(self, window: _Window, slot: Slot) -> None:
        lane, target = slot.lane, self._targets[slot.lane.target]
        if lane.class_time_only and not self._in_class(self._clock.wall_ns()):
            return
        if target.address is None:
            window.rows[slot.row] = ProbeOutcome.NO_ADDRESS
            return
        session = self._sessions[lane]
        session.host = target.address
        sample = self._sender.send(session)
        target.refusal = ""
        if sample.outcome is ProbeOutcome.NOT_SENT:
            target.refusal = f"{target.address} cannot be sent to: {self._sender.refusal}"
        window.rows[slot.row] = sample
        window.sent.append((lane, sample))

    def _session(self, lane: Lane) -> Session:
        target = self._targets[lane.target]
        return Session(
            host=target.address or "", port=target.config.port, dscp=lane.dscp, key=target.key
        )

    # -- writing -------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            window = await self._closed.get()
            await self._settled(window)
            self._sender.settle()
            if window.rows:
                await self._keep([self._draft(window)])
            self._judge(window)

    async def _settled(self, window: _Window) -> None:
        """Wait until every packet has its outcome: mostly at once, after 3 s at the latest."""
        clock = self._clock
        while clock.monotonic_ns() < window.end_ns + SETTLE_NS:
            await clock.sleep(SETTLE_LOOK_SECONDS)
            if all(sample.outcome is not None for _, sample in window.sent):
                return

    def _draft(self, window: _Window) -> Draft:
        rows = [window.rows.get(row) for row in range(len(self.plan.rows))]
        stamp = self._origin.stamp(SUBJECT, sent_ns=window.start_ns, received_ns=window.end_ns)
        return Draft.of(self._layout, stamp, sample_columns(rows, window.start_ns))

    def _judge(self, window: _Window) -> None:
        """Whether a target deserves a closer look; what it means is for the controller to say."""
        of_lane: dict[Lane, list[Sample]] = {}
        for lane, sample in window.sent:
            of_lane.setdefault(lane, []).append(sample)
        for lane, samples in of_lane.items():
            lost = self._count(lane, samples)
            self._recent[lane].extend(lost)
            if self._suspects(lane) and lane not in self._wanted:
                self._wanted.append(lane)
        self._judged.set()

    def _count(self, lane: Lane, samples: Sequence[Sample]) -> list[bool]:
        """Whether each packet that was sent is lost; proofs rest on them."""
        sent = {ProbeOutcome.ANSWERED, ProbeOutcome.LOST}
        lost = [one.outcome is ProbeOutcome.LOST for one in samples if one.outcome in sent]
        self._proofs.saw(lane, lost, now_ns=self._clock.monotonic_ns())
        return lost

    def _suspects(self, lane: Lane) -> bool:
        return is_suspect(list(self._recent[lane]))

    # -- bursts --------------------------------------------------------------------------

    async def burst_now(self, name: str, *, dscp: int | None = None, packets: int = PACKETS) -> str:
        """Probe one target quickly and keep every packet; raises :class:`ProbeError`.

        Returns how many were sent and lost. One burst at a time: others wait.
        """
        lanes = self.plan.by_target.get(name)
        if lanes is None:
            raise ProbeError(f"there is no probe target {name!r} in school.yaml")
        lane = next((lane for lane in lanes if dscp in {None, lane.dscp}), None)
        if lane is None:
            raise ProbeError(f"the target {name!r} is not probed with DSCP {dscp}")
        address, error = self._targets[name].told
        if address is None:
            raise ProbeError(error)
        samples = await self._burst(lane, packets)
        self._targets[name].rested_ns = self._clock.monotonic_ns()
        sent = [sample for sample in samples if sample.outcome is not ProbeOutcome.NOT_SENT]
        lost = sum(sample.outcome is ProbeOutcome.LOST for sample in sent)
        return f"{name}: {len(sent)} sent with DSCP {lane.dscp}, {lost} lost"

    async def _look_closer(self) -> None:
        """Follow suspicions, and while there is none bring the packets that proofs lack."""
        most = round(PART_SECONDS * self._probes.burst_packets_a_second)
        while True:
            await self._judged.wait()
            self._judged.clear()
            while True:
                await self._follow_suspicions()
                now_ns = self._clock.monotonic_ns()
                due = self._proofs.due(now_ns, most=most, ready=self._may_be_proved)
                if due is None:
                    break
                await self._burst(*due)

    def _may_be_proved(self, lane: Lane) -> bool:
        """Not while it rests, has no address, or loses packets: that is for others to decide."""
        rests = lane.class_time_only and not self._in_class(self._clock.wall_ns())
        return (
            not rests
            and self._targets[lane.target].address is not None
            and (not self._suspects(lane))
        )

    async def _follow_suspicions(self) -> None:
        while self._wanted:
            lane = self._wanted.pop(0)
            target = self._targets[lane.target]
            now_ns = self._clock.monotonic_ns()
            if not self._suspects(lane):
                continue  # it waited, and is over or worse by now
            if target.rested_ns is None or now_ns - target.rested_ns >= REST_SECONDS * 1e9:
                log.info("%s loses packets now and then: a closer look", lane.target)
                await self._burst(lane, PACKETS)
                target.rested_ns = self._clock.monotonic_ns()

    async def _burst(self, lane: Lane, packets: int) -> list[Sample]:
        async with self._bursting:
            session = self._session(lane)  # numbers of its own: the lane's go on undisturbed
            samples = await burst(
                self._sender,
                session,
                clock=self._clock,
                packets=packets,
                a_second=self._probes.burst_packets_a_second,
            )
            await self._keep(self._burst_drafts(lane.target, samples))
            self._count(lane, samples)
        return samples

    def _burst_drafts(self, target: str, samples: Sequence[Sample]) -> list[Draft]:
        drafts = []
        for first in range(0, len(samples), BURST_PART):
            part = samples[first : first + BURST_PART]
            start_ns = part[0].sent_ns
            stamp = self._origin.stamp(
                SUBJECT, sent_ns=start_ns, received_ns=part[-1].sent_ns + LATE_NS
            )
            columns = burst_columns(target, part, start_ns)
            drafts.append(Draft.of(BURST_LAYOUT, stamp, columns))
        return drafts

    # -- addresses -----------------------------------------------------------------------

    async def _look_up(self) -> None:
        told: list[tuple[str | None, str]] | None = None
        told_ns = 0
        while True:
            await self._find_addresses()
            now = [target.told for target in self._targets.values()]
            now_ns = self._clock.monotonic_ns()
            if now != told or now_ns - told_ns >= TELL_SECONDS * 1e9:
                stamp = self._origin.stamp(SUBJECT)
                await self._keep([Draft.of(self._targets_layout, stamp, target_columns(now))])
                told, told_ns = now, now_ns
            await self._clock.sleep(LOOK_SECONDS)

    async def _find_addresses(self) -> None:
        now_ns = self._clock.monotonic_ns()
        due = []
        for target in self._targets.values():
            again = AGAIN_SECONDS if target.error else TELL_SECONDS
            is_name = _numeric(target.config.host) is None
            if is_name and (target.looked_ns is None or now_ns - target.looked_ns >= again * 1e9):
                due.append(target)
        await asyncio.gather(*map(self._find_address, due))

    async def _find_address(self, target: _Target) -> None:
        host = target.config.host
        try:
            target.address = await within(self._clock, LOOKUP_SECONDS, self._resolve(host))
        except TimeoutError:
            target.error = f"{host}: no name server answered within {LOOKUP_SECONDS:g} s"
        except OSError as error:
            target.error = f"{host} has no address: {error.strerror or error}"
        else:
            target.error = ""
        if target.error:
            # The address of before stays good enough: only a name that never had one is unknown.
            log.warning("probe target %s: %s", target.config.name, target.error)
        target.looked_ns = self._clock.monotonic_ns()


async def resolve_host(host: str) -> str:
    """The first address the system knows for ``host``; raises OSError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except UnicodeError as error:
        raise OSError(str(error)) from error
    return str(found[0][4][0])


def _key(target: ProbeTarget) -> bytes | None:
    return None if target.key is None else target.key.reveal().encode()


def _numeric(host: str) -> str | None:
    try:
        packed(host)
    except OSError:
        return None
    return host


def _take_numeric(target: _Target) -> None:
    target.address = _numeric(target.config.host)
    if target.address is None:
        target.error = f"{target.config.host} has not been looked up yet"
