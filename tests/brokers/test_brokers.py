"""The city's broker kept by the real controller, with real agents and real TLS."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agents.service import Agent
from controller.service import Controller
from controller.trust.brokers import CUT_BATCH, BrokerRoom
from controller.trust.machine_room import machine_room
from controller.trust.machine_standing import CutState
from controller.trust.registry import Machine
from drivers.wire.dynsec_plan import Command, add_role_acl
from drivers.wire.dynsec_values import Acl, AclType
from drivers.wire.mqtt import MqttError, MqttPort
from drivers.wire.mqtt_values import Endpoint
from tenone.config import load_school
from tenone.runtime.clock import SystemClock
from tenone.trust.credentials import make_credentials
from tenone.trust.masked import Secret
from tests.brokers.rig import Authority, until
from tests.brokers.town import KEEPER, Town, enrol, room_of, town_in

SCHOOLS = ("no1", "no2", "no3")


def told_of(room: BrokerRoom, machine: Machine) -> CutState | None:
    found = room.cut_of(machine)
    return None if found is None else found.state


def flows(running: Controller, agents: list[Agent]) -> bool:
    return all(agent.uplink.is_online and agent.uplink.is_drained for agent in agents)


@pytest.mark.slow
async def test_everything_flows_drift_is_repaired_and_a_broker_that_forgot_all_is_filled_again(
    tmp_path: Path,
) -> None:
    with town_in(tmp_path, SCHOOLS, agents="planned", foreign="keep") as town:
        async with town.controller() as running, town.agents(town.config) as agents:
            room = room_of(running)
            assert room.keeper is not None
            keeper = room.keeper
            await until(lambda: flows(running, agents), "all agents stream")
            assert room.health().ready
            # Drift: somebody gives one school everything, and makes an account.
            await keeper.execute(
                [
                    add_role_acl("tenone-school-no1", Acl(AclType.SUBSCRIBE_PATTERN, "#")),
                    Command("disableClient", {"username": "no2"}),
                    Command("createClient", {"username": "stranger", "password": "x" * 20}),
                ]
            )
            await until(lambda: keeper.repairs >= 1, "the drift is found and repaired")
            await until(lambda: "1 foreign: stranger" in room.health().sentence, "it is told")
            assert town.acts().count("broker.reconcile") >= 2
            before = running.figures().blocks_total
            # The broker dies and comes back with its first file: no school in it.
            town.broker.kill()
            town.broker.conf.dynsec_file.write_text((town.broker.folder / "first.json").read_text())
            town.broker.start()
            began = time.monotonic()
            await until(lambda: not keeper.trouble and keeper.accounts == 5, "it has its lists")
            for agent in agents:
                await agent.checkpoints.tell()
            await until(lambda: flows(running, agents), "all agents stream again", 40)
            print(f"\nempty broker to all agents streaming: {time.monotonic() - began:.1f} s")
            figures = running.figures()
            assert figures.blocks_total > before
            assert figures.base_skipped_total == 0
            await not_let_in(town, running)
            begun = re.findall(r"as (\S+) \(p(\d)", (town.broker.folder / "log").read_text())
            assert {name for name, _ in begun} >= {*SCHOOLS, "tenone-tenone", KEEPER}
            assert {version for _, version in begun} == {"5"}, "our side speaks MQTT 5 alone"


async def not_let_in(town: Town, running: Controller) -> None:
    """An agent with a certificate of another authority, and one whose school is not planned."""
    rogue = Authority(town.folder / "rogue", "test authority")
    for authority, school in ((rogue, "no2"), (town.broker.authority, "no9")):
        town.school(school, authority, folder="foreign")
        config = load_school(town.folder / "foreign" / f"{school}.yaml")
        outbox = config.outbox.model_copy(update={"path": town.folder / f"foreign-{school}"})
        config = config.model_copy(update={"outbox": outbox})
        faults = running.link.faults
        async with Agent(config, clock=SystemClock()) as agent:
            await agent.checkpoints.tell()
            await asyncio.sleep(1.0)
            assert not agent.uplink.is_online
        assert running.link.faults == faults, "nothing of it arrives"
    assert {one.node for one in running.link.nodes} == set(SCHOOLS), "the true one stays"


@pytest.mark.slow
async def test_revoked_is_cut_and_stays_out_expired_is_cut_renewed_is_not(tmp_path: Path) -> None:
    with town_in(tmp_path, SCHOOLS, pid_file=str(tmp_path / "pid")) as town:
        assert town.broker.process is not None
        (tmp_path / "pid").write_text(f"{town.broker.process.pid}\n")
        now = time.time()
        async with town.controller() as running:
            registry = machine_room(running.rooms.values()).registry
            room = room_of(running)
            keeper = room.keeper
            assert keeper is not None
            for school in SCHOOLS:
                enrol(registry, school, until=now + 3600, issued=now - 60)
            await until(lambda: not keeper.trouble and keeper.accounts == 5, "the lists stand")
            ports = {school: town.broker.agent(school) for school in SCHOOLS}
            for school, port in ports.items():
                await port.connect()
                await until_allowed(port, f"spBv1.0/east/NDATA/{school}")
            # Revoked: the registry tells, the session ends, a new one may do nothing.
            machine = registry.find("agent:no1")
            assert machine is not None
            began = time.monotonic()
            registry.put(replace(machine, revoked_ns=time.time_ns(), why="stolen"))
            await until(lambda: not ports["no1"].is_connected, "no1 is cut")
            print(f"\nrevoke to cut: {(time.monotonic() - began) * 1000:.0f} ms")
            revoked = registry.find("agent:no1")
            assert revoked is not None
            await until(lambda: told_of(room, revoked) is CutState.CUT, "the room knows it")
            for other in ("no2", "no3"):
                still = registry.find(f"agent:{other}")
                assert still is not None
                assert room.cut_of(still) is None
            await denied(town.broker.agent("no1"), "spBv1.0/east/NDATA/no1")
            # The list of revoked certificates is written anew: the broker is told to read it.
            authority = town.broker.authority
            authority.revoked.append(authority.serial("no1"))
            authority.make_crl()
            deadline = time.monotonic() + 10
            while await connects(town.broker.agent("no1")):
                assert time.monotonic() < deadline, "the list never counted"
                await asyncio.sleep(0.1)
            assert ports["no2"].is_connected, "reading the list disturbs nobody"
            # no2 runs out in two seconds and is not renewed; no3 is renewed and comes anew.
            ends = round(time.time()) + 3
            for school in ("no2", "no3"):
                found = registry.find(f"agent:{school}")
                assert found is not None
                old = replace(found.certificates[0], not_after=ends)
                registry.put(replace(found, certificates=(old,)))
            enrol(registry, "no3", until=time.time() + 3600, issued=time.time())
            await asyncio.sleep(0.1)
            await ports["no3"].disconnect()
            renewed = town.broker.agent("no3")
            await renewed.connect()
            await until(lambda: not ports["no2"].is_connected, "no2 is cut")
            late = time.time() - ends
            print(f"expired to cut: {late:.1f} s")
            assert 0 <= late < 5
            await asyncio.sleep(1.5)
            assert renewed.is_connected, "who renewed in time is not cut"
            await until_allowed(renewed, "spBv1.0/east/NDATA/no3")
            await renewed.disconnect()
            await until(lambda: "session.expire" in town.acts(), "it is in the ledger")


@pytest.mark.slow
async def test_many_who_are_revoked_at_once_are_cut_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost authority. 2.0.11 writes its whole file at each command: one ends all sessions."""
    schools = tuple(f"s{number}" for number in range(CUT_BATCH + 5))
    with town_in(tmp_path, schools) as town:
        async with town.controller() as running:
            registry = machine_room(running.rooms.values()).registry
            keeper = room_of(running).keeper
            assert keeper is not None
            for school in schools:
                enrol(registry, school, until=time.time() + 3600, issued=time.time() - 60)
            await until(lambda: keeper.accounts == len(schools) + 2, "the lists stand")
            ports = {school: town.broker.agent(school) for school in schools}
            for port in ports.values():
                await port.connect()
            given: list[tuple[Command, ...]] = []
            execute = keeper.execute

            async def noted(commands: Sequence[Command]) -> None:
                given.append(tuple(commands))
                await execute(commands)
                if len(given) == 1:
                    alive = [one for one in schools[1:] if ports[one].is_connected]
                    await until(lambda: not any(ports[one].is_connected for one in alive), "all")

            monkeypatch.setattr(keeper, "execute", noted)
            for school in schools[1:]:
                machine = registry.find(f"agent:{school}")
                assert machine is not None
                registry.put(replace(machine, revoked_ns=time.time_ns(), why="authority lost"))
            await until(lambda: sum(map(len, given)) == 3 + len(schools) - 1, "all is taken away")
            assert [one.name for one in given[0]] == ["createGroup", "modifyGroup", "deleteGroup"]
            assert {one.name for batch in given[1:] for one in batch} == {"modifyClient"}
            assert ports["s0"].is_connected, "who was not revoked stays"
            await until_allowed(ports["s0"], "spBv1.0/east/NDATA/s0")
            await denied(town.broker.agent("s7"), "spBv1.0/east/NDATA/s7")
            await ports["s0"].disconnect()


