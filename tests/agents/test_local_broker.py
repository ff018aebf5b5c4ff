import asyncio
import socket

from agents.local_broker import LocalBroker
from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.mqtt import Endpoint, MqttPort
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tests.agents.conftest import until


async def connects(broker: EmbeddedBroker) -> None:
    endpoint = Endpoint(host=broker.host, port=broker.port)
    async with MqttPort(endpoint=endpoint, client_id="x"):
        pass


async def test_it_is_started_and_started_again_on_its_port() -> None:
    local = LocalBroker(EmbeddedBroker(), clock=SystemClock())
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("local broker", local.run)
        await asyncio.wait_for(local.up.wait(), 20)
        port = local.broker.port
        await connects(local.broker)
        await asyncio.to_thread(local.broker.kill)
        await until(lambda: tasks.health[0].restarts == 1)
        await asyncio.wait_for(local.up.wait(), 20)
        assert local.broker.port == port
        await connects(local.broker)
    await asyncio.to_thread(local.broker.stop)


async def test_a_taken_port_is_tried_again_until_it_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        local = LocalBroker(EmbeddedBroker(port=port), clock=SystemClock())
        async with Supervisor(SystemClock()) as tasks:
            tasks.start("local broker", local.run)
            await until(lambda: bool(tasks.health[0].last_error))
            assert f"port {port}" in tasks.health[0].last_error
            assert not local.up.is_set()
            taken.close()
            await asyncio.wait_for(local.up.wait(), 20)
    await asyncio.to_thread(local.broker.stop)
