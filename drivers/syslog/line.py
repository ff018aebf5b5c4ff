"""One datagram as a line of text: RFC 5424, RFC 3164, and what switches make of them."""

import re
from dataclasses import dataclass

MAX_BYTES = 2_048
"""RFC 5424 section 6.1: receivers take this much; the rest says nothing about a link."""
MAX_PRIORITY = 191
"""RFC 5424 section 6.2.1: 23 facilities x 8 + severity 7."""
_SEVERITIES = 8
_HEAD = re.compile(rb"<([0-9]{1,3})>(1 )?")
_BLANKS = re.compile(r"[\x00-\x20\x7f]+")


class LineError(ValueError):
    """A datagram that is no syslog message; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """``severity`` is 0 (emergency) to 7 (debug), None where the sender left it out."""

    severity: int | None
    text: str
    """Everything after the priority, on one line, without control characters."""


def read_line(data: bytes) -> Line:
    """Read a message; raises :class:`LineError`.

    The header's time and name are left in the text: switches write them in many ways, and
    neither is believed.
    """
    data = data[:MAX_BYTES]
    head = _HEAD.match(data)
    severity = None
    if head is not None:
        if int(head[1]) > MAX_PRIORITY:
            raise LineError(f"the priority {int(head[1])} is over {MAX_PRIORITY}")
        severity = int(head[1]) % _SEVERITIES
        data = data[head.end() :]
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    text = _BLANKS.sub(" ", text.removeprefix("\ufeff")).strip()
    if not text:
        raise LineError("the message is empty")
    return Line(severity, text)
