from hypothesis import given
from hypothesis import strategies as st

from tenone.runtime.bucket import Buckets, TokenBucket

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


@given(
    st.floats(0.1, 1000),
    st.integers(1, 1000),
    st.lists(st.floats(0, 10), min_size=1, max_size=100),
)
def test_a_bucket_never_gives_more_than_its_rate(
    a_second: float, most: int, gaps: list[float]
) -> None:
    buckets = Buckets(1)
    now, given_out = 0.0, 0
    for gap in gaps:
        now += gap
        given_out += buckets.take("key", round(now * 1e9), rate=a_second, burst=most) == 0
    assert given_out <= most + now * a_second + 1e-6


def test_who_is_refused_hears_how_long_to_wait() -> None:
    buckets = Buckets(10)
    assert buckets.take("a", 0, rate=2, burst=1) == 0
    assert buckets.take("a", 0, rate=2, burst=1) == 0.5
    assert buckets.take("b", 0, rate=2, burst=1) == 0, "another's bucket is another one"
    assert buckets.take("a", SECOND // 2, rate=2, burst=1) == 0


def test_the_name_not_heard_of_for_longest_is_forgotten() -> None:
    buckets = Buckets(2)
    for name in "abac":  # b is the oldest when c comes
        buckets.take(name, 0, rate=1, burst=1)
    assert buckets.take("a", 0, rate=1, burst=1) > 0
    assert buckets.take("b", 0, rate=1, burst=1) == 0
