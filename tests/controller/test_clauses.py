"""Clauses and thresholds: counters and boards from blocks to verdicts, what carries what."""

from dataclasses import replace

import numpy as np
import pytest

from controller.sla.class_minutes import Clause, MinuteProfile
from controller.sla.rules import LinkRules
from controller.state.clauses import PROBES_STALE_SECONDS, ClauseJudge
from controller.state.measures import Measures
from controller.state.parents import by_name
from controller.store.protocols import NS
from tenone.blocks.block import Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.states import Cause, Tier

from .conftest import NOON_NS
from .watched import Bench, watched_city


def test_a_dead_uplink_owns_the_classes_behind_it() -> None:
    bench = Bench()
    bench.give(bench.journal.ports(oper=[1, 2, 2]))
    assert bench.judge() == {
        "up": ("bad", ["link-down"]),
        "c301": ("bad", ["uplink"]),
        "c302": ("bad", ["uplink", "link-down"]),
    }
    bench.give(bench.journal.ports())
    assert {verdict for verdict, _ in bench.judge().values()} == {"good"}


def test_whoever_knows_the_topology_says_what_carries_what() -> None:
    bench = Bench()
    names = {"no1/c301": ["no1/c302", "no1/nowhere"], "no9/x": ["no1/up"]}
    bench.live.parents = by_name(bench.live.numbering, names)
    bench.give(bench.journal.ports(oper=[1, 2, 2]))
    found = bench.judge()
    assert found["c301"] == ("bad", ["uplink"]), "carried by c302"
    assert found["c302"] == ("bad", ["link-down"]), "nothing is known to carry it"


@pytest.mark.parametrize(
    ("online", "clauses", "expected"),
    [
        (1, None, ("good", [])),
        (0, None, ("bad", ["endpoint"])),
        (None, None, ("good", [])),
        (0, frozenset({Clause.LINK}), ("good", [])),  # the profile does not ask
    ],
)
def test_the_class_board(
    online: int | None, clauses: frozenset[Clause] | None, expected: tuple[str, list[str]]
) -> None:
    minute = MinuteProfile() if clauses is None else MinuteProfile(clauses=clauses)
    bench = Bench(watched_city(LinkRules(minute=minute)))
    bench.send(Layout("board-health", ("online",), ("b1",)), "no1/board/all", {"online": [online]})
    assert bench.judge()["c301"] == expected


def counted(bench: Bench, at_seconds: int, **columns: list[int]) -> None:
    """A block of counters of GE1, GE2 and XGE1, beside a good sweep of their states."""
    names = ("in_octets", "out_octets", "in_unicast", "in_multicast", "in_broadcast")
    layout = Layout(
        "port-counters",
        (*names, "in_errors", "in_discards", "narrow_counters"),
        ("GE1", "GE2", "XGE1"),
    )
    bench.now_ns = (100 + at_seconds) * NS
    bench.keep_fresh()
    values = {name: columns.get(name, [0, 0, 0]) for name in layout.columns}
    stamp = Stamp(
        agent="no1/gateway/agent",
        subject="no1/switch/sw1",
        boot_id=bytes(16),
        wall_ns=NOON_NS + bench.now_ns,
        monotonic_ns=bench.now_ns,
        uptime_ticks=at_seconds * 100,
    )
    draft = Draft.of(layout, stamp, [Column.of(name, values[name]) for name in layout.columns])
    block = draft.seal(bench.journal.journal_id, 1000 + at_seconds, bytes(32))
    bench.journal.made.append((block, layout))
    bench.give(block)


def test_errors_beyond_the_threshold_and_too_few_frames() -> None:
    bench = Bench()
    counted(bench, 0)
    counted(bench, 20, in_unicast=[9_900, 20_000, 5_000], in_errors=[100, 20, 50])
    assert bench.judge() == {
        "up": ("good", []),  # 5,050 frames are too few
        "c301": ("bad", ["errors"]),  # 1 %
        "c302": ("good", []),  # 0.1 % is the limit
    }
    counted(bench, 40, in_unicast=[9_900, 20_000, 9_950], in_errors=[100, 20, 100])
    assert bench.judge()["up"] == ("bad", ["errors"]), "both intervals together are enough"
    bench.now_ns += 200 * NS
    bench.keep_fresh()
    assert bench.judge()["c301"] == ("good", []), "counters of three minutes ago say nothing of now"


def test_discards_are_congestion_never_errors() -> None:
    bench = Bench()
    counted(bench, 0)
    counted(bench, 20, in_unicast=[99_000] * 3, in_discards=[1_100, 900, 0])
    assert bench.judge() == {
        "up": ("good", []),
        "c301": ("bad", ["congestion"]),
        "c302": ("good", []),
    }


def test_five_full_minutes_are_congestion() -> None:
    bench = Bench()
    for minute in range(13):
        octets = 7_400_000_000 * minute  # 98.7 % of 1 Gb/s
        counted(bench, 60 * minute, in_octets=[octets, octets // 2, octets])
    assert bench.judge() == {
        "up": ("good", []),
        "c301": ("bad", ["congestion"]),
        "c302": ("good", []),
    }


def test_another_port_has_counters_of_its_own() -> None:
    plan = watched_city()
    links = [replace(link, port="room 301") if link.link == "c301" else link for link in plan.links]
    bench = Bench(replace(plan, links=links))
    inventory = bench.journal.inventory
    bench.give(inventory("sw1", ["GE1", "GE2"], if_alias=["room 301", "x"]))
    counted(bench, 0)
    counted(bench, 20, in_octets=[10**6, 5, 5])
    bench.judge()
    number, measures = bench.number("c301"), bench.live.measures
    assert measures.utilisation_in_ratio[number] > 0
    bench.give(inventory("sw1", ["GE1", "GE2"], if_alias=["x", "room 301"]))
    bench.judge()
    assert np.isnan(measures.utilisation_in_ratio[number]), "what GE1 counted is not its own"
    counted(bench, 40, in_octets=[10**6, 5, 5])
    bench.judge()
    assert np.isnan(measures.utilisation_in_ratio[number])
    counted(bench, 60, in_octets=[10**6, 25 * 10**5 + 5, 5])
    bench.judge()
    assert measures.utilisation_in_ratio[number] == pytest.approx(0.001)


def test_tiers_but_uplinks_hang_on_uplinks() -> None:
    parents = Bench().live.parents
    numbering = Bench().live.numbering
    pairs = {
        (numbering.links[child].id, numbering.links[parent].id)
        for child, parent in zip(parents.child.tolist(), parents.parent.tolist(), strict=True)
    }
    assert pairs == {("no1/c301", "no1/up"), ("no1/c302", "no1/up")}
    assert all(numbering.links[number].tier is not Tier.UPLINK for number in parents.child)


def test_a_clause_that_is_not_asked_is_not_missed() -> None:
    measures = Measures(2)
    rules = [
        LinkRules(minute=MinuteProfile(clauses=frozenset({one})))
        for one in (Clause.LINK, Clause.RTT)
    ]
    judge = ClauseJudge(rules, np.full(2, 180.0))
    assert judge.judge(measures, 0).unknown.tolist() == [False, True]
    measures.probed_ns[:] = 0
    measures.rtt_ms[:] = 30.0
    found = judge.judge(measures, round(PROBES_STALE_SECONDS * NS))
    assert found.unknown.tolist() == [False, False]
    assert found.bad.tolist() == [0, 1 << Cause.CONGESTION]
    found = judge.judge(measures, round(PROBES_STALE_SECONDS * NS) + 1)
    assert found.unknown.tolist() == [False, True]
