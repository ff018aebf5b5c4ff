from itertools import islice, takewhile

import pytest

from firmware_sims import city
from firmware_sims.director import Fault, FaultKind, Place, faults
from firmware_sims.repairs import Care


def made(seed: int) -> tuple[city.CityPlan, dict[str, city.Served]]:
    plan = city.plan(seed=seed)
    where = {
        switch.name: city.Served(
            host="127.0.0.1", port=1, ports=[f"p{n}" for n in range(switch.ports + switch.uplinks)]
        )
        for switch in plan.switches
    }
    return plan, where


@pytest.mark.parametrize("seed", range(10))
def test_two_minutes_show_every_kind(seed: int) -> None:
    plan, where = made(seed)
    seen = {
        fault.kind for fault in takewhile(lambda one: one.start_seconds < 120, faults(plan, where))
    }
    assert seen == set(FaultKind)


@pytest.mark.parametrize("seed", range(10))
def test_a_school_has_one_fault_at_a_time_and_each_one_ends(seed: int) -> None:
    plan, where = made(seed)
    first: list[Fault] = list(islice(faults(plan, where), 100))
    assert all(fault.end_seconds > fault.start_seconds for fault in first)
    last: dict[str, float] = {}
    for fault in first:
        assert fault.start_seconds >= last.get(fault.school.id, 0.0)
        last[fault.school.id] = fault.end_seconds


def test_a_faster_city_breaks_and_mends_faster() -> None:
    plan, where = made(0)
    slow, fast = (next(faults(plan, where, speed=speed)) for speed in (1.0, 4.0))
    assert fast.start_seconds == pytest.approx(slow.start_seconds / 4)
    assert fast.end_seconds == pytest.approx(slow.end_seconds / 4)


def test_what_breaks_a_port_mends_the_same_port() -> None:
    plan, where = made(3)
    for fault in islice(faults(plan, where), 60):
        if fault.place is Place.SWITCHES and "port" in fault.begin:
            assert fault.begin["port"] == fault.end["port"]
            assert fault.begin["switch"] == fault.end["switch"]
            (what,) = fault.begin.keys() - {"switch", "port"}
            assert set(fault.begin[what]) == set(fault.end[what])  # type: ignore[call-overload]  # a JSON object


def test_first_comes_what_is_repaired_and_where() -> None:
    plan, where = made(1)
    first, second, third = islice(faults(plan, where), 3)
    kinds = [FaultKind.FORCED, FaultKind.BAD_PAIR, FaultKind.STUCK]
    assert [first.kind, second.kind, third.kind] == kinds
    assert {first.school.care, second.school.care} == {Care.MENDS}
    assert third.school.care is Care.ASKS
    assert first.school.id != second.school.id
    assert second.end_seconds - second.start_seconds >= 60
