"""Minutes of a link against a second-by-second count."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from controller.minutes.timeline import LinkTimeline
from tenone.calendar.intervals import MINUTE_NS, SECOND_NS
from tenone.vocabulary.states import Cause, Verdict

GOOD, BAD, UNKNOWN = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN
SPEED, DOWN = 1 << Cause.SPEED, 1 << Cause.LINK_DOWN
STATES = [(GOOD, 0), (BAD, SPEED), (BAD, DOWN), (UNKNOWN, 0)]
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 299), st.sampled_from([(GOOD, 0), (BAD, SPEED), (BAD, DOWN), (UNKNOWN, 0)])
    ),
    max_size=12,
)


def test_a_minute_with_a_bad_second_is_bad_and_says_why() -> None:
    timeline = LinkTimeline(2)
    timeline.put(0, 0, GOOD, 0)
    timeline.put(0, 70 * SECOND_NS, BAD, SPEED)
    timeline.put(0, 71 * SECOND_NS, BAD, DOWN)
    timeline.put(0, 72 * SECOND_NS, GOOD, 0)
    first, second, third = (timeline.take(n * MINUTE_NS) for n in range(3))
    assert first.verdict.tolist() == [GOOD, UNKNOWN]
    assert (second.verdict[0], second.causes[0]) == (BAD, SPEED | DOWN)
    assert (third.verdict[0], third.causes[0]) == (GOOD, 0)


def test_a_change_that_comes_late_only_sets_what_is_now() -> None:
    timeline = LinkTimeline(1)
    timeline.put(0, 0, GOOD, 0)
    timeline.take(0)
    timeline.put(0, 30 * SECOND_NS, BAD, SPEED)
    assert timeline.take(MINUTE_NS).verdict[0] == BAD
    assert timeline.late == 1
    assert timeline.waiting() == []


@given(CHANGES, st.randoms())
def test_minutes_are_those_of_a_count_by_seconds(
    changes: list[tuple[int, tuple[Verdict, int]]], random: Random
) -> None:
    by_second = dict(changes)
    ordered = sorted(by_second.items())
    random.shuffle(ordered)
    timeline = LinkTimeline(1)
    for second, (verdict, causes) in ordered:
        timeline.put(0, second * SECOND_NS, verdict, causes)
    state: tuple[Verdict, int] = (UNKNOWN, 0)
    for minute in range(5):
        seen = []
        for second in range(minute * 60, minute * 60 + 60):
            state = by_second.get(second, state)
            seen.append(state)
        verdicts = {verdict for verdict, _ in seen}
        expected = BAD if BAD in verdicts else UNKNOWN if UNKNOWN in verdicts else GOOD
        mask = 0
        for verdict, causes in seen:
            mask |= causes if verdict is BAD else 0
        taken = timeline.take(minute * MINUTE_NS)
        assert (taken.verdict[0], taken.causes[0]) == (expected, mask)
