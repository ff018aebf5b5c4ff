import asyncio
import contextlib
import json
import logging
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest

from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.mqtt import (
    ConnectError,
    ConnectionLostError,
    Endpoint,
    Message,
    MqttError,
    MqttPort,
    PublishRefusedError,
    SubscribeRefusedError,
    Will,
)

NOT_AUTHORISED = 0x87
Eventually = Callable[[Callable[[], bool], str], Awaitable[None]]
CONNACK = bytes([0x20, 3, 0, 0, 0])


class Broker(Protocol):
    """What the fixture ``start_mosquitto`` starts."""

    @property
    def endpoint(self) -> Endpoint: ...


StartBroker = Callable[..., Broker]


def port(endpoint: Endpoint, client_id: str, **options: object) -> MqttPort:
    return MqttPort(endpoint=endpoint, client_id=client_id, **options)  # type: ignore[arg-type] # a table of options


async def take(source: MqttPort, count: int) -> list[Message]:
    """The next ``count`` messages, acknowledged."""
    found: list[Message] = []
    async with asyncio.timeout(20):
        async for message in source.messages():
            source.ack(message)
            found.append(message)
            if len(found) == count:
                return found
    raise AssertionError(f"the messages ended after {len(found)}")


@contextlib.asynccontextmanager
async def server(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Endpoint]:
    """A TCP server that behaves as ``answer`` says, which is not always MQTT."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await answer(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Endpoint(host="127.0.0.1", port=listening.sockets[0].getsockname()[1])
    finally:
        listening.close()
        for writer in writers:
            writer.close()
        await listening.wait_closed()


async def test_messages_come_as_they_were_sent(endpoint: Endpoint) -> None:
    async with port(endpoint, "reader") as reader, port(endpoint, "writer") as writer:
        assert await reader.subscribe("a/#", qos=1) == 1
        await writer.publish("a/zero", b"")
        await writer.publish("a/one", b"\0\xff", qos=1, user_properties=(("k", "v"), ("k", "w")))
        await writer.publish("a/学校", b"x" * 300_000, qos=1)
        zero, one, school = await take(reader, 3)
    assert (zero.topic, zero.payload) == ("a/zero", b"")
    assert (one.payload, one.qos, one.retain, one.duplicate) == (b"\0\xff", 1, False, False)
    assert one.user_properties == (("k", "v"), ("k", "w"))
    assert (school.topic, len(school.payload)) == ("a/学校", 300_000)


async def test_retained_messages_wait(endpoint: Endpoint) -> None:
    async with port(endpoint, "writer") as writer:
        await writer.publish("r/state", b"on", qos=1, retain=True)
    async with port(endpoint, "reader") as reader:
        await reader.subscribe("r/+")
        (message,) = await take(reader, 1)
        assert (message.payload, message.retain) == (b"on", True)


async def test_many_publishers_at_once_keep_their_order(endpoint: Endpoint) -> None:
    async with port(endpoint, "reader") as reader, port(endpoint, "writer") as writer:
        await reader.subscribe("o/#")
        sending = asyncio.gather(
            *(writer.publish("o/x", str(count).encode(), qos=1) for count in range(2500))
        )
        found = await take(reader, 2500)
        await sending
    assert [int(message.payload) for message in found] == list(range(2500))


async def test_the_iterator_ends_after_our_disconnect(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    async with port(endpoint, "reader") as reader:
        await reader.subscribe("e/#")
        assert _connected(reader)
        await reader.publish("e/last", b"1", qos=1)
        found: list[Message] = []
        reading = asyncio.create_task(_collect(reader, found))
        await eventually(lambda: reader.statistics.received > 0, "the message")
        await reader.disconnect()
        await reading
        assert [message.payload for message in found] == [b"1"]
        assert not _connected(reader)
        with pytest.raises(ConnectionLostError):
            await reader.publish("e/x", b"")


def _connected(source: MqttPort) -> bool:
    return source.is_connected


async def test_acknowledgements_leave_in_the_order_of_arrival(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    """rumqttd ends connections that acknowledge in another order, so this shows it."""
    async with port(endpoint, "reader") as reader, port(endpoint, "writer") as writer:
        await reader.subscribe("k/#")
        found: list[Message] = []

        async with asyncio.TaskGroup() as tasks:
            collecting = tasks.create_task(_collect(reader, found))
            for count in range(40):
                await writer.publish("k/x", str(count).encode(), qos=1)
            await eventually(lambda: len(found) >= 20, "the first messages")
            first = list(found)
            for message in reversed(first):
                reader.ack(message)
                reader.ack(message)  # a second time means nothing
            await eventually(lambda: len(found) == 40, "all messages")
            for message in found:
                reader.ack(message)
            await writer.publish("k/x", b"last", qos=1)
            await eventually(lambda: len(found) == 41, "one more message")
            collecting.cancel()
    assert [message.payload for message in found[:40]] == [str(n).encode() for n in range(40)]


CONSUMER = """
import asyncio, os, sys
from drivers.wire.mqtt import Endpoint, MqttPort

