"""SLA.md 3: LAGs, two ends, shut ports, and sums over a history."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.availability import window
from controller.sla.compliance import (
    Compliance,
    End,
    Member,
    Period,
    Shut,
    aggregate,
    compliance,
    disagreement,
    unknown_time,
    with_far_end,
)
from tenone.calendar.intervals import Intervals, Span
from tenone.vocabulary.states import Cause, Duplex, OperStatus, Verdict

UP, DOWN = OperStatus.UP, OperStatus.DOWN
FULL, HALF = Duplex.FULL, Duplex.HALF
GOOD, BAD, UNKNOWN = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN


def member(speed: int | None = 10_000, oper: OperStatus = UP, *, active: bool = True) -> Member:
    return Member(oper=oper, speed_mbps=speed, active=active)


@pytest.mark.parametrize(
    ("members", "oper", "speed"),
    [
        ([member(), member()], UP, 20_000),
        ([member(), member(oper=DOWN)], UP, 10_000),  # bad by speed, not down
        ([member(), member(active=False)], UP, 10_000),
        ([member(), member(None)], UP, None),
        ([member(), member(0)], UP, None),
        ([member(oper=DOWN), member(oper=DOWN)], DOWN, None),
        ([], DOWN, None),
    ],
)
def test_lag(members: list[Member], oper: OperStatus, speed: int | None) -> None:
    found = aggregate(members)
    assert (found.oper, found.speed_mbps) == (oper, speed)


GOOD_END = End(UP, 1000, FULL)


@pytest.mark.parametrize(
    ("far", "causes"),
    [
        (End(UP, 1000, FULL), set()),
        (End(UP, 100, FULL), {Cause.SPEED}),
        (End(UP, 1000, HALF), {Cause.DUPLEX}),
        (End(UP, 100, HALF), {Cause.SPEED, Cause.DUPLEX}),
        (End(DOWN, None, None), {Cause.LINK_DOWN}),
        (End(None, None, None), set()),
        (End(OperStatus.UNKNOWN, 100, HALF), set()),
        (End(UP, None, None), set()),
        (End(UP, 0, Duplex.UNKNOWN), set()),
    ],
)
def test_both_ends(far: End, causes: set[Cause]) -> None:
    assert disagreement(GOOD_END, far) == causes
    assert disagreement(far, GOOD_END) == causes
    verdict, why = with_far_end(GOOD, frozenset(), GOOD_END, far)
    assert verdict is (BAD if causes else GOOD)
    assert why == causes


def test_two_ends_that_are_down_agree() -> None:
    assert disagreement(End(DOWN, 1000, FULL), End(DOWN, None, HALF)) == set()


@pytest.mark.parametrize(
    ("verdict", "causes", "near", "far", "expected"),
    [
        (GOOD, set(), GOOD_END, None, (GOOD, set())),
        (
            BAD,
            {Cause.SPEED},
            End(UP, 100, FULL),
            End(UP, 100, HALF),
            (BAD, {Cause.SPEED, Cause.DUPLEX}),
        ),
        (
            UNKNOWN,
            {Cause.DUPLEX_UNKNOWN},
            End(UP, 1000, None),
            End(UP, 100, FULL),
            (BAD, {Cause.SPEED}),
        ),
        (
            UNKNOWN,
            {Cause.STALE},
            End(None, None, None),
            End(UP, 100, FULL),
            (UNKNOWN, {Cause.STALE}),
        ),
    ],
)
def test_the_far_end_completes_the_verdict(
    verdict: Verdict,
    causes: set[Cause],
    near: End,
    far: End | None,
    expected: tuple[Verdict, set[Cause]],
) -> None:
    found, why = with_far_end(verdict, frozenset(causes), near, far)
    assert (found, set(why)) == expected


def measured(
    history: list[Period], *, now: int = 10, maintenance: Intervals | None = None
) -> Compliance:
    service = Intervals.of([(0, now)])
    time = window(
        service,
        now_ns=now,
        maintenance=maintenance or Intervals(),
        unknown=unknown_time(history, service),
    )
    return compliance(history, time, 1000)


def test_worked_figure() -> None:
    # 10 h: 6 good at 1G, 2 at 100M, 1 down, 1 unknown. R = 6/9,
    # deficit = (2 * 900 + 1 * 1000) / (1000 * 9) = 0.3111
    found = measured(
        [
            Period(start_ns=0, end_ns=6, verdict=GOOD, delivered_mbps=1000),
            Period(start_ns=6, end_ns=8, verdict=BAD, delivered_mbps=100),
            Period(start_ns=8, end_ns=9, verdict=BAD, delivered_mbps=0),
            Period(start_ns=9, end_ns=10, verdict=UNKNOWN),
        ]
    )
    assert found.ratio == Fraction(6, 9)
    assert found.deficit_ratio == Fraction(2800, 9000)
    assert found.coverage == Fraction(9, 10)


def test_faster_than_the_contract_makes_up_for_nothing() -> None:
    found = measured(
        [
            Period(start_ns=0, end_ns=5, verdict=GOOD, delivered_mbps=10_000),
            Period(start_ns=5, end_ns=10, verdict=BAD, delivered_mbps=500),
        ]
    )
    assert found.ratio == Fraction(1, 2)
    assert found.deficit_ratio == Fraction(1, 4)


def test_a_shut_port_is_bad_and_named_unless_work_was_approved() -> None:
    history = [
        Period(start_ns=0, end_ns=4, verdict=GOOD, delivered_mbps=1000),
        Period(
            start_ns=4,
            end_ns=10,
            verdict=BAD,
            delivered_mbps=0,
            causes=frozenset({Cause.CONFIGURATION}),
            actor="net-admin",
        ),
    ]
    found = measured(history, maintenance=Intervals.of([(4, 8)]))
    assert found.ratio == Fraction(4, 6)
    assert found.shut == (Shut(Span(8, 10), "net-admin"),)
    assert measured(history, maintenance=Intervals.of([(4, 10)])).ratio == 1
    assert measured(history).ratio == Fraction(4, 10)


def test_nothing_measured() -> None:
    found = measured([])
    assert found.ratio is None
    assert found.deficit_ratio is None
    assert found.coverage == 0


@pytest.mark.parametrize("verdict", [GOOD, BAD])
def test_a_judged_period_has_a_speed(verdict: Verdict) -> None:
    with pytest.raises(ValueError, match="delivered speed"):
        Period(start_ns=0, end_ns=1, verdict=verdict)


def test_what_does_not_fit_is_refused() -> None:
    one = Period(start_ns=0, end_ns=5, verdict=GOOD, delivered_mbps=1000)
    two = Period(start_ns=4, end_ns=9, verdict=GOOD, delivered_mbps=1000)
    with pytest.raises(ValueError, match="overlap"):
        measured([one, two])
    with pytest.raises(ValueError, match="untold"):
        compliance([one], window(Intervals.of([(0, 9)]), now_ns=9), 1000)
    with pytest.raises(ValueError, match="positive speed"):
        compliance([], window(Intervals(), now_ns=9), 0)


pieces = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.sampled_from([(GOOD, 1000), (GOOD, 2500), (BAD, 100), (BAD, 0), (UNKNOWN, None)]),
    ),
    max_size=8,
)


@given(pieces, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=3), st.data())
def test_against_every_hour(
    parts: list[tuple[int, tuple[Verdict, int | None]]],
    works: list[tuple[int, int]],
    data: st.DataObject,
) -> None:
    history: list[Period] = []
    hours: list[tuple[Verdict, int | None]] = []
    for length, (verdict, speed) in parts:
        at = len(hours)
        history.append(
            Period(start_ns=at, end_ns=at + length, verdict=verdict, delivered_mbps=speed)
        )
        hours += [(verdict, speed)] * length
    counted = [
        (verdict, speed)
        for hour, (verdict, speed) in enumerate(hours)
        if speed is not None and not any(a <= hour < b for a, b in works)
    ]
    shuffled = data.draw(st.permutations(history + history[:3]))
    shuffled.append(Period(start_ns=7, end_ns=3, verdict=BAD, delivered_mbps=0))
    found = measured(shuffled, now=len(hours), maintenance=Intervals.of(works))
    assert found.measured_ns == len(counted)
    assert found.good_ns == sum(verdict is GOOD for verdict, _ in counted)
    assert found.deficit_mbps_ns == sum(max(0, 1000 - (speed or 0)) for _, speed in counted)
