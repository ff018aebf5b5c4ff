import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.mqtt import Endpoint, MqttPort
from drivers.wire.paho_loop import BufferedClient, Watch


def test_paho_still_reads_in_the_one_place_we_replace() -> None:
    """If paho renames it, the port goes on working, but slowly: this says so."""
    assert "_sock_recv" in Client.__dict__
    assert "_ssl_wrap_socket" in Client.__dict__
    assert "_send_pingreq" in Client.__dict__
    client = BufferedClient(
        CallbackAPIVersion.VERSION2, client_id="x", protocol=MQTTProtocolVersion.MQTTv5
    )
    assert not client.has_read_ahead


async def test_what_was_read_ahead_is_handled_without_another_event(
    embedded: EmbeddedBroker,
) -> None:
    """More packets than one wake-up handles, all in one read, then silence."""
    endpoint = Endpoint(host=embedded.host, port=embedded.port)
    async with (
        MqttPort(endpoint=endpoint, client_id="r") as reader,
        MqttPort(endpoint=endpoint, client_id="w") as writer,
    ):
        await reader.subscribe("p/#", qos=0)
        for _ in range(1000):
            await writer.publish("p/x", b"1")
        seen = 0
        async with asyncio.timeout(20):
            async for _message in reader.messages():
                seen += 1
                if seen == 1000:
                    break
        assert reader.statistics.overflowed == 0


async def test_pausing_and_resuming_loses_nothing(embedded: EmbeddedBroker) -> None:
    endpoint = Endpoint(host=embedded.host, port=embedded.port)
    async with (
        MqttPort(endpoint=endpoint, client_id="r") as reader,
        MqttPort(endpoint=endpoint, client_id="w") as writer,
    ):
        await reader.subscribe("p/#", qos=0)
        watch = reader._watch
        assert watch is not None
        found = []

        async def collect() -> None:
            async for message in reader.messages():
                found.append(int(message.payload))
                watch.resume()
                if len(found) == 600:
                    return

        collecting = asyncio.create_task(collect())
        for count in range(600):
            await writer.publish("p/x", str(count).encode())
            if count % 7 == 0:
                watch.pause()
                watch.pause()
            if count % 50 == 0:
                await asyncio.sleep(0)
                watch.resume()
        watch.resume()
        await asyncio.wait_for(collecting, 20)
        assert found == list(range(600))


def test_a_connection_that_comes_after_the_loop_has_gone_is_closed(
    embedded: EmbeddedBroker,
) -> None:
    client = BufferedClient(
        CallbackAPIVersion.VERSION2, client_id="late", protocol=MQTTProtocolVersion.MQTTv5
    )
    go_on = threading.Event()
    opened: list[socket.socket] = []

    def work() -> MQTTErrorCode:
        assert go_on.wait(20)
        code = client.connect(embedded.host, embedded.port)
        made = client.socket()
        assert isinstance(made, socket.socket)
        opened.append(made)
        return code

    async def give_up() -> None:
        watch = Watch(client, asyncio.get_running_loop(), lambda _sentence: None)
        opening = asyncio.create_task(watch.open(work))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)

    threads = ThreadPoolExecutor(1)
    loop = asyncio.new_event_loop()
    loop.set_default_executor(threads)
    try:
        loop.run_until_complete(give_up())
    finally:
        loop.close()
    go_on.set()
    threads.shutdown()
    assert [one.fileno() for one in opened] == [-1]
