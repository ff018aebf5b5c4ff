"""Sender and reflector on loopback sockets: every trap of a path, one at a time."""

import asyncio
import os
import random
import socket

import pytest

from drivers.probe import stamp
from drivers.probe.sender import LATE_NS, Sample, Session
from drivers.probe.stamp import ErrorEstimate
from tenone.vocabulary.probes import ProbeOutcome
from tests.probe.conftest import Bench, pass_all, until

KEY = b"between school and city"


def delay_ns(sample: Sample) -> int:
    assert sample.away_ns is not None
    assert sample.held_ns is not None
    return sample.away_ns - sample.held_ns


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("key", [None, KEY])
async def test_there_and_back(bench: Bench, host: str, key: bytes | None) -> None:
    reflector, sender = bench.reflector(host, key=key), bench.sender()
    samples = await bench.answered(sender, bench.session(reflector, key=key, dscp=46), 20)
    assert [sample.sequence for sample in samples] == list(range(20))
    assert {sample.outcome for sample in samples} == {ProbeOutcome.ANSWERED}
    assert all(0 <= delay_ns(sample) < LATE_NS for sample in samples)
    assert {sample.dscp_back for sample in samples} == {46}
    assert {sample.dscp_there for sample in samples} == {46 if key is None else None}
    assert not any(sample.duplicates for sample in samples)


async def test_each_session_has_its_dscp(bench: Bench) -> None:
    reflector, sender = bench.reflector(), bench.sender()
    for dscp in (0, 10, 63):
        (sample,) = await bench.answered(sender, bench.session(reflector, dscp=dscp))
        assert (sample.dscp_sent, sample.dscp_there, sample.dscp_back) == (dscp, dscp, dscp)


async def test_a_path_that_bleaches_the_dscp_shows(bench: Bench) -> None:
    """What the relay sends on has DSCP 0: seen there 0, whatever was asked for."""
    relay = bench.relay(bench.reflector(), pass_all)
    (sample,) = await bench.answered(bench.sender(), bench.session(relay, dscp=46))
    assert (sample.dscp_sent, sample.dscp_there, sample.dscp_back) == (46, 0, 0)


async def test_duplicates_count_once(bench: Bench) -> None:
    relay = bench.relay(bench.reflector(), lambda data, back: [data] * (3 if back else 1))
    sender = bench.sender()
    samples = await bench.answered(sender, bench.session(relay), 10)
    await until(lambda: not (sum(sample.duplicates for sample in samples) < 20))
    assert {sample.duplicates for sample in samples} == {2}
    assert {sample.outcome for sample in samples} == {ProbeOutcome.ANSWERED}


async def test_lost_is_lost_and_only_after_its_time(bench: Bench) -> None:
    chance = random.Random(3)
    gone: set[int] = set()

    def fate(data: bytes, back: bool) -> list[bytes]:
        sequence = int.from_bytes(data[24:28] if back else data[:4], "big")
        if chance.random() < 0.2:
            gone.add(sequence)
            return []
        return [data]

    relay = bench.relay(bench.reflector(), fate)
    sender, session = bench.sender(), bench.session(relay)
    samples = []
    for _ in range(200):
        samples.append(sender.send(session))
        await asyncio.sleep(0.001)
    end = bench.reflector()
    await bench.answered(sender, bench.session(end))
    await until(
        lambda: not (sum(sample.outcome is not None for sample in samples) < 200 - len(gone))
    )
    sender.settle()
    assert {sample.outcome for sample in samples if sample.sequence in gone} == {None}
    bench.clock.passed_ns += LATE_NS
    sender.settle()
    lost = {sample.sequence for sample in samples if sample.outcome is ProbeOutcome.LOST}
    assert lost == gone
    assert 20 < len(gone) < 150


async def test_late_is_lost(bench: Bench) -> None:
    held: list[bytes] = []

    def fate(data: bytes, back: bool) -> list[bytes]:
        if back:
            held.append(data)
        return [] if back else [data]

    relay = bench.relay(bench.reflector(), fate)
    sender, session = bench.sender(), bench.session(relay)
    sample = sender.send(session)
    await until(lambda: held)
    bench.clock.passed_ns += LATE_NS + 1
    relay._front.sendto(held[0], relay._client)
    await until(lambda: sender.strays.unexpected)
    sender.settle()
    assert (sample.outcome, sample.away_ns) == (ProbeOutcome.LOST, None)


async def test_order_does_not_matter(bench: Bench) -> None:
    waiting: list[bytes] = []

    def fate(data: bytes, back: bool) -> list[bytes]:
        if not back:
            return [data]
        waiting.append(data)
        if len(waiting) < 8:
            return []
        return list(reversed(waiting))

    relay = bench.relay(bench.reflector(), fate)
    samples = await bench.answered(bench.sender(), bench.session(relay), 8)
    assert {sample.outcome for sample in samples} == {ProbeOutcome.ANSWERED}


