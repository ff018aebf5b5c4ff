"""calendar.yaml: what a good one says of a date, and one sentence with its line for each fault."""

import re
from datetime import date
from pathlib import Path

import pytest

from tenone.calendar.school import DayKind
from tenone.config import calendar
from tenone.config.base import ConfigModel
from tenone.config.calendar import CalendarFile
from tenone.config.load_calendar import load_calendar
from tenone.config.problems import ConfigError

GOOD = """\
schema_version: 1
complete_years: [2099]
holidays:
  - {first: 2099-01-01, last: 2099-01-03, name: 元旦}
  - {first: 2099-05-01, name: 劳动节}
make_up_days:
  - {date: 2099-01-10, follows: friday}
terms:
  - {name: autumn, first: 2098-09-01, last: 2099-01-20}
  - {name: spring, first: 2099-02-20, last: 2099-07-10}
bells:
  normal:
    opens: "07:30"
    closes: "17:30"
    periods:
      - {name: 第一节, starts: "08:00", ends: "08:40"}
      - {name: 第二节, starts: "08:50", ends: "09:30"}
  friday:
    periods:
      - {name: 第一节, starts: "08:00", ends: "08:40"}
  exam:
    periods:
      - {name: 语文, starts: "09:00", ends: "11:30"}
weekdays: {monday: normal, tuesday: normal, wednesday: normal, thursday: normal, friday: friday}
exams:
  - {date: 2099-06-07, name: 高考, bells: exam}
exceptions:
  - {date: 2099-06-05, name: 布置考场}
schools:
  no3:
    exceptions:
      - {date: 2099-03-02, name: 校庆}
  no5:
    weekdays: {sunday: normal}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "calendar.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("school", "day", "kind", "periods"),
    [
        ("no1", date(2099, 1, 5), DayKind.SCHOOL, 2),
        ("no1", date(2099, 1, 2), DayKind.HOLIDAY, 0),
        ("no1", date(2099, 5, 1), DayKind.HOLIDAY, 0),
        ("no1", date(2099, 5, 4), DayKind.SCHOOL, 2),
        ("no1", date(2099, 1, 10), DayKind.MAKE_UP, 1),
        ("no1", date(2099, 1, 11), DayKind.WEEKEND, 0),
        ("no1", date(2099, 2, 2), DayKind.VACATION, 0),
        ("no1", date(2099, 6, 7), DayKind.EXAM, 1),
        ("no1", date(2099, 6, 5), DayKind.EXCEPTION, 0),
        ("no1", date(2098, 10, 8), DayKind.UNKNOWN, 0),
        ("no1", date(2099, 3, 2), DayKind.SCHOOL, 2),
        ("no3", date(2099, 3, 2), DayKind.EXCEPTION, 0),
        ("no3", date(2099, 6, 5), DayKind.EXCEPTION, 0),
        ("no5", date(2099, 3, 8), DayKind.SCHOOL, 2),
        ("no5", date(2099, 1, 10), DayKind.MAKE_UP, 0),
    ],
)
def test_a_good_file(tmp_path: Path, school: str, day: date, kind: DayKind, periods: int) -> None:
    found = load_calendar(write(tmp_path, GOOD)).of_school(school).day(day)
    assert found.kind is kind
    assert len(found.bells.periods if found.bells else ()) == periods


def test_the_library_stands_below_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("2098-09-01", "2025-09-01") + "china_library: "
    with_library = load_calendar(write(tmp_path, text + "true")).of_school("no1")
    assert with_library.day(date(2025, 10, 1)).kind is DayKind.HOLIDAY
    without = load_calendar(write(tmp_path, text + "false")).of_school("no1")
    assert without.day(date(2025, 10, 1)).kind is DayKind.UNKNOWN


def test_terms_are_enough_to_begin_with(tmp_path: Path) -> None:
    """The rest has defaults: the city's zone, the library, no override."""
    text = "schema_version: 1\n" + GOOD[GOOD.index("terms:") : GOOD.index("exams:")]
    found = load_calendar(write(tmp_path, text))
    assert isinstance(found, CalendarFile)
    assert (found.zone, found.china_library, found.schools) == ("Asia/Shanghai", True, {})
    assert found.of_school("no1").day(date(2099, 1, 5)).kind is DayKind.UNKNOWN


def test_hours_reach_from_opening_to_closing(tmp_path: Path) -> None:
    bells = load_calendar(write(tmp_path, GOOD)).of_school("no1").day(date(2099, 1, 5)).bells
    assert bells is not None
    assert [each.isoformat("minutes") for each in bells.window] == ["07:30", "17:30"]


