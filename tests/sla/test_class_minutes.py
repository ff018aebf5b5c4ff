"""SLA.md 12: clauses by profile, one cause by priority, sums and never averages."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.class_minutes import (
    PRICED,
    Clause,
    Evidence,
    Minute,
    MinuteProfile,
    Tally,
    clauses,
    judge,
    total,
)
from tenone.vocabulary.states import Cause, Verdict

GOOD, BAD, UNKNOWN = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN
FINE = Evidence(
    link=GOOD, loss=GOOD, ipdv_p95_ms=3.0, rtt_ms=4.0, dns_answers=True, board_connected=True
)
ALL = MinuteProfile()
WITHOUT_BOARD = MinuteProfile(clauses=frozenset(Clause) - {Clause.BOARD})


@pytest.mark.parametrize(
    ("evidence", "profile", "verdict", "cause"),
    [
        (FINE, ALL, GOOD, None),
        (replace(FINE, ipdv_p95_ms=20.0, rtt_ms=20.0), ALL, GOOD, None),
        (replace(FINE, ipdv_p95_ms=20.1), ALL, BAD, Cause.CONGESTION),
        (replace(FINE, rtt_ms=20.1), ALL, BAD, Cause.CONGESTION),
        (replace(FINE, loss=BAD), ALL, BAD, Cause.LOSS),
        (replace(FINE, dns_answers=False), ALL, BAD, Cause.DNS),
        (replace(FINE, board_connected=False), ALL, BAD, Cause.ENDPOINT),
        (replace(FINE, board_connected=False), WITHOUT_BOARD, GOOD, None),
        (replace(FINE, board_connected=None), ALL, UNKNOWN, None),
        (replace(FINE, board_connected=None), WITHOUT_BOARD, GOOD, None),
        (Evidence(), ALL, UNKNOWN, None),
        (replace(FINE, loss=UNKNOWN, dns_answers=False), ALL, BAD, Cause.DNS),
        (replace(FINE, link=BAD, link_causes=frozenset({Cause.SPEED})), ALL, BAD, Cause.SPEED),
        (
            replace(FINE, link=BAD, link_causes=frozenset({Cause.DUPLEX, Cause.SPEED}), loss=BAD),
            ALL,
            BAD,
            Cause.SPEED,
        ),
        (replace(FINE, link=BAD), ALL, BAD, Cause.LINK_DOWN),
        (replace(FINE, link=BAD, link_causes=frozenset({Cause.STALE})), ALL, BAD, Cause.LINK_DOWN),
        (replace(FINE, loss=BAD, deeper=frozenset({Cause.ERRORS})), ALL, BAD, Cause.ERRORS),
        (
            replace(FINE, loss=BAD, deeper=frozenset({Cause.UPLINK, Cause.POWER})),
            ALL,
            BAD,
            Cause.POWER,
        ),
        # What is wrong elsewhere makes no minute bad in which every clause holds.
        (replace(FINE, deeper=frozenset({Cause.POWER})), ALL, GOOD, None),
    ],
)
def test_judge(
    evidence: Evidence, profile: MinuteProfile, verdict: Verdict, cause: Cause | None
) -> None:
    assert judge(evidence, profile) == Minute(verdict, cause)


def test_thresholds_are_the_profiles() -> None:
    strict = MinuteProfile(ipdv_p95_ms=2.0, rtt_ms=3.0)
    judged = clauses(FINE, strict)
    assert [clause for clause, verdict in judged.items() if verdict is BAD] == [
        Clause.JITTER,
        Clause.RTT,
    ]


def test_a_profile_without_clauses_is_refused() -> None:
    with pytest.raises(ValueError, match="list one"):
        MinuteProfile(clauses=frozenset())


@pytest.mark.parametrize(
    ("verdict", "cause"),
    [
        (BAD, None),
        (GOOD, Cause.LOSS),
        (UNKNOWN, Cause.LOSS),
        (UNKNOWN, Cause.STALE),
        (BAD, Cause.STALE),
    ],
)
def test_a_minute_cannot_be_built_wrong(verdict: Verdict, cause: Cause | None) -> None:
    with pytest.raises(ValueError, match="one cause"):
        Minute(verdict, cause)


def tally(good: int, unknown: int = 0, **bad: int) -> Tally:
    causes = {Cause[name.upper()]: count for name, count in bad.items()}
    return Tally(good=good, bad_by_cause=causes, unknown=unknown)


def test_minutes_are_added_and_percentages_are_not_averaged() -> None:
    small, large = tally(1, speed=1), tally(998, loss=2)
    assert small.sle_ratio == Fraction(1, 2)
    whole = total([small, large])
    assert whole.sle_ratio == Fraction(999, 1002)  # the mean of both would be 74.9 %
    assert whole.bad_by_cause == {Cause.SPEED: 1, Cause.LOSS: 2}


def test_unknown_is_in_no_percentage_but_in_the_coverage() -> None:
    found = tally(8, unknown=90, dns=2)
    assert (found.sle_ratio, found.coverage) == (Fraction(8, 10), Fraction(10, 100))
    assert (tally(0, unknown=3).sle_ratio, Tally().coverage) == (None, None)


@pytest.mark.parametrize(
    ("counted", "tenths"),
    [
        (tally(5), {}),
        (tally(0, loss=7), {Cause.LOSS: 1000}),
        # Thirds: 33.3 each would be 99.9; the first by priority gets the rest.
        (tally(0, power=1, speed=1, loss=1), {Cause.POWER: 334, Cause.SPEED: 333, Cause.LOSS: 333}),
        (tally(0, speed=2, dns=1), {Cause.SPEED: 667, Cause.DNS: 333}),
    ],
)
def test_causes_add_up(counted: Tally, tenths: dict[Cause, int]) -> None:
    assert counted.cause_tenths() == tenths


ratio = st.none() | st.floats(0, 40)
evidences = st.builds(
    Evidence,
    link=st.sampled_from(Verdict),
    link_causes=st.frozensets(st.sampled_from(Cause)),
    loss=st.sampled_from(Verdict),
    ipdv_p95_ms=ratio,
    rtt_ms=ratio,
    dns_answers=st.none() | st.booleans(),
    board_connected=st.none() | st.booleans(),
    deeper=st.frozensets(st.sampled_from(Cause)),
)
profiles = st.builds(MinuteProfile, clauses=st.frozensets(st.sampled_from(Clause), min_size=1))


@given(evidences, profiles)
def test_by_its_definition(evidence: Evidence, profile: MinuteProfile) -> None:
    verdicts = set(clauses(evidence, profile).values())
    found = judge(evidence, profile)
    if BAD in verdicts:
        assert found.verdict is BAD
        assert found.cause in PRICED
        deepest = min(evidence.deeper & PRICED, default=Cause.ENDPOINT)
        assert found.cause is not None
        assert found.cause <= deepest
    else:
        assert found == Minute(UNKNOWN if UNKNOWN in verdicts else GOOD)


minutes = st.dictionaries(
    st.tuples(st.sampled_from(["3-1", "3-2"]), st.integers(0, 99)),
    st.builds(judge, evidences, profiles),
    max_size=30,
)


@given(st.lists(minutes, max_size=5))
def test_sums_against_a_count(schools: list[dict[tuple[str, int], Minute]]) -> None:
    whole = total(Tally.of(each) for each in schools)
    every = [minute for each in schools for minute in each.values()]
    verdicts = Counter(minute.verdict for minute in every)
    assert (whole.good, whole.bad, whole.unknown) == (
        verdicts[GOOD],
        verdicts[BAD],
        verdicts[UNKNOWN],
    )
    assert sum(whole.cause_tenths().values()) == (1000 if whole.bad else 0)
    for cause, tenths in whole.cause_tenths().items():
        assert abs(tenths - 1000 * whole.bad_by_cause[cause] / whole.bad) < 1