async def test_a_wall_clock_that_is_set_does_not_bend_a_delay(bench: Bench) -> None:
    def fate(data: bytes, back: bool) -> list[bytes]:
        if back:
            bench.clock.wall_off_ns += 3_600 * 10**9
        return [data]

    relay = bench.relay(bench.reflector(), fate)
    samples = await bench.answered(bench.sender(), bench.session(relay), 5)
    assert all(0 <= delay_ns(sample) < LATE_NS for sample in samples)


async def test_an_answer_from_elsewhere_is_none(bench: Bench, plain: socket.socket) -> None:
    """The very answer, byte for byte, but not from where it was asked."""
    taken: list[bytes] = []

    def fate(data: bytes, back: bool) -> list[bytes]:
        if back:
            taken.append(data)
        return [] if back else [data]

    relay = bench.relay(bench.reflector(), fate)
    sender = bench.sender()
    sample = sender.send(bench.session(relay))
    await until(lambda: taken)
    (own,) = sender._sockets.values()
    plain.sendto(taken[0], ("127.0.0.1", own.port))
    await until(lambda: sender.strays.unknown_source)
    assert sample.outcome is None


async def test_an_authenticated_session_takes_no_open_answer(bench: Bench) -> None:
    sender = bench.sender()
    sample = sender.send(bench.session(bench.reflector(), key=KEY))
    await until(lambda: sender.strays.no_reply)
    assert sample.outcome is None


@pytest.mark.parametrize(
    ("ours", "known"),
    [
        (ErrorEstimate(synchronised=True, seconds=0.0001), True),
        (ErrorEstimate(synchronised=True, seconds=0.1), False),
        (ErrorEstimate(synchronised=False, seconds=0.0001), False),
    ],
)
async def test_one_way_only_where_both_clocks_are_proved(
    bench: Bench, ours: ErrorEstimate, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "drivers.probe.reflector.clock_error",
        lambda: ErrorEstimate(synchronised=True, seconds=0.0002),
    )
    sender = bench.sender(error=lambda: ours)
    (sample,) = await bench.answered(sender, bench.session(bench.reflector()))
    assert (sample.forward_ns is not None) == known
    if sample.forward_ns is not None:
        assert abs(sample.forward_ns) < LATE_NS


@pytest.mark.parametrize(
    "host", ["255.255.255.255", "::ffff:10.0.0.1", pytest.param("no address", id="text")]
)
async def test_what_cannot_be_sent_is_not_lost(bench: Bench, host: str) -> None:
    sender = bench.sender()
    sample = sender.send(Session(host=host, port=862))
    assert sample.outcome is ProbeOutcome.NOT_SENT
    assert sender.refusal
    sender.settle()
    assert sample.outcome is ProbeOutcome.NOT_SENT


async def test_numbers_wrap(bench: Bench) -> None:
    session = bench.session(bench.reflector(), next_sequence=2**32 - 1)
    samples = await bench.answered(bench.sender(), session, 2)
    assert [sample.sequence for sample in samples] == [2**32 - 1, 0]


async def test_ten_thousand_odd_replies_make_no_sample(bench: Bench) -> None:
    """Noise, and true replies with bits changed, from the right address while packets wait."""
    sent: list[bytes] = []

    def keep(data: bytes, _back: bool) -> list[bytes]:
        sent.append(data)
        return []

    relay = bench.relay(bench.reflector(), keep)
    sender = bench.sender()
    sample = sender.send(bench.session(relay))
    await until(lambda: sent)
    true = stamp.pack_reply(
        sent[0],
        sequence=0,
        received=1 << 40,
        transmitted=1 << 41,
        error=ErrorEstimate(),
        ttl=64,
    )
    chance = random.Random(int(os.environ.get("TENONE_SEED", "7")))
    (own,) = sender._sockets.values()
    for number in range(10_000):
        if number % 2:
            data = chance.randbytes(chance.randrange(0, 200))
        else:
            bent = bytearray(true)
            # Within what tells whose answer it is: sender's sequence number and T1.
            bent[24 + chance.randrange(12)] ^= 1 << chance.randrange(8)
            data = bytes(bent[: chance.randrange(41, len(bent) + 1)])
        relay._front.sendto(data, ("127.0.0.1", own.port))
        if number % 50 == 0:
            await asyncio.sleep(0)
    await until(lambda: not (sender.strays.no_reply + sender.strays.unexpected < 10_000))
    assert sender.strays.unexpected >= 5_000
    assert (sample.outcome, sample.duplicates) == (None, 0)
    relay._front.sendto(true, ("127.0.0.1", own.port))
    await until(lambda: sample.outcome is not None)
    assert sample.outcome is ProbeOutcome.ANSWERED
