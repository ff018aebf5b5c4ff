"""Bad links, and when each is looked at."""

import numpy as np

from controller.enforcement.faults import FaultBook
from controller.state.columns import Links
from tenone.vocabulary.states import Cause, Verdict

SECOND = 1_000_000_000
SETTLE = SECOND // 2
WALL = 1_700_000_000 * SECOND


def bad(links: Links, number: int, cause: Cause) -> None:
    links.verdict[number] = Verdict.BAD
    links.causes[number] = np.uint64(1 << int(cause))


def test_a_bad_link_is_due_when_it_has_been_bad_for_a_while() -> None:
    links = Links(2)
    book = FaultBook(links, ["a", "b"])
    bad(links, 1, Cause.SPEED)
    links.since_ns[1] = WALL - SETTLE // 2
    assert book.update(WALL, 0, SETTLE) == []
    assert not book.due(SETTLE // 2 - 1, 9)
    assert [one.link for one in book.due(SETTLE // 2, 9)] == ["b"]


def test_a_port_that_was_dark_and_is_slow_is_looked_at_once_that_has_settled() -> None:
    links = Links(2)
    book = FaultBook(links, ["a", "b"])
    for number in (0, 1):
        bad(links, number, Cause.LINK_DOWN)
        links.since_ns[number] = WALL
    book.update(WALL, 0, SETTLE)
    for fault in book.due(SETTLE, 9):
        fault.due_ns = 5 * SECOND  # looked at; a standing fault comes round slowly
    bad(links, 1, Cause.SPEED)
    book.update(WALL, SECOND, SETTLE)
    assert not book.due(SECOND + SETTLE - 1, 9)
    assert [one.link for one in book.due(SECOND + SETTLE, 9)] == ["b"]
    book.update(WALL, SECOND + SETTLE, SETTLE)
    (fault,) = book.due(SECOND + SETTLE, 9)
    assert fault.due_ns == SECOND + SETTLE, "once for one change"


def test_what_is_good_again_is_over() -> None:
    links = Links(1)
    book = FaultBook(links, ["a"])
    bad(links, 0, Cause.SPEED)
    book.update(WALL, 0, SETTLE)
    links.verdict[0], links.causes[0] = Verdict.GOOD, 0
    assert [one.link for one in book.update(WALL, 0, SETTLE)] == ["a"]
    assert not book.by_number
    bad(links, 0, Cause.LINK_DOWN)
    assert book.update(WALL, SECOND, SETTLE) == []
    assert book.by_number[0].judged_ns == WALL
