"""The keeper: an obstacle is a sentence, a refusal of the ledger leaves all as it was."""

import asyncio
from pathlib import Path

import pytest

from drivers.wire.dynsec import Dynsec
from drivers.wire.dynsec_keeper import DynsecKeeper, Repair
from drivers.wire.dynsec_plan import Command, Desired
from drivers.wire.dynsec_values import Client, DynsecError, State
from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import Endpoint
from tenone.runtime.clock import SystemClock
from tests.brokers.rig import broker_in, until
from tests.brokers.town import BARE, HOST, KEEPER, PASSWORDS

WANTED = Desired(
    state=State.of(
        [*BARE.roles.values()],
        [BARE.clients[HOST], Client(username="no1", mark="tenone", disabled=True)],
    ),
    untouched=frozenset({KEEPER}),
)


async def test_what_cannot_be_written_down_is_not_done(tmp_path: Path) -> None:
    refusing = True

    async def before(_repair: Repair) -> None:
        if refusing:
            raise DynsecError("the ledger is full")

    with broker_in(tmp_path, PASSWORDS, BARE) as broker:
        keeper = DynsecKeeper(
            make_port=lambda: MqttPort(endpoint=broker.inside(KEEPER), client_id=KEEPER),
            desired=lambda: WANTED,
            clock=SystemClock(),
            before_repair=before,
        )
        with pytest.raises(DynsecError, match="no connection"):
            await keeper.execute([Command("disableClient", {"username": "no1"})])
        running = asyncio.create_task(keeper.run())
        try:
            await until(lambda: "the ledger is full" in keeper.trouble, "it is told")
            assert "no1" not in broker.conf.dynsec_file.read_text()
            refusing = False
            await until(lambda: not keeper.trouble, "the ledger takes it")
            assert '"no1"' in broker.conf.dynsec_file.read_text()
            broker.kill()
            await until(lambda: bool(keeper.trouble), "the broker is gone")
            broker.start()
            await until(lambda: not keeper.trouble, "it is back")
            assert keeper.repairs == 0, "the plugin had kept all"
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_a_broker_without_the_plugin_is_a_sentence() -> None:
    async with EmbeddedBroker() as broker:
        port = MqttPort(endpoint=Endpoint(host=broker.host, port=broker.port), client_id="k")
        async with port:
            with pytest.raises(DynsecError, match="is the plugin"):
                await Dynsec(port, answer_seconds=0.3).run(Command("listRoles"))
