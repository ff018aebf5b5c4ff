"""One question to one resolver (RFC 1035), over UDP and, where the answer is cut, over TCP.

The resolver's own address is asked, not the system's list: a school promises that its resolver
answers. dnspython reads and writes messages; its transports are left alone, for they load a whole
HTTP stack.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from tenone.runtime.clock import Clock
from tenone.vocabulary.probes import DnsOutcome

TIMEOUT_SECONDS: Final = 3.0
LONGEST_ANSWER: Final = 200
"""Characters of the records that are kept."""
UDP_BYTES: Final = 1232
"""What is offered by EDNS (RFC 6891), as recommended on DNS flag day 2020: it is not fragmented."""
RecordType = Literal["A", "AAAA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsSample:
    """One answered or unanswered question. Unknown is None."""

    outcome: DnsOutcome
    time_ns: int | None = None
    """From question to answer, both protocols together."""
    rcode: int | None = None
    answers: int | None = None
    answer: str | None = None


class _Exchange(asyncio.DatagramProtocol):
    """Waits for the first datagram that answers ``query``; others from the resolver are counted."""

    def __init__(self, query: dns.message.Message) -> None:
        self.query = query
        self.odd = 0
        self.answer: asyncio.Future[dns.message.Message] = (
            asyncio.get_running_loop().create_future()
        )

    def datagram_received(self, data: bytes, _addr: object) -> None:
        found = _read(data, self.query)
        if found is None:
            self.odd += 1
        elif not self.answer.done():
            self.answer.set_result(found)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def resolve(
    name: str,
    resolver: str,
    *,
    clock: Clock,
    port: int = 53,
    kind: RecordType = "A",
    timeout: float = TIMEOUT_SECONDS,  # noqa: ASYNC109 - the sample says what a timeout was
) -> DnsSample:
    """Ask ``resolver`` (a numeric address) for ``name``; every failure is an outcome."""
    try:
        query = dns.message.make_query(name, kind, use_edns=0, payload=UDP_BYTES)
    except dns.exception.DNSException:
        return DnsSample(outcome=DnsOutcome.MALFORMED)
    start_ns = clock.monotonic_ns()
    exchange: _Exchange | None = None
    try:
        async with asyncio.timeout(timeout):
            transport, exchange = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Exchange(query), remote_addr=(resolver, port)
            )
            try:
                transport.sendto(query.to_wire())
                answer = await exchange.answer
            finally:
                transport.close()
            if answer.flags & dns.flags.TC:
                found = await _over_tcp(query, resolver, port)
                if found is None:
                    return DnsSample(outcome=DnsOutcome.MALFORMED)
                answer = found
    except TimeoutError:
        was_odd = exchange is not None and exchange.odd
        return DnsSample(outcome=DnsOutcome.MALFORMED if was_odd else DnsOutcome.TIMEOUT)
    except (OSError, EOFError):
        return DnsSample(outcome=DnsOutcome.UNREACHABLE)
    return _sample(answer, query, clock.monotonic_ns() - start_ns)


async def _over_tcp(
    query: dns.message.Message, resolver: str, port: int
) -> dns.message.Message | None:
    """RFC 7766: two octets of length before each message."""
    reader, writer = await asyncio.open_connection(resolver, port)
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        length = int.from_bytes(await reader.readexactly(2), "big")
        return _read(await reader.readexactly(length), query)
    finally:
        writer.close()


def _read(data: bytes, query: dns.message.Message) -> dns.message.Message | None:
    """The answer in ``data``; None if it is none, or none to ``query``."""
    try:
        found = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
        return found if query.is_response(found) else None
    except (dns.exception.DNSException, ValueError, IndexError):
        return None


def _sample(answer: dns.message.Message, query: dns.message.Message, time_ns: int) -> DnsSample:
    wanted = query.question[0].rdtype
    records = sorted(
        item.to_text() for found in answer.answer if found.rdtype == wanted for item in found
    )
    rcode = answer.rcode()
    if rcode == dns.rcode.NXDOMAIN:
        outcome = DnsOutcome.NO_NAME
    elif rcode != dns.rcode.NOERROR:
        outcome = DnsOutcome.SERVER_FAILED
    else:
        outcome = DnsOutcome.ANSWERED if records else DnsOutcome.NO_RECORDS
    return DnsSample(
        outcome=outcome,
        time_ns=time_ns,
        rcode=int(rcode),
        answers=min(len(records), 0xFFFF),
        answer=_fitting(records),
    )


def _fitting(records: list[str]) -> str:
    text = ""
    for record in records:
        longer = f"{text} {record}".strip()
        if len(longer) > LONGEST_ANSWER:
            break
        text = longer
    return text
