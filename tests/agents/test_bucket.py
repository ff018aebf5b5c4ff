from hypothesis import given
from hypothesis import strategies as st

from agents.bucket import TokenBucket

SECOND = 10**9


def test_a_burst_then_the_rate() -> None:
    bucket = TokenBucket(rate=5, burst=10, now_ns=0)
    assert [bucket.take(0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [bucket.take(SECOND) for _ in range(6)] == [True] * 5 + [False]


def test_rest_fills_up_to_the_burst_only() -> None:
    bucket = TokenBucket(rate=5, burst=10, now_ns=0)
    assert sum(bucket.take(3600 * SECOND) for _ in range(100)) == 10


@given(st.lists(st.integers(0, SECOND), max_size=300), st.floats(0.1, 100), st.floats(1, 100))
def test_never_more_than_rate_and_burst_allow(steps: list[int], rate: float, burst: float) -> None:
    bucket = TokenBucket(rate=rate, burst=burst, now_ns=0)
    now_ns = taken = 0
    for step in steps:
        now_ns += step
        taken += bucket.take(now_ns)
        assert taken <= burst + rate * now_ns / SECOND + 1e-6
