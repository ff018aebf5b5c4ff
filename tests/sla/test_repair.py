"""SLA.md 2: MTTR, MTBF and the stages of a repair, over W'."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.availability import Outage
from controller.sla.repair import Course, Split, mean_split, reliability, split
from tenone.calendar.intervals import Intervals

SCHOOL = Intervals.of([(8, 12), (14, 18)])


@pytest.mark.parametrize(
    ("outages", "now", "restored", "still_open", "mttr", "mtbf"),
    [
        ([], 24, 0, 0, None, None),
        ([Outage(9, 10)], 24, 1, 0, 1, 7),
        ([Outage(9, 10), Outage(15, 17)], 24, 2, 0, Fraction(3, 2), Fraction(5, 2)),
        ([Outage(9, 11), Outage(10, 12)], 24, 1, 0, 3, 5),  # they overlap: one failure
        ([Outage(11, 15)], 24, 1, 0, 2, 6),  # over lunch: one failure of two hours
        ([Outage(19, 23)], 24, 0, 0, None, None),  # in the evening: none
        ([Outage(9, 10), Outage(16)], 17, 1, 1, 1, Fraction(6, 2)),
        ([Outage(16)], 17, 0, 1, None, 7),
        ([Outage(16, 17)], 17, 1, 0, 1, 7),
        ([Outage(20)], 17, 0, 0, None, None),  # not yet
        ([Outage(16, 9)], 24, 0, 0, None, None),  # the clock stepped back
    ],
)
def test_reliability(
    outages: list[Outage],
    now: int,
    restored: int,
    still_open: int,
    mttr: Fraction | int | None,
    mtbf: Fraction | int | None,
) -> None:
    found = reliability(outages, SCHOOL, now)
    assert (found.restored, found.open) == (restored, still_open)
    assert found.mttr_ns == mttr
    assert found.mtbf_ns == mtbf


@pytest.mark.parametrize(
    ("course", "stages"),
    [
        (
            Course(began_ns=9, detected_ns=10, acknowledged_ns=11, fixed_ns=15, verified_ns=16),
            (1, 1, 2, 1),
        ),
        (Course(began_ns=9, detected_ns=10), (1, None, None, None)),
        (Course(began_ns=9, detected_ns=10, fixed_ns=12), (1, None, 2, None)),
        (Course(began_ns=9, detected_ns=11, acknowledged_ns=10, fixed_ns=12), (2, 0, 1, None)),
        (Course(began_ns=18, detected_ns=20, fixed_ns=30), (0, None, 0, None)),
    ],
)
def test_split(course: Course, stages: tuple[int | None, ...]) -> None:
    found = split(course, SCHOOL)
    assert (found.detect_ns, found.acknowledge_ns, found.fix_ns, found.verify_ns) == stages
    assert found.total_ns == sum(stage or 0 for stage in stages)


stamp = st.none() | st.integers(0, 24)


@given(st.integers(0, 24), stamp, stamp, stamp, stamp)
def test_stages_add_up(
    began: int,
    detected: int | None,
    acknowledged: int | None,
    fixed: int | None,
    verified: int | None,
) -> None:
    course = Course(
        began_ns=began,
        detected_ns=detected,
        acknowledged_ns=acknowledged,
        fixed_ns=fixed,
        verified_ns=verified,
    )
    last = max(began, detected or 0, acknowledged or 0, fixed or 0, verified or 0)
    assert split(course, SCHOOL).total_ns == sum(hour in SCHOOL for hour in range(began, last))


def test_a_mean_is_over_those_that_have_the_stage() -> None:
    splits = [
        Split(detect_ns=2, acknowledge_ns=None, fix_ns=5, verify_ns=None),
        Split(detect_ns=3, acknowledge_ns=4, fix_ns=None, verify_ns=None),
    ]
    assert mean_split(splits) == {
        "detect_ns": Fraction(5, 2),
        "acknowledge_ns": 4,
        "fix_ns": 5,
        "verify_ns": None,
    }


outages_strategy = st.lists(
    st.builds(Outage, st.integers(0, 24), st.none() | st.integers(0, 24)), max_size=6
)


@given(outages_strategy, st.integers(0, 24))
def test_against_every_hour(outages: list[Outage], now: int) -> None:
    found = reliability(outages, SCHOOL.within(0, now), now)
    down = [
        any(o.start_ns <= h < (now if o.end_ns is None else o.end_ns) for o in outages)
        for h in range(now)
    ]
    runs: list[list[int]] = []
    for hour, is_down in enumerate(down):
        if is_down and hour and down[hour - 1]:
            runs[-1].append(hour)
        elif is_down:
            runs.append([hour])
    costs = [sum(h in SCHOOL for h in run) for run in runs]
    assert found.restored + found.open == sum(cost > 0 for cost in costs)
    assert found.up_ns == sum(not d and h in SCHOOL for h, d in enumerate(down))
    lasting = any(o.start_ns < now and (o.end_ns is None or o.end_ns > now) for o in outages)
    assert found.open == (lasting and costs[-1] > 0)
    assert found.restored_down_ns == sum(costs) - (costs[-1] if lasting else 0)
