"""Broken agents: what real ones do wrong on the wire (SWITCHES.md 7) and in their tables.

A :class:`Behaviour` spoils messages, a :class:`firmware_sims.switch.model.Quirk` values, a
:class:`firmware_sims.switch.secured.Trick` what is said by SNMPv3.
"""

import random
from collections.abc import Callable, Sequence
from enum import StrEnum

from firmware_sims.switch import ber, message
from firmware_sims.switch.agent import Agent
from firmware_sims.switch.message import ErrorStatus, Pdu, Request
from firmware_sims.switch.mib import DOT3_STATS_ENTRY
from firmware_sims.switch.server import Answer, Sending
from firmware_sims.switch.tree import WORD, after

LATE_SECONDS = 1.5
COPIES = 51
NESTING = 350
CYCLE_ROWS = 3
_LONG_INTEGER_OCTETS = 12
_LOST_RATIO = 0.1


class Behaviour(StrEnum):
    """One way to answer wrongly."""

    SAME_OID = "same-oid"
    """GETNEXT and GETBULK return the OID asked for, again and again."""
    CYCLE = "cycle"
    """GETNEXT and GETBULK go round the first three rows."""
    OUT_OF_ORDER = "out-of-order"
    """GETBULK returns its rows from the last to the first."""
    NO_VARBINDS = "no-varbinds"
    """A reply without bindings and without an error."""
    TOO_BIG = "too-big"
    """Every request is tooBig."""
    GEN_ERR = "gen-err"
    """Every request is genErr."""
    TRUNCATED = "truncated"
    """The last third of each reply is missing."""
    RANDOM_BYTES = "random-bytes"
    """Noise of the true reply's size."""
    WRONG_REQUEST_ID = "wrong-request-id"
    """The reply answers some other request."""
    LATE = "late"
    """The reply comes after 1.5 s."""
    WRONG_COMMUNITY = "wrong-community"
    """The reply carries another community."""
    LONG_INTEGER = "long-integer"
    """The first value is an INTEGER of 12 octets."""
    DUPLICATES = "duplicates"
    """Each reply comes twice."""
    COPIES = "copies"
    """Each reply comes 51 times."""
    HUGE_LENGTH = "huge-length"
    """The message says that it is 2 GiB long."""
    DEEP_NESTING = "deep-nesting"
    """350 sequences inside each other."""
    ONE_BYTE = "one-byte"
    """A datagram of one byte."""
    OTHER_PORT = "other-port"
    """The reply comes from a port that was not asked."""
    WRONG_NAME = "wrong-name"
    """A GET is answered with the values of the variables that come next."""
    LOSSY = "lossy"
    """A tenth of the requests is lost."""
    HANGING_SUBTREE = "hanging-subtree"
    """No answer to whatever touches EtherLike-MIB."""
    SILENT = "silent"
    """No answer at all."""


def plain(agent: Agent) -> Answer:
    """The right answers of ``agent``."""

    def answer(datagram: bytes) -> Sequence[Sending]:
        reply = agent.answer(datagram)
        return () if reply is None else (Sending(reply),)

    return answer


def misbehaving(agent: Agent, behaviour: Behaviour, seed: int = 0) -> Answer:
    """The answers of ``agent``, spoilt by ``behaviour``; its dice are thrown by ``seed``."""
    chance = random.Random(seed)
    spoil = _SPOILERS.get(behaviour)
    rewrite = _REWRITES.get(behaviour)

    def answer(datagram: bytes) -> Sequence[Sending]:
        request = agent.accept(datagram)
        if request is None:
            return ()
        if behaviour is Behaviour.SILENT or (
            behaviour is Behaviour.LOSSY and chance.random() < _LOST_RATIO
        ):
            return ()
        if behaviour is Behaviour.HANGING_SUBTREE and _touches(request, DOT3_STATS_ENTRY):
            return ()
        reply = rewrite(agent, request) if rewrite is not None else agent.reply(request)
        if reply is None:
            return ()
        return (Sending(reply),) if spoil is None else spoil(reply, chance)

    return answer


def _touches(request: Request, subtree: ber.Arcs) -> bool:
    """Whether a request asks for something in ``subtree`` or for what comes just before it."""
    prefix = ber.sort_key(subtree)
    return any(
        name.key.startswith(prefix) or prefix.startswith(name.key)
        for name in message.names(request.varbinds)
    )


# Replies that are wrong in content: from the request to the bytes.


def _same_oid(agent: Agent, request: Request) -> bytes | None:
    if request.pdu not in (Pdu.GET_NEXT, Pdu.GET_BULK):
        return agent.reply(request)
    again = [
        ber.tlv(ber.SEQUENCE, name.encoded + ber.integer(1))
        for name in message.names(request.varbinds)
    ]
    repetitions = request.second if request.pdu == Pdu.GET_BULK else 1
    return message.response(request, b"".join(_filled(agent, request, again, repetitions)))


def _cycle(agent: Agent, request: Request) -> bytes | None:
    if request.pdu not in (Pdu.GET_NEXT, Pdu.GET_BULK):
        return agent.reply(request)
    names = message.names(request.varbinds)
    repetitions = request.second if request.pdu == Pdu.GET_BULK else 1
    rows = [
        agent.tree.varbind(_round(agent, name, step))
        for step in range(max(1, min(repetitions, 100)))
        for name in names
    ]
    return message.response(request, b"".join(_filled(agent, request, rows, 1)))


