"""How often a password may be guessed: against the sentence of the documents, written out."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.trust.people.throttle import (
    KNOWN,
    MOST_BROWSERS,
    MOST_IN_A_ROW,
    SHUT,
    UNKNOWN,
    Limit,
    Tally,
    a_day,
    failed,
    lock_seconds,
    wait,
)

MINUTE = 60.0
HOUR = 3600.0
STEPS = 100_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Tally(), Tally(1)),
        (Tally(3), Tally(4)),
        (Tally(4), Tally(5, 900.0)),
        (Tally(5, -1.0), Tally(6, -1.0)),
        (Tally(9, -1.0), Tally(10, 1800.0)),
        (Tally(44, -1.0), Tally(45, 86_400.0)),
        (Tally(49, -1.0), Tally(50, SHUT)),
        (Tally(5, 900.0), Tally(5, 900.0)),
        (Tally(50, SHUT), Tally(50, SHUT)),
    ],
)
def test_one_more_failure_of_browsers_nobody_knows(before: Tally, after: Tally) -> None:
    assert failed(before, 0.0, UNKNOWN) == after


def test_the_figures_of_the_documents() -> None:
    assert [lock_seconds(nth) / MINUTE for nth in range(1, 10)] == [
        15, 30, 60, 120, 240, 480, 960, 1440, 1440,
    ]  # fmt: skip
    assert (a_day(), MOST_IN_A_ROW) == (35, 100)
    assert UNKNOWN.most + MOST_BROWSERS * KNOWN.most == MOST_IN_A_ROW


@dataclass
class Written:
    """The sentence, by the whole history: no state but what happened."""

    limit: Limit
    failures: list[float] = field(default_factory=list)
    """Times of failures that were compared, since the last sign-in."""

    def is_compared(self, now: float) -> bool:
        count = len(self.failures)
        if count >= self.limit.most:
            return False
        if count == 0 or count % 5:
            return True
        return now >= self.failures[-1] + min(900.0 * 2.0 ** (count // 5 - 1), 86_400.0)


def test_a_hundred_thousand_steps_against_the_sentence() -> None:
    """Guesses and sign-ins at odd times; what is compared is what the sentence says."""
    chance = random.Random(5)
    tally, now = Tally(), 0.0
    limit = UNKNOWN
    written = Written(limit)
    compared = refused = 0
    for _ in range(STEPS):
        now += chance.choice((0.0, 1.0, 60.0, 900.0, 1800.0, 5000.0, 90_000.0)) * chance.random()
        open_now = wait(tally, now) == 0
        assert open_now is written.is_compared(now), (now, tally)
        if not open_now:
            refused += 1
            assert failed(tally, now, limit) == tally
            if tally.locked_until == SHUT and chance.random() < 0.1:  # somebody opens it
                tally, limit = Tally(), chance.choice((UNKNOWN, KNOWN))
                written = Written(limit)
            continue
        compared += 1
        if chance.random() < 0.02:
            tally = Tally()
            written.failures.clear()
        else:
            tally = failed(tally, now, limit)
            written.failures.append(now)
    assert min(compared, refused) > STEPS // 10


@given(st.lists(st.floats(0, 4 * HOUR), max_size=300), st.sampled_from([UNKNOWN, KNOWN]))
def test_no_pattern_of_guesses_gets_more_compared(waits: list[float], limit: Limit) -> None:
    tally, now, times = Tally(), 0.0, list[float]()
    for one in waits:
        now += one
        if wait(tally, now) == 0:
            times.append(now)
        tally = failed(tally, now, limit)
    assert len(times) <= limit.most
    for start in times:
        assert sum(start <= at < start + 24 * HOUR for at in times) <= a_day()
