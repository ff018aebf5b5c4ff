"""One socket a process, many agents: sends, matches answers, times out, keeps within bounds.

Asyncio without a task or a timer a request: answers are matched by request-id and handed
to a callback straight from the socket's reader, deadlines lie in a timer wheel. What counts
as an answer is in :mod:`drivers.snmp.inbox`.
"""

import asyncio
import os
import socket
from collections import deque
from types import TracebackType
from typing import Self

from drivers.snmp.endpoint import Address, Endpoint
from drivers.snmp.errors import BudgetExceeded, DecodeError, SnmpError, Timeout, Unreachable
from drivers.snmp.inbox import Inbox
from drivers.snmp.layout import id_place
from drivers.snmp.message import REQUEST_ID_HIGH, REQUEST_ID_LOW, Head, Request
from drivers.snmp.pending import Callbacks, Lighter, OnError, OnReply, Pending
from drivers.snmp.target import Budget, Device, Target, resolve
from drivers.snmp.wheel import TimerWheel
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor

STALL_NS = 200_000_000
"""A request unanswered this long no longer counts against the bound on the socket's buffer."""
MAX_OUTSTANDING = 512
MIN_OUTSTANDING = 16
MANY = 32
"""With so many answers expected at once they are let gather for 5 ms: a city's poller wakes less
often for them, a school's agent asks too few at once to wait at all."""


