"""Intervals against a plain set; chains against what the agent's journal did."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.store.watermark import MAX_LOOSE_ENDS, Chain, IntervalSet

RANGES = st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair)))


@given(st.lists(RANGES, max_size=30), st.integers(1, 70))
def test_intervals_are_a_set(ranges: list[tuple[int, int]], probe: int) -> None:
    intervals, plain = IntervalSet(), set[int]()
    for first, last in ranges:
        new = set(range(first, last + 1)) - plain
        assert intervals.add(first, last) == len(new)
        plain |= new
    assert {n for first, last in intervals for n in range(first, last + 1)} == plain
    assert (probe in intervals) == (probe in plain)
    end = probe - 1
    while end + 1 in plain:
        end += 1
    assert intervals.end_of_run(probe) == end
    assert list(IntervalSet.parse(str(intervals))) == list(intervals)
    pairs = list(intervals)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(pairs))


def test_an_empty_range_adds_nothing() -> None:
    assert IntervalSet().add(5, 4) == 0


@given(st.permutations(range(1, 30)))
def test_the_watermark_is_the_longest_run_from_one(order: list[int]) -> None:
    chain = Chain("no1", "east")
    seen = set[int]()
    for seq in order:
        assert chain.add(seq)
        assert not chain.add(seq)
        seen.add(seq)
        expected = 0
        while expected + 1 in seen:
            expected += 1
        assert chain.through == expected


def test_a_gap_lets_the_watermark_pass_and_a_late_block_is_still_new() -> None:
    chain = Chain("no1", "east")
    chain.add(1)
    chain.add(6)
    assert chain.through == 1
    chain.excuse(2, 5)
    assert chain.through == 6
    assert chain.add(3), "a block that turns up after all is stored"
    assert not chain.add(3)


@pytest.mark.parametrize(
    ("stored", "excused", "base", "skipped", "through"),
    [
        ([], [], 5, 5, 5),
        ([(1, 5)], [], 5, 0, 5),
        ([(1, 3), (5, 5)], [], 5, 1, 5),
        ([(1, 3)], [], 10, 7, 10),
        ([(1, 3), (5, 6)], [(5, 8)], 10, 3, 10),
        ([(11, 12)], [], 10, 10, 12),
        ([(1, 20)], [], 10, 0, 20),
    ],
)
def test_an_announced_base(
    stored: list[tuple[int, int]],
    excused: list[tuple[int, int]],
    base: int,
    skipped: int,
    through: int,
) -> None:
    chain = Chain("no1", "east")
    chain.restore(IntervalSet(stored), IntervalSet(excused), 0)
    assert chain.announce_base(base) == skipped
    assert chain.base_skipped == skipped
    assert chain.through == through
    assert chain.announce_base(base) == 0, "announced again"


def hashes(count: int) -> list[bytes]:
    return [bytes(32), *(bytes([n]) * 32 for n in range(1, count + 1))]


@given(st.permutations(range(1, 12)))
def test_a_whole_chain_hangs_together_in_any_order(order: list[int]) -> None:
    chain, hash_of = Chain("no1", "east"), hashes(12)
    for seq in order:
        chain.add(seq)
        assert chain.link(seq, hash_of[seq - 1], hash_of[seq]) == []


@given(st.permutations(range(1, 12)), st.integers(1, 11))
def test_one_wrong_link_is_found_once_in_any_order(order: list[int], wrong: int) -> None:
    chain, hash_of = Chain("no1", "east"), hashes(12)
    broken = []
    for seq in order:
        chain.add(seq)
        previous = b"x" * 32 if seq == wrong else hash_of[seq - 1]
        broken += chain.link(seq, previous, hash_of[seq])
    assert broken == [wrong]


@pytest.mark.parametrize("gap_first", [True, False])
@pytest.mark.parametrize("told_right", [True, False])
def test_the_hash_a_gap_tells_is_checked(gap_first: bool, told_right: bool) -> None:
    chain, hash_of = Chain("no1", "east"), hashes(9)
    told = hash_of[3] if told_right else b"x" * 32
    broken = []
    if gap_first:
        chain.excuse(1, 3)
        broken += chain.link_gap(3, told)
    chain.add(4)
    broken += chain.link(4, hash_of[3], hash_of[4])
    if not gap_first:
        chain.excuse(1, 3)
        broken += chain.link_gap(3, told)
    assert broken == ([] if told_right else [4])


def test_loose_ends_are_bounded() -> None:
    chain = Chain("no1", "east")
    for seq in range(2, 3 * MAX_LOOSE_ENDS, 2):
        chain.add(seq)
        chain.link(seq, b"p" * 32, b"h" * 32)
    assert len(chain._hashes) <= MAX_LOOSE_ENDS
    assert len(chain._awaiting) <= MAX_LOOSE_ENDS