async def main(number, path):
    endpoint = Endpoint(host="127.0.0.1", port=int(number))
    async with MqttPort(
        endpoint=endpoint, client_id="store", clean_start=False, session_expiry_seconds=600
    ) as port:
        assert port.session_present
        with open(path, "ab", buffering=0) as file:
            async for message in port.messages():
                file.write(message.payload + b"\\n")
                port.ack(message)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_consumer_killed_in_the_middle_loses_nothing(
    endpoint: Endpoint, tmp_path: Path, eventually: Eventually
) -> None:
    """2,000 QoS 1 messages wait; the consumer is killed -9 after 500 of them."""
    kept = tmp_path / "kept"
    kept.touch()

    def lines() -> list[bytes]:
        return kept.read_bytes().split()

    def consume() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", CONSUMER, str(endpoint.port), str(kept)])

    async with port(endpoint, "store", clean_start=False, session_expiry_seconds=600) as store:
        await store.subscribe("q/#")
    async with port(endpoint, "source") as source:
        await asyncio.gather(
            *(source.publish("q/x", str(count).encode(), qos=1) for count in range(2000))
        )
    first = consume()
    await eventually(lambda: len(lines()) >= 500, "500 messages")
    first.kill()
    first.wait()
    before = len(lines())
    second = consume()
    try:
        await eventually(lambda: len(set(lines())) == 2000, "all 2,000 messages")
    finally:
        second.kill()
        second.wait()
    assert {int(line) for line in lines()} == set(range(2000))
    doubled = len(lines()) - 2000
    assert doubled <= before  # at least once: what the broker had not yet seen acknowledged
    print(f"killed after {before} of 2000: lost 0, again {doubled}")


async def test_unacknowledged_messages_are_bounded(start_mosquitto: StartBroker) -> None:
    endpoint = start_mosquitto().endpoint
    async with (
        port(endpoint, "slow", receive_maximum=7) as slow,
        port(endpoint, "writer") as writer,
    ):
        await slow.subscribe("b/#")
        for count in range(50):
            await writer.publish("b/x", str(count).encode(), qos=1)
        # The broker has taken all 50; what it may deliver to us is 7 until we acknowledge.
        await slow.publish("b-other", b"", qos=1)
        assert slow.statistics.received == 7
        # Mosquitto 2.0.11 sends 7 more for each acknowledgement, so the port must stop reading.
        assert len(await take(slow, 2)) == 2
        await asyncio.sleep(0)
        await slow.publish("b-other", b"", qos=1)
        assert len(await take(slow, 48)) == 48


async def test_a_slow_consumer_stops_the_reading_and_not_the_connection(
    start_mosquitto: StartBroker, eventually: Eventually
) -> None:
    """A backlog of 3,000: what waits in memory stays near the receive maximum."""
    endpoint = start_mosquitto().endpoint
    async with port(endpoint, "slow", clean_start=False, session_expiry_seconds=60) as slow:
        await slow.subscribe("b/#")
    async with port(endpoint, "writer") as writer:
        await asyncio.gather(*(writer.publish("b/x", str(n).encode(), qos=1) for n in range(3000)))
    async with port(
        endpoint, "slow", clean_start=False, session_expiry_seconds=60,
        receive_maximum=10, keepalive_seconds=1,
    ) as slow:  # fmt: skip
        await eventually(lambda: slow.statistics.received >= 10, "the first ten")
        seen, waiting = 0, 0
        async for message in slow.messages():
            slow.ack(message)
            seen += 1
            waiting = max(waiting, slow.statistics.received - seen)
            if seen == 20:
                await asyncio.sleep(2.5)  # longer than keepalive: the broker hears pings
            await asyncio.sleep(0)
            if seen == 3000:
                break
        assert waiting <= 11


