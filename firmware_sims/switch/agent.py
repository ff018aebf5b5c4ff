"""The agent: a request's bytes in, a reply's bytes out, no sockets.

GET, GETNEXT and GETBULK after RFC 3416 section 4.2, and after RFC 1157 section 4.1 for
SNMPv1. Where the asked variables lie is remembered for each request shape, since a poller
asks the same again and again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from firmware_sims.switch import ber, message
from firmware_sims.switch.message import ErrorStatus, Name, Pdu, Request
from firmware_sims.switch.tree import Tree, after, find

DEFAULT_MAX_REPLY = 1472
"""Bytes of UDP payload that fit one Ethernet frame of 1,500."""
LARGEST_REPLY = 65_507
"""Bytes of UDP payload IPv4 can carry, in fragments."""
SMALLEST_MAX_REPLY = 484
"""Every SNMP entity takes this much (RFC 3417 section 3.2.1)."""
MOST_REPETITIONS = 1000
_REMEMBERED_SHAPES = 512

Plan = TypeVar("Plan")


@dataclass(slots=True)
class Statistics:
    """What an agent has met."""

    requests: int = 0
    replies: int = 0
    malformed: int = 0
    wrong_community: int = 0
    unanswered: int = 0
    """Requests met by silence on purpose, or of a type agents do not answer."""


@dataclass(slots=True)
class _Plans:
    """Positions by raw variable bindings, for one sequence of keys."""

    keys: Sequence[bytes]
    exact: dict[bytes, list[int | bytes]] = field(default_factory=dict)
    starts: dict[bytes, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Failure:
    status: ErrorStatus
    index: int


class Agent:
    """Answers for one tree and one community."""

    def __init__(
        self,
        tree: Tree,
        *,
        community: str = "public",
        max_reply: int = DEFAULT_MAX_REPLY,
        max_single: int | None = None,
        begin: Callable[[], bool] | None = None,
        replied: Callable[[bytes], None] | None = None,
    ) -> None:
        """``max_single`` is for a reply of one binding: recorded values may pass ``max_reply``.

        ``begin`` is called before each answer and says whether there shall be one.

        ``replied`` is given the variable bindings of each answer before it is sent.
        """
        if max_reply < SMALLEST_MAX_REPLY:
            raise ValueError(
                f"a maximum reply of {max_reply} bytes is too small: "
                f"RFC 3417 asks for {SMALLEST_MAX_REPLY} at least"
            )
        self.tree = tree
        self.community = community.encode()
        self.max_reply = max_reply
        self.max_single = max(max_reply, max_single or 0)
        self.statistics = Statistics()
        self._begin = begin
        self._replied = replied
        self._plans = _Plans(tree.keys)

    def answer(self, datagram: bytes) -> bytes | None:
        """The reply to ``datagram``, or None where an agent stays silent."""
        request = self.accept(datagram)
        return None if request is None else self.reply(request)

    def accept(self, datagram: bytes) -> Request | None:
        """The request in ``datagram`` if it deserves an answer; what does not is counted."""
        self.statistics.requests += 1
        try:
            request = message.parse(datagram)
            message.names(request.varbinds)
        except ber.BerError:
            self.statistics.malformed += 1
            return None
        if request.community != self.community:
            self.statistics.wrong_community += 1
            return None
        if self._begin is not None and not self._begin():
            self.statistics.unanswered += 1
            return None
        return request

    def asked(self, request: Request) -> bytes | None:
        """The reply to a request that has proved itself otherwise than by its community."""
        self.statistics.requests += 1
        if self._begin is not None and not self._begin():
            self.statistics.unanswered += 1
            return None
        return self.reply(request)

    def reply(self, request: Request) -> bytes | None:
        """The reply to an accepted request, or None for a PDU agents do not answer."""
        if self._plans.keys is not self.tree.keys:
            self._plans = _Plans(self.tree.keys)
        if request.pdu == Pdu.GET_BULK and request.version == message.V2C:
            body = self._bulk(request)
        elif request.pdu == Pdu.GET_NEXT:
            body = self._next(request)
        elif request.pdu == Pdu.GET:
            body = self._get(request)
        elif request.pdu == Pdu.SET:
            body = _Failure(
                ErrorStatus.NO_SUCH_NAME
                if request.version == message.V1
                else ErrorStatus.NOT_WRITABLE,
                1,
            )
        else:
            self.statistics.unanswered += 1
            return None
        return self._seal(request, body)

    def _seal(self, request: Request, body: bytes | _Failure) -> bytes:
        if isinstance(body, bytes):
            reply = message.response(request, body)
            if len(reply) + request.around > self.max_reply and not self._single(reply, body):
                return self._seal(request, _Failure(ErrorStatus.TOO_BIG, 0))
            if self._replied is not None:
                self._replied(body)
        else:
            # RFC 3416: tooBig carries no bindings; RFC 1157: errors repeat the request's.
            empty = body.status == ErrorStatus.TOO_BIG and request.version == message.V2C
            reply = message.response(
                request,
                b"" if empty else request.varbinds,
                status=body.status,
                index=body.index,
            )
        self.statistics.replies += 1
        return reply

    def _single(self, reply: bytes, body: bytes) -> bool:
        """Whether ``body`` is one binding that may pass the limit alone."""
        return len(reply) <= self.max_single and ber.header(body, 0, len(body))[2] == len(body)

    def _get(self, request: Request) -> bytes | _Failure:
        plan = self._plans.exact.get(request.varbinds)
        if plan is None:
            plan = [self._exact(name) for name in message.names(request.varbinds)]
            _remember(self._plans.exact, request.varbinds, plan)
        varbind = self.tree.varbind
        parts = [varbind(place) if isinstance(place, int) else place for place in plan]
        if request.version == message.V1:
            for index, (part, place) in enumerate(zip(parts, plan, strict=True), start=1):
                if not isinstance(place, int) or ber.value_tag(part) == ber.COUNTER64:
                    return _Failure(ErrorStatus.NO_SUCH_NAME, index)
        return b"".join(parts)

    def _exact(self, name: Name) -> int | bytes:
        position = find(self.tree.keys, name.key)
        if position is not None:
            return position
        known = self.tree.knows_object(name.key)
        return _exception(name.encoded, ber.NO_SUCH_INSTANCE if known else ber.NO_SUCH_OBJECT)

    def _next(self, request: Request) -> bytes | _Failure:
        parts = []
        names = message.names(request.varbinds)
        for index, (name, start) in enumerate(
            zip(names, self._starts(request), strict=True), start=1
        ):
            position = start
            if request.version == message.V1:
                position = self._skip_counter64(position)
                if position >= len(self.tree.keys):
                    return _Failure(ErrorStatus.NO_SUCH_NAME, index)
            parts.append(self._at(position, name.encoded))
        return b"".join(parts)

    def _skip_counter64(self, position: int) -> int:
        """SNMPv1 has no Counter64: such variables are not in its view (RFC 3584 4.2.2.1)."""
        last = len(self.tree.keys)
        while position < last and ber.value_tag(self.tree.varbind(position)) == ber.COUNTER64:
            position += 1
        return position

    def _starts(self, request: Request) -> list[int]:
        starts = self._plans.starts.get(request.varbinds)
        if starts is None:
            keys = self.tree.keys
            starts = [after(keys, name.key) for name in message.names(request.varbinds)]
            _remember(self._plans.starts, request.varbinds, starts)
        return starts

    def _at(self, position: int, asked: bytes) -> bytes:
        if position < len(self.tree.keys):
            return self.tree.varbind(position)
        return _exception(asked, ber.END_OF_MIB_VIEW)

    def _bulk(self, request: Request) -> bytes | _Failure:
        """Repeat until the reply is full, the view has ended or enough has been asked for."""
        names = message.names(request.varbinds)
        starts = self._starts(request)
        budget = self.max_reply - message.overhead(request)
        single = min(max(request.first, 0), len(names))
        parts: list[bytes] = []
        for name, start in zip(names[:single], starts[:single], strict=True):
            part = self._at(start, name.encoded)
            budget -= len(part)
            if budget < 0 and parts:
                return b"".join(parts)
            parts.append(part)
        self._repeat(request, names[single:], starts[single:], budget, parts)
        return b"".join(parts)

    def _repeat(
        self,
        request: Request,
        names: Sequence[Name],
        starts: Sequence[int],
        budget: int,
        parts: list[bytes],
    ) -> None:
        if not names:
            return
        keys = self.tree.keys
        last = len(keys)
        varbind = self.tree.varbind
        furthest = min(starts)
        for step in range(min(max(request.second, 0), MOST_REPETITIONS)):
            for column, start in enumerate(starts):
                position = start + step
                if position < last:
                    part = varbind(position)
                elif start < last:
                    part = _exception(_name_of(varbind(last - 1)), ber.END_OF_MIB_VIEW)
                else:
                    part = _exception(names[column].encoded, ber.END_OF_MIB_VIEW)
                budget -= len(part)
                if budget < 0 and parts:
                    return
                parts.append(part)
            if furthest + step >= last:
                return  # a whole repetition of endOfMibView: the rest would say no more


def _exception(name: bytes, tag: int) -> bytes:
    """A binding that says why there is no value (RFC 3416 section 3)."""
    return ber.tlv(ber.SEQUENCE, name + bytes((tag, 0)))


def _name_of(varbind: bytes) -> bytes:
    _, start, stop = ber.header(varbind, 0, len(varbind))
    _, _, end = ber.header(varbind, start, stop)
    return varbind[start:end]


def _remember(plans: dict[bytes, Plan], shape: bytes, plan: Plan) -> None:
    if len(plans) >= _REMEMBERED_SHAPES:
        plans.clear()
    plans[shape] = plan
