from hypothesis import given
from hypothesis import strategies as st

from agents.schedule import Grid, backoff_slots, spread

SECOND = 10**9
names = st.text(min_size=1, max_size=20)
intervals = st.floats(0.001, 7200)
ratios = st.floats(0, 1)


@given(names, intervals, ratios, st.integers(0, 10**15), st.integers(0, 10**15))
def test_the_next_slot_is_later_and_at_most_two_intervals_away(
    name: str, interval: float, ratio: float, start_ns: int, passed_ns: int
) -> None:
    grid = Grid.of(name, start_ns=start_ns, interval=interval, jitter_ratio=ratio)
    now_ns = start_ns + passed_ns
    due = grid.after(now_ns)
    assert now_ns < due <= now_ns + 2 * grid.interval_ns + 1


@given(names, intervals, ratios, st.integers(0, 10_000))
def test_slots_stay_in_order_and_do_not_drift(
    name: str, interval: float, ratio: float, index: int
) -> None:
    grid = Grid.of(name, start_ns=0, interval=interval, jitter_ratio=ratio)
    assert grid.slot(index) < grid.slot(index + 1) + (ratio == 1)
    nominal_ns = grid.first_ns + index * grid.interval_ns
    assert 0 <= grid.slot(index) - nominal_ns <= grid.jitter_ns


@given(st.integers(0, 10**15), st.integers(0, 3))
def test_skipped_slots_are_slots(now_ns: int, skip: int) -> None:
    grid = Grid.of("sw", start_ns=0, interval=10, jitter_ratio=0)
    assert grid.after(now_ns, skip) == grid.after(now_ns) + skip * grid.interval_ns


def test_passed_slots_are_not_caught_up() -> None:
    grid = Grid("sw", first_ns=0, interval_ns=10 * SECOND)
    assert grid.after(0) == 10 * SECOND
    assert grid.after(37 * SECOND) == 40 * SECOND
    assert grid.after(-5 * SECOND) == 0


def test_starts_are_spread_evenly_and_are_the_same_after_a_restart() -> None:
    starts = [spread(f"sw-{index}", 10 * SECOND) for index in range(1000)]
    assert starts == [spread(f"sw-{index}", 10 * SECOND) for index in range(1000)]
    tenths = [sum(start // SECOND == tenth for start in starts) for tenth in range(10)]
    assert min(tenths) > 60
    assert sum(tenths) == 1000


def test_backoff_is_gentle() -> None:
    assert [backoff_slots(failures) for failures in range(6)] == [0, 0, 1, 2, 2, 2]
