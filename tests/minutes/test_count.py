"""The columns against the value-by-value arithmetic of definition 12."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.minutes.count import CAUSES, NO_CAUSE, ClauseColumns, Counts, count, judge
from controller.sla.class_minutes import Clause, Evidence, MinuteProfile
from controller.sla.class_minutes import judge as judge_one
from tenone.vocabulary.states import Cause, Verdict

EVIDENCE = st.builds(
    Evidence,
    link=st.sampled_from(list(Verdict)),
    link_causes=st.frozensets(st.sampled_from(list(Cause)), max_size=3),
    loss=st.sampled_from(list(Verdict)),
    ipdv_p95_ms=st.sampled_from([None, 5.0, 50.0]),
    rtt_ms=st.sampled_from([None, 5.0, 50.0]),
    dns_answers=st.sampled_from([None, True, False]),
    board_connected=st.sampled_from([None, True, False]),
    deeper=st.frozensets(st.sampled_from([Cause.POWER, Cause.UPLINK, Cause.ERRORS]), max_size=2),
)
PROFILE = st.builds(
    MinuteProfile,
    clauses=st.frozensets(st.sampled_from(list(Clause))).map(lambda some: some | {Clause.LINK}),
)


def mask(causes: frozenset[Cause]) -> int:
    return sum(1 << cause for cause in causes)


def columns(evidence: list[Evidence], profile: MinuteProfile) -> ClauseColumns:
    bad, unknown = [], []
    for one in evidence:
        judged = {
            Cause.LOSS: {Clause.LOSS: one.loss},
            Cause.CONGESTION: {
                Clause.JITTER: limit(one.ipdv_p95_ms, profile.ipdv_p95_ms),
                Clause.RTT: limit(one.rtt_ms, profile.rtt_ms),
            },
            Cause.DNS: {Clause.DNS: said(one.dns_answers)},
            Cause.ENDPOINT: {Clause.BOARD: said(one.board_connected)},
        }
        listed = [
            (cause, verdict)
            for cause, clauses in judged.items()
            for clause, verdict in clauses.items()
            if clause in profile.clauses
        ]
        bad.append(mask(frozenset(cause for cause, verdict in listed if verdict is Verdict.BAD)))
        unknown.append(any(verdict is Verdict.UNKNOWN for _, verdict in listed))
    return ClauseColumns(
        bad=np.array(bad, np.uint64),
        unknown=np.array(unknown, np.bool_),
        deeper=np.array([mask(one.deeper) for one in evidence], np.uint64),
    )


def limit(value: float | None, most: float) -> Verdict:
    return said(None if value is None else value <= most)


def said(answer: bool | None) -> Verdict:
    return {None: Verdict.UNKNOWN, True: Verdict.GOOD, False: Verdict.BAD}[answer]


@given(st.lists(EVIDENCE, min_size=1, max_size=8), PROFILE)
def test_columns_judge_as_the_definition_does(
    evidence: list[Evidence], profile: MinuteProfile
) -> None:
    judged = judge(
        np.array([one.link for one in evidence], np.int8),
        np.array([mask(one.link_causes) for one in evidence], np.uint64),
        columns(evidence, profile),
    )
    for number, one in enumerate(evidence):
        expected = judge_one(one, profile)
        assert judged.verdict[number] == expected.verdict
        assert judged.cause[number] == (NO_CAUSE if expected.cause is None else expected.cause)


def test_counts_are_by_school_and_cause_and_add_up() -> None:
    verdict = np.array([1, 0, -1, 0, 1, 0], np.int8)
    causes = np.array([0, 1 << Cause.SPEED, 0, 1 << Cause.DUPLEX, 0, 1 << Cause.POWER], np.uint64)
    judged = judge(verdict, causes, ClauseColumns.none(6))
    counted = np.array([True, True, True, True, True, False])
    counts = count(judged, np.array([0, 0, 1, 1, 2, 2]), counted, 3)
    assert counts.good.tolist() == [1, 0, 1]
    assert counts.unknown.tolist() == [0, 1, 0]
    assert counts.bad[:, Cause.SPEED].tolist() == [1, 0, 0]
    assert counts.bad[:, Cause.DUPLEX].tolist() == [0, 1, 0]
    total = Counts.zero(3)
    total.add(counts)
    total.add(counts)
    assert int(total.good.sum() + total.unknown.sum() + total.bad.sum()) == 2 * int(counted.sum())
    assert tuple(CAUSES) == tuple(range(len(CAUSES)))