def _round(agent: Agent, name: message.Name, step: int) -> int:
    """Where a walk stands ``step`` rows after ``name`` if the third row leads to the first."""
    keys = agent.tree.keys
    first = after(keys, name.key)
    row = 0
    if first == len(keys) or not keys[first].startswith(name.key):  # a row, not a column
        start = after(keys, name.key[:-WORD])
        first, row = start, first - start
    return min(first + (row + step) % CYCLE_ROWS, len(keys) - 1)


def _filled(
    agent: Agent, request: Request, parts: Sequence[bytes], repetitions: int
) -> list[bytes]:
    """``parts`` over and over, as many as one reply holds."""
    budget = agent.max_reply - message.overhead(request)
    filled: list[bytes] = []
    for _ in range(max(1, min(repetitions, 1000))):
        for part in parts:
            budget -= len(part)
            if budget < 0:
                return filled
            filled.append(part)
    return filled


def _out_of_order(agent: Agent, request: Request) -> bytes | None:
    reply = agent.reply(request)
    if reply is None or request.pdu != Pdu.GET_BULK:
        return reply
    body, rows, at = bindings(reply), list[bytes](), 0
    while at < len(body):
        _, _, end = ber.header(body, at, len(body))
        rows.append(body[at:end])
        at = end
    return message.response(request, b"".join(reversed(rows)))


def _no_varbinds(_: Agent, request: Request) -> bytes:
    return message.response(request, b"")


def _too_big(_: Agent, request: Request) -> bytes:
    return message.response(request, b"", status=ErrorStatus.TOO_BIG)


def _gen_err(_: Agent, request: Request) -> bytes:
    return message.response(request, request.varbinds, status=ErrorStatus.GEN_ERR, index=1)


def _wrong_request_id(agent: Agent, request: Request) -> bytes | None:
    value, _ = ber.read_integer(request.request_id, 0, len(request.request_id))
    return _again(agent, request, request_id=ber.integer(value ^ 1))


def _wrong_community(agent: Agent, request: Request) -> bytes | None:
    return _again(agent, request, community=b"not-" + request.community)


def _again(
    agent: Agent,
    request: Request,
    *,
    request_id: bytes | None = None,
    community: bytes | None = None,
) -> bytes | None:
    """The true reply, sealed with another request-id or community."""
    reply = agent.reply(request)
    if reply is None:
        return None
    return message.response(request, bindings(reply), request_id=request_id, community=community)


def _long_integer(agent: Agent, request: Request) -> bytes | None:
    reply = agent.reply(request)
    if reply is None:
        return None
    body = bindings(reply)
    if not body:
        return reply
    _, start, stop = ber.header(body, 0, len(body))
    _, _, name_end = ber.header(body, start, stop)
    wide = ber.tlv(ber.INTEGER, b"\x01" + bytes(_LONG_INTEGER_OCTETS - 1))
    first = ber.tlv(ber.SEQUENCE, body[start:name_end] + wide)
    return message.response(request, first + body[stop:])


def _wrong_name(agent: Agent, request: Request) -> bytes | None:
    if request.pdu != Pdu.GET:
        return agent.reply(request)
    moved = Request(
        request.version,
        request.community,
        Pdu.GET_NEXT,
        request.request_id,
        request.first,
        request.second,
        request.varbinds,
    )
    return agent.reply(moved)


def bindings(reply: bytes) -> bytes:
    """The content of the variable-bindings list of a reply of ours."""
    return message.parse(reply).varbinds


_REWRITES: dict[Behaviour, Callable[[Agent, Request], bytes | None]] = {
    Behaviour.SAME_OID: _same_oid,
    Behaviour.CYCLE: _cycle,
    Behaviour.OUT_OF_ORDER: _out_of_order,
    Behaviour.NO_VARBINDS: _no_varbinds,
    Behaviour.TOO_BIG: _too_big,
    Behaviour.GEN_ERR: _gen_err,
    Behaviour.WRONG_REQUEST_ID: _wrong_request_id,
    Behaviour.WRONG_COMMUNITY: _wrong_community,
    Behaviour.LONG_INTEGER: _long_integer,
    Behaviour.WRONG_NAME: _wrong_name,
}

# Replies that are wrong as datagrams: from the true bytes to what is sent.

Spoiler = Callable[[bytes, random.Random], Sequence[Sending]]


def _nested(_: bytes, __: random.Random) -> Sequence[Sending]:
    inner = b""
    for _level in range(NESTING):
        inner = ber.tlv(ber.SEQUENCE, inner)
    return (Sending(inner),)


_SPOILERS: dict[Behaviour, Spoiler] = {
    Behaviour.TRUNCATED: lambda reply, _: (Sending(reply[: len(reply) * 2 // 3]),),
    Behaviour.RANDOM_BYTES: lambda reply, chance: (Sending(chance.randbytes(len(reply))),),
    Behaviour.LATE: lambda reply, _: (Sending(reply, delay_seconds=LATE_SECONDS),),
    Behaviour.DUPLICATES: lambda reply, _: (Sending(reply),) * 2,
    Behaviour.COPIES: lambda reply, _: (Sending(reply),) * COPIES,
    Behaviour.HUGE_LENGTH: lambda reply, _: (
        Sending(b"\x30\x84\x7f\xff\xff\xff" + reply[ber.header(reply, 0, len(reply))[1] :]),
    ),
    Behaviour.DEEP_NESTING: _nested,
    Behaviour.ONE_BYTE: lambda reply, _: (Sending(reply[:1]),),
    Behaviour.OTHER_PORT: lambda reply, _: (Sending(reply, from_other_port=True),),
}