async def test_a_consumer_that_awaits_its_own_publish_is_not_starved(
    start_mosquitto: StartBroker,
) -> None:
    endpoint = start_mosquitto().endpoint
    async with port(endpoint, "echo", receive_maximum=3) as echo:
        await echo.subscribe("in/#")
        await asyncio.gather(*(echo.publish("in/x", b"1", qos=1) for _ in range(200)))
        seen = 0
        async for message in echo.messages():
            await echo.publish("out/x", message.payload, qos=1)
            echo.ack(message)
            seen += 1
            if seen == 200:
                break


async def test_acknowledging_on_arrival_never_blocks_what_the_consumer_awaits(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    """rumqttd sends no PUBACK while 100 messages are unacknowledged; here none are."""
    async with (
        port(endpoint, "host", acknowledge_on_arrival=True) as host,
        port(endpoint, "writer") as writer,
    ):
        await host.subscribe("in/#")
        sending = asyncio.gather(
            *(writer.publish("in/x", str(n).encode(), qos=1) for n in range(1000))
        )
        await eventually(lambda: host.statistics.received >= 100, "a queue that is full")
        async with asyncio.timeout(20):
            await host.publish("out/x", b"1", qos=1)
            await host.subscribe("more/#")
        found = await take(host, 1000)
        await sending
    assert [int(message.payload) for message in found] == list(range(1000))


async def test_too_much_to_hold_ends_the_connection(start_mosquitto: StartBroker) -> None:
    endpoint = start_mosquitto().endpoint
    async with port(endpoint, "small", queue_bytes=50_000) as small:
        await small.subscribe("big/#")
        async with port(endpoint, "writer") as writer:
            for _ in range(4):
                await writer.publish("big/x", b"1" * 20_000, qos=1)
        found: list[Message] = []
        with pytest.raises(ConnectionLostError, match="too slow"):
            await asyncio.wait_for(_collect(small, found), 20)
        assert len(found) == 2


async def _collect(source: MqttPort, found: list[Message]) -> None:
    await asyncio.sleep(0.5)  # a consumer that does not come
    async for message in source.messages():
        found.append(message)  # noqa: PERF401 - what came before the error counts


async def test_overflow_is_counted_and_loud(
    endpoint: Endpoint, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    async with port(endpoint, "slow", queue_limit=5) as slow, port(endpoint, "writer") as writer:
        await slow.subscribe("f/#", qos=0)
        with caplog.at_level(logging.ERROR):
            for _ in range(20):
                await writer.publish("f/x", b"1")
            await eventually(lambda: slow.statistics.received == 20, "20 messages")
        assert slow.statistics.overflowed == 15
        assert "15" not in caplog.text  # logged at 1, 2, 4, 8
        assert "8 QoS 0 messages thrown away" in caplog.text
        assert len(await take(slow, 5)) == 5


async def test_a_refused_publish_is_seen(start_mosquitto: StartBroker, tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\ntopic write mine/#\n")
    endpoint = start_mosquitto(f"acl_file {acl}").endpoint
    async with port(endpoint, "writer") as writer:
        await writer.publish("mine/x", b"1", qos=1)
        with pytest.raises(PublishRefusedError, match="theirs/x") as refusal:
            await writer.publish("theirs/x", b"1", qos=1)
        assert refusal.value.reason_code == NOT_AUTHORISED
        assert refusal.value.topic == "theirs/x"


@pytest.fixture
def guarded(start_mosquitto: StartBroker, tmp_path: Path) -> Endpoint:
    """Mosquitto with its dynamic-security plugin; the only client is admin, secret."""
    plugin = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)
    if plugin is None:
        pytest.skip("Mosquitto's dynamic-security plugin is missing: apt-get install mosquitto")
    store = tmp_path / "dynsec.json"
    command = ["mosquitto_ctrl", "dynsec", "init", str(store), "admin", "secret"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return start_mosquitto(
        f"plugin {plugin}", f"plugin_opt_config_file {store}", anonymous=False
    ).endpoint


async def test_a_refused_subscription_and_a_refused_client_are_seen(guarded: Endpoint) -> None:
    admin = Endpoint(host=guarded.host, port=guarded.port, username="admin", password="secret")
    assert "secret" not in repr(admin)
    create = {"command": "createClient", "username": "school", "password": "pw"}
    async with port(admin, "admin") as manager:
        control = "$CONTROL/dynamic-security/v1"
        await manager.subscribe(f"{control}/response")
        await manager.publish(control, json.dumps({"commands": [create]}).encode(), qos=1)
        await take(manager, 1)
    school = Endpoint(host=guarded.host, port=guarded.port, username="school", password="pw")
    async with port(school, "school") as client:
        with pytest.raises(SubscribeRefusedError, match=r"spBv1\.0/#") as refusal:
            await client.subscribe("spBv1.0/#")
        assert refusal.value.reason_code == NOT_AUTHORISED
    wrong = Endpoint(host=guarded.host, port=guarded.port, username="school", password="wrong")
    for stranger in (wrong, guarded):
        with pytest.raises(ConnectError, match="refused client nobody") as refused:
            await port(stranger, "nobody").connect()
        assert refused.value.reason_code in {NOT_AUTHORISED, 0x86}


async def test_a_message_larger_than_the_broker_takes_is_refused_here(
    start_mosquitto: StartBroker,
) -> None:
    endpoint = start_mosquitto("max_packet_size 2000").endpoint
    async with port(endpoint, "writer") as writer:
        with pytest.raises(PublishRefusedError, match="larger than the broker's limit"):
            await writer.publish("x", b"1" * 2000, qos=1)
        await writer.publish("x", b"1" * 1000, qos=1)


async def test_a_dead_broker_ends_everything_that_waits(eventually: Eventually) -> None:
    broker = EmbeddedBroker()
    broker.start()
    endpoint = Endpoint(host=broker.host, port=broker.port)
    try:
        async with port(endpoint, "reader") as reader:
            await reader.subscribe("d/#", qos=0)
            for _ in range(3):
                await reader.publish("d/x", b"1")
            await eventually(lambda: reader.statistics.received == 3, "three messages")
            broker.kill()
            found: list[Message] = []
            with pytest.raises(ConnectionLostError, match="was ended by the network"):
                await _collect(reader, found)
            assert len(found) == 3  # what had arrived is handed out first
            reader.ack(found[0])
            for attempt in (reader.publish("d/x", b"1", qos=1), reader.subscribe("d/y")):
                with pytest.raises(ConnectionLostError):
                    await attempt
        with pytest.raises(ConnectError, match="cannot be reached"):
            await port(endpoint, "again").connect()
        broker.start()
        async with port(endpoint, "again") as again:
            assert again.is_connected
    finally:
        broker.stop()


async def test_publishes_in_flight_fail_with_the_connection() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        await reader.readexactly(5)  # the first PUBLISH, never acknowledged

    async with server(deaf) as endpoint, port(endpoint, "writer") as writer:
        outcomes = await asyncio.gather(
            *(writer.publish("x", b"1", qos=1) for _ in range(3)), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [ConnectionLostError] * 3


@pytest.mark.parametrize(
    ("ending", "heard"), [("normal", False), ("asked", True), ("exception", True), ("cut", True)]
)
async def test_which_endings_publish_the_will(endpoint: Endpoint, ending: str, heard: bool) -> None:
    will = Will(topic="w/mortal", payload=b"gone")
    async with port(endpoint, "watcher") as watcher:
        await watcher.subscribe("w/#")
        with contextlib.suppress(ZeroDivisionError):
            async with port(endpoint, "mortal", will=will) as mortal:
                if ending == "asked":
                    await mortal.disconnect(with_will=True)
                elif ending == "exception":
                    raise ZeroDivisionError
                elif ending == "cut":
                    mortal._end("as if the cable were cut")
        if not heard:
            # Whatever the broker makes of the ending, it has made it before this comes back.
            await asyncio.sleep(0.2)
            await watcher.publish("w/after", b"nothing", qos=1)
        (first,) = await take(watcher, 1)
        assert first.topic == ("w/mortal" if heard else "w/after")


async def test_the_brokers_reason_for_ending_is_kept() -> None:
    async def take_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + bytes([0xE0, 2, 0x8E, 0]))
        await reader.read()

    async with server(take_over) as endpoint, port(endpoint, "twin") as first:
        told = "the broker: Session taken over; somebody else connects as twin"
        with pytest.raises(ConnectionLostError, match=told) as lost:
            await take(first, 1)
        assert lost.value.reason_code == 0x8E


async def test_a_twin_ends_the_first(endpoint: Endpoint) -> None:
    async with port(endpoint, "twin") as first, port(endpoint, "twin"):
        with pytest.raises(ConnectionLostError):
            await take(first, 1)


async def test_who_never_answers_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(silent) as endpoint:
        with pytest.raises(ConnectError, match=r"did not answer within 0\.3 s"):
            await port(endpoint, "x", connect_timeout_seconds=0.3).connect()
        attempt = asyncio.create_task(port(endpoint, "y").connect())
        await asyncio.sleep(0.05)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt


async def test_a_silent_peer_is_noticed_by_keepalive() -> None:
    async def asleep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        await asyncio.sleep(60)

    async with server(asleep) as endpoint, port(endpoint, "x", keepalive_seconds=1) as client:
        with pytest.raises(ConnectionLostError):
            await take(client, 1)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        bytes([0x20, 1, 0]),
        CONNACK + bytes([0xF0, 0]),
        CONNACK + bytes([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        CONNACK + bytes([0x30, 4, 0, 9, 1, 2]),
        CONNACK + bytes([0x30, 5, 0, 2, 0xFF, 0xFE, 0]),
        CONNACK + bytes([0x30, 5, 0, 1, 65, 2, 0x99]),
        CONNACK + bytes([0x90, 2, 0, 1]),
        CONNACK + bytes([0xE0, 1, 0x99]),
    ],
)
async def test_nonsense_ends_the_connection_with_a_typed_error(nonsense: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(nonsense)
        await asyncio.sleep(0.2)

    async with server(speak) as endpoint:
        client = port(endpoint, "x", connect_timeout_seconds=3)
        with pytest.raises(MqttError):
            async with client:
                await take(client, 1)


async def test_a_port_connects_once_and_leaves_nothing_behind(endpoint: Endpoint) -> None:
    tasks, threads = len(asyncio.all_tasks()), set(threading.enumerate())
    for count in range(5):
        async with port(endpoint, f"c{count}") as client:
            await client.subscribe("l/#")
            with pytest.raises(MqttError, match="connects once"):
                await client.connect()
        await client.disconnect()  # a second time does nothing
    assert len(asyncio.all_tasks()) == tasks
    extra = [thread.name for thread in set(threading.enumerate()) - threads]
    assert all(name.startswith("asyncio_") for name in extra)  # the loop's own name-lookup pool


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=broker",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return certificate, key


async def test_tls_reads_everything_that_was_decrypted(
    start_mosquitto: StartBroker, certificate: tuple[Path, Path]
) -> None:
    public, key = certificate
    plain = start_mosquitto(listener=(f"certfile {public}", f"keyfile {key}")).endpoint
    trusting = ssl.create_default_context(cafile=public)
    endpoint = Endpoint(host=plain.host, port=plain.port, tls=trusting)
    async with port(endpoint, "reader") as reader, port(endpoint, "writer") as writer:
        await reader.subscribe("t/#")
        await asyncio.gather(
            *(writer.publish("t/x", bytes(count * 40), qos=1) for count in range(300)),
            writer.publish("t/big", b"b" * 2_000_000, qos=1),
        )
        found = await take(reader, 301)
    assert sum(len(message.payload) for message in found) == 40 * 299 * 300 // 2 + 2_000_000
    distrusting = Endpoint(host=plain.host, port=plain.port, tls=ssl.create_default_context())
    with pytest.raises(ConnectError, match=r"(?i)certificate"):
        await port(distrusting, "x").connect()
