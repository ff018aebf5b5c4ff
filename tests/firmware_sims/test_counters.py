from hypothesis import given
from hypothesis import strategies as st

from firmware_sims.switch.counters import Traffic

steps = st.lists(
    st.tuples(st.floats(0, 4000), st.sampled_from([0, 10, 100, 1000, 10_000])),
    min_size=1,
    max_size=20,
)


@given(st.integers(0, 50), steps)
def test_counters_never_go_back_whatever_the_speed_does(seed: int, moves: object) -> None:
    traffic = Traffic(str(seed))
    now, seen = 0.0, (0, 0, 0, 0)
    for seconds, speed in moves:  # type: ignore[attr-defined] # hypothesis' type is wider
        traffic.load(now, speed_mbps=speed, errors_per_second=3.5, discards_per_second=1)
        for part in (0.1, 0.5, 1.0):
            at = now + seconds * part
            read = (
                traffic.in_octets(at),
                traffic.out_octets(at),
                traffic.errors(at),
                traffic.discards(at),
            )
            assert all(new >= old for new, old in zip(read, seen, strict=True))
            seen = read
        now += seconds


def test_a_stopped_port_stands_still_and_a_restart_begins_at_zero() -> None:
    traffic = Traffic("x")
    traffic.load(0, speed_mbps=1000, errors_per_second=2, discards_per_second=0)
    moved = traffic.in_octets(600)
    assert 0 < moved < 600 * 125_000_000
    traffic.load(600, speed_mbps=0, errors_per_second=2, discards_per_second=0)
    assert traffic.in_octets(5000) == traffic.in_octets(600) == moved
    assert traffic.errors(5000) == 1200
    traffic.restart(5000)
    assert (traffic.in_octets(5000), traffic.errors(9000)) == (0, 0)


def test_the_same_seed_moves_the_same() -> None:
    one, two, other = Traffic("a"), Traffic("a"), Traffic("b")
    for traffic in (one, two, other):
        traffic.load(0, speed_mbps=1000, errors_per_second=0, discards_per_second=0)
    assert one.in_octets(77.7) == two.in_octets(77.7) != other.in_octets(77.7)
