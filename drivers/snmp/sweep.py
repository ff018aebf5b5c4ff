"""Asking for many known instances at once, and reading the answers without ceremony.

Rows and columns are known beforehand, so each request is built once and says what its answer
must look like. The quick reader checks every name and every length; a value it does not take
at a glance goes through the strict decoder, and so does an answer of another shape.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from drivers.snmp.ber import Missing, Tag, Value, decode_value, encode_oid
from drivers.snmp.chunks import Chunk, chunk_of, oid_of
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import (
    DecodeError,
    ErrorStatus,
    SnmpError,
    Timeout,
    UnexpectedReply,
)
from drivers.snmp.layout import CLOCK, Answer, Expected
from drivers.snmp.message import Head, Version, decode_varbinds
from drivers.snmp.pending import Pending
from drivers.snmp.session import MAX_SILENCES, agent_error
from drivers.snmp.sheet import Board, Matter
from drivers.snmp.target import Budget, Device

_MAX_SPLITS = 16
"""How many times one sweep may cut requests in two before it gives up on what is left."""

_LONG_FORM = 0x80
_SIGN_BIT = 0x80
_SEQUENCE = int(Tag.SEQUENCE)
_NUMBERS = (Tag.INTEGER, Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.UINTEGER32)
_PLAIN = bytes(8 if tag == Tag.COUNTER64 else 4 * (tag in _NUMBERS) for tag in range(256))
"""By type octet: bytes up to which a number without its top bit set needs no second look."""

Slots = list[int | None]


@dataclass(slots=True)
class Harvest:
    """What a sweep brought in."""

    taken: Slots | None
    """See :attr:`slots`; None where all is in ``matter``."""
    clock: int | None = None
    """What came for slot :data:`CLOCK`."""
    sent_ns: int = 0
    received_ns: int = 0
    absent: list[int] = field(default_factory=list)
    """Slots of instances the agent says it does not have."""
    refused: list[int] = field(default_factory=list)
    """Slots the agent blamed for an error; the error is in ``errors``."""
    odd: list[tuple[int, Value]] = field(default_factory=list)
    """Slots that came with something that is no number."""
    errors: list[SnmpError] = field(default_factory=list)
    """Why parts of it are missing."""
    matter: Matter | None = None
    """What came where every answer was of a learnt layout."""

    @property
    def slots(self) -> Slots:
        """What came for each slot, None where nothing (usable) did.

        It is the same object as in the sweep before while nothing but the clock has moved, so
        it is never changed once the sweep is over, and the clock is read from ``clock`` alone.
        """
        if self.taken is None:
            self.taken = [] if self.matter is None else self.matter.slots
        return self.taken

    def value(self, slot: int) -> int | None:
        """One of the slots."""
        if self.taken is None and self.matter is not None:
            return self.matter.value(slot)
        return self.slots[slot]


def read(data: bytes, head: Head, expected: Sequence[Expected], harvest: Harvest) -> None:
    """Put the values of a response into their slots, all of them or none.

    Raises :class:`DecodeError` for malformed bytes, :class:`UnexpectedReply` for other names.
    """
    absent, odd = len(harvest.absent), len(harvest.odd)
    try:
        if _read_quickly(data, head, expected, harvest):
            return
    except (DecodeError, IndexError):
        pass  # the strict reader says what is wrong with it
    for _, _, slot in expected:
        harvest.slots[slot] = None
    del harvest.absent[absent:], harvest.odd[odd:]
    _read_strictly(data, head, expected, harvest)


def _read_quickly(data: bytes, head: Head, expected: Sequence[Expected], harvest: Harvest) -> bool:
    """Whether every binding had the expected name and all lengths were short and right."""
    slots, position = harvest.slots, head.start
    from_bytes, plain = int.from_bytes, _PLAIN
    for name, size, slot in expected:
        start = position + 2
        at = start + size
        value = at + 2
        end = value + data[at + 1]
        length = end - start
        if (
            data[position + 1] != length
            or length >= _LONG_FORM
            or data[position] != _SEQUENCE
            or not data.startswith(name, start)
        ):
            return False
        tag = data[at]
        if 0 < end - value <= plain[tag] and data[value] < _SIGN_BIT:
            slots[slot] = from_bytes(data[value:end], "big")
        else:
            _put(harvest, slot, decode_value(data, tag, value, end))
        position = end
    return position == head.stop


def _read_strictly(data: bytes, head: Head, expected: Sequence[Expected], harvest: Harvest) -> None:
    varbinds = decode_varbinds(data, head.start, head.stop)
    if [encode_oid(bind.name) for bind in varbinds] != [name for name, _, _ in expected]:
        raise UnexpectedReply(
            f"asked for {len(expected)} variables it answered {len(varbinds)}, not the same ones"
        )
    for bind, (_, _, slot) in zip(varbinds, expected, strict=True):
        _put(harvest, slot, bind.value)


def read_next(data: bytes, head: Head, expected: Sequence[Expected], harvest: Harvest) -> None:
    """Put what a probing answer says into the slots: each name is there, or another comes next.

    Raises :class:`DecodeError`, and :class:`UnexpectedReply` for names that do not come next.
    """
    varbinds = decode_varbinds(data, head.start, head.stop)
    wanted = [oid_of(name) for name, _, _ in expected]
    ended = Missing.END_OF_MIB_VIEW
    if len(varbinds) != len(wanted) or any(
        bind.name < name and bind.value is not ended
        for bind, name in zip(varbinds, wanted, strict=True)
    ):
        raise UnexpectedReply(
            f"asked for what comes next of {len(wanted)} variables it answered "
            f"{len(varbinds)}, or others"
        )
    for bind, name, (_, _, slot) in zip(varbinds, wanted, expected, strict=True):
        _put(harvest, slot, bind.value if bind.name == name else Missing.NO_SUCH_INSTANCE)


def _put(harvest: Harvest, slot: int, value: Value) -> None:
    if isinstance(value, int):
        harvest.slots[slot] = value
    elif isinstance(value, Missing):
        harvest.absent.append(slot)
    else:
        harvest.odd.append((slot, value))


class Gatherer:
    """Sends one sweep's requests, as many at once as the device's window, and reads them.

    The first goes out alone: a silent device costs one request's timeout, not one a request.
    """

    def __init__(
        self,
        client: SnmpClient,
        device: Device,
        parts: Sequence[Chunk],
        harvest: Harvest,
        budget: Budget | None,
    ) -> None:
        self._client = client
        self._device = device
        self._parts = parts
        self._queue = list(reversed(parts))
        self._harvest = harvest
        self._budget = budget
        self._splits = _MAX_SPLITS
        self._active = 0
        self._answered = False
        self._silences = 0
        self._answers: dict[object, Answer | None] = {}
        """Chunk -> its answer, None where that is not of a learnt layout."""
        self._known: list[Answer] = []
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Return when every request has been answered or given up; errors are in the harvest."""
        if self._queue:
            self._harvest.sent_ns = self._client.clock.monotonic_ns()
            self._fill()
            await self._done

    def _fill(self) -> None:
        window = self._device.target.window if self._answered else 1
        while self._queue and self._active < window:
            chunk = self._queue.pop()
            size = self._device.max_varbinds
            if len(chunk.expected) > size:
                # The device has said since that this is too big for it.
                self._again(chunk, chunk.expected[size:])
                self._again(chunk, chunk.expected[:size])
                chunk = self._queue.pop()
            self._active += 1
            self._client.post(_Flight(self, chunk, self._device, self._budget))
        if not self._active and not self._done.done():
            self._done.set_result(None)

    def answered(self, chunk: Chunk, head: Head, data: bytes) -> None:
        """Take a response; raises DecodeError so that the client goes on waiting."""
        try:
            if head.error_status:
                self._refused(chunk, head.error_status, head.error_index)
            elif chunk.probing:
                read_next(data, head, chunk.expected, self._harvest)
                self._answers[chunk] = None
                self._harvest.clock = self._harvest.slots[CLOCK]
            else:
                slots = self._harvest.slots
                read(data, head, chunk.expected, self._harvest)
                self._answers[chunk] = (
                    None
                    if chunk.recall is None
                    else chunk.recall.learn(data, head, chunk.expected, slots)
                )
                if slots[CLOCK] is not None:
                    self._harvest.clock = slots[CLOCK]
        except UnexpectedReply as error:
            self._harvest.errors.append(UnexpectedReply(f"{self._device.label}: {error}"))
        self._heard()

    def glance(self, chunk: Chunk, data: bytes) -> bool:
        """Take a response if its layout is known."""
        known = None if chunk.recall is None else chunk.recall.read(data)
        if known is None:
            return False
        answer, clock = known
        self._answers[chunk] = answer
        self._known.append(answer)
        if clock is not None:
            self._harvest.clock = clock
        self._heard()
        return True

    def finish(self, board: Board) -> None:
        """Fill the slots, or take those of the sweep before if it had the same answers."""
        harvest = self._harvest
        for answer in self._known:
            harvest.absent += answer.layout.absent
        same = board.same(self._answers)
        if same:
            harvest.taken, harvest.matter = board.last()
        else:
            harvest.matter = board.read(self._parts, self._answers, len(harvest.slots))
            if harvest.matter is not None:
                harvest.taken = None
            else:
                for answer in self._known:
                    answer.put(harvest.slots)
                if harvest.clock is not None:
                    harvest.slots[CLOCK] = harvest.clock
        if harvest.clock is None:
            harvest.clock = harvest.value(CLOCK)
        if not same and not (harvest.errors or harvest.odd or harvest.refused):
            board.keep(self._answers, harvest.taken, harvest.matter)

    def failed(self, chunk: Chunk, error: SnmpError) -> None:
        """Take a failure; an agent that answers others may answer half of this one."""
        if isinstance(error, Timeout) and self._answered and self._silences < MAX_SILENCES:
            self._silences += 1
            if self._split(chunk):
                self._landed()
                return
        self._harvest.errors.append(error)
        if (isinstance(error, Timeout) and self._silences >= MAX_SILENCES) or not self._answered:
            self._queue.clear()
        self._landed()

    def _heard(self) -> None:
        self._answered = True
        self._silences = 0
        self._harvest.received_ns = self._client.received_ns
        self._active -= 1
        if self._queue or not self._active:
            self._fill()

    def _landed(self) -> None:
        self._active -= 1
        self._fill()

    def _refused(self, chunk: Chunk, status: int, index: int) -> None:
        size = len(chunk.expected)
        if status == ErrorStatus.TOO_BIG and self._split(chunk):
            self._device.max_varbinds = min(self._device.max_varbinds, max(1, size // 2))
            return
        blamed = 1 <= index <= size and status != ErrorStatus.TOO_BIG
        if blamed and status == ErrorStatus.NO_SUCH_NAME and self._splits:
            self._splits -= 1
            self._narrow(chunk, index)
            return
        if blamed:
            self._harvest.refused.append(chunk.expected[index - 1][2])
        self._harvest.errors.append(agent_error(self._device.label, status, index))
        if blamed and size > 1 and self._splits:
            # One bad variable must not take the others with it.
            self._splits -= 1
            self._again(chunk, chunk.expected[: index - 1] + chunk.expected[index:])

    def _narrow(self, chunk: Chunk, index: int) -> None:
        """Ask for what there is without the variables there are not.

        A probe meets this error where the agent's view ends: then neither the blamed variable
        nor any that comes after it is there. SNMPv1 agents blame the first absent one only: in
        one probe more they tell of all.
        """
        blamed, envelope = chunk.expected[index - 1], self._device.envelope
        if chunk.probing:
            last = oid_of(blamed[0])
            self._harvest.absent += [
                slot for name, _, slot in chunk.expected if oid_of(name) >= last
            ]
            self._again(chunk, tuple(one for one in chunk.expected if oid_of(one[0]) < last))
        elif envelope.version is Version.V1:
            self._queue.append(chunk_of(envelope, chunk.expected, probing=True))
        else:
            self._harvest.absent.append(blamed[2])
            self._again(chunk, chunk.expected[: index - 1] + chunk.expected[index:])

    def _again(self, chunk: Chunk, expected: Sequence[Expected]) -> None:
        """Queue a part of a request."""
        if expected:
            part = chunk_of(self._device.envelope, expected, probing=chunk.probing)
            self._queue.append(part)

    def _split(self, chunk: Chunk) -> bool:
        half = len(chunk.expected) // 2
        if not half or not self._splits:
            return False
        self._splits -= 1
        for part in (chunk.expected[half:], chunk.expected[:half]):
            self._again(chunk, part)
        return True


class _Flight(Pending):
    """One chunk on its way: hands what comes back to its sweep."""

    __slots__ = ("_chunk", "_owner")

    def __init__(
        self, owner: Gatherer, chunk: Chunk, device: Device, budget: Budget | None
    ) -> None:
        Pending.__init__(self, device, chunk.request, budget)
        self._owner = owner
        self._chunk = chunk

    def glance(self, data: bytes) -> bool:
        return self._owner.glance(self._chunk, data)

    def reply(self, head: Head, data: bytes) -> None:
        self._owner.answered(self._chunk, head, data)

    def error(self, error: SnmpError) -> None:
        self._owner.failed(self._chunk, error)


async def gather(
    client: SnmpClient,
    device: Device,
    parts: Sequence[Chunk],
    slots: int,
    budget: Budget | None = None,
    *,
    board: Board | None = None,
) -> Harvest:
    """Ask all ``parts``; raises :class:`SnmpError` only when nothing at all was answered.

    ``board`` remembers from one sweep of the same parts to the next.
    """
    harvest = Harvest([None] * slots)
    gatherer = Gatherer(client, device, parts, harvest, budget)
    await gatherer.run()
    gatherer.finish(board or Board())
    if harvest.errors and not harvest.received_ns:
        raise harvest.errors[0]
    if harvest.errors and all(slot is None for slot in harvest.slots) and not harvest.absent:
        raise harvest.errors[0]
    return harvest
