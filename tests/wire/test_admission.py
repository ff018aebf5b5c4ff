import random

from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.sparkplug.admission import RebirthAdmission
from drivers.wire.topics import NodeId


def nodes(count: int) -> list[NodeId]:
    return [NodeId("east", f"no{number}") for number in range(count)]


def test_a_lone_node_is_asked_at_once() -> None:
    admission = RebirthAdmission(random_source=random.Random(1))
    (node,) = nodes(1)
    assert admission.next_time() is None
    assert admission.want(node, "gap", 5.0)
    assert not admission.want(node, "gap again", 5.0)
    assert admission.next_time() == 5.0
    assert admission.admit(5.0) == [(node, "gap")]
    assert admission.admit(5.0) == []


def test_who_does_not_answer_is_asked_again_until_settled() -> None:
    admission = RebirthAdmission(retry_seconds=30.0)
    (node,) = nodes(1)
    admission.want(node, "gap", 0.0)
    assert len(admission.admit(0.0)) == 1
    assert admission.next_time() == 30.0
    assert admission.admit(29.9) == []
    assert admission.admit(30.0) == [(node, "gap")]
    admission.settled(node)
    assert admission.admit(1000.0) == []
    assert admission.next_time() is None
    assert len(admission) == 0
    assert admission.want(node, "another gap", 1000.0)


def test_a_city_is_spread_over_the_rate() -> None:
    """2,700 nodes at 50 a second: about 54 s, as the arithmetic of the findings says."""
    admission = RebirthAdmission(
        rate_per_second=50.0, burst=50, jitter_seconds=10.0, retry_seconds=1e9,
        random_source=random.Random(7),
    )  # fmt: skip
    for node in nodes(2700):
        admission.want(node, "restart", 0.0)
    now, asked, per_second = 0.0, 0, []
    while asked < 2700:
        found = sum(len(admission.admit(now + tenth / 10)) for tenth in range(10))
        per_second.append(found)
        asked += found
        now += 1.0
    assert 53 <= now <= 60
    assert max(per_second) <= 100  # the burst and one second's tokens


@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(0, 20)), max_size=40),
    st.floats(0.5, 20),
    st.integers(1, 5),
)
def test_never_more_than_burst_plus_rate(
    wants: list[tuple[int, float]], rate: float, burst: int
) -> None:
    admission = RebirthAdmission(
        rate_per_second=rate, burst=burst, jitter_seconds=3.0, retry_seconds=1.0,
        random_source=random.Random(3),
    )  # fmt: skip
    everyone = nodes(10)
    total, now = 0, 0.0
    for number, pause in wants:
        admission.want(everyone[number], "x", now)
        total += len(admission.admit(now))
        now += pause
        total += len(admission.admit(now))
        assert total <= burst + rate * now + 1e-6


@given(st.integers(0, 2**32), st.floats(0.1, 100), st.integers(1, 5), st.floats(0, 1e9))
def test_next_time_always_leads_on(seed: int, rate: float, burst: int, start: float) -> None:
    """Who sleeps until ``next_time`` is through after one call a node and one more each."""
    admission = RebirthAdmission(
        rate_per_second=rate, burst=burst, jitter_seconds=5.0, retry_seconds=1e6,
        random_source=random.Random(seed),
    )  # fmt: skip
    for node in nodes(20):
        admission.want(node, "x", start)
    now, asked = start, set()
    for _ in range(60):
        due = admission.next_time()
        assert due is not None
        now = max(now, due)
        for node, _ in admission.admit(now):
            asked.add(node)
            admission.settled(node)
        if len(asked) == 20:
            break
    assert len(asked) == 20
