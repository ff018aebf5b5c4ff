"""What the controller's tests share: an agent's journal in memory, and arrivals from it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from controller.plan import (
    CityPlan,
    DevicePlan,
    DistrictPlan,
    LinkPlan,
    SchoolPlan,
    SwitchPlan,
)
from controller.store.protocols import Arrival
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import Layout
from tenone.vocabulary.metrics import (
    AGENT_HEALTH,
    BOARD_HEALTH,
    GAP,
    PORT_INVENTORY,
    PORT_STATE,
    SWITCH_STATUS,
)
from tenone.vocabulary.states import ClockQuality, PriorityClass, Tier

NOON_NS = 1_790_078_400_000_000_000  # 2026-09-22 12:00:00 UTC
GAP_LAYOUT = Layout("gap", GAP, ("gap",))


def port_layout(ports: Sequence[str]) -> Layout:
    return Layout("port-state", PORT_STATE, tuple(ports))


@dataclass
class FakeJournal:
    """Makes chained blocks as an agent's journal does, without a disk."""

    school: str = "no1"
    district: str = "east"
    journal_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    boot_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    heads: dict[PriorityClass, tuple[int, bytes]] = field(default_factory=dict)
    made: list[tuple[Block, Layout]] = field(default_factory=list)

    def block(
        self,
        layout: Layout,
        subject: str,
        columns: Mapping[str, Sequence[Value | None]],
        *,
        wall_ns: int = NOON_NS,
        priority: PriorityClass | None = None,
    ) -> Block:
        stamp = Stamp(
            agent=f"{self.school}/gateway/agent",
            subject=subject,
            boot_id=self.boot_id,
            wall_ns=wall_ns,
            monotonic_ns=wall_ns - 1_700_000_000_000_000_000,
            clock_quality=ClockQuality.SYNCHRONISED,
        )
        rows = len(layout.rows)
        draft = Draft.of(
            layout,
            stamp,
            [Column.of(name, columns.get(name, [None] * rows)) for name in layout.columns],
            priority,
        )
        seq, previous = self.heads.get(draft.priority, (1, FIRST_PREVIOUS))
        block = draft.seal(self.journal_id, seq, previous)
        self.heads[draft.priority] = (seq + 1, block.hash)
        self.made.append((block, layout))
        return block

    def ports(
        self,
        switch: str = "sw1",
        ports: Sequence[str] = ("GE1", "GE2", "XGE1"),
        *,
        wall_ns: int = NOON_NS,
        **columns: Sequence[Value | None],
    ) -> Block:
        count = len(ports)
        values: dict[str, Sequence[Value | None]] = {
            "if_index": list(range(1, count + 1)),
            "admin": [1] * count,
            "oper": [1] * count,
            "speed_mbps": [10_000 if port.startswith("X") else 1000 for port in ports],
            "duplex": [3] * count,
            "last_change_ticks": [0] * count,
            **columns,
        }
        subject = f"{self.school}/switch/{switch}"
        return self.block(port_layout(ports), subject, values, wall_ns=wall_ns)

    def status(self, switch: str = "sw1", *, reachable: int = 1, error: str = "") -> Block:
        layout = Layout("switch-status", SWITCH_STATUS, (switch,))
        values: dict[str, Sequence[Value | None]] = {
            "reachable": [reachable],
            "poll_error": [error],
            "sys_descr": ["Simulated switch"],
            "sys_uptime_ticks": [123_400],
        }
        return self.block(layout, f"{self.school}/switch/{switch}", values)

    def boards(
        self, boards: Sequence[str], *, online: Sequence[int], **columns: Sequence[Value | None]
    ) -> Block:
        layout = Layout("board-health", BOARD_HEALTH, tuple(boards))
        return self.block(layout, f"{self.school}/board/all", {"online": online, **columns})

    def inventory(
        self, switch: str, ports: Sequence[str], **columns: Sequence[Value | None]
    ) -> Block:
        layout = Layout("port-inventory", PORT_INVENTORY, tuple(ports))
        return self.block(layout, f"{self.school}/switch/{switch}", dict(columns))

    def health(self, **values: Value | None) -> Block:
        layout = Layout("agent-health", AGENT_HEALTH, ("agent",))
        columns = {name: [value] for name, value in values.items()}
        return self.block(layout, f"{self.school}/gateway/agent", columns)

    def gap(self, first: int, last: int, last_hash: bytes, priority: PriorityClass) -> Block:
        values: dict[str, Sequence[Value | None]] = {
            "gap_first_seq": [first],
            "gap_last_seq": [last],
            "gap_count": [last - first + 1],
            "gap_reason": ["disk-bound"],
            "gap_last_hash": [last_hash.hex()],
        }
        subject = f"{self.school}/gateway/journal"
        return self.block(GAP_LAYOUT, subject, values, priority=priority)

    def arrival(
        self,
        block: Block,
        *,
        received_ns: int | None = None,
        age_ns: int = 0,
        monotonic_ns: int = 10**9,
    ) -> Arrival:
        layout = next(layout for made, layout in self.made if made is block)
        return Arrival(
            block=block,
            layout=layout,
            school=self.school,
            district=self.district,
            received_ns=block.stamp.wall_ns if received_ns is None else received_ns,
            age_ns=age_ns,
            monotonic_ns=monotonic_ns,
        )


JournalMaker = Callable[..., FakeJournal]


@pytest.fixture
def make_journal() -> JournalMaker:
    return FakeJournal


def fed(plan: CityPlan, *serials: str) -> CityPlan:
    """The same with UPSes in no1 that feed all its switches."""
    upses = [
        DevicePlan(school="no1", kind="ups", serial=one, name=one, room=None) for one in serials
    ]
    switches = [
        replace(one, fed_by=serials) if one.school == "no1" else one for one in plan.switches
    ]
    return replace(plan, devices=[*plan.devices, *upses], switches=switches)


def small_city(**link_values: object) -> CityPlan:
    """Two districts, two schools: an uplink and two classes in no1, a class in no2."""

    def link(school: str, name: str, tier: Tier, port: str | None, room: str | None) -> LinkPlan:
        values: dict[str, Any] = {
            "school": school,
            "link": name,
            "name": f"Link {name}",
            "tier": tier,
            "room": room,
            "contract_mbps": 10_000 if tier is Tier.UPLINK else 1000,
            "switch": "sw1",
            "port": port,
        }
        return LinkPlan(**(values | link_values))

    return CityPlan(
        id="binhai",
        name="Binhai",
        name_zh="滨海市",
        districts=[
            DistrictPlan(id="east", name="East", name_zh="东区"),
            DistrictPlan(id="west", name="West"),
        ],
        schools=[
            SchoolPlan(id="no1", district="east", name="No. 1", name_zh="第一小学"),
            SchoolPlan(id="no2", district="west", name="No. 2"),
        ],
        switches=[SwitchPlan(school="no1", name="sw1"), SwitchPlan(school="no2", name="sw1")],
        links=[
            link("no1", "up", Tier.UPLINK, "XGE1", None),
            link("no1", "c301", Tier.CLASS, "GE1", "r301"),
            link("no1", "c302", Tier.CLASS, "GE2", "r302"),
            link("no2", "c101", Tier.CLASS, "GE1", "r101"),
        ],
        devices=[
            DevicePlan(school="no1", kind="board", serial="b1", name="Board 1", room="r301"),
            DevicePlan(school="no2", kind="board", serial="b9", name="Board 9", room="r101"),
        ],
    )
