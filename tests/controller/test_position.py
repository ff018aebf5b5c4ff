"""Where blocks stand in time."""

import pytest

from controller.state.position import START, Position


def at(journal: int, seq: int, evidence_ns: int) -> Position:
    return Position(bytes([journal]) * 16, seq, evidence_ns)


@pytest.mark.parametrize(
    ("first", "second", "before", "same"),
    [
        (at(1, 5, 100), at(1, 6, 50), True, False),  # the chain knows better than the clock
        (at(1, 6, 50), at(1, 5, 100), False, False),
        (at(1, 5, 100), at(1, 5, 900), True, True),  # resent
        (at(1, 5, 100), at(2, 1, 101), True, False),
        (at(1, 5, 100), at(2, 9, 99), False, False),
        (START, at(1, 1, -(2**40)), True, False),
    ],
)
def test_positions(first: Position, second: Position, *, before: bool, same: bool) -> None:
    assert first.before(second) is before
    assert first.same(second) is same
