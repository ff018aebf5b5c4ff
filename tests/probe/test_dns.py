"""Resolvers as small servers on loopback: each way a question can end."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from drivers.probe.dns import DnsSample, RecordType, _read, resolve
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.probes import DnsOutcome

NAME = "exam.example.cn"
Answer = Callable[[dns.message.Message], list[bytes]]


def good(query: dns.message.Message) -> list[bytes]:
    answer = dns.message.make_response(query)
    for kind, texts in (("A", ["10.2.0.2", "10.2.0.1"]), ("AAAA", ["fd00::1"])):
        if dns.rdatatype.to_text(query.question[0].rdtype) == kind:
            answer.answer.append(dns.rrset.from_text_list(f"{NAME}.", 60, "IN", kind, texts))
    return [answer.to_wire()]


def coded(rcode: dns.rcode.Rcode) -> Answer:
    def answer(query: dns.message.Message) -> list[bytes]:
        made = dns.message.make_response(query)
        made.set_rcode(rcode)
        return [made.to_wire()]

    return answer


def empty(query: dns.message.Message) -> list[bytes]:
    return [dns.message.make_response(query).to_wire()]


def cut(query: dns.message.Message) -> list[bytes]:
    made = dns.message.make_response(query)
    made.flags |= dns.flags.TC
    return [made.to_wire()]


def noise_first(query: dns.message.Message) -> list[bytes]:
    other = dns.message.from_wire(good(query)[0])
    other.id ^= 1
    return [b"", b"x", other.to_wire(), *good(query)]


def noise_only(query: dns.message.Message) -> list[bytes]:
    return noise_first(query)[:3]


class Resolver(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for one in self.answer(dns.message.from_wire(data)):
            self.transport.sendto(one, addr)


@asynccontextmanager
async def resolver(answer: Answer, *, tcp: Answer | None = None) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        query = dns.message.from_wire(await reader.readexactly(length))
        for one in (tcp or answer)(query):
            writer.write(len(one).to_bytes(2, "big") + one)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Resolver(answer), local_addr=("127.0.0.1", port)
    )
    async with listening:
        yield port
    transport.close()


async def ask(port: int, *, kind: RecordType = "A", patience: float = 5.0) -> DnsSample:
    return await resolve(
        NAME, "127.0.0.1", clock=SystemClock(), port=port, kind=kind, timeout=patience
    )


@pytest.mark.parametrize(
    ("answer", "outcome", "rcode", "records"),
    [
        (good, DnsOutcome.ANSWERED, 0, "10.2.0.1 10.2.0.2"),
        (noise_first, DnsOutcome.ANSWERED, 0, "10.2.0.1 10.2.0.2"),
        (empty, DnsOutcome.NO_RECORDS, 0, ""),
        (coded(dns.rcode.NXDOMAIN), DnsOutcome.NO_NAME, 3, ""),
        (coded(dns.rcode.SERVFAIL), DnsOutcome.SERVER_FAILED, 2, ""),
        (coded(dns.rcode.REFUSED), DnsOutcome.SERVER_FAILED, 5, ""),
    ],
)
async def test_what_a_resolver_says(
    answer: Answer, outcome: DnsOutcome, rcode: int, records: str
) -> None:
    async with resolver(answer) as port:
        sample = await ask(port)
    assert (sample.outcome, sample.rcode, sample.answer) == (outcome, rcode, records)
    assert sample.answers == len(records.split())
    assert sample.time_ns is not None
    assert sample.time_ns > 0


async def test_ipv6_records() -> None:
    async with resolver(good) as port:
        sample = await ask(port, kind="AAAA")
    assert (sample.answer, sample.answers) == ("fd00::1", 1)


async def test_a_cut_answer_is_asked_for_again_over_tcp() -> None:
    async with resolver(cut, tcp=good) as port:
        sample = await ask(port)
    assert (sample.outcome, sample.answers) == (DnsOutcome.ANSWERED, 2)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(lambda _query: [], DnsOutcome.TIMEOUT), (noise_only, DnsOutcome.MALFORMED)],
)
async def test_silence_and_noise(answer: Answer, outcome: DnsOutcome) -> None:
    async with resolver(answer) as port:
        sample = await ask(port, patience=0.2)
    assert sample == DnsSample(outcome=outcome)


async def test_nobody_there() -> None:
    async with resolver(good) as port:
        pass
    assert (await ask(port)).outcome is DnsOutcome.UNREACHABLE


async def test_a_long_answer_is_kept_as_far_as_it_fits() -> None:
    def many(query: dns.message.Message) -> list[bytes]:
        made = dns.message.make_response(query)
        texts = [f"10.2.{n}.100" for n in range(100, 140)]
        made.answer.append(dns.rrset.from_text_list(f"{NAME}.", 60, "IN", "A", texts))
        return [made.to_wire()]

    async with resolver(many) as port:
        sample = await ask(port)
    assert sample.answers == 40
    assert sample.answer is not None
    assert len(sample.answer) <= 200
    assert sample.answer.split()[0] == "10.2.100.100"


def test_any_bytes_are_an_answer_or_none() -> None:
    chance = random.Random(5)
    query = dns.message.make_query(NAME, "A")
    true = good(query)[0]
    for _ in range(3000):
        bent = bytearray(true)
        for _ in range(chance.randrange(1, 5)):
            bent[chance.randrange(len(bent))] = chance.randrange(256)
        for data in (bytes(bent[: chance.randrange(len(bent) + 1)]), chance.randbytes(60)):
            found = _read(data, query)
            assert found is None or found.id == query.id
