"""SLA.md 6, 7, 8: worked figures, then sessions with loss, duplicates and reorder."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.path import (
    LATE_NS,
    Answer,
    Jitter,
    answered,
    delay_ns,
    ipdv_ns,
    jitter,
    loss_ratio,
    one_way_ns,
    settled,
)

MS = 1_000_000


def answer(sequence: int, t1: int, t4: int, t2: int | None = None, t3: int | None = None) -> Answer:
    return Answer(sequence=sequence, t1_ns=t1, t2_ns=t2, t3_ns=t3, t4_ns=t4)


def test_loss_counts_duplicates_once_and_late_ones_as_lost() -> None:
    sent = {number: number * 1000 * MS for number in range(5)}
    answers = [
        answer(0, 0, 10 * MS),
        answer(0, 0, 12 * MS),  # a duplicate
        answer(1, 1000 * MS, 1000 * MS + LATE_NS),  # just in time
        answer(2, 2000 * MS, 2000 * MS + LATE_NS + 1),  # late
        answer(3, 2999 * MS, 3001 * MS),  # of another session: never sent at that time
        answer(4, 4000 * MS, 3999 * MS),  # back before it was sent
        answer(9, 9000 * MS, 9001 * MS),  # never sent
    ]
    found = answered(answers, sent)
    assert sorted(found) == [0, 1]
    assert found[0].t4_ns == 10 * MS
    assert loss_ratio(len(sent), len(found)) == Fraction(3, 5)


def test_what_is_still_under_way_is_not_lost() -> None:
    sent = {1: 0, 2: 1, 3: LATE_NS}
    assert settled(sent, LATE_NS) == {}
    assert settled(sent, LATE_NS + 1) == {1: 0}
    assert settled(sent, LATE_NS + 2) == {1: 0, 2: 1}


@pytest.mark.parametrize(
    ("sent", "received", "expected"),
    [(200, 199, Fraction(1, 200)), (5, 5, 0), (5, 0, 1), (0, 0, None)],
)
def test_loss_ratio(sent: int, received: int, expected: Fraction | None) -> None:
    assert loss_ratio(sent, received) == expected


@pytest.mark.parametrize(("sent", "received"), [(3, 4), (3, -1)])
def test_impossible_loss_is_refused(sent: int, received: int) -> None:
    with pytest.raises(ValueError, match="cannot have been"):
        loss_ratio(sent, received)


@pytest.mark.parametrize(
    ("given_answer", "delay", "ways"),
    [
        # Sent at 100, there at 108, kept for 30, back at 150: 50 - 30 = 20, 8 there and 12 back.
        (answer(1, 100, 150, 108, 138), 20, (8, 12)),
        # The reflector's clock is 10^9 off: the round trip does not care.
        (answer(1, 100, 150, 108 + 10**9, 138 + 10**9), 20, None),
        (answer(1, 100, 150), None, None),
        (answer(1, 100, 150, 138, 108), None, (38, 42)),  # its clock stepped back meanwhile
        (answer(1, 100, 150, 100, 151), None, None),
        (answer(1, 100, 150, 108, 158), 0, None),
    ],
)
def test_delay(given_answer: Answer, delay: int | None, ways: tuple[int, int] | None) -> None:
    assert delay_ns(given_answer) == delay
    assert one_way_ns(given_answer, clock_sync_proven=True) == ways
    assert one_way_ns(given_answer, clock_sync_proven=False) is None


def test_ipdv_is_undefined_beside_a_lost_packet() -> None:
    assert ipdv_ns({1: 10, 2: 14, 3: 11, 5: 90, 6: 91}) == [4, -3, 1]
    assert ipdv_ns({1: 10, 3: 11}) == []
    assert ipdv_ns({}) == []


def test_jitter() -> None:
    steady = dict.fromkeys(range(1000), 5 * MS)
    assert jitter(steady) == Jitter(ipdv_p95_ns=0, pdv_ns=0)
    # One of a thousand is 20 ms late: P99.9 is number 999 and does not see it.
    assert jitter(steady | {500: 25 * MS}) == Jitter(ipdv_p95_ns=0, pdv_ns=0)
    assert jitter(steady | {400: 9 * MS, 500: 25 * MS}) == Jitter(ipdv_p95_ns=0, pdv_ns=4 * MS)
    # A saw of 3 ms: every step is 3 ms, up or down.
    saw = {number: (5 + number % 2 * 3) * MS for number in range(100)}
    assert jitter(saw) == Jitter(ipdv_p95_ns=3 * MS, pdv_ns=3 * MS)
    assert jitter({1: 5}) == Jitter(ipdv_p95_ns=None, pdv_ns=0)
    assert jitter({}) == Jitter(ipdv_p95_ns=None, pdv_ns=None)


fates = st.lists(st.lists(st.integers(0, 5000), max_size=3), max_size=20)


@given(fates, st.data())
def test_order_and_repetition_change_nothing(trips: list[list[int]], data: st.DataObject) -> None:
    """Each packet's answers by their round trips in ms; none is a loss, several are duplicates."""
    sent = {number: number * 200 * MS for number in range(len(trips))}
    answers = [
        answer(number, sent[number], sent[number] + trip * MS)
        for number, packet in enumerate(trips)
        for trip in packet
    ]
    shuffled = data.draw(st.permutations(answers + answers[:5]))
    found = answered(shuffled, sent)
    assert found == answered(answers, sent)
    in_time = {n: min(packet) for n, packet in enumerate(trips) if packet and min(packet) <= 3000}
    delays = {number: (each.t4_ns - each.t1_ns) // MS for number, each in found.items()}
    assert delays == in_time
    pairs = [in_time[n] - in_time[n - 1] for n in in_time if n - 1 in in_time]
    assert sorted(ipdv_ns(delays)) == sorted(pairs)


@given(
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(-(10**12), 10**12),
)
def test_any_offset_of_the_reflectors_clock(
    t1: int, there: int, kept: int, back: int, off: int
) -> None:
    t2 = t1 + there
    each = answer(1, t1, t2 + kept + back, t2 + off, t2 + kept + off)
    assert delay_ns(each) == there + back
