"""A simulated school asked by SNMP, its blocks taken by the room: the tree is the cabling."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.plan import CityPlan, DistrictPlan, LinkPlan, SchoolPlan, SwitchPlan
from drivers.snmp.client import SnmpClient
from drivers.snmp.reading import Reading
from drivers.snmp.surroundings import SurroundingsReader
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from firmware_sims import city
from firmware_sims.switch import fleet
from firmware_sims.switch.fleet import Unit
from firmware_sims.switch.model import Neighbour
from firmware_sims.switch.server import Fleet
from tenone.blocks.layout import Layout
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import Tier
from tests.topology.test_room import Stage


@dataclass
class School:
    """A simulated school: its switches by their short names, and what the city says of it."""

    plan: CityPlan
    units: dict[str, Unit]


def school_of(number: int) -> School:
    made = city.plan(schools=3, seed=4).schools[number]
    setting = fleet.Setting(clock=SystemClock())
    units = {
        plan.name.partition(".")[2]: fleet.live(plan, ("127.0.0.1", 0), setting)
        for plan in made.switches
    }
    ports = {name: list(unit.ports) for name, unit in units.items()}
    return School(
        plan=CityPlan(
            id="binhai",
            name="Binhai",
            districts=[DistrictPlan(id="east", name="East")],
            schools=[SchoolPlan(id="no1", district="east", name="No. 1")],
            switches=[SwitchPlan(school="no1", name=name) for name in units],
            links=[
                LinkPlan(
                    school="no1",
                    link=link.id,
                    name=link.name,
                    tier=Tier(link.tier),
                    room=link.room,
                    contract_mbps=1000,
                    switch=link.switch,
                    port=ports[link.switch][
                        city.ACCESS_PORTS + link.port if link.tier == "uplink" else link.port
                    ],
                )
                for link in made.links
            ],
            devices=[],
        ),
        units=units,
    )


async def ask(school: School, stage: Stage) -> None:
    """Ask every switch for its surroundings and let the room take the blocks."""
    async with SnmpClient(clock=SystemClock()) as client:
        for name, unit in school.units.items():
            target = Target(host="127.0.0.1", port=unit.endpoint.port, community=city.COMMUNITY)
            reader = SwitchReader(client, target)
            inventory = await reader.inventory()
            readings = await SurroundingsReader(reader, name=name).read()
            assert readings.errors == ()
            ports = Reading(stream="port-inventory", rows=inventory.rows, columns=inventory.columns)
            for reading in (ports, *readings.readings):
                await tell(stage, name, reading)


async def tell(stage: Stage, switch: str, reading: Reading) -> None:
    stage.at_ns += 10**9
    layout = Layout(
        reading.stream, tuple(column.metric.name for column in reading.columns), reading.rows
    )
    values = {column.metric.name: list(column) for column in reading.columns}
    block = stage.journal.block(layout, f"no1/switch/{switch}", values, wall_ns=stage.at_ns)
    await stage.room.take([stage.journal.arrival(block)])


@pytest.mark.parametrize(
    "number", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
async def test_a_school_is_the_tree_it_was_cabled_as(tmp_path: Path, number: int) -> None:
    school = school_of(number)
    stage = Stage(tmp_path, school.plan)
    async with Fleet([unit.endpoint for unit in school.units.values()]):
        await ask(school, stage)
        net = stage.room.nets["no1"]
        floors = sorted(set(school.units) - {"core"})
        assert net.roots == ["switch/core"]
        assert {name: net.tree.parents(f"switch/{name}") for name in floors} == dict.fromkeys(
            floors, ("switch/core",)
        )
        assert net.shadow("core") == set(floors)
        assert stage.kinds() == []
        graph = stage.room.graph("no1")
        edges = graph["edges"]
        assert isinstance(edges, list)
        cables = [edge for edge in edges if edge["kind"] == "cable"]
        assert len(cables) == len(floors), "each cable once, though both ends hear it"

        # Somebody plugs a box of his own into the core's first floor port.
        core = school.units["core"].switch
        assert core is not None
        first, *rest = core.neighbours
        foreign = Neighbour(first.port, "home-router", "eth0", bytes.fromhex("0a0b0c0d0e0f"))
        core.set_neighbours((foreign, *rest))
        await ask(school, stage)
        assert stage.kinds() == ["unknown-neighbour"]
        core.set_neighbours((first, *rest))
        await ask(school, stage)
        assert stage.kinds() == []
    stage.records.close()
