"""A small school's blocks in a real block store, and the truth they were made from."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.evidence.day import Promise
from controller.evidence.days import DayJudge
from controller.evidence.promises import Bound, LinkFacts, School
from controller.evidence.recorder import Recorder
from controller.plan import SchoolPlan
from controller.store.blocks import SqliteBlockStore
from controller.store.protocols import NS, Arrival
from controller.store.rollups import Rollups
from controller.store.seals import Seals
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import Layout
from tenone.blocks.seal import CHECKPOINT_LAYOUT, Checkpoint, Head, Seal, key_id, merkle_root
from tenone.calendar.public import ChinaLibrary, Weekday
from tenone.calendar.school import BellSchedule, Period, SchoolCalendar, Term
from tenone.calendar.zone import CITY_ZONE, day_span
from tenone.vocabulary.evidence import CHECKPOINT
from tenone.vocabulary.metrics import PORT_COUNTERS, SWITCH_STATUS
from tenone.vocabulary.states import ClockQuality, PriorityClass
from tests.controller.conftest import NOON_NS, FakeJournal

DAY = date(2026, 9, 22)  # a Tuesday
ZONE = ZoneInfo(CITY_ZONE)
SPAN = day_span(DAY, ZONE)
MORNING_NS = SPAN.start_ns + int(7.5 * 3600) * NS
HOLD = 30.0
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PORTS = ("GE1", "XGE1")
SWITCH = "sw1"
SHORT_DAY = BellSchedule(
    (Period("1", time(7, 40), time(7, 55)), Period("2", time(8, 0), time(8, 10))),
    (time(7, 30), time(8, 15)),
)
LONG_DAY = BellSchedule(
    (Period("1", time(8, 0), time(8, 45)), Period("2", time(9, 0), time(9, 45))),
    (time(7, 30), time(18, 0)),
)


def calendar(bells: BellSchedule = SHORT_DAY) -> SchoolCalendar:
    weekdays = {day: bells for day in Weekday if not day.weekend}
    return SchoolCalendar(
        public=ChinaLibrary(),
        weekdays=weekdays,
        terms=[Term("autumn", date(2026, 9, 1), date(2027, 1, 20))],
    )


def school(
    name: str = "no1", *, bells: BellSchedule | None = SHORT_DAY, onboarded_ns: int = 0
) -> School:
    plan = SchoolPlan(
        id=name,
        district="east",
        name="No. 1",
        name_zh="第一小学",
        stale_after_seconds=HOLD,
        calendar=None if bells is None else calendar(bells),
    )

    def link(short: str, tier: str, port: str, contract: int) -> LinkFacts:
        promise = Promise(
            link=f"{name}/{short}",
            contract_mbps=contract,
            shared=tier == "uplink",
            from_ns=onboarded_ns,
        )
        return LinkFacts(
            link=promise.link,
            school=name,
            name=short,
            tier=tier,
            room=None,
            bounds=(Bound(promise=promise, switch=SWITCH, port=port),),
        )

    return School(plan, (link("c301", "class", "GE1", 1000), link("up", "uplink", "XGE1", 10_000)))


class Journal(FakeJournal):
    """Blocks with a sysUpTime that goes with the wall clock, as of a switch that never restarts."""

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
            agent=self.school,
            subject=subject,
            boot_id=self.boot_id,
            wall_ns=wall_ns,
            monotonic_ns=wall_ns - 10**18,
            clock_quality=ClockQuality.SYNCHRONISED,
            uptime_ticks=wall_ns // 10_000_000 % 2**32,
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


@dataclass
class World:
    """A block store, roll-ups and seals in a folder, fed from one journal."""

    folder: Path
    school: School = field(default_factory=school)
    journal: Journal = field(default_factory=Journal)
    signed: dict[PriorityClass, int] = field(default_factory=dict)
    evidence: str = ""
    """The folder of the evidence below ``folder``."""

    def __post_init__(self) -> None:
        self.store = SqliteBlockStore(self.folder / "blocks")
        self.store.start()
        kept = self.folder / self.evidence
        kept.mkdir(parents=True, exist_ok=True)
        self.rollups = Rollups(kept / "rollups")
        self.rollups.start()
        self.seals = Seals(kept / "seals")
        self.seals.start()
        self.start(MORNING_NS)

    def start(self, now_ns: int) -> None:
        """A recorder as after a start of the controller."""
        self.recorder = Recorder(
            source=self.store,
            rollups=self.rollups,
            schools={self.school.plan.id: self.school},
            names={},
            cursor_file=self.folder / "cursor.json",
        )
        self.recorder.open(now_ns)
        self.judge = DayJudge(self.rollups, {self.school.plan.id: self.school})

    def close(self) -> None:
        self.store.close()
        self.rollups.close()
        self.seals.close()

    def commit(self, blocks: Sequence[Block], *, received_ns: int | None = None) -> None:
        arrivals: list[Arrival] = [
            self.journal.arrival(block, received_ns=received_ns) for block in blocks
        ]
        assert not self.store.commit(arrivals).failed

    def state(
        self,
        wall_ns: int,
        *,
        oper: Sequence[int] = (1, 1),
        speed: Sequence[int] = (1000, 10_000),
    ) -> Block:
        return self.journal.ports(
            SWITCH, PORTS, wall_ns=wall_ns, oper=list(oper), speed_mbps=list(speed)
        )

    def silent(self, wall_ns: int, subject: str = f"switch/{SWITCH}") -> Block:
        layout = Layout("switch-status", SWITCH_STATUS, (subject.partition("/")[2],))
        values: dict[str, Sequence[Value | None]] = {"reachable": [0], "poll_error": ["no answer"]}
        return self.journal.block(
            layout, f"{self.journal.school}/{subject}", values, wall_ns=wall_ns
        )

    def counters(self, wall_ns: int, octets: Sequence[int]) -> Block:
        layout = Layout("port-counters", PORT_COUNTERS, PORTS)
        columns: dict[str, Sequence[Value | None]] = {
            "in_octets": list(octets),
            "out_octets": [0, 0],
            "discontinuity_ticks": [0, 0],
            "narrow_counters": [0, 0],
        }
        return self.journal.block(
            layout,
            f"{self.journal.school}/switch/{SWITCH}",
            columns,
            wall_ns=wall_ns,
        )

    def checkpoint(self, wall_ns: int) -> Block:
        """What the agent signs: everything since the checkpoint before."""
        heads: dict[PriorityClass, Head] = {}
        by_class: dict[PriorityClass, list[Block]] = {}
        for block, _ in self.journal.made:
            by_class.setdefault(block.priority, []).append(block)
        for priority, blocks in by_class.items():
            new = [b.hash for b in blocks if b.seq > self.signed.get(priority, 0)]
            last = blocks[-1]
            first = last.seq - len(new) + 1
            heads[priority] = Head(first, last.seq, last.hash, merkle_root(new))
            self.signed[priority] = last.seq
        checkpoint = Checkpoint(
            journal_id=self.journal.journal_id,
            key_id=key_id(KEY.public_key().public_bytes_raw()),
            wall_ns=wall_ns,
            heads=heads,
        )
        seal = Seal.sign(checkpoint, KEY)
        values = {
            name: [next(iter(column))]
            for name, column in zip(CHECKPOINT, seal.columns, strict=True)
        }
        return self.journal.block(
            CHECKPOINT_LAYOUT, f"{self.journal.school}/gateway/journal", values, wall_ns=wall_ns
        )

    def read(self, now_ns: int) -> None:
        """Follow the store to its end and keep what it says."""
        while True:
            blocks = list(self.recorder.step(now_ns))
            for stored in blocks:
                if stored.layout.stream == "checkpoint":
                    assert self.seals.put(stored.school, [stored.block]) == []
            if not blocks:
                break
        self.recorder.flush(now_ns)

    def settle(self, now_ns: int) -> None:
        """Read, make anew what came late, judge every touched day."""
        self.read(now_ns)
        self.recorder.reopen(now_ns + 3600 * NS, "2026-01-01", lambda _school, _day: False)
        for name, day in sorted(self.recorder.touched):
            self.judge.judge("east", day, [name], now_ns)
        self.recorder.touched.clear()

    def day(self, link: str, day: date = DAY) -> dict[str, int | float]:
        """The row of a link and day."""
        (bucket,) = list(self.rollups.days(day, day))
        row = list(bucket.links).index(link)
        return {name: column[row].item() for name, column in bucket.columns.items()}


def random_morning(world: World, seed: int, *, seconds: int = 2700, step: int = 10) -> list[Block]:
    """A morning of state sweeps and counters with outages, wrong speeds and silences."""
    chance = random.Random(seed)
    blocks: list[Block] = []
    oper, speed = [1, 1], [1000, 10_000]
    silent_until = 0
    octets = [10**6, 10**9]
    for second in range(0, seconds, step):
        wall_ns = MORNING_NS + second * NS + chance.randrange(10**9)
        if second < silent_until:
            continue
        if chance.random() < 0.02:
            silent_until = second + chance.choice([10, 20, 60, 200])
        for port in range(2):
            if chance.random() < 0.03:
                oper[port] = chance.choice([1, 1, 2])
            if chance.random() < 0.03:
                speed[port] = chance.choice([0, 100, 1000, 10_000])
        if chance.random() < 0.02:
            blocks.append(world.silent(wall_ns - 1000))
        blocks.append(world.state(wall_ns, oper=oper, speed=speed))
        if second % 60 == 0:
            octets = [count + chance.randrange(10**9) for count in octets]
            blocks.append(world.counters(wall_ns + 1000, octets))
            blocks.append(world.checkpoint(wall_ns + 2000))
    return blocks
