"""A school's own Mosquitto, kept by the agent: one account a device, its own subtree only."""

import time
from pathlib import Path

import pytest
import yaml

from agents.local_accounts import desired, names
from agents.service import Agent
from drivers.wire.access_lists import GATEWAY_ROLE, KEEPER_ROLE, gateway_role, keeper_role
from drivers.wire.dynsec_values import Client, State
from drivers.wire.mqtt import ConnectError, MqttError, MqttPort
from drivers.wire.mqtt_values import Endpoint, Will
from tenone.config import School, load_school
from tenone.runtime.clock import SystemClock
from tenone.trust.credentials import make_credentials, mark_of
from tenone.trust.masked import Secret
from tests.brokers.rig import broker_in, until

KEEPER, OWN = "tenone.keeper", "tenone.agent"
PASSWORDS = {KEEPER: Secret("keeper-s-password"), OWN: Secret("agent-s-password")}
SEED = State.of(
    [keeper_role(), gateway_role()],
    [
        Client(username=KEEPER, roles=frozenset({KEEPER_ROLE})),
        Client(
            username=OWN,
            roles=frozenset({GATEWAY_ROLE}),
            client_id="tenone-agent-no1",
            mark=mark_of(OWN, PASSWORDS[OWN]),
        ),
    ],
)


def school_in(folder: Path, port: int) -> School:
    for name, secret in PASSWORDS.items():
        (folder / name).write_text(secret.use())
    inside = {"host": "127.0.0.1", "port": port}
    values = {
        "schema_version": 1,
        "school": {"id": "no1", "name": "No 1", "district": "east", "city": "binhai"},
        "uplink": {"broker": {"host": "127.0.0.1", "port": 9}},
        "devices": [{"id": "board/b1"}, {"id": "board/b2"}],
        "local_broker": {
            **inside,
            "username": OWN,
            "password": f"file:{OWN}",
            "devices": {
                "port": port,
                "password": f"file:{KEEPER}",
                "check_seconds": 1,
            },
        },
    }
    (folder / "school.yaml").write_text(yaml.safe_dump(values))
    return load_school(folder / "school.yaml")


async def said(port: MqttPort, topic: str) -> bool:
    try:
        await port.publish(topic, b'{"ts":1,"n":1,"boot":"b","v":{}}', qos=1)
    except MqttError:
        return False
    return True


async def in_time(endpoint: Endpoint, name: str, will: Will | None = None) -> MqttPort:
    """Connect as soon as the account stands."""
    deadline = time.monotonic() + 15
    while True:
        port = MqttPort(endpoint=endpoint, client_id=name, will=will)
        try:
            await port.connect()
        except ConnectError:
            assert time.monotonic() < deadline
        else:
            return port


async def test_devices_have_accounts_of_their_own_and_get_them_back(tmp_path: Path) -> None:
    with broker_in(tmp_path, PASSWORDS, SEED, by_password=True) as broker:
        school = school_in(tmp_path, broker.port)
        devices = school.local_broker.devices
        assert devices is not None
        made = make_credentials(devices.passwords, names(school))
        assert set(made) == {"board.b1", "board.b2"}

        def endpoint(name: str) -> Endpoint:
            return Endpoint(host="127.0.0.1", port=broker.port, username=name, password=made[name])

        async with Agent(school, clock=SystemClock()) as agent:
            await agent.ready()
            one = await in_time(endpoint("board.b1"), "board.b1")
            assert await said(one, "t1/board/b1/m")
            assert not await said(one, "t1/board/b2/m")
            assert not await said(one, "t1/board/b1/cmd/ring/1")
            with pytest.raises(ConnectError, match="Not authorized"):
                await MqttPort(endpoint=endpoint("board.b2"), client_id="board.b1").connect()
            assert one.is_connected, "the victim stays"
            # A new password ends the session with the old one.
            made = {**made, **make_credentials(devices.passwords, [], anew=["board.b1"])}
            assert set(made) == {"board.b1", "board.b2"}
            await until(lambda: not one.is_connected, "the old password's session ends")
            again = await in_time(endpoint("board.b1"), "board.b1")
            await again.disconnect()
            # The broker loses its lists.
            broker.kill()
            broker.conf.dynsec_file.write_text((broker.folder / "first.json").read_text())
            broker.start()
            back = await in_time(endpoint("board.b2"), "board.b2")
            assert await said(back, "t1/board/b2/s")
            await back.disconnect()


def test_who_has_no_password_yet_is_disabled(tmp_path: Path) -> None:
    school = school_in(tmp_path, 1883)
    accounts = school.local_broker.devices
    assert accounts is not None
    wanted = desired(school, accounts, {"board.b1": Secret("x"), "gone": Secret("y")}, Secret("z"))
    clients = wanted.state.clients
    assert not clients["board.b1"].disabled
    assert clients["board.b1"].client_id == "board.b1"
    assert clients["board.b2"].disabled
    assert not clients["board.b2"].roles
    assert "gone" not in wanted.passwords
    accounts = accounts.model_copy(update={"identity": "certificate"})
    by_name = desired(school, accounts, {}, Secret("z")).state.clients
    assert set(by_name) == {OWN, "no1/board/b1", "no1/board/b2"}
    assert by_name["no1/board/b1"].client_id is None, "the listener binds it"
    assert "board.b2" not in wanted.passwords
