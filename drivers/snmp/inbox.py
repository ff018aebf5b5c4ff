"""What comes in and is no answer of a learnt layout: matched, judged, counted.

A message counts only if it comes from the asked address, has the id of a waiting request and
is of the version and community, or the engine, user and level, it was asked with. Everything
else is counted and ignored, and the request goes on waiting for the true answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.snmp.endpoint import Address
from drivers.snmp.errors import Distrusted, SnmpError
from drivers.snmp.layout import id_place
from drivers.snmp.message import Head, PduType, decode_head
from drivers.snmp.pending import Pending
from drivers.snmp.v3.frame import Frame, is_v3, read_frame
from drivers.snmp.v3.peer import Peer
from drivers.snmp.v3.reports import Report, error_of
from drivers.snmp.v3.shape import id_of

MAX_RESENDS = 3
"""How often one request may be sent anew because of a report: once to learn the engine, once
its clock, once more because both moved meanwhile."""
SPENT_IDS = 8_192
"""At least so many, at most twice as many finished request-ids are remembered, to tell a late
answer from a stray one."""


@dataclass(slots=True)
class Counts:
    """What has passed through the client since it was made."""

    sent: int = 0
    received: int = 0
    answered: int = 0
    retried: int = 0
    failed: int = 0
    late_or_duplicate: int = 0
    stray: int = 0
    foreign: int = 0
    wrong_community: int = 0
    """Of another version or community than was asked with."""
    malformed: int = 0
    distrusted: int = 0
    """SNMPv3 messages whose digest, level, engine, user or context was wrong."""
    reports: int = 0
    """SNMPv3 reports met, those that made us learn an engine's id or clock among them."""


class Inbox:
    """Waiting requests by id, and what becomes of the messages that say they answer them.

    ``answered``, ``failed`` and ``again`` are told of a request that has ended well, has ended
    badly, or has to be sent once more with another id.
    """

    def __init__(
        self,
        *,
        answered: Callable[[Pending], None],
        failed: Callable[[Pending, SnmpError], None],
        again: Callable[[Pending], None],
    ) -> None:
        self.counts = Counts()
        self.waiting: dict[int, Pending] = {}
        self._answered = answered
        self._failed = failed
        self._again = again
        self._spent: set[int] = set()
        self._long_spent: set[int] = set()

    def spend(self, number: int) -> None:
        """A request with this id has ended: what still comes for it is late."""
        del self.waiting[number]
        self._spent.add(number)
        if len(self._spent) >= SPENT_IDS:
            self._long_spent, self._spent = self._spent, set()

    def take(self, data: bytes, address: Address, now_ns: int) -> None:
        """Take a message; raises :class:`DecodeError`."""
        if is_v3(data):
            self._take_secured(data, address, now_ns)
        else:
            self._take_plain(data, address)

    def _waiting_for(self, number: int, address: Address) -> Pending | None:
        """Who waits for the answer with this id from this address; what nobody does is counted."""
        pending = self.waiting.get(number)
        if pending is None:
            if number in self._spent or number in self._long_spent:
                self.counts.late_or_duplicate += 1
            else:
                self.counts.stray += 1
            return None
        if address != pending.device.address:
            self.counts.foreign += 1
            pending.foreign = address
            return None
        return pending

    def _take_plain(self, data: bytes, address: Address) -> None:
        """A message of v1 or v2c; raises :class:`DecodeError`."""
        head = decode_head(data)
        pending = self._waiting_for(head.request_id, address)
        if pending is None:
            return
        device = pending.device
        if head.version != device.version or head.community != device.envelope.community:
            self.counts.wrong_community += 1
            return
        self._take_response(pending, head, data)

    def _take_response(self, pending: Pending, head: Head, data: bytes) -> None:
        if head.pdu_type != PduType.RESPONSE:
            # An echo of our own request, or something that plays manager.
            self.counts.stray += 1
            return
        pending.reply(head, data)
        self._answered(pending)

    def _take_secured(self, data: bytes, address: Address, now_ns: int) -> None:
        """A message of v3; raises :class:`DecodeError`."""
        known = self.waiting.get(id_of(data))
        if known is not None and address == known.device.address and not known.knocking:
            peer = known.device.peer
            inner = None if peer is None else peer.glance(data, now_ns)
            if inner is not None:
                self._take_opened(known, inner)
                return
        frame = read_frame(data)
        pending = self._waiting_for(frame.msg_id, address)
        if pending is None:
            return
        peer = pending.device.peer
        if peer is None:
            self.counts.wrong_community += 1
            return
        try:
            opened = self._open(pending, peer, frame, data, now_ns)
        except Distrusted as error:
            self.counts.distrusted += 1
            pending.distrusted = error
            return
        if isinstance(opened, Report):
            self._reported(pending, peer, opened, frame.msg_id, now_ns)
        elif opened:
            self._take_opened(pending, opened)

    def _open(
        self, pending: Pending, peer: Peer, frame: Frame, data: bytes, now_ns: int
    ) -> bytes | Report:
        """See :meth:`Peer.open`; nothing where the answer to a knock has said enough."""
        if not pending.knocking:
            return peer.open(frame, data, now_ns)
        if peer.authentic(frame, data):
            self._failed(pending, error_of(peer.undecrypted, peer.user, peer.label))
        return b""

    def _take_opened(self, pending: Pending, data: bytes) -> None:
        at = id_place(data)
        inner = self.waiting.get(int.from_bytes(data[at : at + 4], "big"))
        if inner is pending and pending.glance(data):
            self._answered(pending)
            return
        head = decode_head(data)
        if self.waiting.get(head.request_id) is pending:
            self._take_response(pending, head, data)
        else:
            self.counts.stray += 1

    def _reported(
        self, pending: Pending, peer: Peer, report: Report, number: int, now_ns: int
    ) -> None:
        """Learn what the agent reports and ask again, a few times; or fail with its reason."""
        if number != pending.request_id:
            self.counts.late_or_duplicate += 1
            return
        self.counts.reports += 1
        error = peer.heard(report, now_ns)
        if error is None and pending.resends >= MAX_RESENDS:
            error = error_of(report, peer.user, peer.label)
        if error is not None:
            self._failed(pending, error)
            return
        pending.resends += 1
        pending.tries_left += 1
        self._again(pending)
