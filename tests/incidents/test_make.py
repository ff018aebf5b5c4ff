"""The room as a configuration makes it: timing, calendars, duty scopes; and power from a UPS."""

from pathlib import Path
from typing import Any

import pytest

from controller.incidents.hours import Hours
from controller.incidents.make import _calendars
from controller.incidents.model import SECOND_NS
from tenone.blocks.layout import Layout
from tenone.config import load_city
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.body import UPS
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity
from tests.controller.harness import write_city

from .house import Town

MONDAY_0750 = 1_790_552_600 * SECOND_NS  # 2026-09-28 07:43:20 in Shanghai
CALENDAR = """
schema_version: 1
bells:
  normal:
    opens: "07:30"
    closes: "17:00"
    periods:
      - {name: first, starts: "08:00", ends: "08:40"}
      - {name: second, starts: "08:50", ends: "09:30"}
weekdays: {monday: normal}
terms: [{name: autumn, first: 2026-09-01, last: 2026-12-31}]
"""


def test_without_a_calendar_every_hour_counts_and_no_lesson_is_known(tmp_path: Path) -> None:
    city = load_city(write_city(tmp_path, broker_port=1, http_port=2, schools=("no1",)))
    for school in ("no1", "no9"):
        hours = Hours(_calendars(city))
        assert hours.measured(school, 5, 25).measure_ns == 20
        assert hours.lessons(school, 5, 25) is None


async def test_a_ups_on_its_battery_is_the_cause_of_what_falls_silent(tmp_path: Path) -> None:
    town = Town(tmp_path, ManualClock(), Escalation.model_validate({}))
    town.born("no1", "no2")

    def ups(on_battery: int) -> None:
        layout = Layout("ups", UPS, ("ups",))
        values: dict[str, Any] = {"on_battery": [on_battery]}
        arrived = town.journals["no1"].block(layout, "no1/ups/u1", values)
        town.give(arrived)
        town.bus.block(town.last)

    await town.sweeps(20)
    ups(1)
    town.give(town.journals["no1"].status(reachable=0, error="no answer"))
    for _ in range(30):
        await town.step(1)
    (view,) = town.desk.views(ScopePath())
    assert (view.kind, view.cause, view.severity) == ("power", Cause.POWER, Severity.CRITICAL)
    assert "no1/switch/sw1" in view.shadowed
    assert view.harmed.links == 3
    ups(0)
    town.give(town.journals["no1"].status(reachable=1))
    await town.sweeps(80)
    assert not town.desk.views(ScopePath())
    town.close()


@pytest.mark.parametrize(("minutes", "lessons"), [(10, 0), (20, 1), (60, 1), (70, 2), (24 * 60, 2)])
def test_lessons_it_met_are_those_of_the_calendar(
    tmp_path: Path, minutes: int, lessons: int
) -> None:
    path = write_city(tmp_path / "c", broker_port=1, http_port=2, schools=("no1",))
    (path.parent / "calendar.yaml").write_text(CALENDAR)
    path.write_text(f"{path.read_text()}calendars: {{default: calendar.yaml}}\n")
    hours = Hours(_calendars(load_city(path)))
    end_ns = MONDAY_0750 + minutes * 60 * SECOND_NS
    assert hours.lessons("no1", MONDAY_0750, end_ns) == lessons
    assert hours.measured("no1", end_ns, MONDAY_0750).measure_ns == 0