class SnmpClient:
    """Asks agents over UDP. ``async with SnmpClient(clock=SystemClock()) as client: ...``.

    ``max_outstanding`` bounds the answers that may arrive at once over all devices; None
    takes what the socket's receive buffer holds.
    """

    def __init__(self, *, clock: Clock, max_outstanding: int | None = None) -> None:
        self.clock = clock
        self._inbox = Inbox(answered=self._answered, failed=self._fail, again=self._send_anew)
        self.counts = self._inbox.counts
        self._bound = max_outstanding
        self._tasks = Supervisor(clock)
        self._endpoints: dict[socket.AddressFamily, Endpoint] = {}
        self._devices: dict[Address, list[Device]] = {}
        self._pending = self._inbox.waiting
        self._ready: deque[Device] = deque()
        self._in_flight = 0
        # By id, not by object: what has been answered is free at once, not when its slot comes.
        self._wheel: TimerWheel[int] = TimerWheel(clock, self._due)
        self._receiving = False
        """Within a run of datagrams: requests are queued and go out together at its end."""
        self.received_ns = 0
        """When the run of datagrams that held the last answer began to be read."""
        self._ids: list[int] = []

    async def device(self, target: Target) -> Device:
        """Resolve ``target`` and open the socket of its family; raises :class:`BadTarget`."""
        device = await resolve(target)
        if device.family not in self._endpoints:
            endpoint = Endpoint(device.family, self._take, self._burst, self._busy)
            self._endpoints[device.family] = endpoint
            self._bound = self._bound or max(MIN_OUTSTANDING, min(MAX_OUTSTANDING, endpoint.room))
        self._devices.setdefault(device.address, []).append(device)
        return device

    def forget(self, device: Device) -> None:
        """Let go of a device and fail what it still has waiting."""
        if device not in self._devices.get(device.address, ()):
            return
        self._devices[device.address].remove(device)
        if not self._devices[device.address]:
            del self._devices[device.address]
        gone = Unreachable(f"{device.label} was taken off the list while it was being asked")
        waiting = list(device.waiting)
        device.waiting.clear()
        for pending in waiting:
            pending.done = True
            pending.error(gone)
        for pending in {p for p in self._pending.values() if p.device is device}:
            self._fail(pending, gone)

    def budget(self, seconds: float, requests: int = 10_000) -> Budget:
        """What a task may spend on a device, from now on."""
        return Budget(self.clock.monotonic_ns() + round(seconds * 1e9), requests, seconds)

    def submit(
        self,
        device: Device,
        request: Request,
        on_reply: OnReply,
        on_error: OnError,
        *,
        budget: Budget | None = None,
        lighter: Lighter | None = None,
    ) -> None:
        """Queue a request; exactly one of the callbacks is called, once, later."""
        pending = Callbacks(device, request, budget)
        pending.on_reply, pending.on_error, pending.on_lighter = on_reply, on_error, lighter
        self.post(pending)

    def post(self, pending: Pending) -> None:
        """Queue a request; it is told what became of it once, later."""
        device = pending.device
        device.waiting.append(pending)
        if not device.queued:
            self._enqueue(device)
        if not self._receiving:
            self._pump()

    async def ask(
        self,
        device: Device,
        request: Request,
        check: OnReply,
        *,
        budget: Budget | None = None,
        lighter: Lighter | None = None,
    ) -> None:
        """Send one request and wait until ``check`` has taken its response; raises SnmpError."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_reply(head: Head, data: bytes) -> None:
            check(head, data)
            if not future.done():
                future.set_result(None)

        def on_error(error: SnmpError) -> None:
            if not future.done():
                future.set_exception(error)

        self.submit(device, request, on_reply, on_error, budget=budget, lighter=lighter)
        await future

    # -- sending ---------------------------------------------------------------------

    def _enqueue(self, device: Device) -> None:
        window = device.target.window if device.awake else 1
        if not device.queued and device.waiting and device.outstanding < window:
            device.queued = True
            self._ready.append(device)

    def _pump(self) -> None:
        """Send while the overall bound and the devices' windows allow, one each in turn."""
        bound = self._bound or MIN_OUTSTANDING
        if not self._ready:
            return
        now_ns = self.clock.monotonic_ns()
        while self._ready and self._in_flight < bound:
            device = self._ready.popleft()
            device.queued = False
            if not device.waiting:
                continue
            pending = device.waiting.popleft()
            device.outstanding += 1
            self._send(pending, now_ns)
            if device.waiting:
                self._enqueue(device)

    def _send(self, pending: Pending, now_ns: int) -> None:
        device = pending.device
        if not pending.counted:
            pending.counted = True
            self._in_flight += 1
        pending.tries_left -= 1
        if not pending.sent_ns:
            pending.sent_ns = now_ns
        deadline_ns = pending.deadline_ns = now_ns + device.timeout_ns
        number, budget = pending.request_id or self._give_id(pending), pending.budget
        try:
            if budget is not None:
                budget.spend(device.label, now_ns)
                if budget.deadline_ns < deadline_ns:
                    deadline_ns = pending.deadline_ns = budget.deadline_ns
            self._wheel.schedule(number, min(now_ns + STALL_NS, deadline_ns))
            self.counts.sent += 1
            peer = device.peer
            if peer is None:
                data = pending.request.stamp(number)
            elif pending.knocking:
                data = peer.knock(number, now_ns)
            else:
                data = peer.seal(pending.request, number, now_ns)
            self._endpoints[device.family].send(data, device.address)
        except BudgetExceeded as error:
            self._fail_soon(pending, error)
        except OSError as error:
            reason = error.strerror or str(error)
            self._fail_soon(pending, Unreachable(f"{device.label} cannot be sent to: {reason}"))

    def _send_anew(self, pending: Pending) -> None:
        """Send with another id: what else comes for the old one is too late."""
        self._give_id(pending)
        self._send(pending, self.clock.monotonic_ns())

    def _give_id(self, pending: Pending) -> int:
        number = self._next_id()
        while number in self._pending:
            number = self._next_id()
        if pending.request_id:
            pending.earlier_ids += (pending.request_id,)
        pending.request_id = number
        self._pending[number] = pending
        return number

    def _next_id(self) -> int:
        # Drawn from the system, so that nobody off the path can guess one.
        while not self._ids:
            drawn = memoryview(os.urandom(1024)).cast("I")
            ids = (number & REQUEST_ID_HIGH for number in drawn)
            self._ids = [number for number in ids if number >= REQUEST_ID_LOW]
        return self._ids.pop()

    # -- receiving -------------------------------------------------------------------

    def _busy(self) -> bool:
        return self._in_flight >= MANY

    def _burst(self) -> None:
        self._receiving = False
        self._pump()

    def _take(self, data: bytes, address: Address) -> None:
        counts = self.counts
        counts.received += 1
        if not self._receiving:
            self._receiving = True
            self.received_ns = self.clock.monotonic_ns()
        at = id_place(data)
        pending = self._pending.get(int.from_bytes(data[at : at + 4], "big"))
        if pending is not None and address == pending.device.plain_address and pending.glance(data):
            self._answered(pending)
            return
        try:
            self._inbox.take(data, address, self.received_ns)
        except DecodeError as error:
            counts.malformed += 1
            for culprit in self._devices.get(address, ()):
                culprit.garbage = error
                culprit.garbage_ns = self.clock.monotonic_ns()

    def _answered(self, pending: Pending) -> None:
        self.counts.answered += 1
        pending.device.awake = True
        self._finish(pending)

    def _finish(self, pending: Pending) -> None:
        pending.done = True
        if pending.counted:
            pending.counted = False
            self._in_flight -= 1
        self._inbox.spend(pending.request_id)
        for number in pending.earlier_ids:
            self._inbox.spend(number)
        device = pending.device
        device.outstanding -= 1
        if device.waiting:
            self._enqueue(device)

    def _uncount(self, pending: Pending) -> None:
        if pending.counted:
            pending.counted = False
            self._in_flight -= 1

    # -- time and failure ------------------------------------------------------------

    def _due(self, number: int, now_ns: int) -> None:
        pending = self._pending.get(number)
        if pending is None or number != pending.request_id:
            return
        if now_ns < pending.deadline_ns:
            self._uncount(pending)
            self._wheel.schedule(number, pending.deadline_ns)
            self._pump()
            return
        device = pending.device
        device.awake = False
        budget = pending.budget
        peer = device.peer
        if pending.tries_left <= 0:
            if peer is not None and peer.unproved and not pending.knocking:
                pending.knocking, pending.tries_left = True, 1
                self._send_anew(pending)
            else:
                self._fail(pending, self._why(pending))
        elif budget is not None and now_ns >= budget.deadline_ns:
            self._fail(pending, budget.late(device.label))
        else:
            self.counts.retried += 1
            lighter = pending.lighter()
            if lighter is not None:
                # Another question needs another id.
                pending.request = lighter
                self._give_id(pending)
            self._send(pending, now_ns)

    def _why(self, pending: Pending) -> SnmpError:
        device = pending.device
        waited = f"{device.tries} x {device.timeout_ns / 1e9:g} s"
        if device.garbage is not None and device.garbage_ns >= pending.sent_ns:
            return DecodeError(
                f"{device.label} sent nothing readable within {waited}: {device.garbage}"
            )
        if pending.distrusted is not None:
            return Timeout(
                f"{device.label} sent nothing that can be believed within {waited}: "
                f"{pending.distrusted}"
            )
        if pending.foreign is not None:
            return Timeout(
                f"{device.label} did not answer within {waited}; an answer came from "
                f"{pending.foreign[0]}, which was not asked and is not believed"
            )
        peer = device.peer
        if peer is not None and pending.resends:
            return Timeout(
                f"{device.label} told its engine id and then did not answer within {waited}: the "
                f"user, a password or a protocol of {peer.user.level} is likely wrong"
            )
        what = "community" if peer is None else "SNMPv3 user"
        return Timeout(
            f"{device.label} did not answer within {waited}: it is off, out of reach, or does "
            f"not accept this {what}"
        )

    def _fail_soon(self, pending: Pending, error: SnmpError) -> None:
        # Never call back from inside submit: its caller is not ready for it yet.
        asyncio.get_running_loop().call_soon(self._fail, pending, error)

    def _fail(self, pending: Pending, error: SnmpError) -> None:
        if pending.done:
            return
        self.counts.failed += 1
        self._finish(pending)
        pending.error(error)
        self._pump()

    # -- life ------------------------------------------------------------------------

    async def close(self) -> None:
        """Fail what waits, close the sockets."""
        for device in [device for devices in self._devices.values() for device in devices]:
            self.forget(device)
        for endpoint in self._endpoints.values():
            endpoint.close()
        self._endpoints.clear()
        await self._tasks.close()

    async def __aenter__(self) -> Self:
        self._tasks.start("snmp-timers", self._wheel.run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
