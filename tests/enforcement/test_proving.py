"""A single good reading proves nothing, nor one of before, nor one that is repeated."""

import pytest

from controller.enforcement.proving import Proved, Watching
from tenone.vocabulary.states import Verdict

S = 10**9
G, B, U = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN
NOT, YES, LATE = Proved.NOT_YET, Proved.YES, Proved.TOO_LATE


@pytest.mark.parametrize(
    ("looks", "outcome"),
    [
        ([(G, 11)], NOT),
        ([(G, 11), (G, 11), (G, 11)], NOT),  # the same reading again and again
        ([(G, 11), (G, 12.9)], NOT),
        ([(G, 11), (G, 13)], YES),
        ([(G, 9), (G, 13)], NOT),  # read before the switch took the lines
        ([(G, 10), (G, 12), (G, 13.9)], NOT),
        ([(G, 11), (B, 12), (G, 13), (G, 14)], NOT),
        ([(G, 11), (B, 12), (G, 13), (G, 15)], YES),
        ([(G, 11), (U, 12), (G, 13)], NOT),  # nobody saw it in between
        ([(B, 11), (B, 30)], NOT),
    ],
)
def test_when_it_is_proved(looks: list[tuple[Verdict, float]], outcome: Proved) -> None:
    watching = Watching(applied_ns=10 * S, hold_ns=2 * S)
    said = [watching.look(verdict, round(at * S), round(at * S)) for verdict, at in looks]
    assert said[-1] is outcome
    assert all(one is NOT for one in said[:-1])


def test_it_has_to_follow_in_time() -> None:
    watching = Watching(applied_ns=10 * S, hold_ns=2 * S, until_ns=100 * S)
    assert watching.look(B, 50 * S, 99 * S) is NOT
    assert watching.look(B, 51 * S, 100 * S) is LATE
    assert watching.look(G, 98 * S, 101 * S) is LATE
    assert watching.look(G, 101 * S, 102 * S) is YES
