"""Bad links, and when each is looked at."""

import numpy as np

from controller.enforcement.faults import SAME_NS, FaultBook
from controller.state.columns import Links
from tenone.vocabulary.intents import Intent
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


def test_a_moments_good_or_nobodys_look_makes_no_other_fault() -> None:
    links = Links(1)
    book = FaultBook(links, ["a"])
    bad(links, 0, Cause.SPEED)
    links.since_ns[0] = WALL
    book.update(WALL, 0, SETTLE)
    book.by_number[0].turned(Cause.SPEED, 0)
    book.by_number[0].declined.add(Intent.BOUNCE_PORT)
    now_ns = 0
    for verdict, passes_ns in (
        (Verdict.UNKNOWN, 3 * SAME_NS),
        (Verdict.GOOD, SAME_NS - 1),
        (Verdict.GOOD, 0),
    ):
        links.verdict[0] = verdict
        book.update(WALL, now_ns, SETTLE)
        now_ns += passes_ns
        bad(links, 0, Cause.DUPLEX)
        links.since_ns[0] = WALL + now_ns
        book.update(WALL + now_ns, now_ns, SETTLE)
        (fault,) = book.by_number.values()
        fault.turned(Cause.DUPLEX, now_ns)
        assert (fault.fault_ns, fault.since_ns) == (WALL, WALL + now_ns)
        assert fault.declined == {Intent.BOUNCE_PORT}
    links.verdict[0] = Verdict.GOOD
    book.update(WALL, now_ns, SETTLE)
    now_ns += SAME_NS
    book.update(WALL, now_ns, SETTLE)
    bad(links, 0, Cause.SPEED)
    links.since_ns[0] = WALL + now_ns
    book.update(WALL + now_ns, now_ns, SETTLE)
    (fault,) = book.by_number.values()
    assert (fault.fault_ns, fault.declined) == (WALL + now_ns, set())
