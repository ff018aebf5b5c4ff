"""Who hears of an incident and when: levels, acknowledgement, quiet hours; nothing is eaten."""

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.incidents.escalation import due, ladder, send_at_ns
from controller.incidents.model import Incident, State
from tenone.config.escalation import Escalation
from tenone.vocabulary.states import Cause, Severity

from .conftest import C1, T0, S

RUNGS = ladder(Escalation.model_validate({}))
SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = 60 * S
HOUR = 60 * MINUTE


def incident(**values: object) -> Incident:
    made = Incident(
        id="no1-1",
        subject=C1,
        cause=Cause.LINK_DOWN,
        severity=Severity.CRITICAL,
        began_ns=T0,
        opened_ns=T0,
        alarmed_ns=T0,
    )
    return replace(made, **values)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("values", "minutes", "levels"),
    [
        ({}, 0, [0]),
        ({"level": 0}, 14, []),
        ({"level": 0}, 15, [1]),
        ({"level": 1}, 60, [2]),
        ({}, 60, [0, 1, 2]),  # what nobody could be told at its time is told in order
        ({"level": 0, "acknowledged_ns": T0}, 119, []),
        ({"level": 0, "acknowledged_ns": T0}, 120, [1]),  # taken, but not mended
        ({"severity": Severity.WARNING, "level": 0}, 239, []),
        ({"severity": Severity.WARNING, "level": 0}, 240, [1]),
        ({"severity": Severity.INFO, "level": 0}, 10**6, []),  # never leaves the school
        ({"alarmed_ns": None}, 600, []),
        ({"state": State.RESOLVED}, 600, []),
        ({"clearing_ns": T0, "level": 0}, 600, []),
        ({"owner": "no1-2", "level": 0}, 15, [1]),  # a parent that died later eats nothing
        ({"maintenance": "m1", "level": 0}, 15, [1]),
    ],
)
def test_levels(values: Mapping[str, object], minutes: int, levels: list[int]) -> None:
    assert due(incident(**values), RUNGS, T0 + minutes * MINUTE) == levels


@given(
    st.lists(st.integers(0, 600), max_size=30),
    st.sampled_from((Severity.WARNING, Severity.CRITICAL)),
)
def test_whenever_it_is_looked_at_every_level_hears_once_in_order(
    moments: list[int], severity: Severity
) -> None:
    one = incident(severity=severity)
    told: list[int] = []
    for minutes in [*sorted(moments), 100_000]:
        for level in due(one, RUNGS, T0 + minutes * MINUTE):
            told.append(level)
            one.level = level
    assert told == [0, 1, 2]


@pytest.mark.parametrize(
    ("quiet", "clock", "severity", "wait_hours"),
    [
        ("22:00-07:00", 22, Severity.WARNING, 9),
        ("22:00-07:00", 23, Severity.WARNING, 8),
        ("22:00-07:00", 6, Severity.WARNING, 1),
        ("22:00-07:00", 7, Severity.WARNING, 0),
        ("22:00-07:00", 12, Severity.WARNING, 0),
        ("22:00-07:00", 23, Severity.CRITICAL, 0),
        ("12:00-14:00", 13, Severity.WARNING, 1),
        ("12:00-12:00", 12, Severity.WARNING, 0),
        (None, 3, Severity.WARNING, 0),
    ],
)
def test_quiet_hours_put_off_what_is_not_critical(
    quiet: str | None, clock: int, severity: Severity, wait_hours: int
) -> None:
    level = {"quiet": quiet} if quiet else {}
    rung = ladder(Escalation.model_validate({"school": level}))[0]
    midnight = 1_790_006_400 * S  # 2026-09-22 00:00 in Shanghai
    now_ns = midnight + clock * HOUR
    assert send_at_ns(severity, rung, now_ns, SHANGHAI) == now_ns + wait_hours * HOUR