FAULTS = [
    ("schema_version: 1\n", "", 1, "'schema_version' is missing"),
    ("schema_version: 1", "schema_version: 9", 1, "is not allowed here"),
    ("last: 2099-01-03", "last: 2099-02-30", 4, "holidays[0].last: '2099-02-30' is not a date"),
    ("last: 2099-01-03", "last: 2098-12-31", 4, "the holiday ends before it begins"),
    ("last: 2099-01-03", "last: 2099-03-03", 4, "would last 62 days"),
    ("2099-01-10, follows", "2099-01-12, follows", 7, "is a monday, and only days of the week-end"),
    ("follows: friday", "follows: fryday", 7, "'fryday' is not a weekday"),
    ("first: 2099-02-20", "first: 2099-07-20", 10, "the term ends before it begins"),
    ("first: 2099-02-20", "first: 2099-01-20", 10, "'spring' begins before 'autumn' is over"),
    ('starts: "08:50"', 'starts: "08:30"', 12, "starts before '第一节' ends"),
    ('starts: "08:50"', 'starts: "9:75"', 17, "'9:75' is not a local time"),
    ('starts: "08:50"', 'starts: "08:50Z"', 17, "is not a local time"),
    ('starts: "08:50"', 'starts: "09:30"', 17, "must end after it starts"),
    ('opens: "07:30"', 'opens: "08:30"', 12, "leave a period out"),
    (
        "{monday: normal",
        "{monday: nromal",
        24,
        "weekdays.monday: there are no bells called 'nromal'",
    ),
    ("{sunday: normal}", "{sunday: other}", 34, "no bells called 'other'"),
    ("{sunday: normal}", "{}", 34, "has fewer than 1 entries"),
    ("bells: exam}", "bells: exams}", 26, "exams[0].bells: there are no bells called 'exams'"),
    ("first: 2099-05-01", "first: 2099-01-02", 5, "is written down twice (first in line 4)"),
    ("first: 2099-05-01", "first: 2099-01-10", 7, "is written down twice (first in line 5)"),
    ("complete_years: [2099]", "complete_years: [20990]", 2, "must be at most"),
    ("complete_years: [2099]", "zone: Asia/Shangai", 2, "is not a time zone"),
    ("complete_years: [2099]", "complete_year: [2099]", 2, "perhaps 'complete_years' was meant"),
    ("exams:\n", "exams:\n  - {date: 2099-06-07, name: twice}\n", 27, "written down twice"),
    (
        "exceptions:\n  -",
        "exceptions:\n  - {date: 2099-06-05, name: x}\n  -",
        29,
        "written down twice",
    ),
    (
        "      - {date: 2099-03-02, name: 校庆}\n",
        "      - {date: 2099-03-02, name: 校庆}\n      - {date: 2099-03-02, name: 校庆}\n",
        33,
        "schools.no3.exceptions[1]: 2099-03-02 is written down twice",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "says"), FAULTS)
def test_one_fault_is_one_sentence_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert GOOD.count(old) >= 1
    file = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as raised:
        load_calendar(file)
    (problem,) = raised.value.problems
    assert says.lower() in str(problem).lower()
    assert problem.line == line


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("friday: friday", "friday: a").replace("bells: exam}", "bells: b}")
    with pytest.raises(ConfigError) as raised:
        load_calendar(write(tmp_path, text))
    assert [problem.key for problem in raised.value.problems] == [
        "weekdays.friday",
        "exams[0].bells",
    ]


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "calendar.md").read_text(encoding="utf-8")


def test_the_documented_example_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    found = load_calendar(write(tmp_path, example))
    assert found.of_school("no3").day(date(2026, 11, 27)).kind is DayKind.EXCEPTION


def keys(model: type[ConfigModel]) -> set[str]:
    """Every key of a model and of the models inside it."""
    kinds = " ".join(str(field.annotation) for field in model.model_fields.values())
    inner = {getattr(calendar, name) for name in re.findall(r"config\.calendar\.(\w+)", kinds)}
    return set(model.model_fields).union(*map(keys, inner))


def test_every_key_is_documented() -> None:
    known = keys(CalendarFile)
    assert {"china_library", "follows", "starts", "opens"} <= known
    assert {key for key in known if not re.search(rf"\b{key}\b", PAGE)} == set()
