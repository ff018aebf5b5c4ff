"""Short TCP tests on loopback: bounded, proved, refused where the rule says so."""

import asyncio
import socket
from typing import Any

import pytest

from drivers.probe.throughput import Receiver, TestRefused, Transfer, send
from tests.probe.conftest import until

KEY = b"both ends"


def always() -> str | None:
    return None


async def run(receiver: Receiver, host: str = "127.0.0.1", **options: Any) -> Transfer:
    values: dict[str, Any] = {"key": KEY, "seconds": 0.1, "allowed": always} | options
    return await send(host, receiver.port, octets=5_000_000, **values)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_what_is_sent_is_counted(host: str) -> None:
    async with Receiver(host, 0, key=KEY, allowed=always) as receiver:
        done = await run(receiver, host)
        await until(lambda: receiver.taken == 1)
    assert done.octets == 5_000_000
    assert done.sent_octets >= done.octets
    assert done.retransmitted_octets <= done.sent_octets
    assert done.goodput_mbps > 0
    assert 0 < done.base_rtt_ns < 10**9
    assert done.path_mtu > 1500
    assert done.ipv6 == (":" in host)


async def test_two_at_once_run_one_after_the_other() -> None:
    async with Receiver("127.0.0.1", 0, key=KEY, allowed=always) as receiver:
        done = await asyncio.gather(run(receiver), run(receiver))
    assert [one.octets for one in done] == [5_000_000] * 2


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"seconds": 0.6}, "lasts 0.1 to 0.5 s, not 0.6 s"),
        ({"seconds": 0.01}, "not 0.01 s"),
        ({"allowed": lambda: "The link is busy."}, "The link is busy."),
        ({"key": b"another"}, "the key is another"),
    ],
)
async def test_a_test_that_may_not_be(options: dict[str, Any], why: str) -> None:
    async with Receiver("127.0.0.1", 0, key=KEY, allowed=always) as receiver:
        with pytest.raises(TestRefused, match=why):
            await run(receiver, **options)
        assert receiver.taken == 0
        assert (await run(receiver)).octets == 5_000_000, "the next one is taken"


async def test_the_far_end_has_its_own_rule() -> None:
    async with Receiver("127.0.0.1", 0, key=KEY, allowed=lambda: "exam") as receiver:
        with pytest.raises(TestRefused, match="takes no test now"):
            await run(receiver)
        await until(lambda: receiver.refused == 1)


async def test_who_only_connects_or_talks_nonsense_harms_nobody() -> None:
    async with Receiver("127.0.0.1", 0, key=KEY, allowed=always) as receiver:
        for data in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(42)):
            with socket.create_connection(("127.0.0.1", receiver.port)) as opened:
                opened.sendall(data)
        assert (await run(receiver)).octets == 5_000_000
        await until(lambda: (receiver.taken, receiver.refused) == (1, 3))
