"""A wire that keeps its own record: two taps, a delay and a loss by seed for each probe.

Its own process, so that it shares no event loop with what it judges. Frames come in at one tap and
leave at the other; test packets (STAMP over UDP) and ICMP echoes are delayed or dropped and written
down, everything else passes at once. What is written down is the time from reading a frame to
writing it: the wire's own wake-up, some 50 us a way, is not in it.
"""

import argparse
import contextlib
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Final

TUNSETIFF: Final = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
_ETHERNET: Final = 14
_IPV4 = b"\x08\x00"
_UDP, _ICMP = 17, 1
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_SENDER_SEQUENCE = 24
"""Where a STAMP reply repeats the sender's number; a request has its own at 0."""

Key = tuple[str, int, int]
"""``stamp`` or ``icmp/IDENTIFIER`` (one a program), 0 there or 1 back, sequence number."""


def probe_of(frame: bytes, port: int) -> Key | None:
    """Which probe a frame carries; None for all else."""
    if frame[12:14] != _IPV4 or len(frame) < _ETHERNET + 28:
        return None
    start = _ETHERNET + (frame[_ETHERNET] & 0xF) * 4
    protocol = frame[_ETHERNET + 9]
    if protocol == _UDP:
        source, target = struct.unpack_from("!HH", frame, start)
        body = start + 8
        if target == port:
            return ("stamp", 0, int.from_bytes(frame[body : body + 4], "big"))
        if source == port:
            at = body + _SENDER_SEQUENCE
            return ("stamp", 1, int.from_bytes(frame[at : at + 4], "big"))
    if protocol == _ICMP and frame[start] in {_ECHO_REPLY, _ECHO_REQUEST}:
        whose, number = struct.unpack_from("!HH", frame, start + 4)
        return (f"icmp/{whose}", int(frame[start] == _ECHO_REPLY), number)
    return None


@dataclass(slots=True)
class Wire:
    """What is imposed, and the record of it."""

    port: int
    chance: random.Random
    delay_ms: float
    spread_ms: float
    loss: float
    record: dict[Key, int | None] = field(default_factory=dict)
    """Nanoseconds each probe was held; None: dropped."""
    _waiting: list[tuple[int, int, int, bytes, Key | None, int]] = field(default_factory=list)
    _number: int = 0

    def take(self, frame: bytes, out: int, came_ns: int) -> None:
        """A frame has come that shall leave at ``out``."""
        key = probe_of(frame, self.port)
        due_ns = came_ns
        if key is not None and key not in self.record:
            if self.chance.random() < self.loss:
                self.record[key] = None
                return
            delay_ms = self.chance.uniform(
                self.delay_ms - self.spread_ms, self.delay_ms + self.spread_ms
            )
            due_ns += round(delay_ms * 1e6)
        self._number += 1
        heapq.heappush(self._waiting, (due_ns, self._number, out, frame, key, came_ns))

    def wait_seconds(self) -> float | None:
        """Until the next frame is due; None: none waits."""
        if not self._waiting:
            return None
        return max(self._waiting[0][0] - time.monotonic_ns(), 0) / 1e9

    def give(self) -> None:
        """Write what is due, and write it down."""
        while self._waiting and self._waiting[0][0] <= time.monotonic_ns():
            _, _, out, frame, key, came_ns = heapq.heappop(self._waiting)
            gone_ns = time.monotonic_ns()
            with contextlib.suppress(OSError):  # a tap that is not up yet
                os.write(out, frame)
            if key is not None:
                self.record[key] = gone_ns - came_ns


def open_tap(name: str) -> int:
    """A new tap device; it goes when the descriptor is closed. Raises OSError."""
    opened = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(opened, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return opened


def run(left: int, right: int, wire: Wire) -> None:
    """Carry frames until standard input ends."""
    other = {left: right, right: left}
    while True:
        ready, _, _ = select.select([left, right, sys.stdin], [], [], wire.wait_seconds())
        for one in ready:
            if not isinstance(one, int):
                return
            try:
                frame = os.read(one, 4096)
            except OSError:
                time.sleep(0.001)  # a tap that is not up yet
                continue
            wire.take(frame, other[one], time.monotonic_ns())
        wire.give()


def main() -> None:
    """``python -m tenone.cli.bench_wire``: ready line, then the record as one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("left")
    parser.add_argument("right")
    for name, kind in (("port", int), ("seed", int), ("delay-ms", float), ("spread-ms", float),
                       ("loss", float)):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, required=True)
    wanted = parser.parse_args()
    wire = Wire(
        wanted.port, random.Random(wanted.seed), wanted.delay_ms, wanted.spread_ms, wanted.loss
    )
    with contextlib.suppress(OSError):  # a cable does not wait for a free processor
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    left, right = open_tap(wanted.left), open_tap(wanted.right)
    print(json.dumps({"ready": True}), flush=True)
    run(left, right, wire)
    print(json.dumps([[*key, held_ns] for key, held_ns in wire.record.items()]), flush=True)


if __name__ == "__main__":
    main()
