"""From an agent's journal over a real broker to who hangs on whom, and to incidents."""

from collections.abc import Mapping
from pathlib import Path

from controller.incidents.model import Kind, Subject
from controller.service import Controller
from drivers.wire.embedded import EmbeddedBroker
from tenone.blocks.columns import Value
from tenone.blocks.layout import Layout
from tenone.config import load_city
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.surroundings import SURROUNDINGS
from tests.controller.harness import SchoolAgent, until, write_city

CORE, SW1 = "02:00:00:00:00:01", "02:00:00:00:00:02"
_ONE = '  - {name: sw1, host: 127.0.0.1, snmp: {community: "env:X"}}\n'
_TWO = _ONE + '  - {name: core, host: 127.0.0.2, snmp: {community: "env:X"}}\n'


async def say(agent: SchoolAgent, stream: str, switch: str, **row: Value) -> None:
    key = f"{row['neighbour_port']}|1" if stream == "neighbours" else switch
    values: Mapping[str, list[Value | None]] = {name: [value] for name, value in row.items()}
    layout = Layout(stream, SURROUNDINGS[stream], (key,))
    await agent._keep(layout, f"no1/switch/{switch}", values)


async def test_from_the_journal_to_incidents(tmp_path: Path) -> None:
    async with EmbeddedBroker() as broker:
        path = write_city(
            tmp_path / "city", broker_port=broker.port, http_port=8010, schools=("no1",)
        )
        school = path.parent / "schools" / "no1.yaml"
        text = school.read_text().replace(_ONE, _TWO)
        school.write_text(text.replace("tier: uplink, switch: sw1", "tier: uplink, switch: core"))
        async with Controller(load_city(path), clock=SystemClock()) as controller:
            parents = controller.incidents.engine.parents
            floor, core = (Subject("no1", Kind.SWITCH, name) for name in ("sw1", "core"))
            assert (core,) not in parents.of(floor)
            async with SchoolAgent(tmp_path / "agent", port=broker.port) as agent:
                await say(agent, "switch-identity", "core", own_base_mac=CORE, own_serial="A")
                await say(agent, "switch-identity", "sw1", own_base_mac=SW1, own_serial="B")
                await say(
                    agent,
                    "neighbours",
                    "core",
                    neighbour_port="X2",
                    neighbour_protocol="lldp",
                    neighbour_mac=SW1,
                    neighbour_name="HUAWEI",
                )
                await until(lambda: (core,) in parents.of(floor), 20, "the cable is known")
                assert controller.topology.drift(ScopePath()) == []
                await say(agent, "switch-identity", "sw1", own_base_mac=SW1, own_serial="C")
                await until(
                    lambda: bool(controller.topology.drift(ScopePath())), 20, "it is another one"
                )
                await agent.drained(20)
            (drift,) = controller.topology.drift(ScopePath())
            assert (drift["kind"], drift["subject"]) == ("switch-replaced", "sw1")
            assert controller.topology.health().ready
        # Another controller on the same records knows both without a word.
        async with Controller(load_city(path), clock=SystemClock()) as second:
            parents = second.incidents.engine.parents
            await until(lambda: (core,) in parents.of(floor), 20, "the cable is remembered")
            assert len(second.topology.drift(ScopePath())) == 1
