"""Interval sets against sets of single moments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.calendar.intervals import MINUTE_NS, Intervals, Span, whole_minutes

Points = frozenset[int]
LIMIT = 40
spans = st.lists(st.tuples(st.integers(0, LIMIT), st.integers(0, LIMIT)), max_size=8)


def moments(parts: list[tuple[int, int]] | Intervals) -> Points:
    return frozenset(moment for start, end in parts for moment in range(start, end))


@pytest.mark.parametrize(
    ("parts", "normal"),
    [
        ([], ()),
        ([(5, 5)], ()),
        ([(9, 3)], ()),  # the wall clock stepped back: no time, not minus six
        ([(0, 2), (2, 4)], ((0, 4),)),
        ([(6, 8), (0, 3), (1, 2)], ((0, 3), (6, 8))),
        ([(0, 3), (0, 3), (0, 3)], ((0, 3),)),
    ],
)
def test_normalised(parts: list[tuple[int, int]], normal: tuple[tuple[int, int], ...]) -> None:
    assert Intervals.of(parts).spans == normal


@pytest.mark.parametrize("wrong", [((3, 3),), ((4, 2),), ((0, 2), (2, 4)), ((5, 6), (0, 1))])
def test_a_set_cannot_be_built_wrong(wrong: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match=r"Intervals\.of"):
        Intervals(tuple(Span(*span) for span in wrong))


@given(spans, spans)
def test_operations_are_those_of_sets(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    a, b = Intervals.of(one), Intervals.of(two)
    assert moments(a) == moments(one)
    assert moments(a | b) == moments(a) | moments(b)
    assert moments(a & b) == moments(a) & moments(b)
    assert moments(a - b) == moments(a) - moments(b)
    assert a.measure_ns == len(moments(a))
    for result in (a | b, a & b, a - b):
        assert Intervals.of(result) == result  # normalised, so built without the check's error
        assert result.measure_ns >= 0


@given(spans, st.integers(-1, LIMIT + 1), st.integers(-1, LIMIT + 1))
def test_asking_and_cutting(parts: list[tuple[int, int]], one: int, two: int) -> None:
    a = Intervals.of(parts)
    assert (one in a) == (one in moments(a))
    assert bool(a) == bool(moments(a))
    assert moments(a.within(one, two)) == {m for m in moments(a) if one <= m < two}


@given(spans, st.integers(-2, LIMIT + 2))
def test_last(parts: list[tuple[int, int]], length: int) -> None:
    a = Intervals.of(parts)
    newest = sorted(moments(a), reverse=True)[: max(0, length)]
    assert moments(a.last(length)) == frozenset(newest)


def test_span_length() -> None:
    assert Span(3, 10).length_ns == 7
    assert Span(10, 3).length_ns == 0


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        (0, 3 * MINUTE_NS, [0, 1, 2]),
        (1, 3 * MINUTE_NS, [1, 2]),
        (0, 3 * MINUTE_NS - 1, [0, 1]),
        (1, MINUTE_NS, []),
        (-MINUTE_NS, MINUTE_NS, [-1, 0]),
    ],
)
def test_whole_minutes(start: int, end: int, minutes: list[int]) -> None:
    found = list(whole_minutes(Intervals.of([(start, end)])))
    assert found == [minute * MINUTE_NS for minute in minutes]
