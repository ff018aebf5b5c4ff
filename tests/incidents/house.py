"""A house around live state and records in memory of one process: for rooms, without a broker."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from controller.bus import Bus
from controller.house import House
from controller.incidents.desk import IncidentDesk
from controller.incidents.make import incident_room
from controller.incidents.room import IncidentRoom
from controller.plan import CityPlan
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.blocks import SqliteBlockStore
from controller.store.records import SqlRecords
from controller.views import Change
from tenone.blocks.block import Block
from tenone.config.city import City
from tenone.config.escalation import Damping, Escalation
from tenone.config.trust import Trust
from tenone.runtime.clock import ManualClock
from tests.controller.conftest import FakeJournal, fed, small_city


class FakeConfig:
    """What the room reads of a city's configuration."""

    def __init__(self, escalation: Escalation) -> None:
        self.escalation = escalation
        self.school_by_id: dict[str, object] = {}
        self.incidents = Damping()
        self.trust = Trust.model_validate({"outward_allow": ["127.0.0.1/32"]})


async def at_once(work: Callable[..., Any], *args: object, **kwargs: object) -> Any:
    return work(*args, **kwargs)


class Town:
    """Two schools with their agents, live state, records on disk, and the room of incidents."""

    def __init__(
        self,
        folder: Path,
        clock: ManualClock,
        escalation: Escalation,
        plan: CityPlan | None = None,
    ) -> None:
        self.clock = clock
        self.plan = fed(plan or small_city(), "u1")
        self.records = SqlRecords(f"sqlite:///{folder}/records.db")
        self.records.start()
        self.records.load(self.plan, clock.wall_ns())
        self.live = LiveState(Numbering(self.plan), now_ns=clock.monotonic_ns())
        self.live.restore(self.records.last_changes().values())
        self.city = LiveCity(self.live, clock)
        self.bus = Bus()
        self.house = House(
            config=cast("City", FakeConfig(escalation)),
            plan=self.plan,
            clock=clock,
            folder=folder,
            live=self.live,
            city=self.city,
            store=SqliteBlockStore(folder / "blocks", retention_days=1),
            records=self.records,
            bus=self.bus,
            in_records=at_once,
        )
        self.room: IncidentRoom = incident_room(self.house)
        self.room.open()
        self.desk = IncidentDesk(self.room, at_once)
        self.alive: set[str] = set()
        self.told: list[Change] = []
        self.room.listen(self.told.extend)
        self.journals = {"no1": FakeJournal(), "no2": FakeJournal(school="no2", district="west")}

    def born(self, *schools: str) -> None:
        self.alive.update(schools)
        for school in schools:
            self.live.agent_born(school, "1", now_ns=self.clock.monotonic_ns())

    def died(self, school: str) -> None:
        self.alive.discard(school)
        self.live.agent_died(school)

    def give(self, block: Block, school: str = "no1", age_seconds: float = 0.0) -> None:
        now_ns = self.clock.monotonic_ns()
        arrival = self.journals[school].arrival(
            block,
            received_ns=self.clock.wall_ns(),
            monotonic_ns=now_ns,
            age_ns=round(age_seconds * 1e9),
        )
        self.live.apply(arrival)
        self.last = arrival

    def ports(self, school: str = "no1", age_seconds: float = 0.0, **columns: Any) -> None:
        """One sweep: all as promised unless ``columns`` says otherwise (GE1, GE2, XGE1)."""
        self.give(self.journals[school].ports(**columns), school, age_seconds)

    async def step(self, seconds: float = 1.0) -> None:
        """Time passes, links are judged, the room looks."""
        self.clock.advance(seconds)
        for school in self.alive:
            self.live.agent_heard(school, now_ns=self.clock.monotonic_ns(), offset_seconds=0)
        changes = self.city.judge()
        self.records.append_changes(changes)
        self.bus.changed(changes)
        await self.room.step()

    async def sweeps(self, seconds: float, school: str = "no1", **columns: Any) -> None:
        """Sweeps every 10 s that all say the same."""
        for _ in range(int(seconds / 10)):
            self.ports(school, **columns)
            await self.step(10)

    def close(self) -> None:
        self.room.close()
        self.records.close()
