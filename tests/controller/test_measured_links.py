"""Live state judged by probes, UPSes, boards, counters and topology: from blocks to verdicts."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.plan import CityPlan, WitnessPlan
from controller.sla import loss_window
from controller.sla.class_minutes import Clause, MinuteProfile
from controller.sla.rules import LinkRules
from controller.sla.verdict import causes_of
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.state.parents import by_name
from controller.store.protocols import NS, Flap
from tenone.blocks.block import Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.body import UPS
from tenone.vocabulary.probes import DNS_SAMPLES, PROBE_BURST, PROBE_SAMPLES
from tenone.vocabulary.states import Cause, Tier, Verdict

from .conftest import NOON_NS, FakeJournal, small_city

EVERY = LinkRules(minute=MinuteProfile())
ANSWERED, LOST = 1, 2
MS = 1_000_000


def watched_city(rules: LinkRules = EVERY) -> CityPlan:
    """The small city, each link of no1 witnessed by a target of its own name."""
    plan = small_city()
    links = [
        replace(link, rules=rules, witness=WitnessPlan(target=f"t-{link.link}"))
        if link.school == "no1"
        else link
        for link in plan.links
    ]
    return replace(plan, links=links)


class Bench:
    """Live state in which all ports are good."""

    def __init__(self, plan: CityPlan | None = None) -> None:
        self.now_ns = 100 * NS
        self.live = LiveState(Numbering(plan or watched_city()), now_ns=self.now_ns)
        self.journal = FakeJournal()
        self.live.agent_born("no1", "1", now_ns=self.now_ns)
        self.give(self.journal.ports())

    def give(self, block: Block, *, age: float = 0.0) -> None:
        self.live.apply(
            self.journal.arrival(
                block,
                received_ns=NOON_NS + self.now_ns,
                age_ns=round(age * NS),
                monotonic_ns=self.now_ns,
            )
        )

    def send(self, layout: Layout, subject: str, columns: dict[str, Any]) -> None:
        self.give(self.journal.block(layout, subject, columns))

    def probe(
        self, target: str, fates: list[int | None], delay_ms: list[float] | None = None
    ) -> None:
        """One window of one target."""
        count = len(fates)
        delays = delay_ms or [2.0] * count
        rows = tuple(f"{target}/{number}" for number in range(count))
        known = [fate == ANSWERED for fate in fates]
        self.send(
            Layout("probe-samples", PROBE_SAMPLES, rows),
            "no1/gateway/probe",
            {
                "probe_outcome": fates,
                "probe_away_ns": [
                    round((ms + 5) * MS) if yes else None
                    for ms, yes in zip(delays, known, strict=True)
                ],
                "probe_held_ns": [5 * MS if yes else None for yes in known],
                "probe_dscp_sent": [0] * count,
            },
        )

    def dns(self, **outcomes: int | None) -> None:
        rows = tuple(key.replace("__", "@") for key in outcomes)
        self.send(
            Layout("dns-samples", DNS_SAMPLES, rows),
            "no1/gateway/probe",
            {"dns_outcome": list(outcomes.values())},
        )

    def ups(self, serial: str, on_battery: int | None) -> None:
        self.send(Layout("ups", UPS, ("ups",)), f"no1/ups/{serial}", {"on_battery": [on_battery]})

    def keep_fresh(self) -> None:
        self.live.agent_heard("no1", now_ns=self.now_ns, offset_seconds=0.0)
        self.give(self.journal.ports())

    def judge(self) -> dict[str, tuple[str, list[str]]]:
        self.live.judge(now_ns=self.now_ns, wall_ns=NOON_NS + self.now_ns)
        links = self.live.links
        return {
            plan.link: (
                Verdict(int(links.verdict[number])).label,
                [cause.label for cause in causes_of(int(links.causes[number]))],
            )
            for number, plan in enumerate(self.live.numbering.links)
            if plan.school == "no1"
        }

    def number(self, link: str) -> int:
        return self.live.numbering.link_number[f"no1/{link}"]

    def clause(self, clause: Clause, link: str = "c301") -> Verdict:
        clauses = self.live.clauses(self.now_ns)
        return Verdict(int(clauses.verdicts[clause][self.number(link)]))


# -- probes


def test_a_sudden_silence_is_loss_and_a_long_quiet_is_proof() -> None:
    bench = Bench()
    assert bench.judge()["c301"] == ("good", [])
    bench.probe("t-c301", [ANSWERED] * 4)
    assert bench.clause(Clause.LOSS) is Verdict.UNKNOWN
    bench.probe("t-c301", [LOST] * 4)
    assert bench.judge()["c301"] == ("bad", ["loss"])
    assert bench.judge()["c302"] == ("good", []), "nobody probed that one"
    for _ in range(21):
        bench.probe("t-c301", [ANSWERED] * 100)
    assert bench.judge()["c301"] == ("good", [])
    assert bench.clause(Clause.LOSS) is Verdict.GOOD
    number = bench.number("c301")
    assert bench.live.links.verified[number]
    assert not bench.live.links.verified[bench.number("c302")]
    bench.now_ns += 700 * NS
    bench.keep_fresh()
    assert bench.judge()["c301"] == ("good", [])
    assert bench.clause(Clause.LOSS) is Verdict.UNKNOWN, "old probes prove nothing"
    assert not bench.live.links.verified[number]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.sampled_from([ANSWERED, ANSWERED, LOST, None, 3]), max_size=40)))
def test_loss_is_as_the_window_decides(windows: list[list[int | None]]) -> None:
    bench = Bench()
    fates: list[bool] = []
    for window in windows:
        if window:
            bench.probe("t-c301", window)
        fates += [fate == LOST for fate in window if fate in {ANSWERED, LOST}]
    told = loss_window.decide(fates, limit=0.005)
    number, measures = bench.number("c301"), bench.live.measures
    assert measures.loss[number] == told.verdict
    assert measures.loss_packets[number] == told.packets
    if told.packets:
        assert measures.loss_ratio[number] == told.lost / told.packets


def test_delay_is_without_the_reflectors_time_and_jitter_between_neighbours() -> None:
    bench = Bench()
    bench.probe("t-c301", [ANSWERED, ANSWERED, ANSWERED, LOST, ANSWERED], [10, 14, 11, 0, 90])
    number, measures = bench.number("c301"), bench.live.measures
    assert measures.rtt_ms[number] == pytest.approx(11)
    assert measures.ipdv_p95_ms[number] == pytest.approx(4)
    assert bench.clause(Clause.RTT) is Verdict.GOOD
    bench.probe("t-c301", [ANSWERED] * 6, [95, 30, 91, 30, 92, 30])
    assert bench.clause(Clause.RTT) is Verdict.BAD
    assert bench.clause(Clause.JITTER) is Verdict.BAD
    assert bench.judge()["c301"] == ("bad", ["congestion"])


def test_a_burst_counts_like_any_packet() -> None:
    bench = Bench()
    bench.send(
        Layout("probe-burst", PROBE_BURST, tuple(str(number) for number in range(8))),
        "no1/gateway/probe",
        {
            "probe_target": ["t-c301"] * 8,
            "probe_outcome": [LOST] * 8,
            "probe_dscp_sent": [0] * 8,
        },
    )
    assert bench.judge()["c301"] == ("bad", ["loss"])


def test_only_the_first_dscp_judges_and_strangers_are_nobody() -> None:
    bench = Bench()
    rows = ("t-c301/0", "t-c301/1", "nobody/0", "odd")
    bench.send(
        Layout("probe-samples", PROBE_SAMPLES, rows),
        "no1/gateway/probe",
        {"probe_outcome": [ANSWERED, LOST, LOST, LOST], "probe_dscp_sent": [0, 46, 0, 0]},
    )
    assert bench.live.measures.loss_packets[bench.number("c301")] == 1
    assert bench.live.measures.loss_ratio[bench.number("c301")] == 0


def test_the_same_window_again_is_one_window() -> None:
    bench = Bench()
    bench.probe("t-c301", [LOST] * 3)
    bench.give(bench.journal.made[-1][0], age=5)
    assert bench.live.measures.loss_packets[bench.number("c301")] == 3


# -- names


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ({"a__1": 1}, Verdict.GOOD),
        ({"a__1": 5, "a__2": 1}, Verdict.GOOD),  # one resolver is enough
        ({"a__1": 5, "a__2": 3}, Verdict.BAD),
        ({"a__1": 1, "b__1": 3}, Verdict.BAD),  # every name has to
        ({"a__1": 1, "b__1": None}, Verdict.UNKNOWN),
        ({"a__1": 5, "a__2": None}, Verdict.UNKNOWN),
    ],
)
def test_dns(outcomes: dict[str, int | None], verdict: Verdict) -> None:
    bench = Bench()
    bench.dns(**outcomes)
    assert bench.clause(Clause.DNS) is verdict
    assert (bench.judge()["c301"] == ("bad", ["dns"])) is (verdict is Verdict.BAD)


# -- power, uplink, boards


def test_power_explains_a_silent_switch() -> None:
    bench = Bench()
    bench.ups("u1", 1)
    assert bench.judge()["c301"] == ("good", []), "it works, whatever feeds it"
    assert bench.live.clauses(bench.now_ns).deeper[bench.number("c301")] == 1 << Cause.POWER
    bench.give(bench.journal.status(reachable=0, error="no answer"))
    dark = ("bad", ["power", "uplink"])
    assert bench.judge()["c301"] == dark, "its uplink stands on the same switch"
    assert bench.judge()["up"] == ("bad", ["power"])
    bench.ups("u2", 1)
    bench.ups("u1", 0)
    assert bench.judge()["c301"] == dark, "the other one still runs on its battery"
    bench.ups("u2", None)
    assert bench.judge()["c301"] == dark, "it does not say that it stopped"
    bench.ups("u2", 0)
    assert bench.judge()["c301"] == ("unknown", ["switch-silent"])


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


# -- counters


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


# -- away between two polls


def swept(bench: Bench, seconds: int, uptime: int | None, changed: int, **columns: Any) -> None:
    """A sweep of port states ``seconds`` after the first."""
    layout = Layout("port-state", ("oper", "speed_mbps", "duplex", "last_change_ticks"), ("GE1",))
    bench.now_ns = (200 + seconds) * NS
    bench.live.agent_heard("no1", now_ns=bench.now_ns, offset_seconds=0.0)
    stamp = Stamp(
        agent="no1/gateway/agent",
        subject="no1/switch/sw1",
        boot_id=bytes(16),
        wall_ns=1,
        monotonic_ns=1,
        uptime_ticks=uptime,
    )
    values = {"oper": [1], "speed_mbps": [1000], "duplex": [3], **columns}
    draft = Draft.of(
        layout,
        stamp,
        [
            Column.of(name, [changed] if name == "last_change_ticks" else values[name])
            for name in layout.columns
        ],
    )
    block = draft.seal(bench.journal.journal_id, 2000 + seconds, bytes(32))
    bench.journal.made.append((block, layout))
    bench.give(block)


START = {"uptime": 100_000, "changed": 50_000}


@pytest.mark.parametrize(
    ("uptime", "changed", "columns", "back_seconds_ago"),
    [
        (101_000, 50_000, {}, None),  # nothing happened
        (101_000, 100_700, {}, 3),  # came back three seconds ago
        (101_000, 40_000, {}, None),  # a moment before the last sweep: renumbered, or told anew
        (101_000, 100_700, {"oper": [2]}, None),  # it is away still: the verdict says so
        (None, 100_700, {}, None),  # cannot be dated
        (700, 300, {}, 4),  # the switch restarted
        (101_000, 102_000, {}, None),  # later than now
    ],
)
def test_flaps(
    uptime: int | None, changed: int, columns: dict[str, Any], back_seconds_ago: int | None
) -> None:
    bench = Bench()
    swept(bench, 0, **START)
    assert bench.live.marks.flaps == []
    swept(bench, 10, uptime, changed, **columns)
    found: list[Flap] = bench.live.marks.flaps
    if back_seconds_ago is None:
        assert found == []
        return
    (flap,) = found
    assert flap.link == "no1/c301"
    assert flap.back_ns == NOON_NS + bench.now_ns - back_seconds_ago * NS
    assert flap.good_ns == NOON_NS + bench.now_ns - 10 * NS
    assert flap.restarted is (uptime == 700)
    assert flap.block_hash == bench.journal.made[-1][0].hash
    assert bench.live.links.flaps[bench.number("c301")] == 1
    bench.give(bench.journal.made[-1][0])
    assert len(bench.live.marks.flaps) == 1, "the same block again is nothing new"
    assert bench.judge()["c301"] == ("good", []), "a flap is counted, no downtime is made up"


def test_tiers_but_uplinks_hang_on_uplinks() -> None:
    parents = Bench().live.parents
    numbering = Bench().live.numbering
    pairs = {
        (numbering.links[child].id, numbering.links[parent].id)
        for child, parent in zip(parents.child.tolist(), parents.parent.tolist(), strict=True)
    }
    assert pairs == {("no1/c301", "no1/up"), ("no1/c302", "no1/up")}
    assert all(numbering.links[number].tier is not Tier.UPLINK for number in parents.child)
