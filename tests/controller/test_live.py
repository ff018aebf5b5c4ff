"""Live state: blocks in any order give the state of the newest, and verdicts follow."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.plan import CityPlan
from controller.state.live import GRACE_NS, LiveState
from controller.state.numbering import Numbering
from controller.store.protocols import NS, LinkChange
from controller.store.records import PortFacts
from tenone.blocks.block import Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.states import Cause, Severity, Verdict

from .conftest import NOON_NS, FakeJournal, small_city

PORTS = ("GE1", "GE2", "XGE1")


class Bench:
    """Live state with a clock in the hand."""

    def __init__(self, plan: CityPlan | None = None) -> None:
        self.now_ns = 5 * NS
        self.live = LiveState(Numbering(plan or small_city()), now_ns=self.now_ns)
        self.journal = FakeJournal()
        self.changes: list[LinkChange] = []

    def wall(self) -> int:
        return NOON_NS + self.now_ns

    def born(self, school: str = "no1") -> None:
        self.live.agent_born(school, "1.0", now_ns=self.now_ns)

    def heard(self) -> None:
        self.live.agent_heard("no1", now_ns=self.now_ns, offset_seconds=0.0)

    def give(self, block: Block, journal: FakeJournal | None = None, *, age: float = 0.0) -> None:
        arrival = (journal or self.journal).arrival(
            block, received_ns=self.wall(), age_ns=round(age * NS), monotonic_ns=self.now_ns
        )
        self.live.apply(arrival)

    def judge(self, seconds: float = 0.0) -> np.ndarray:
        self.now_ns += round(seconds * NS)
        changed, records = self.live.judge(now_ns=self.now_ns, wall_ns=self.wall())
        self.changes += records
        return changed

    def links(self) -> dict[str, tuple[str, list[str]]]:
        from controller.sla.verdict import causes_of  # noqa: PLC0415 - the shortest way to say it

        links = self.live.links
        return {
            plan.id: (
                Verdict(int(links.verdict[number])).label,
                [cause.label for cause in causes_of(int(links.causes[number]))],
            )
            for number, plan in enumerate(self.live.numbering.links)
        }

    def link(self, name: str) -> tuple[str, list[str]]:
        self.judge()
        return self.links()[f"no1/{name}"]


def test_before_anything_all_is_unknown_and_says_why() -> None:
    bench = Bench()
    assert bench.link("up") == ("unknown", ["agent-silent", "never-seen"])
    bench.born()
    assert bench.link("up") == ("unknown", ["never-seen"])


def test_a_sweep_makes_verdicts() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports(speed_mbps=[100, 1000, 10_000]))
    bench.judge()
    assert bench.links() == {
        "no1/up": ("good", []),
        "no1/c301": ("bad", ["speed"]),
        "no1/c302": ("good", []),
        "no2/c101": ("unknown", ["agent-silent", "never-seen"]),
    }


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"oper": [2, 1, 1]}, ("bad", ["link-down"])),
        ({"admin": [2, 1, 1], "oper": [2, 1, 1]}, ("bad", ["configuration"])),
        ({"duplex": [1, 3, 3]}, ("unknown", ["duplex-unknown"])),
        ({"duplex": [None, 3, 3]}, ("good", [])),  # decision 0005
        ({"duplex": [None, 3, 3], "speed_mbps": [100, 1, 1]}, ("bad", ["speed"])),
        ({"speed_mbps": [None, 1000, 10_000]}, ("unknown", ["speed-unknown"])),
        ({"oper": [None, 1, 1]}, ("unknown", ["oper-unknown"])),
        ({"duplex": [2, 3, 3], "speed_mbps": [100, 1, 1]}, ("bad", ["speed", "duplex"])),
    ],
)
def test_null_is_unknown_and_never_zero(
    columns: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports(**columns))
    assert bench.link("c301") == expected


def test_silence_in_all_its_forms() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports())
    assert bench.link("c301") == ("good", [])
    bench.now_ns += 25 * NS
    bench.heard()
    assert bench.link("c301") == ("good", [])
    bench.now_ns += 6 * NS
    assert bench.link("c301") == ("unknown", ["stale"]), "the agent speaks, this port is old"
    bench.now_ns += 30 * NS
    assert bench.link("c301") == ("unknown", ["agent-silent", "stale"])
    bench.heard()
    bench.give(bench.journal.ports())
    assert bench.link("c301") == ("good", [])
    bench.give(bench.journal.status(reachable=0, error="no answer within 3 s"))
    assert bench.link("c301") == ("unknown", ["switch-silent"])
    assert bench.live.switches.poll_error[0] == "no answer within 3 s"
    bench.give(bench.journal.ports())
    assert bench.link("c301") == ("good", []), "a sweep proves that the switch answers"
    assert bench.live.switches.poll_error[0] == ""
    bench.live.agent_died("no1")
    assert bench.link("c301") == ("unknown", ["agent-silent"])


def test_a_missing_port_is_unknown_not_gone() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports())
    bench.give(bench.journal.ports(ports=("GE2", "XGE1")))
    assert bench.link("c301") == ("unknown", ["port-missing"])
    assert bench.link("c302") == ("good", [])
    bench.give(bench.journal.ports())
    assert bench.link("c301") == ("good", [])
    assert bench.live.ports.count == 1 + 3, "it keeps its number"


def test_ports_in_another_order_are_the_same_ports() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports())
    bench.give(bench.journal.ports(ports=("XGE1", "GE2", "GE1"), oper=[1, 2, 1]))
    assert bench.link("c301") == ("good", [])
    assert bench.link("c302") == ("bad", ["link-down"])
    assert bench.live.ports.count == 1 + 3


def test_a_link_bound_to_a_vlan_is_refused_until_it_is_a_socket() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports())
    bench.give(bench.journal.inventory("sw1", ("GE1", "GE2"), if_type=(136, 6)))
    assert bench.link("c301") == ("unknown", ["virtual-port"])
    assert bench.link("c302") == ("good", [])
    bench.give(bench.journal.inventory("sw1", ("GE1", "GE2"), if_type=(6, 6)))
    assert bench.link("c301") == ("good", [])


def test_a_binding_the_plan_does_not_have() -> None:
    bench = Bench(small_city(switch=None, port=None))
    bench.born()
    bench.give(bench.journal.ports())
    assert bench.link("c301") == ("unknown", ["not-bound"])


@pytest.mark.parametrize(
    ("bound", "facts", "expected"),
    [
        ("Gi0/1", [("GE1", "Gi0/1", "d1", "a1"), ("GE2", "Gi0/2", "d2", "a2")], "good"),
        ("d1", [("GE1", "n1", "d1", "a1"), ("GE2", "n2", "d2", "a2")], "good"),
        ("room 301", [("GE1", "n1", "d1", "room 301"), ("GE2", "n2", "d2", "")], "good"),
        ("room", [("GE1", "n1", "d1", "room"), ("GE2", "n2", "d2", "room")], "unknown"),
        ("nowhere", [("GE1", "n1", "d1", "a1")], "unknown"),
    ],
)
def test_a_binding_by_name_description_or_alias(
    bound: str, facts: list[tuple[str, str, str, str]], expected: str
) -> None:
    plan = small_city()
    bench = Bench(replace(plan, links=[replace(one, port=bound) for one in plan.links]))
    bench.born()
    bench.give(bench.journal.ports())
    assert bench.link("c301") == ("unknown", ["port-missing"])
    keys, names, descrs, aliases = zip(*facts, strict=True)
    bench.give(
        bench.journal.inventory("sw1", keys, if_name=names, if_descr=descrs, if_alias=aliases)
    )
    assert bench.link("c301")[0] == expected
    ((school, switch, ports),) = bench.live.marks.inventories
    assert (school, switch, [port.if_name for port in ports]) == ("no1", "sw1", list(names))
    restored = Bench(replace(plan, links=[replace(one, port=bound) for one in plan.links]))
    restored.live.restore([], [(("no1", "sw1"), ports)])
    restored.born()
    restored.give(restored.journal.ports())
    assert restored.link("c301")[0] == expected, "the records know the names after a restart"


def test_old_blocks_do_not_undo_newer_ones() -> None:
    bench = Bench()
    bench.born()
    old = bench.journal.ports(oper=[2, 2, 2])
    status = bench.journal.status(reachable=0)
    new = bench.journal.ports()
    bench.give(new)
    bench.give(old, age=10)
    bench.give(status, age=5)
    assert bench.link("c301") == ("good", [])
    bench.give(new)
    assert bench.link("c301") == ("good", []), "again is the same"


def test_a_new_journal_takes_over_by_age() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports(oper=[2, 2, 2]))
    fresh = FakeJournal()
    bench.now_ns += NS
    bench.give(fresh.ports(), fresh)
    assert bench.link("c301") == ("good", [])
    bench.give(bench.journal.ports(oper=[2, 2, 2]), age=20)
    assert bench.link("c301") == ("good", []), "backlog of the old journal is older"


def test_the_age_counts_from_the_reading_not_from_the_receipt() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports(), age=29)
    assert bench.link("c301") == ("good", [])
    bench.judge(1.5)
    assert bench.links()["no1/c301"] == ("unknown", ["stale"])


def test_unknown_switches_boards_and_streams_are_counted_and_harmless() -> None:
    bench = Bench()
    bench.give(bench.journal.ports(switch="other"))
    bench.give(bench.journal.boards(["b77"], online=[1]))
    stranger = FakeJournal(school="no99")
    bench.give(stranger.ports(), stranger)
    bench.live.agent_born("no99", "1", now_ns=1)
    bench.live.agent_died("no99")
    assert bench.live.marks.unplanned_total == 3


def test_layouts_that_only_a_stranger_would_make_do_not_crash() -> None:
    bench = Bench()
    bench.born()
    journal = bench.journal
    subject = "no1/switch/sw1"
    bench.give(journal.ports())
    text_first = Layout("port-state", ("if_name", "oper"), ("GE1",))
    bench.give(journal.block(text_first, subject, {"if_name": ["x"], "oper": [2]}))
    assert bench.link("c301") == ("unknown", ["oper-unknown"]), "nothing is read behind a text"
    only_oper = Layout("port-state", ("oper",), ("GE1",))
    bench.give(journal.block(only_oper, subject, {"oper": [1]}))
    assert bench.link("c301") == ("unknown", ["speed-unknown", "duplex-unknown"])
    bench.give(journal.block(Layout("switch-status", ("reachable",), ()), subject, {}))
    bench.give(journal.block(Layout("board-health", ("app",), ("b1",)), "no1/board/all", {}))
    bench.give(journal.block(Layout("agent-health", ("rss_bytes",), ()), "no1/gateway/a", {}))
    bench.give(journal.block(Layout("port-inventory", ("mtu",), ("GE1",)), subject, {}))
    bench.give(journal.block(Layout("port-state", ("oper",), ()), "no1/board/all", {}))
    draft = Draft.of(
        only_oper,
        Stamp(agent="a", subject="no subject", boot_id=bytes(16), wall_ns=1, monotonic_ns=1),
        [Column.of("oper", [1])],
    )
    block = draft.seal(bytes(16), 1, bytes(32))
    journal.made.append((block, only_oper))
    bench.give(block)


def test_numbers_that_no_honest_device_sends_are_bounded() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.boards(["b1"], online=[200], screen_on=[255], rssi_dbm=[-128]))
    bench.give(bench.journal.health(outbox_bytes=2**64 - 1, outbox_blocks=2**64 - 1))
    bench.give(bench.journal.status(reachable=255))
    bench.give(bench.journal.ports(oper=[255, 9, 1], speed_mbps=[2**32 - 1] * 3))
    assert (bench.live.boards.online[0], bench.live.boards.screen_on[0]) == (1, 1)
    assert bench.live.agents.outbox_bytes[0] == 2**63 - 1
    assert bench.link("c301") == ("unknown", ["oper-unknown"])


def test_ports_under_ever_new_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.state.switch_streams.MAX_PORTS", 9)
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports())
    for number in range(50):
        speeds = [7, 100 if number % 2 else 1000, 10_000]
        ports = (f"new{number}", "GE2", "XGE1")
        bench.give(bench.journal.ports(ports=ports, speed_mbps=speeds))
        assert bench.link("c302")[0] == ("bad" if number % 2 else "good")
        assert bench.link("c301") == ("unknown", ["port-missing"])
    assert bench.live.ports.count <= 1 + 9
    bench.give(bench.journal.ports())
    assert bench.link("c301") == ("good", []), "a port that comes back is a port again"


def test_boards_and_agents() -> None:
    bench = Bench()
    bench.born()
    bench.give(
        bench.journal.boards(
            ["b1"], online=[1], screen_on=[0], app=["timetable"], rssi_dbm=[-60], cpu_ratio=[0.25]
        )
    )
    bench.give(bench.journal.health(agent_version="2.0", outbox_bytes=5, quarantined_total=None))
    boards, agents = bench.live.boards, bench.live.agents
    assert (boards.online[0], boards.screen_on[0], boards.app[0]) == (1, 0, "timetable")
    assert (boards.rssi_dbm[0], boards.cpu_ratio[0]) == (-60, 0.25)
    assert np.isnan(boards.temperature_celsius[0])
    assert (agents.version[0], agents.outbox_bytes[0], agents.quarantined_total[0]) == (
        "2.0",
        5,
        -1,
    )
    since = boards.since_ns[0]
    bench.now_ns += 60 * NS
    bench.give(bench.journal.boards(["b1"], online=[1]))
    assert boards.since_ns[0] == since
    assert boards.app[0] is None
    bench.give(bench.journal.boards(["b1"], online=[0]))
    assert boards.since_ns[0] == since + 60 * NS


def test_changes_are_recorded_once_with_the_hash_of_their_block() -> None:
    bench = Bench()
    bench.born()
    good, slow = bench.journal.ports(), bench.journal.ports(speed_mbps=[100, 1000, 10_000])
    bench.give(good)
    bench.judge()
    bench.judge(1)
    assert {one.link for one in bench.changes} == {"no1/up", "no1/c301", "no1/c302"}
    assert {one.block_hash for one in bench.changes} == {good.hash}
    bench.changes.clear()
    bench.give(slow)
    bench.judge(1)
    bench.judge(1)
    (change,) = bench.changes
    assert change.link == "no1/c301"
    assert (change.verdict, change.severity) == (Verdict.BAD, Severity.WARNING)
    assert (change.causes, change.speed_mbps) == (1 << Cause.SPEED, 100)
    assert change.block_hash == slow.hash
    bench.changes.clear()
    bench.give(bench.journal.ports(speed_mbps=[10, 1000, 10_000]))
    bench.judge(1)
    (slower,) = bench.changes
    assert slower.since_ns == change.since_ns, "the same verdict"
    assert slower.at_ns > change.at_ns
    assert slower.speed_mbps == 10


def test_a_restart_is_no_change() -> None:
    bench = Bench()
    bench.born()
    bench.give(bench.journal.ports())
    bench.judge()
    again = Bench()
    again.journal = bench.journal
    again.now_ns += 600 * NS
    again.live = LiveState(Numbering(small_city()), now_ns=again.now_ns)
    again.live.restore(bench.changes)
    again.judge()
    assert again.changes == [], "agents first have to come back"
    again.born()
    again.give(bench.journal.ports())
    again.judge(1)
    assert again.changes == []
    since = {one.link: one.since_ns for one in bench.changes}
    number = again.live.numbering.link_number["no1/c301"]
    assert again.live.links.since_ns[number] == since["no1/c301"]
    again.judge(GRACE_NS / NS)
    assert {one.verdict for one in again.changes} == {Verdict.UNKNOWN}
    assert all(one.block_hash == b"" for one in again.changes)


def test_what_a_judgement_returns_is_what_looks_different() -> None:
    bench = Bench()
    assert set(bench.judge()) == {0, 1, 2, 3}, "the first time all of them"
    assert list(bench.judge(1)) == []
    bench.born()
    bench.give(bench.journal.ports(oper=[2, 1, 1]))
    changed = {bench.live.numbering.links[number].id for number in bench.judge(1)}
    assert changed == {"no1/up", "no1/c301", "no1/c302"}
    bench.heard()
    bench.give(bench.journal.ports(oper=[2, 1, 1], speed_mbps=[0, 1000, 10_000]))
    changed = {bench.live.numbering.links[number].id for number in bench.judge(1)}
    assert changed == {"no1/c301"}, "the verdict stays, the speed shown does not"


def test_coverage_is_the_known_share_of_the_time() -> None:
    bench = Bench()
    number = bench.live.numbering.link_number["no1/c301"]
    assert bench.live.coverage(number) is None
    bench.judge(10)
    assert bench.live.coverage(number) == 0.0
    bench.born()
    bench.give(bench.journal.ports())
    bench.judge()
    bench.judge(20)
    coverage = bench.live.coverage(number)
    assert coverage == pytest.approx(20 / 30)


def test_no_switch_at_all() -> None:
    plan = small_city(switch=None, port=None)
    bench = Bench(replace(plan, switches=[], devices=[], links=plan.links[:1]))
    bench.judge()
    assert bench.links() == {"no1/up": ("unknown", ["not-bound"])}
    assert PortFacts.__slots__


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_any_order_with_repeats_ends_in_the_newest(order: list[int], again: list[int]) -> None:
    bench = Bench()
    bench.born()
    blocks = [bench.journal.ports(speed_mbps=[10 * n + 10, 1000, 10_000]) for n in range(6)]
    for number in (*order, *again):
        bench.give(blocks[number], age=6 - number)
    bench.judge()
    assert bench.live.links.speed_mbps[bench.live.numbering.link_number["no1/c301"]] == 60
