"""What can go wrong between us and an agent, as a short tree."""

from enum import IntEnum


class SnmpError(Exception):
    """Base of everything this room raises; the message is one sentence for a person."""


class BadTarget(SnmpError):  # noqa: N818 - the tree reads as states a device can be in
    """The address or community asked for cannot be used; nothing was sent."""


class Timeout(SnmpError):  # noqa: N818 - as above
    """Nothing that answers the request came within timeout x (1 + retries)."""


class Unreachable(SnmpError):  # noqa: N818 - as above
    """The operating system refused to send: no route, no permission, no such interface."""


class DecodeError(SnmpError):
    """Bytes that are no SNMP message, or a message outside our bounds."""


class UnexpectedReply(SnmpError):  # noqa: N818 - as above
    """A well-formed response that does not answer what was asked: other names, or none."""


class NotIncreasing(SnmpError):  # noqa: N818 - as above
    """A walk was given a name that does not come after the one asked for."""


class BudgetExceeded(SnmpError):  # noqa: N818 - as above
    """The device used up the time, requests or rows it was allowed."""


class TooManyRows(BudgetExceeded):
    """One table has more rows than are read of it; what else the device has is another matter."""


class SecurityError(SnmpError):
    """The agent did not take our SNMPv3 message and said why."""


class UnknownUser(SecurityError):  # noqa: N818 - as above
    """The agent does not know the user."""


class WrongAuthPassword(SecurityError):  # noqa: N818 - as above
    """The agent found our digest wrong: password or protocol of the authentication."""


class WrongPrivPassword(SecurityError):  # noqa: N818 - as above
    """The agent could not decrypt us: password or protocol of the encryption."""


class UnsupportedLevel(SecurityError):  # noqa: N818 - as above
    """The agent does not let the user ask with this much security, or this little."""


class NotInTimeWindow(SecurityError):  # noqa: N818 - as above
    """The agent's clock did not stand still long enough to be agreed upon."""


class UnknownEngine(SecurityError):  # noqa: N818 - as above
    """The agent's engine id is not the one it was pinned to, or none, or never the same."""


class UnknownContext(SecurityError):  # noqa: N818 - as above
    """The agent has no such context."""


class Distrusted(SnmpError):  # noqa: N818 - as above
    """A datagram that claims to answer us and is not to be believed; it is counted, not used."""


class ErrorStatus(IntEnum):
    """RFC 3416 section 3, the error-status of a response."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_ENCODING = 9
    WRONG_VALUE = 10
    NO_CREATION = 11
    INCONSISTENT_VALUE = 12
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    UNDO_FAILED = 15
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17
    INCONSISTENT_NAME = 18


class AgentError(SnmpError):
    """The agent answered with an error-status.

    ``status`` is an :class:`ErrorStatus` where the number is a known one. ``index``
    counts from 1 and names the variable at fault, 0 for none.
    """

    def __init__(self, message: str, status: int, index: int) -> None:
        super().__init__(message)
        self.status = status
        self.index = index


def status_name(status: int) -> str:
    """``tooBig``, ``genErr``, ...: the MIB's spelling of an error-status."""
    try:
        head, *tail = ErrorStatus(status).name.lower().split("_")
    except ValueError:
        return f"error-status {status}"
    return head + "".join(part.title() for part in tail)
