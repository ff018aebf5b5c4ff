"""What the wire takes for a probe, and that it keeps to what it was told."""

import os
import random
import struct
import time
from collections.abc import Iterator

import pytest

from drivers.probe import stamp
from drivers.probe.stamp import ErrorEstimate, Request
from tenone.cli.bench_wire import Wire, probe_of

PORT = 8620
ETHERNET = bytes(12) + b"\x08\x00"


def ip(protocol: int, body: bytes, words: int = 5) -> bytes:
    head = bytes([0x40 | words]) + bytes(8) + bytes([protocol]) + bytes(words * 4 - 10)
    return ETHERNET + head + body


def udp(source: int, target: int, body: bytes) -> bytes:
    return struct.pack("!HHHH", source, target, 8 + len(body), 0) + body


REQUEST = stamp.pack_request(Request(sequence=7, sent=1, error=ErrorEstimate()))
REPLY = stamp.pack_reply(
    REQUEST, sequence=99, received=2, transmitted=3, error=ErrorEstimate(), ttl=64
)


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (ip(17, udp(5000, PORT, REQUEST)), ("stamp", 0, 7)),
        (ip(17, udp(5000, PORT, REQUEST), words=6), ("stamp", 0, 7)),
        (ip(17, udp(PORT, 5000, REPLY)), ("stamp", 1, 7)),
        (ip(17, udp(53, 5000, REPLY)), None),
        (ip(1, bytes([8, 0, 0, 0, 0, 1, 0, 9])), ("icmp/1", 0, 9)),
        (ip(1, bytes([0, 0, 0, 0, 0, 1, 0, 9])), ("icmp/1", 1, 9)),
        (ip(1, bytes([3, 1, 0, 0, 0, 1, 0, 9])), None),
        (bytes(12) + b"\x08\x06" + bytes(40), None),
        (b"short", None),
    ],
)
def test_which_probe_a_frame_carries(frame: bytes, key: object) -> None:
    assert probe_of(frame, PORT) == key


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def wire(*, delay_ms: float = 0, loss: float = 0) -> Wire:
    return Wire(PORT, random.Random(1), delay_ms, 0, loss)


def test_a_frame_is_held_for_its_time_and_written_down(pipe: tuple[int, int]) -> None:
    one = wire(delay_ms=30)
    frame = ip(17, udp(5000, PORT, REQUEST))
    one.take(frame, pipe[1], time.monotonic_ns())
    one.give()
    assert one.record == {}
    while (seconds := one.wait_seconds()) is not None:
        time.sleep(seconds)
        one.give()
    held_ns = one.record["stamp", 0, 7]
    assert held_ns is not None
    assert held_ns >= 30_000_000
    assert os.read(pipe[0], 4096) == frame


def test_what_is_dropped_is_written_down_and_only_probes_are(pipe: tuple[int, int]) -> None:
    one = wire(loss=1)
    one.take(ip(17, udp(5000, PORT, REQUEST)), pipe[1], time.monotonic_ns())
    other = bytes(12) + b"\x08\x06" + bytes(40)
    one.take(other, pipe[1], time.monotonic_ns())
    one.give()
    assert one.record == {("stamp", 0, 7): None}
    assert os.read(pipe[0], 4096) == other
