"""An agent that is asked by SNMPv3 too: the engine around it, and what it may get wrong."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from firmware_sims.switch import ber, message
from firmware_sims.switch.agent import Agent
from firmware_sims.switch.message import Pdu, Request
from firmware_sims.switch.server import Answer, Sending
from firmware_sims.switch.usm import Engine, Level, Scoped, Stat, UsmFault, parse

STORM = 51
STALE_SECONDS, STALE_EVERY = 1_000, 7
_V3 = b"\x02\x01\x03"


class Trick(StrEnum):
    """One way to answer wrongly by SNMPv3."""

    WRONG_DIGEST = "v3-wrong-digest"
    """One bit of each answer's digest is another."""
    STALE_TIME = "v3-stale-time"
    """Every seventh answer shows a clock 1,000 s behind."""
    REPORT_STORM = "v3-report-storm"
    """Each request is answered by 51 reports that its time is wrong, signed by nobody."""
    NEVER_IN_TIME = "v3-never-in-time"
    """The clock leaps at every request, so that none is ever in time."""
    NEW_ENGINE = "v3-new-engine"
    """The engine id is another one after every request."""
    NO_REPORT = "v3-no-report"
    """No report is ever sent but the one that tells the engine id."""
    DOWNGRADE = "v3-downgrade"
    """Answers are neither signed nor encrypted."""
    PLAIN = "v3-plain"
    """Answers come as v2c messages with an empty community."""
    OTHER_CONTEXT = "v3-other-context"
    """Answers come from another context."""
    VALUE_REPORT = "v3-value-report"
    """Each request is answered by a signed report with the request's own id and names."""


def secured(agent: Agent, engine: Engine, plain: Answer, trick: Trick | None = None) -> Answer:
    """``plain`` for v1 and v2c, and the same agent behind ``engine`` for v3."""
    desk = _Desk(agent, engine, trick)

    def answer(datagram: bytes) -> Sequence[Sending]:
        at = 2 if len(datagram) < 2 or datagram[1] < 0x80 else datagram[1] - 0x80 + 2  # noqa: PLR2004 - length octets
        if datagram[at : at + 3] != _V3:
            return plain(datagram)
        return [Sending(reply) for reply in desk.answer(datagram)]

    return answer


class _Desk:
    def __init__(self, agent: Agent, engine: Engine, trick: Trick | None) -> None:
        self._agent = agent
        self._engine = engine
        self._trick = trick
        self._turn = 0

    def answer(self, data: bytes) -> list[bytes]:
        """The replies to one message, none where there is silence."""
        engine, trick = self._engine, self._trick
        self._turn += 1
        try:
            asked = parse(data)
        except ber.BerError:
            self._agent.statistics.malformed += 1
            return []
        if trick is Trick.NEVER_IN_TIME and asked.user:
            engine.jump(STALE_SECONDS)
        elif trick is Trick.NEW_ENGINE and asked.user:
            engine.rename(f"engine-{self._turn}")
        try:
            scoped = engine.open(data, asked)
            request = _request(scoped, self._agent.community)
        except ber.BerError:
            self._agent.statistics.malformed += 1
            return []
        except UsmFault as fault:
            silent = trick is Trick.NO_REPORT and fault.stat is not Stat.ENGINE
            if silent or not asked.flags & Level.REPORTABLE:
                return []
            return [engine.report(asked, fault.stat)]
        if trick is Trick.REPORT_STORM:
            return [engine.report(asked, Stat.TIME, signed=False) for _ in range(STORM)]
        reply = self._agent.asked(request)
        return [] if reply is None else [self._sealed(scoped, reply)]

    def _sealed(self, scoped: Scoped, reply: bytes) -> bytes:
        trick, engine = self._trick, self._engine
        if trick is Trick.PLAIN:
            return reply
        pdu = message.pdu_of(reply)
        level = Level(0) if trick is Trick.DOWNGRADE else scoped.level
        if trick is Trick.VALUE_REPORT:
            pdu = bytes((0xA8,)) + pdu[1:]
        sealed = engine.seal(
            scoped.asked,
            level,
            pdu,
            context=b"other" if trick is Trick.OTHER_CONTEXT else b"",
            late=STALE_SECONDS if trick is Trick.STALE_TIME and not self._turn % STALE_EVERY else 0,
        )
        if trick is Trick.WRONG_DIGEST:
            at = parse(sealed).digest[0]
            sealed = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        return sealed


def _request(scoped: Scoped, community: bytes) -> Request:
    """The PDU as a request of v2c; raises :class:`ber.BerError`."""
    whole = ber.tlv(
        ber.SEQUENCE,
        ber.integer(message.V2C) + ber.tlv(ber.OCTET_STRING, community) + scoped.pdu,
    )
    request = message.parse(whole)
    message.names(request.varbinds)
    if request.pdu not in list(Pdu):
        raise ber.BerError(f"PDU type 0x{request.pdu:02x} is not asked of an agent")
    around = len(scoped.asked.engine_id) * 2 + len(scoped.asked.user) + 48 + 3 * 4 + 16
    return replace(request, around=around)
