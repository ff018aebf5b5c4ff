import asyncio
import socket

import pytest

from agents.listener import Listener, ListenError
from drivers.snmp.endpoint import Address
from tenone.cli.processes import free_port
from tenone.config.hints import Listen
from tests.agents.conftest import until


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::"])
async def test_datagrams_come_and_answers_go(host: str) -> None:
    heard: list[tuple[bytes, Address]] = []

    def take(data: bytes, address: Address) -> None:
        heard.append((data, address))
        listener.send(b"answer", address)

    listener = Listener(Listen(host, free_port()), take, what="a test")
    port = listener._socket.getsockname()[1]
    family, to = (
        (socket.AF_INET6, "::1") if host == "::1" else (socket.AF_INET, "127.0.0.1")
    )  # "[::]" hears IPv4 too
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        sender.connect((to, port))
        for number in range(200):
            sender.send(b"%d" % number)
        await until(lambda: len(heard) == 200)
        assert await asyncio.get_running_loop().sock_recv(sender, 100) == b"answer"
    listener.close()
    assert [data for data, _ in heard[:2]] == [b"0", b"1"]


async def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(ListenError, match=rf"a test cannot listen on UDP 127.0.0.1:{port}"):
            Listener(Listen("127.0.0.1", port), lambda *_: None, what="a test")


async def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(ListenError, match="choose an address of this machine"):
        Listener(Listen("192.0.2.1", free_port()), lambda *_: None, what="a test")
