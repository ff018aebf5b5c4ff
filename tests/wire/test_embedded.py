import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from drivers.wire.embedded import BrokerError, EmbeddedBroker
from drivers.wire.mqtt import Endpoint, MqttPort


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def running(broker: EmbeddedBroker) -> bool:
    return broker.is_running


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "", "broker.school"])
def test_it_binds_loopback_and_nothing_else(host: str) -> None:
    with pytest.raises(BrokerError, match="loopback only"):
        EmbeddedBroker(host=host)


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=str(port)):
            EmbeddedBroker(port=port).start()


def test_it_starts_stops_and_starts_again(capfd: pytest.CaptureFixture[str]) -> None:
    broker = EmbeddedBroker()
    assert broker.pid is None
    with broker:
        assert running(broker)
        ports, pid = (broker.port, broker.port_311), broker.pid
        assert accepts(ports[0])
        assert accepts(ports[1])
        broker.start()  # does nothing
        assert broker.pid == pid
    assert not running(broker)
    broker.stop()
    broker.start()
    try:
        broker.kill()
        assert not running(broker)
        before = (broker.port, broker.port_311)
        broker.start()
        assert (broker.port, broker.port_311) == before
    finally:
        broker.stop()
    assert capfd.readouterr() == ("", "")


PARENT = """
import sys, time
from drivers.wire.embedded import EmbeddedBroker
broker = EmbeddedBroker()
broker.start()
print(broker.pid, broker.port, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_ends_with_its_parent(how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    child, port = map(int, parent.stdout.readline().split())
    parent.send_signal(how)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while accepts(port):
        assert time.monotonic() < deadline, f"the broker {child} outlived its parent"
        time.sleep(0.02)


@contextlib.asynccontextmanager
async def board(
    host: str, port: int, protocol: aiomqtt.ProtocolVersion
) -> AsyncIterator[aiomqtt.Client]:
    """A subscribed device. Like firmware, it tries again when no connection comes about.

    Measured on a busy machine: of 18,000 connections of aiomqtt to rumqttd 5 ended before their
    first answer; of 6,000 to Mosquitto, and of 4,000 of our own port to rumqttd, none.
    """
    will = aiomqtt.Will("t1/board/b1/s", b"off", qos=1, retain=True)
    subscribed = False
    for attempt in range(5):
        try:
            async with aiomqtt.Client(host, port, protocol=protocol, will=will) as client:
                await client.subscribe("t1/board/b1/cmd/#", qos=1)
                subscribed = True
                yield client
                return
        except aiomqtt.MqttError:
            if subscribed or attempt == 4:
                raise


async def test_devices_speak_5_and_311_to_one_broker(embedded: EmbeddedBroker) -> None:
    """Firmware boards use aiomqtt, in either version; the agent uses our port."""
    endpoint = Endpoint(host=embedded.host, port=embedded.port)
    async with MqttPort(endpoint=endpoint, client_id="agent") as agent:
        await agent.subscribe("t1/board/b1/m")
        await agent.subscribe("t1/board/b1/cmd/#")
        for protocol, port in (
            (aiomqtt.ProtocolVersion.V5, embedded.port),
            (aiomqtt.ProtocolVersion.V311, embedded.port_311),
        ):
            async with board(embedded.host, port, protocol) as device:
                await device.publish("t1/board/b1/m", b"{}", qos=1)
                await agent.publish("t1/board/b1/cmd/reboot/1", b"init", qos=1)
                async with asyncio.timeout(20):
                    async for command in device.messages:
                        assert command.payload == b"init"
                        break
            seen = []
            async with asyncio.timeout(20):
                async for message in agent.messages():
                    agent.ack(message)
                    seen.append(message.topic)
                    if len(seen) == 2:
                        break
            assert seen == ["t1/board/b1/m", "t1/board/b1/cmd/reboot/1"]


async def test_a_school_of_connections_and_a_large_message(embedded: EmbeddedBroker) -> None:
    """350 connections at once, and a payload of 20 MB."""
    endpoint = Endpoint(host=embedded.host, port=embedded.port)
    async with contextlib.AsyncExitStack() as stack:
        ports = [MqttPort(endpoint=endpoint, client_id=f"c{number}") for number in range(350)]
        for start in range(0, 350, 25):
            await asyncio.gather(
                *(stack.enter_async_context(port) for port in ports[start : start + 25])
            )
        await ports[0].subscribe("many/#")
        await asyncio.gather(*(port.publish("many/x", b"1", qos=1) for port in ports[1:]))
        await ports[1].publish("many/big", b"z" * 20_000_000, qos=1)
        sizes = []
        async with asyncio.timeout(30):
            async for message in ports[0].messages():
                ports[0].ack(message)
                sizes.append(len(message.payload))
                if sizes[-1] > 1:
                    break
        assert sizes == [1] * 349 + [20_000_000]


def test_it_leaves_no_file_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with EmbeddedBroker():
        assert list(tmp_path.iterdir()) == []  # not even while it runs: kill -9 cleans nothing up
