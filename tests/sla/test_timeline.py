"""Samples to time: order, repetition and lateness change nothing; silence is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.timeline import Sample, timeline
from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Verdict

GOOD, BAD, UNKNOWN = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN


def spans(time: Intervals) -> list[tuple[int, int]]:
    return [(span.start_ns, span.end_ns) for span in time]


@pytest.mark.parametrize(
    ("samples", "good", "bad", "unknown"),
    [
        ([], [], [], [(0, 100)]),
        ([(0, GOOD)], [(0, 30)], [], [(30, 100)]),
        ([(-20, GOOD)], [(0, 10)], [], [(10, 100)]),  # an earlier one still speaks
        ([(-40, GOOD)], [], [], [(0, 100)]),
        (
            [(10, GOOD), (20, BAD), (25, GOOD)],
            [(10, 20), (25, 55)],
            [(20, 25)],
            [(0, 10), (55, 100)],
        ),
        ([(0, GOOD), (10, UNKNOWN)], [(0, 10)], [], [(10, 100)]),
        ([(0, GOOD), (0, BAD)], [], [], [(0, 100)]),  # a contradiction proves nothing
        ([(0, GOOD), (0, UNKNOWN)], [(0, 30)], [], [(30, 100)]),
        ([(100, BAD), (250, BAD)], [], [], [(0, 100)]),  # not of this time
        ([(90, BAD)], [], [(90, 100)], [(0, 90)]),
    ],
)
def test_cases(
    samples: list[tuple[int, Verdict]],
    good: list[tuple[int, int]],
    bad: list[tuple[int, int]],
    unknown: list[tuple[int, int]],
) -> None:
    found = timeline(
        (Sample(at, verdict) for at, verdict in samples), start_ns=0, end_ns=100, hold_ns=30
    )
    assert (spans(found.good), spans(found.bad), spans(found.unknown)) == (good, bad, unknown)


def test_a_sample_that_never_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="hold"):
        timeline([], start_ns=0, end_ns=1, hold_ns=0)


some_samples = st.lists(
    st.builds(Sample, st.integers(-10, 60), st.sampled_from(list(Verdict))), max_size=20
)


@given(some_samples, st.integers(1, 25), st.integers(-5, 60), st.data())
def test_against_every_moment(
    samples: list[Sample], hold: int, end: int, data: st.DataObject
) -> None:
    found = timeline(samples, start_ns=0, end_ns=end, hold_ns=hold)
    for moment in range(max(0, end)):
        heard = [s for s in samples if s.at_ns <= moment]
        newest = max((s.at_ns for s in heard), default=None)
        said = {s.verdict for s in heard if s.at_ns == newest} - {UNKNOWN}
        fresh = newest is not None and moment - newest < hold
        truth = said.pop() if fresh and len(said) == 1 else UNKNOWN
        assert (moment in found.good) == (truth is GOOD)
        assert (moment in found.bad) == (truth is BAD)
        assert (moment in found.unknown) == (truth is UNKNOWN)
    repeated = data.draw(st.permutations(samples + samples[:5]))
    assert timeline(repeated, start_ns=0, end_ns=end, hold_ns=hold) == found
