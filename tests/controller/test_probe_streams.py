"""Probes from blocks to verdicts: loss, delay, jitter, bursts, names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.sla import loss_window
from controller.sla.class_minutes import Clause
from controller.state.measures import Measures
from controller.state.paths import DELAYS, Paths
from controller.store.protocols import NS
from tenone.blocks.layout import Layout
from tenone.vocabulary.probes import PROBE_BURST, PROBE_SAMPLES
from tenone.vocabulary.states import Cause, Verdict

from .watched import ANSWERED, LOST, Bench


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


def test_what_a_silent_agent_said_last_makes_no_minute_bad() -> None:
    bench = Bench()
    bench.probe("t-c301", [LOST] * 4)
    number = bench.number("c301")
    assert bench.live.clauses(bench.now_ns).bad[number] == 1 << Cause.LOSS
    bench.live.agent_died("no1")
    assert bench.judge()["c301"][0] == "unknown"
    assert bench.live.clauses(bench.now_ns).bad[number] == 0


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


def test_delays_begin_anew_after_a_rest() -> None:
    bench = Bench()
    bench.probe("t-c301", [ANSWERED], [900.0])
    bench.now_ns += 16 * 60 * NS
    bench.probe("t-c301", [ANSWERED], [3.0])
    assert bench.live.measures.rtt_ms[bench.number("c301")] == pytest.approx(3)


def test_a_path_that_was_never_probed_says_nothing() -> None:
    measures = Measures(1)
    paths = Paths(1, np.array([0.005]))
    at = np.zeros(1, np.int64)
    paths.tell(at, at, measures, 5)
    assert measures.loss[0] == Verdict.UNKNOWN
    assert measures.loss_packets[0] == 0
    assert np.isnan(measures.rtt_ms[0])
    assert DELAYS < loss_window.LONGEST
