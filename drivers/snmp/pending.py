"""A request on its way: what the client must know of it, and who is told what became of it."""

from collections.abc import Callable

from drivers.snmp.endpoint import Address
from drivers.snmp.errors import SnmpError
from drivers.snmp.message import Head, Request
from drivers.snmp.target import Budget, Device

OnReply = Callable[[Head, bytes], None]
"""Takes a matched response; raises DecodeError if its variable bindings are malformed."""
OnError = Callable[[SnmpError], None]
Lighter = Callable[[], Request | None]
"""Asked before a retry for a lighter request; None repeats the same one."""


class Pending:
    """A request that waits to be sent, or for its answer; one of the callbacks ends it.

    One object a request: its creation alone is a tenth of what an answer costs. So what is
    seldom other than at first stands in the class, and an object has a dictionary only once
    something of it has changed.
    """

    __slots__ = (
        "__dict__",
        "budget",
        "counted",
        "deadline_ns",
        "device",
        "done",
        "request",
        "request_id",
        "sent_ns",
        "tries_left",
    )

    deadline_ns: int
    """When it is too late for an answer; not known before it is sent."""
    earlier_ids: tuple[int, ...] = ()
    """What else it was sent with: a late answer to the first try answers the second."""
    foreign: Address | None = None
    """Who else has answered."""
    knocking: bool = False
    """It is being tried whether the device answers what is not encrypted."""
    resends: int = 0
    """How often a report has made it be sent anew."""
    distrusted: SnmpError | None = None
    """Why what claimed to be its answer was not believed."""

    def __init__(self, device: Device, request: Request, budget: Budget | None) -> None:
        self.device = device
        self.request = request
        self.budget = budget
        self.tries_left = device.tries
        self.request_id = self.sent_ns = 0
        self.counted = self.done = False

    def glance(self, _data: bytes) -> bool:
        """Take a datagram with our id and from the asked address if every byte of it is known.

        Whoever returns True has taken it and answers for all that :meth:`reply` is spared:
        version, community, PDU type, error fields, lengths, names.
        """
        return False

    def reply(self, head: Head, data: bytes) -> None:
        """Take a matched response; raises DecodeError if its variable bindings are malformed."""
        raise NotImplementedError

    def error(self, error: SnmpError) -> None:
        """Take the failure."""
        raise NotImplementedError

    def lighter(self) -> Request | None:
        """Asked before a retry for a lighter request; None repeats the same one."""
        return None


class Callbacks(Pending):
    """A request whose end is told to functions."""

    __slots__ = ("on_error", "on_lighter", "on_reply")

    on_reply: OnReply
    on_error: OnError
    on_lighter: Lighter | None

    def reply(self, head: Head, data: bytes) -> None:
        """As ``on_reply`` takes it."""
        self.on_reply(head, data)

    def error(self, error: SnmpError) -> None:
        """As ``on_error`` takes it."""
        self.on_error(error)

    def lighter(self) -> Request | None:
        """What ``on_lighter`` says."""
        return None if self.on_lighter is None else self.on_lighter()
