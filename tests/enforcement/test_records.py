"""Stops, attempts and steps, there and back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.enforcement.attempts import AGAIN_NS, End
from controller.enforcement.model import Stop
from controller.enforcement.records import MOST_STEPS, RepairRecords, Told
from controller.store.records import SqlRecords
from controller.trust.approval_records import KEEP_NS
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Saying, clauses_of, joined, said, to_json
from tenone.vocabulary.scope import ScopePath
from tests.enforcement.test_attempts import NOW, attempt
from tests.enforcement.town import fresh_records


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RepairRecords]:
    (tmp_path / "records.db").write_bytes(fresh_records())
    database = SqlRecords(f"sqlite:///{tmp_path}/records.db")
    database.start()
    yield RepairRecords(database.engine)
    database.close()


def told(step: RepairStep, at_ms: int = 5, action: str = "a") -> Told:
    return Told(action=action, step=step, at_ms=at_ms, sentence="x", transcript="y", cable="[]")


@pytest.mark.parametrize("scope", ["", "binhai", "binhai/east/no1"])
def test_a_stop(records: RepairRecords, scope: str) -> None:
    where = ScopePath.parse(scope) if scope else ScopePath()
    stop = Stop(scope=where, by="Li", at=12.5, reason="look")
    records.put_stop(stop)
    records.put_stop(stop)  # pressed again
    assert records.stops() == [stop]
    records.end_stop(where)
    assert records.stops() == []


def test_attempts(records: RepairRecords) -> None:
    ended = attempt("a", faulted_ns=1, judged_ns=2, proved_ns=3, cable="[]", incident="i")
    running = attempt("b", begun_ns=1, ended_ns=None, end=None, link=None, cause=None)
    old = attempt("c", begun_ns=NOW - 2 * AGAIN_NS)
    for one in (ended, running, old):
        records.put(one)
    assert records.attempts(NOW) == [running, ended]
    ended.end = End.STUCK
    records.put(ended)
    assert records.attempts(NOW)[1].end is End.STUCK
    records.prune(KEEP_NS + 2)
    assert records.course("b") is None
    assert records.course("a") is not None


def test_what_was_not_begun_is_forgotten(records: RepairRecords) -> None:
    records.put(attempt("a"))
    records.put(attempt("b"))
    records.forget("a")
    records.forget("nobody")
    assert [one.action for one in records.attempts(NOW)] == ["b"]


def test_steps_are_kept_once_and_for_their_own_school(records: RepairRecords) -> None:
    records.put(attempt("a"))
    begun, done = told(RepairStep.BEGUN), told(RepairStep.DONE, 6)
    assert records.add_steps("no1", [done, begun]) == [begun, done]
    assert records.add_steps("no1", [begun, done, told(RepairStep.ENDED, 9)]) == [
        told(RepairStep.ENDED, 9)
    ]
    assert records.add_steps("no2", [told(RepairStep.STUCK, 7)]) == []
    assert records.add_steps("no1", [told(RepairStep.BEGUN, 1, "of nobody")]) == []
    course = records.course("a")
    assert course is not None
    assert [one.step for one in course.steps] == [
        RepairStep.BEGUN,
        RepairStep.DONE,
        RepairStep.ENDED,
    ]
    assert (course.steps[0].at, course.steps[0].transcript) == (0.005, "y")
    assert records.course("of nobody") is None


def test_an_agent_that_tells_without_end_does_not_fill_the_records(records: RepairRecords) -> None:
    records.put(attempt("a"))
    for first in (0, 150):
        records.add_steps("no1", [told(RepairStep.GOOD, first + n) for n in range(150)])
    course = records.course("a")
    assert course is not None
    assert len(course.steps) == MOST_STEPS
    assert records.add_steps("no1", [told(RepairStep.DONE, 999)]), "how it ended is still heard"


@pytest.mark.parametrize("hostile", ["", "{", "[[", "[1]", '[["begins", {}]]', '[["taken", 1]]'])
def test_a_sentence_is_kept_by_its_clauses_and_rubbish_has_none(
    records: RepairRecords, hostile: str
) -> None:
    records.put(attempt("a"))
    sentence = joined(said(Saying.TAKEN), said(Saying.NOT_SAVED, why="disk full"))
    sent = to_json(clauses_of(sentence))
    records.add_steps("no1", [replace(told(RepairStep.APPLIED), said=sent)])
    records.add_steps("no1", [replace(told(RepairStep.DONE, 6), said=hostile)])
    course = records.course("a")
    assert course is not None
    assert [one.clauses for one in course.steps] == [sentence.clauses, ()]
