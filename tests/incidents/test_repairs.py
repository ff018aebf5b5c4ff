"""Stages of repairs by level, with worked figures."""

from dataclasses import replace

from controller.incidents.model import Incident, State
from controller.incidents.repairs import by_level, course_of, level_of, opened_between
from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Cause, Severity

from .conftest import C1, T0, S


def incident(**values: object) -> Incident:
    made = Incident(
        id="no1-1",
        subject=C1,
        cause=Cause.LINK_DOWN,
        severity=Severity.CRITICAL,
        state=State.RESOLVED,
        began_ns=T0,
        opened_ns=T0 + 10 * S,
        acknowledged_ns=T0 + 70 * S,
        acknowledged_level=0,
        clearing_ns=T0 + 570 * S,
        resolved_ns=T0 + 600 * S,
        level=1,
    )
    return replace(made, **values)  # type: ignore[arg-type]  # fields by name


def always(_incident: Incident) -> Intervals:
    return Intervals.of([(T0, T0 + 10_000 * S)])


def test_the_level_is_that_which_took_it_else_the_highest_told() -> None:
    assert level_of(incident()) == 0
    assert level_of(incident(acknowledged_ns=None)) == 1
    assert course_of(incident(clearing_ns=None)).fixed_ns == T0 + 600 * S


def test_means_by_level() -> None:
    slow = incident(acknowledged_ns=T0 + 130 * S)
    told = incident(acknowledged_ns=None)
    unnoticed = incident(acknowledged_ns=None, level=-1)
    school, district = by_level([incident(), slow, told, unnoticed], always)
    assert (school.level, school.repairs, school.detect, school.acknowledge) == (
        "school",
        2,
        10,
        90,
    )
    assert (school.fix, school.verify) == (470, 30)
    assert (district.level, district.repairs, district.acknowledge) == ("district", 1, None)
    assert district.fix == 560


def test_only_the_time_that_counts_counts() -> None:
    lesson = Intervals.of([(T0, T0 + 100 * S)])
    (school,) = by_level([incident()], lambda _one: lesson)
    assert (school.detect, school.acknowledge, school.fix, school.verify) == (10, 60, 30, 0)


def test_what_a_report_counts_was_opened_in_its_period() -> None:
    opened = T0 + 10 * S
    still = incident(state=State.OPEN, resolved_ns=None, alarmed_ns=opened)
    held = incident(acknowledged_ns=None, level=-1)
    one, open_one, held_one = opened_between([incident(), still, held], opened, opened + 1)
    assert (one.link, one.school, one.level) == (C1.link_id, C1.school, "school")
    assert one.course.verified_ns == T0 + 600 * S
    assert open_one.course.fixed_ns is None, "it may break anew"
    assert open_one.alarmed_ns == opened
    assert (held_one.alarmed_ns, held_one.level) == (None, None)
    assert opened_between([incident()], opened + 1, opened + 2) == []
    assert opened_between([incident()], 0, opened) == []
