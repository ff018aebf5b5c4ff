"""The reflector answers what it should, and is of no use to an attacker."""

import asyncio
import ipaddress
import os
import random
import socket
import time

import pytest

from drivers.probe import stamp
from drivers.probe.reflector import Allowance, Reflector
from drivers.probe.stamp import ErrorEstimate, Request
from tests.probe.conftest import Bench, until

SECOND_NS = 10**9


def request(sequence: int = 0) -> bytes:
    sent = stamp.ntp_stamp(time.time_ns())
    return stamp.pack_request(Request(sequence=sequence, sent=sent, error=ErrorEstimate()))


async def ask(reflector: Reflector, plain: socket.socket, data: bytes) -> bytes:
    plain.sendto(data, (reflector.host, reflector.port))
    return await asyncio.to_thread(plain.recv, 4096)


async def test_a_stateless_reflector_repeats_the_number(bench: Bench, plain: socket.socket) -> None:
    reflector = bench.reflector()
    for sequence in (5, 900, 5):
        reply = stamp.parse_reply(await ask(reflector, plain, request(sequence)))
        assert (reply.sequence, reply.sender_sequence, reply.sender_ttl) == (sequence, sequence, 64)


async def test_a_stateful_reflector_counts(bench: Bench, plain: socket.socket) -> None:
    reflector = bench.reflector(stateful=True)
    numbers = [
        stamp.parse_reply(await ask(reflector, plain, request(sequence))).sequence
        for sequence in (5, 900, 5)
    ]
    assert numbers == [0, 1, 2]


@pytest.mark.parametrize("length", [41, 44, 60, 200, 1400])
async def test_an_answer_has_the_length_of_its_question(
    bench: Bench, plain: socket.socket, length: int
) -> None:
    data = request().ljust(length, b"\0")[:length]
    assert len(await ask(bench.reflector(), plain, data)) == length


async def test_it_holds_a_packet_for_no_less_than_no_time(
    bench: Bench, plain: socket.socket
) -> None:
    reflector = bench.reflector()
    for sequence in range(20):
        reply = stamp.parse_reply(await ask(reflector, plain, request(sequence)))
        assert stamp.between_ns(reply.received, reply.transmitted) >= 0


async def test_it_answers_only_so_often(bench: Bench, plain: socket.socket) -> None:
    reflector = bench.reflector(allowance=Allowance(rate=0.001, burst=30))
    for sequence in range(100):
        plain.sendto(request(sequence), ("127.0.0.1", reflector.port))
    await until(
        lambda: not (reflector.counts.reflected + reflector.counts.refused.get("rate", 0) < 100)
    )
    assert reflector.counts.reflected == 30


def test_one_source_does_not_use_up_the_others_allowance() -> None:
    allowance = Allowance(rate=10, burst=20, all_rate=1000)
    assert sum(allowance.take("10.0.0.1", SECOND_NS) for _ in range(100)) == 20
    assert sum(allowance.take("10.0.0.2", SECOND_NS) for _ in range(100)) == 20
    assert sum(allowance.take("10.0.0.1", 2 * SECOND_NS) for _ in range(100)) == 10


def test_all_sources_together_are_bounded_and_so_is_memory() -> None:
    allowance = Allowance(rate=10, burst=20, all_rate=50, most=100)
    granted = sum(allowance.take(f"10.0.{n // 256}.{n % 256}", SECOND_NS) for n in range(1000))
    assert granted == 50
    assert len(allowance._sources) == 100


async def test_it_answers_its_own_networks_only(bench: Bench, plain: socket.socket) -> None:
    reflector = bench.reflector(networks=[ipaddress.ip_network("10.0.0.0/8")])
    plain.sendto(request(), ("127.0.0.1", reflector.port))
    await until(lambda: reflector.counts.refused)
    assert (reflector.counts.reflected, reflector.counts.refused) == (0, {"network": 1})
    welcome = bench.reflector(networks=[ipaddress.ip_network("127.0.0.0/8")])
    assert await ask(welcome, plain, request())


async def test_asleep_it_says_nothing(bench: Bench, plain: socket.socket) -> None:
    awake = False
    reflector = bench.reflector(is_awake=lambda: awake)
    plain.sendto(request(1), ("127.0.0.1", reflector.port))
    await asyncio.sleep(0.05)
    awake = True
    assert stamp.parse_reply(await ask(reflector, plain, request(2))).sequence == 2


async def test_two_reflectors_do_not_play_ping_pong(bench: Bench, plain: socket.socket) -> None:
    """A forged first packet: the other reflector's answer is not answered."""
    one, other = bench.reflector(), bench.reflector()
    reply = await ask(one, plain, request())
    plain.sendto(reply, ("127.0.0.1", other.port))
    await until(lambda: other.counts.refused)
    assert (other.counts.reflected, other.counts.refused) == (0, {"packet": 1})


async def test_it_answers_from_the_address_it_was_asked_at(
    bench: Bench, plain: socket.socket
) -> None:
    """Bound to every address; the kernel alone would choose 127.0.0.1."""
    reflector = bench.reflector("0.0.0.0")
    plain.sendto(request(), ("127.9.8.7", reflector.port))
    _, (host, _) = await asyncio.to_thread(plain.recvfrom, 4096)
    assert host == "127.9.8.7"


async def test_ten_thousand_odd_packets(bench: Bench, plain: socket.socket) -> None:
    chance = random.Random(int(os.environ.get("TENONE_SEED", "7")))
    reflector = bench.reflector(allowance=Allowance(rate=1e9, burst=1e9, all_rate=1e9))
    good = request()
    for number in range(10_000):
        if number % 2:
            data = chance.randbytes(chance.randrange(0, 300))
        else:
            bent = bytearray(good + chance.randbytes(chance.randrange(0, 30)))
            bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
            data = bytes(bent)
        plain.sendto(data, ("127.0.0.1", reflector.port))
        if number % 50 == 0:
            await asyncio.sleep(0)
            plain.settimeout(0)
            try:
                while True:
                    assert plain.recv(4096)
            except BlockingIOError:
                plain.settimeout(20)
    plain.settimeout(20)
    await until(
        lambda: not (reflector.counts.reflected + sum(reflector.counts.refused.values()) < 10_000)
    )
    assert reflector.counts.reflected > 5_000
    assert set(reflector.counts.refused) <= {"packet"}
    while True:
        reply = stamp.parse_reply(await ask(reflector, plain, request(77)))
        if reply.sender_sequence == 77:
            break


async def test_an_address_that_is_taken_is_an_error(bench: Bench) -> None:
    reflector = bench.reflector()
    with pytest.raises(OSError, match="in use"):
        Reflector("127.0.0.1", reflector.port)
