"""Damaged frames before a fault: counted, reset, silent, unknown."""

import pytest

from controller.incidents.errors import SPAN_NS, ErrorBook
from tenone.blocks.layout import Layout
from tenone.vocabulary.metrics import PORT_COUNTERS
from tests.controller.conftest import FakeJournal, small_city

PORTS = ("GE1", "GE2", "XGE1")
LAYOUT = Layout("port-counters", PORT_COUNTERS, PORTS)
T0 = 1_790_000_000_000_000_000


class Counting:
    def __init__(self) -> None:
        self.book = ErrorBook(small_city())
        self.journal = FakeJournal()

    def take(self, seconds: float, *errors: int | None) -> None:
        block = self.journal.block(LAYOUT, "no1/switch/sw1", {"in_errors": errors})
        at_ns = T0 + round(seconds * 10**9)
        self.book.take(self.journal.arrival(block, received_ns=at_ns))


@pytest.fixture
def counting() -> Counting:
    return Counting()


def test_nothing_counted_is_unknown_not_zero(counting: Counting) -> None:
    assert counting.book.of("no1/c301") is None
    assert counting.book.of("no9/c1") is None
    counting.take(0, None, 5, 0)
    counting.take(60, 7, 5, 0)
    assert counting.book.of("no1/c301") is None
    assert counting.book.of("no1/c302") == 0
    assert counting.book.of("no2/c101") is None


def test_errors_since_some_minutes(counting: Counting) -> None:
    for minute in range(30):
        counting.take(60 * minute, 100 * minute, 0, 0)
    counted = counting.book.of("no1/c301")
    assert counted is not None
    assert 100 * SPAN_NS / 60e9 <= counted <= 200 * SPAN_NS / 60e9


def test_a_counter_that_goes_back_is_no_figure(counting: Counting) -> None:
    counting.take(0, 500, 0, 0)
    counting.take(60, 3, 0, 0)
    assert counting.book.of("no1/c301") is None


def test_an_older_block_that_comes_late_changes_nothing(counting: Counting) -> None:
    counting.take(0, 0, 0, 0)
    counting.take(120, 41, 0, 0)
    counting.take(60, 90, 0, 0)
    assert counting.book.of("no1/c301") == 41