async def test_old_protocols_are_cut_and_a_fight_for_an_id_is_told(tmp_path: Path) -> None:
    with town_in(tmp_path, SCHOOLS, agents="planned") as town:
        async with town.controller() as running:
            room = room_of(running)
            keeper = room.keeper
            assert keeper is not None
            await until(lambda: not keeper.trouble and keeper.accounts == 5, "the lists stand")
            folder = town.broker.authority.folder
            process = await asyncio.create_subprocess_exec(
                "mosquitto_sub", "-V", "311", "-h", "localhost", "-p", str(town.broker.tls_port),
                "--cafile", str(town.broker.authority.ca), "--cert", str(folder / "no1.pem"),
                "--key", str(folder / "no1.key"), "-t", "spBv1.0/east/NCMD/no1",
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                await until(lambda: room.old_protocols >= 1, "it is seen")
                log = town.broker.folder / "log"
                await until(lambda: "administrative action" in log.read_text(), "and cut")
            finally:
                process.kill()
                await process.wait()
            twins = [town.broker.agent("no2") for _ in range(4)]
            for twin in twins:
                await twin.connect()
            await until(lambda: "no2" in room.health().sentence, "the fight is told")
            await twins[-1].disconnect()
            await until(
                lambda: {"session.takeover", "session.old-protocol"} <= set(town.acts()),
                "both are in the ledger",
            )


async def until_allowed(port: MqttPort, topic: str) -> None:
    """Publish until it is allowed: the lists may be a moment behind."""
    deadline = time.monotonic() + 10
    while True:
        try:
            await port.publish(topic, b"x", qos=1)
        except MqttError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        else:
            return


async def connects(port: MqttPort) -> bool:
    try:
        await port.connect()
    except MqttError:
        return False
    await port.disconnect()
    return True


async def denied(port: MqttPort, topic: str) -> None:
    try:
        await port.connect()
        await port.publish(topic, b"x", qos=1)
    except MqttError:
        return
    finally:
        await port.disconnect()
    raise AssertionError(f"{topic} was allowed")


@pytest.mark.slow
async def test_two_agents_with_one_name_are_told_by_their_births_alone(tmp_path: Path) -> None:
    """Without the broker's log: a copied gateway, each ending the session of the other."""
    with town_in(tmp_path, SCHOOLS[:1], agents="planned", watch=False) as town:
        (school,) = town.config.schools
        outbox = school.outbox.model_copy(update={"path": tmp_path / "outbox-copy"})
        copy = school.model_copy(update={"outbox": outbox})
        clock = SystemClock()
        async with town.controller() as running, Agent(school, clock=clock):
            room = room_of(running)
            await until(lambda: len(running.link.nodes) == 1, "the first is born")
            async with Agent(copy, clock=clock):
                told = "fight for the id of no1"
                await until(lambda: told in room.health().sentence, "the fight is told", 60)
        assert "session.takeover" in town.acts()


async def test_what_a_broker_retained_is_not_believed(tmp_path: Path) -> None:
    """Abuse case 10: dynamic security cannot forbid it, so it counts for nothing here."""
    topic = "spBv1.0/east/NBIRTH/no1"
    with town_in(tmp_path, SCHOOLS[:1], agents="planned") as town:
        async with town.controller() as running:
            keeper = room_of(running).keeper
            assert keeper is not None
            await until(lambda: not keeper.trouble and keeper.accounts == 3, "the lists stand")
            async with town.broker.agent("no1") as port:
                await port.publish(topic, b"poison", qos=1, retain=True)
        async with town.controller() as running:
            refused = running.quarantine
            await until(lambda: refused.totals.get("retained") == 1, "it is refused and counted")
            assert not running.link.nodes
            assert running.figures().blocks_total == 0


async def test_agents_with_passwords_are_bound_to_their_client_id(tmp_path: Path) -> None:
    made = make_credentials(tmp_path / "agents.json", ["no1", "no2"])
    with town_in(
        tmp_path / "town",
        SCHOOLS,
        agents="planned",
        identity="password",
        passwords=str(tmp_path / "agents.json"),
    ) as town:
        async with town.controller() as running:
            keeper = room_of(running).keeper
            assert keeper is not None
            await until(lambda: not keeper.trouble and keeper.accounts == 5, "the lists stand")

            def port(school: str, client_id: str, password: Secret) -> MqttPort:
                inside = Endpoint(
                    host="127.0.0.1", port=town.broker.port, username=school, password=password
                )
                return MqttPort(endpoint=inside, client_id=client_id)

            async with port("no1", "tenone-node-no1", made["no1"]) as good:
                await good.publish("spBv1.0/east/NDATA/no1", b"x", qos=1)
                for school, client_id, password in (
                    ("no2", "tenone-node-no1", made["no2"]),
                    ("no2", "tenone-node-no2", made["no1"]),
                    ("no3", "tenone-node-no3", Secret("")),
                ):
                    assert not await connects(port(school, client_id, password))
                assert good.is_connected
                registry = machine_room(running.rooms.values()).registry
                enrol(registry, "no1", until=time.time() + 60, issued=time.time())
                machine = registry.find("agent:no1")
                assert machine is not None
                registry.put(replace(machine, revoked_ns=time.time_ns()))
                await until(lambda: not good.is_connected, "it is cut")
            deadline = time.monotonic() + 10
            while await connects(port("no1", "tenone-node-no1", made["no1"])):
                assert time.monotonic() < deadline, "by the next look it cannot even connect"
                await asyncio.sleep(0.05)
