"""Since when a link is what it is, and what the records get of it."""

import numpy as np

from controller.state.columns import Links
from controller.state.history import History
from controller.state.numbering import Numbering
from controller.store.protocols import NS, LinkChange
from tenone.vocabulary.states import Severity, Verdict

from .conftest import small_city

WALL = 1_790_000_000 * NS


class Bench:
    """The first link of a small city; the others stay unknown."""

    def __init__(self) -> None:
        self.numbering = Numbering(small_city())
        self.history = History(self.numbering)
        self.links = Links(len(self.numbering.links))

    def turn(self, verdict: Verdict, *, wall: int, age: float = 0.0) -> None:
        turned = np.zeros(len(self.links.verdict), np.bool_)
        turned[0] = self.links.verdict[0] != verdict or self.links.since_ns[0] == 0
        self.links.verdict[0] = verdict
        ages = np.full(len(turned), np.inf)
        ages[0] = age
        self.history.date(self.links, turned, ages, wall)

    def changes(self, *, silence_counts: bool = False) -> list[LinkChange]:
        return self.history.changes(
            self.links, silence_counts=silence_counts, block_of=lambda _number: None
        )

    @property
    def since(self) -> int:
        return int(self.links.since_ns[0])


def test_what_was_read_dates_the_verdict_silence_is_dated_now() -> None:
    bench = Bench()
    bench.turn(Verdict.GOOD, wall=WALL, age=4)
    assert bench.since == WALL - 4 * NS
    bench.turn(Verdict.UNKNOWN, wall=WALL + 60 * NS, age=64)
    assert bench.since == WALL + 60 * NS


def test_a_wall_clock_that_steps_back_makes_no_negative_interval() -> None:
    bench = Bench()
    bench.turn(Verdict.GOOD, wall=WALL)
    bench.turn(Verdict.BAD, wall=WALL - 3600 * NS)
    assert bench.since == WALL


def test_changes_are_told_once() -> None:
    bench = Bench()
    bench.turn(Verdict.GOOD, wall=WALL)
    (change,) = bench.changes()
    assert (change.verdict, change.since_ns, change.at_ns) == (Verdict.GOOD, WALL, WALL)
    assert bench.changes() == []
    bench.links.speed_mbps[0] = 2500
    bench.history.date(bench.links, np.zeros(4, np.bool_), np.zeros(4), WALL + 5 * NS)
    (change,) = bench.changes()
    assert (change.since_ns, change.at_ns, change.speed_mbps) == (WALL, WALL + 5 * NS, 2500)


def test_silence_is_left_out_until_it_counts() -> None:
    bench = Bench()
    bench.turn(Verdict.UNKNOWN, wall=WALL)
    assert bench.changes() == []
    assert len(bench.changes(silence_counts=True)) == 4, "all that were never recorded"
    assert bench.changes(silence_counts=True) == []


def test_what_is_recorded_comes_back_with_its_date() -> None:
    bench = Bench()
    name = bench.numbering.links[0].id
    recorded = LinkChange(
        link=name, at_ns=WALL, since_ns=WALL - 9 * NS, verdict=Verdict.GOOD,
        severity=Severity.NONE, causes=0, oper=0, admin=0, speed_mbps=0, duplex=0, block_hash=b"",
    )  # fmt: skip
    stranger = LinkChange(
        link="no9/none", at_ns=WALL, since_ns=WALL, verdict=Verdict.BAD,
        severity=Severity.NONE, causes=0, oper=0, admin=0, speed_mbps=0, duplex=0, block_hash=b"",
    )  # fmt: skip
    bench.history.restore([recorded, stranger])
    bench.turn(Verdict.UNKNOWN, wall=WALL + 100 * NS)
    assert bench.changes() == [], "not yet news"
    bench.turn(Verdict.GOOD, wall=WALL + 101 * NS)
    assert bench.since == WALL - 9 * NS
    assert bench.changes() == []
    bench.turn(Verdict.BAD, wall=WALL + 102 * NS)
    assert bench.since == WALL + 102 * NS
