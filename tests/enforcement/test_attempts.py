"""What counts of the day, what is under way, and what was tried on which fault."""

from dataclasses import replace
from datetime import date
from typing import Any

from controller.enforcement.attempts import AGAIN_NS, BRISK_NS, Attempt, Attempts, End
from controller.enforcement.diagnosis import Tried
from controller.enforcement.guards import Target
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Cause

TODAY, YESTERDAY = date(2026, 11, 23), date(2026, 11, 22)
NOW = 10 * AGAIN_NS


def attempt(action: str, **changed: Any) -> Attempt:
    values: dict[str, Any] = {
        "action": action,
        "school": "no1",
        "district": "east",
        "intent": Intent.BOUNCE_PORT,
        "switch": "sw1",
        "port": "GE1",
        "link": "no1/c1",
        "cause": int(Cause.SPEED),
        "incident": None,
        "automatic": True,
        "day": TODAY,
        "begun_ns": NOW - 1,
        "ended_ns": NOW,
        "end": End.UNDONE,
    }
    return Attempt(**(values | changed))


def test_counts() -> None:
    book = Attempts([
        attempt("a"),
        attempt("b", automatic=False, end=End.DONE),
        attempt("c", school="no2", end=End.STUCK),
        attempt("d", day=YESTERDAY),
        attempt("e", intent=Intent.SAVE_CONFIGURATION, end=End.DONE),
        attempt("f", ended_ns=None, end=None, port="GE2"),
        attempt("g", district="west", school="no9", end=End.LOST),
        attempt("h", end=End.REFUSED),
        attempt("i", end=End.UNPROVED),
    ])  # fmt: skip
    assert book.changes("no1", TODAY) == 5
    assert book.failures("east", TODAY) == {"no1": 2, "no2": 1}
    assert book.failures("west", TODAY) == {"no9": 1}
    begun_ns = book.by_action["f"].begun_ns
    assert book.under_way("east", "no1", NOW) == [Target("no1", "sw1", "GE2")]
    assert book.under_way("east", "no1", begun_ns + BRISK_NS) == [Target("no1", "sw1", "GE2")]
    assert book.under_way("east", "no2", begun_ns + BRISK_NS - 1) == [Target("no1", "sw1", "GE2")]
    assert book.under_way("east", "no2", begun_ns + BRISK_NS) == []
    assert [one.action for one in book.pending()] == ["f"]


def test_what_was_tried_on_a_fault() -> None:
    one = attempt("a")

    def tried(*attempts: Attempt) -> Tried:
        return Attempts(attempts).tried("no1/c1", int(Cause.SPEED), NOW)

    assert tried(one).intents == {Intent.BOUNCE_PORT}
    assert tried(one).repaired
    for other in (
        replace(one, link="no1/c2"),
        replace(one, cause=int(Cause.DUPLEX)),
        replace(one, end=End.REFUSED),
        replace(one, ended_ns=None, end=None),
        replace(one, begun_ns=NOW - AGAIN_NS),
        replace(one, end=End.DONE, proved_ns=NOW),  # cured: if it is bad again, that is new
    ):
        assert not tried(other).repaired
    assert tried(replace(one, end=End.DONE)).repaired  # nobody proved it
    assert tried(replace(one, end=End.STUCK, cause=None)).stuck
    measured = replace(one, action="b", intent=Intent.CABLE_DIAGNOSIS, cable="[]", begun_ns=NOW - 5)
    newer = replace(measured, action="c", cable="[1]", begun_ns=NOW - 4)
    assert tried(newer, measured).cable == "[1]"
    assert not tried(measured).repaired


def test_a_fault_by_another_name_is_the_same_fault() -> None:
    one = attempt("a")

    def tried(since_ns: int, *attempts: Attempt) -> Tried:
        return Attempts(attempts).tried("no1/c1", int(Cause.DUPLEX), NOW, since_ns)

    assert not tried(one.begun_ns, one).repaired
    assert tried(one.begun_ns, one).was(Intent.BOUNCE_PORT)
    assert not tried(one.begun_ns, one).was(Intent.ENABLE_PORT)
    assert not tried(one.begun_ns + 1, one).was(Intent.BOUNCE_PORT), "before it went bad"
    proved = replace(one, end=End.DONE, proved_ns=NOW)
    assert not tried(one.begun_ns, proved).was(Intent.BOUNCE_PORT)
    measured = replace(one, intent=Intent.CABLE_DIAGNOSIS)
    assert not tried(one.begun_ns, measured).was(Intent.CABLE_DIAGNOSIS)


def test_what_counts_no_more_is_let_go_of() -> None:
    book = Attempts([
        attempt("old", day=YESTERDAY, begun_ns=NOW - AGAIN_NS),
        attempt("endless", day=YESTERDAY, begun_ns=0, ended_ns=None, end=None),
        attempt("new"),
    ])  # fmt: skip
    book.forget(NOW, TODAY)
    assert set(book.by_action) == {"endless", "new"}
