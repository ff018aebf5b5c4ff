"""Rings of bits against plain lists, and windows that are kept and taken over."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.sla import loss_window
from controller.sla.loss_window import LONGEST
from controller.state.measures import Measures
from controller.state.paths import OCTETS, Packets, Paths
from tenone.vocabulary.probes import ProbeOutcome

LIMIT = 0.005


def packets(lost: list[bool]) -> Packets:
    fates = [ProbeOutcome.LOST if one else ProbeOutcome.ANSWERED for one in lost]
    outcome = np.array([fates], np.uint8)
    return Packets(outcome, np.ones(outcome.shape))


def told(paths: Paths, path: int, count: int) -> tuple[int, int]:
    measures = Measures(count)
    where = np.array([path])
    paths.tell(where, where, measures, 5)
    return int(measures.loss[path]), int(measures.loss_packets[path])


def test_a_window_is_whole_octets() -> None:
    assert OCTETS * 8 == LONGEST


parts = st.lists(st.tuples(st.integers(1, 900), st.integers(0, 9)), max_size=6)


@settings(deadline=None, max_examples=25)
@given(parts, parts)
def test_kept_and_taken_over_they_decide_alike(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    def fates(listed: list[tuple[int, int]]) -> list[bool]:
        return [lost for good, bad in listed for lost in [False] * good + [True] * bad]

    one, other = Paths(3, np.full(3, LIMIT)), Paths(3, np.full(3, LIMIT))
    if before:
        one.add(np.array([1]), packets(fates(before)), 3)
    other.take(np.arange(3), one.windows())
    for paths in (one, other):
        if after:
            paths.add(np.array([1]), packets(fates(after)), 4)
        expected = loss_window.decide(fates(before) + fates(after), limit=LIMIT)
        assert told(paths, 1, 3) == (expected.verdict, expected.packets)
        assert told(paths, 2, 3)[1] == 0, "a neighbour's bits stay as they are"


def test_a_copy_is_a_copy() -> None:
    paths = Paths(1, np.array([LIMIT]))
    paths.add(np.array([0]), packets([True] * 4), 1)
    kept = paths.windows()
    paths.add(np.array([0]), packets([False] * 2), 2)
    assert (kept.next[0], kept.run[0], kept.lost[0, 0]) == (4, 4, 0b1111)
