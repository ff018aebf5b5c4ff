"""SNMP v1 and v2c messages from the agent's side (RFC 1157 section 4, RFC 3416 section 3)."""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from firmware_sims.switch import ber

V1 = 0
V2C = 1


class Pdu(IntEnum):
    """The PDU types an agent meets or sends."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GET_BULK = 0xA5


class ErrorStatus(IntEnum):
    """error-status values used here (RFC 3416 section 3)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    GEN_ERR = 5
    NOT_WRITABLE = 17


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its variable bindings still raw."""

    version: int
    community: bytes
    pdu: int
    request_id: bytes
    """Encoded, to be repeated as it came."""
    first: int
    """error-status, or non-repeaters of a GETBULK."""
    second: int
    """error-index, or max-repetitions of a GETBULK."""
    varbinds: bytes
    """The content of the variable-bindings list."""
    around: int = 0
    """Octets a secured reply has beside those of the message made here."""


def parse(data: bytes) -> Request:
    """Read a request; raises :class:`ber.BerError`."""
    start, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    version, at = ber.read_integer(data, start, end)
    if version not in (V1, V2C):
        raise ber.BerError(f"version {version} is neither SNMPv1 nor v2c")
    community_start, at = ber.expect(data, at, end, ber.OCTET_STRING)
    community = data[community_start:at]
    pdu, at, end = ber.header(data, at, end)
    id_start = at
    _, at = ber.read_integer(data, at, end)
    request_id = data[id_start:at]
    first, at = ber.read_integer(data, at, end)
    second, at = ber.read_integer(data, at, end)
    start, stop = ber.expect(data, at, end, ber.SEQUENCE)
    return Request(version, community, pdu, request_id, first, second, data[start:stop])


@dataclass(frozen=True, slots=True)
class Name:
    """One asked-for OID: as it came, and as the key it sorts by."""

    encoded: bytes
    key: bytes


@lru_cache(maxsize=16_384)
def names(varbinds: bytes) -> tuple[Name, ...]:
    """The OIDs of a variable-bindings list; raises :class:`ber.BerError`."""
    found = []
    at, end = 0, len(varbinds)
    while at < end:
        start, stop = ber.expect(varbinds, at, end, ber.SEQUENCE)
        content, after = ber.expect(varbinds, start, stop, ber.OID)
        ber.header(varbinds, after, stop)  # the value is ignored, but must be there
        found.append(Name(varbinds[start:after], ber.sort_key_of_content(varbinds[content:after])))
        at = stop
    return tuple(found)


def response(
    request: Request,
    varbinds: bytes,
    *,
    status: int = ErrorStatus.NO_ERROR,
    index: int = 0,
    request_id: bytes | None = None,
    community: bytes | None = None,
) -> bytes:
    """The reply to ``request``; ``request_id`` and ``community`` replace what it came with."""
    body = b"".join(
        (
            request.request_id if request_id is None else request_id,
            ber.integer(status),
            ber.integer(index),
            ber.tlv(ber.SEQUENCE, varbinds),
        )
    )
    shown = request.community if community is None else community
    return ber.tlv(
        ber.SEQUENCE,
        b"".join(
            (
                ber.integer(request.version),
                ber.tlv(ber.OCTET_STRING, shown),
                ber.tlv(Pdu.RESPONSE, body),
            )
        ),
    )


def overhead(request: Request) -> int:
    """Bytes a reply of 256 to 65,535 bytes needs beside its variable bindings."""
    sequence_headers = 3 * 4
    error_fields = 2 * 3
    version = 3
    community = len(ber.tlv(ber.OCTET_STRING, request.community))
    return (
        sequence_headers
        + error_fields
        + version
        + community
        + len(request.request_id)
        + request.around
    )


def pdu_of(reply: bytes) -> bytes:
    """The PDU, tag and length included, of a reply of ours."""
    start, end = ber.expect(reply, 0, len(reply), ber.SEQUENCE)
    _, at = ber.read_integer(reply, start, end)
    _, at = ber.expect(reply, at, end, ber.OCTET_STRING)
    return reply[at:end]
