"""Reads ``calendar.yaml``; every problem found is reported at once."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from tenone.config.calendar import CalendarFile, SpecialDay
from tenone.config.document import Document, read_document
from tenone.config.explain import explain
from tenone.config.problems import ConfigError, ConfigProblem, KeyPath

Dated = Iterable[tuple[KeyPath, date]]


def load_calendar(path: Path) -> CalendarFile:
    """Read ``calendar.yaml``; raises :class:`ConfigError` with all problems found."""
    return read_calendar(read_document(path))


def read_calendar(document: Document) -> CalendarFile:
    """The same of a document that has been read already."""
    if "schema_version" not in document.values:
        remedy = "add 'schema_version: 1' at the top"
        raise ConfigError([document.problem((), "'schema_version' is missing", remedy)])
    try:
        calendar = CalendarFile.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError(explain(document, CalendarFile, error)) from error
    problems = [
        *_bells(document, calendar),
        *_terms(document, calendar),
        *_twice(document, _public_days(calendar)),
        *_twice(document, ((("exams", n), each.date) for n, each in enumerate(calendar.exams))),
        *_twice(
            document, ((("exceptions", n), each.date) for n, each in enumerate(calendar.exceptions))
        ),
    ]
    for name, school in calendar.schools.items():
        own = enumerate(school.exceptions)
        problems += _twice(
            document, ((("schools", name, "exceptions", n), each.date) for n, each in own)
        )
    if problems:
        raise ConfigError(sorted(problems, key=lambda each: (each.line, each.column)))
    return calendar


def _public_days(calendar: CalendarFile) -> Iterator[tuple[KeyPath, date]]:
    for number, holiday in enumerate(calendar.holidays):
        yield from ((("holidays", number), day) for day in holiday.days())
    for number, made_up in enumerate(calendar.make_up_days):
        yield ("make_up_days", number), made_up.date


def _named_bells(calendar: CalendarFile) -> Iterator[tuple[KeyPath, str]]:
    """Every place that names a bell schedule."""
    for weekday, bells in calendar.weekdays.items():
        yield ("weekdays", weekday.name.lower()), bells
    specials: dict[KeyPath, tuple[SpecialDay, ...]] = {
        ("exams",): calendar.exams,
        ("exceptions",): calendar.exceptions,
    }
    for name, school in calendar.schools.items():
        specials["schools", name, "exceptions"] = school.exceptions
        for weekday, bells in (school.weekdays or {}).items():
            yield ("schools", name, "weekdays", weekday.name.lower()), bells
    for path, days in specials.items():
        for number, each in enumerate(days):
            if each.bells is not None:
                yield (*path, number, "bells"), each.bells


def _bells(document: Document, calendar: CalendarFile) -> Iterator[ConfigProblem]:
    for path, name in _named_bells(calendar):
        if name not in calendar.bells:
            what = f"there are no bells called {name!r}"
            yield document.problem(path, what, f"use one of {', '.join(calendar.bells)}")


def _terms(document: Document, calendar: CalendarFile) -> Iterator[ConfigProblem]:
    for number in range(1, len(calendar.terms)):
        before, term = calendar.terms[number - 1 : number + 1]
        if term.first <= before.last:
            what = f"the term {term.name!r} begins before {before.name!r} is over"
            remedy = "write the terms in their order, without an overlap"
            yield document.problem(("terms", number), what, remedy)


def _twice(document: Document, dated: Dated) -> Iterator[ConfigProblem]:
    first: dict[date, KeyPath] = {}
    for path, day in dated:
        before = first.setdefault(day, path)
        if before != path:
            what = f"{day} is written down twice (first in line {document.place(before).line})"
            yield document.problem(path, what, "remove one of the two")
