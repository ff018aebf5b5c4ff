"""Views: scopes, totals, order, and the changes that are told."""

from collections.abc import Sequence
from typing import Any

import pytest

from controller.state.care_streams import BOARD_STALE_SECONDS
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.protocols import NS
from controller.views import Binding, Change, Tally
from tenone.blocks.block import Block
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, EvidenceMethod, Severity, Tier, Verdict

from .conftest import FakeJournal, small_city

EAST, WEST = ScopePath.parse("binhai/east"), ScopePath.parse("binhai/west")


class Bench:
    def __init__(self, binding: Binding | None = None) -> None:
        self.clock = ManualClock()
        self.live = LiveState(Numbering(small_city()), now_ns=self.clock.monotonic_ns())
        bindings = {} if binding is None else {"no1/c301": binding}
        self.city = LiveCity(self.live, self.clock, bindings=bindings)
        self.told: list[Change] = []
        self.city.listen(self.told.extend)
        self.journals = {
            "no1": FakeJournal(),
            "no2": FakeJournal(school="no2", district="west"),
        }

    def born(self, *schools: str) -> None:
        for school in schools:
            self.live.agent_born(school, "1.0", now_ns=self.clock.monotonic_ns())

    def give(self, block: Block, school: str = "no1") -> None:
        arrival = self.journals[school].arrival(
            block, received_ns=self.clock.wall_ns(), monotonic_ns=self.clock.monotonic_ns()
        )
        self.live.apply(arrival)

    def sweep(self, school: str = "no1", **columns: Any) -> None:
        self.give(self.journals[school].ports(**columns), school)

    def kinds(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for change in self.told:
            found.setdefault(change.kind, []).append(change.id)
        self.told.clear()
        return found


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.born("no1", "no2")
    bench.sweep(speed_mbps=[100, 1000, 10_000])
    bench.sweep("no2")
    bench.give(bench.journals["no1"].boards(["b1"], online=[1], rssi_dbm=[-55], app=["bell"]))
    bench.city.judge()
    return bench


def tallies(views: Sequence[Tally]) -> dict[Tier, tuple[int, int, int, int]]:
    return {one.tier: (one.good, one.bad, one.unknown, one.unverified) for one in views}


def test_names_are_those_of_the_views(bench: Bench) -> None:
    for scope in (ScopePath(), EAST, WEST):
        views = {(one.id, one.scope, one.name, one.name_zh) for one in bench.city.schools(scope)}
        names = bench.city.school_names(scope)
        assert {(one.id, one.scope, one.name, one.name_zh) for one in names} == views
        assert [one.scope for one in names] == list(bench.city.school_scopes(scope))


def test_totals_add_up_by_scope(bench: Bench) -> None:
    city = bench.city.overview(ScopePath())
    assert (city.scope, city.name, city.name_zh) == (ScopePath.parse("binhai"), "Binhai", "滨海市")
    assert (city.schools_total, city.schools_reporting) == (2, 2)
    assert (city.schools_good, city.schools_bad, city.schools_unknown) == (1, 1, 0)
    assert city.schools_unverified == 1
    assert tallies(city.tallies) == {Tier.UPLINK: (1, 0, 0, 1), Tier.CLASS: (2, 1, 0, 2)}
    assert (city.boards_online, city.boards_total) == (1, 2)
    assert city.data_age_seconds == 0
    east, west = bench.city.districts(ScopePath())
    assert (east.scope, west.scope) == (EAST, WEST)
    assert tallies(east.tallies)[Tier.CLASS] == (1, 1, 0, 1)
    assert tallies(west.tallies)[Tier.CLASS] == (1, 0, 0, 1)
    school = bench.city.overview(ScopePath.parse("binhai/west/no2"))
    assert (school.name, school.name_zh, school.schools_total) == ("No. 2", None, 1)
    assert [(one.name, one.name_zh) for one in (east, west)] == [("East", "东区"), ("West", None)]
    assert [(one.name, one.name_zh) for one in bench.city.schools(EAST)] == [("No. 1", "第一小学")]


@pytest.mark.parametrize("scope", ["elsewhere", "binhai/north", "binhai/east/no2"])
def test_a_scope_that_is_not_there_is_empty(bench: Bench, scope: str) -> None:
    path = ScopePath.parse(scope)
    assert bench.city.overview(path).schools_total == 0
    assert bench.city.overview(path).data_age_seconds is None
    assert not bench.city.schools(path)
    assert not bench.city.links(path)
    assert not bench.city.switches(path)
    assert not bench.city.boards(path)


def test_a_district_seen_from_inside_is_cut_to_what_is_seen(bench: Bench) -> None:
    (only,) = bench.city.districts(ScopePath.parse("binhai/east/no1"))
    assert (only.scope, only.schools_total) == (ScopePath.parse("binhai/east/no1"), 1)
    assert [view.scope for view in bench.city.districts(WEST)] == [WEST]


def test_schools_worst_first_with_the_link_to_look_at(bench: Bench) -> None:
    first, second = bench.city.schools(ScopePath())
    assert (first.id, first.verdict, first.severity) == ("no1", Verdict.BAD, Severity.WARNING)
    assert first.worst is not None
    assert (first.worst.id, first.worst.causes) == ("no1/c301", (Cause.SPEED,))
    assert (first.boards_online, first.boards_total) == (1, 1)
    assert (second.id, second.verdict, second.worst) == ("no2", Verdict.GOOD, None)
    bench.sweep(oper=[2, 1, 2], speed_mbps=[100, 1000, 10_000])
    bench.city.judge()
    (school,) = bench.city.schools(EAST)
    assert school.worst is not None
    assert school.worst.id == "no1/up", "of two that are down the uplink comes first"
    assert (school.worst.oper, school.worst.negotiated_mbps, school.worst.duplex) == (
        "down", None, None,
    ), "a port without a link has negotiated nothing"  # fmt: skip


def test_links_uplinks_first_then_by_room(bench: Bench) -> None:
    assert [view.id for view in bench.city.links(EAST)] == ["no1/up", "no1/c301", "no1/c302"]


def test_a_link_as_a_whole(bench: Bench) -> None:
    bench.clock.advance(2)
    bench.city.judge()
    found = bench.city.link("no1/c301")
    assert found is not None
    scope, link = found
    assert scope == ScopePath.parse("binhai/east/no1")
    assert (link.contract_mbps, link.negotiated_mbps, link.duplex) == (1000, 100, "full")
    assert (link.oper, link.admin, link.tier, link.room) == ("up", "up", Tier.CLASS, "r301")
    assert (link.verdict, link.severity) == (Verdict.BAD, Severity.WARNING)
    (evidence,) = link.evidence
    assert (evidence.method, evidence.age_seconds) == (EvidenceMethod.NEGOTIATED, 2)
    assert link.binding is not None
    assert (link.binding.switch, link.binding.port) == ("sw1", "GE1")
    assert (link.stale, link.verified) == (False, False)
    assert link.coverage == 1.0
    (board,) = link.boards
    assert (board.id, board.online, board.rssi_dbm, board.app) == (
        "no1/board/b1",
        True,
        -55,
        "bell",
    )
    assert board.temperature_celsius is None
    assert bench.city.link("no1/none") is None


def test_the_binding_says_since_when() -> None:
    known = Binding(switch="sw1", port="GE1", valid_from=123.0)
    moved = Binding(switch="sw1", port="GE9", valid_from=5.0)
    for given, expected in ((known, 123.0), (moved, ManualClock().wall_ns() / NS)):
        found = Bench(given).city.link("no1/c301")
        assert found is not None
        assert found[1].binding is not None
        assert found[1].binding.valid_from == expected


def test_before_anything_came(bench: Bench) -> None:
    fresh = Bench()
    fresh.city.judge()
    (first, second) = fresh.city.schools(ScopePath())
    assert {first.verdict, second.verdict} == {Verdict.UNKNOWN}
    assert first.worst is not None, "an unknown link is worth a look"
    assert first.agent.last_report_age_seconds is None
    (link, *_) = fresh.city.links(EAST)
    assert (link.evidence, link.negotiated_mbps, link.oper, link.stale) == ((), None, None, True)
    (board, _) = fresh.city.boards(ScopePath())
    assert (board.online, board.stale, board.age_seconds, board.since) == (None, True, None, None)
    (switch, _) = fresh.city.switches(ScopePath())
    assert (switch.reachable, switch.uptime_seconds, switch.age_seconds) == (None, None, None)


def test_switches_and_agents(bench: Bench) -> None:
    bench.give(bench.journals["no1"].status(reachable=0, error="no answer"))
    bench.give(bench.journals["no1"].health(agent_version="2.0", outbox_bytes=7, outbox_blocks=1))
    bench.clock.advance(10)
    bench.city.judge()
    switch = bench.city.switches(EAST)[0]
    assert (switch.id, switch.reachable, switch.poll_error) == (
        "no1/switch/sw1",
        False,
        "no answer",
    )
    assert switch.descr == "Simulated switch"
    assert switch.uptime_seconds == 1234 + 10
    (school,) = bench.city.schools(EAST)
    agent = school.agent
    assert (agent.online, agent.version, agent.outbox_bytes) == (True, "2.0", 7)
    assert agent.quarantined_total is None


def test_a_board_whose_agent_is_silent_is_unknown(bench: Bench) -> None:
    (board, _) = bench.city.boards(ScopePath())
    assert (board.online, board.stale) == (True, False)
    bench.clock.advance(BOARD_STALE_SECONDS + 1)
    bench.city.judge()
    (board, _) = bench.city.boards(ScopePath())
    assert (board.online, board.stale) == (None, True)
    assert bench.city.overview(ScopePath()).boards_online == 0


def test_what_changes_is_told_and_nothing_else(bench: Bench) -> None:
    assert set(bench.kinds()) == {"link", "board", "agent", "school", "overview", "switch"}
    bench.city.judge()
    assert bench.kinds() == {}
    bench.sweep(speed_mbps=[1000, 1000, 10_000])
    bench.city.judge()
    kinds = bench.kinds()
    assert kinds["link"] == ["no1/c301"]
    assert kinds["school"] == ["no1"]
    assert kinds["overview"] == ["binhai", "binhai/east"]
    assert set(kinds) == {"link", "school", "overview"}
    bench.live.agent_died("no2")
    bench.city.judge()
    kinds = bench.kinds()
    assert (kinds["link"], kinds["agent"]) == (["no2/c101"], ["no2"])
    assert "board" not in kinds, "a board never heard of cannot fall silent"


def test_silence_is_told_by_itself(bench: Bench) -> None:
    bench.kinds()
    bench.clock.advance(31)
    bench.city.judge()
    kinds = bench.kinds()
    assert set(kinds["link"]) == {"no1/up", "no1/c301", "no1/c302", "no2/c101"}


def test_a_change_carries_the_view(bench: Bench) -> None:
    (change,) = [one for one in bench.told if one.kind == "link" and one.id == "no1/c301"][:1]
    assert change.scope == ScopePath.parse("binhai/east/no1")
    assert (change.body["verdict"], change.body["causes"]) == ("bad", ["speed"])


def test_when_many_change_the_rest_is_told_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.state.city.CHANGES_AT_ONCE", 2)
    bench.kinds()
    bench.clock.advance(31)
    bench.city.judge()
    behind = [bench.city.behind]
    first = bench.kinds()["link"]
    bench.city.judge()
    behind.append(bench.city.behind)
    assert behind == [True, False]
    assert len(first) == 2
    assert set(first) | set(bench.kinds()["link"]) == {
        "no1/up", "no1/c301", "no1/c302", "no2/c101",
    }  # fmt: skip


def test_when_all_of_a_city_changes_every_kind_is_told_in_parts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.state.city.CHANGES_AT_ONCE", 1)
    bench.live.marks.boards |= {0, 1}
    bench.live.marks.switches |= {0, 1}
    for school in ("no1", "no2"):
        bench.live.agent_died(school)
    bench.kinds()
    told: dict[str, list[str]] = {}
    for _ in range(8):
        bench.city.judge()
        kinds = bench.kinds()
        for kind, ids in kinds.items():
            assert kind == "overview" or len(ids) == 1
            told.setdefault(kind, []).extend(ids)
    assert not bench.city.behind
    assert {kind: set(told[kind]) for kind in ("agent", "school")} == {
        "agent": {"no1", "no2"}, "school": {"no1", "no2"},
    }  # fmt: skip
    assert (len(told["board"]), len(told["switch"])) == (2, 2)


def test_a_schools_since_is_when_its_verdict_turned(bench: Bench) -> None:
    turned = bench.clock.wall_ns() / NS
    bench.clock.advance(5)
    bench.sweep(speed_mbps=[10, 1000, 10_000])
    bench.city.judge()
    (school,) = bench.city.schools(EAST)
    assert school.since == turned
    bench.sweep()
    bench.city.judge()
    (school,) = bench.city.schools(EAST)
    assert school.since == turned + 5
