from datetime import date
from pathlib import Path

import pytest
import yaml

from firmware_sims import city, city_calendars
from firmware_sims.repairs import ConsoleAt
from firmware_sims.switch.model import Switch
from tenone.calendar.school import DayKind
from tenone.config.load import load_city, load_school
from tenone.runtime.clock import ManualClock

T0_NS = 1_790_000_000 * 10**9


def served(made: city.CityPlan) -> dict[str, city.Served]:
    found = {}
    for number, plan in enumerate(made.switches):
        switch = Switch(
            name=plan.name, vendor=plan.vendor, clock=ManualClock(), seed=1, ports=plan.ports,
            uplinks=plan.uplinks, virtual=plan.virtual, quirks=frozenset(),
        )  # fmt: skip
        names = [port.name for port in switch.sockets]
        console = ConsoleAt(host="127.0.0.1", port=30_000 + number, dialect="zte", host_key="")
        found[plan.name] = city.Served(
            host="127.0.0.1", port=20_000 + number, ports=names, console=console
        )
    for number, ups in enumerate(made.upses):
        found[ups.name] = city.Served(host="127.0.0.1", port=40_000 + number, ports=())
    return found


def test_the_default_city_is_the_one_that_was_asked_for() -> None:
    made = city.plan()
    assert len(made.schools) == 12
    assert len({school.district for school in made.schools}) == 3
    assert all(2 <= len(school.switches) <= 6 for school in made.schools)
    assert len({switch.vendor for switch in made.switches}) == 4
    assert all(len(school.boards) == len(school.links) - 1 for school in made.schools)


def test_the_same_seed_makes_the_same_city() -> None:
    assert city.plan(seed=7) == city.plan(seed=7)
    assert city.plan(seed=7) != city.plan(seed=8)


@pytest.mark.parametrize("seed", range(5))
def test_its_files_pass_the_products_own_check(tmp_path: Path, seed: int) -> None:
    made = city.plan(schools=20, seed=seed)
    where = served(made)
    folder = tmp_path / "schools"
    folder.mkdir()
    for number, school in enumerate(made.schools):
        text = city.school_yaml(
            school, where, broker_port=1883, local_port=2000 + number, pace=city.Pace(),
            outbox=tmp_path / school.id,
        )  # fmt: skip
        (folder / f"{school.id}.yaml").write_text(
            yaml.safe_dump(text, allow_unicode=True), encoding="utf-8"
        )
    path = tmp_path / "city.yaml"
    calendar = tmp_path / "calendar.yaml"
    calendar.write_text(yaml.safe_dump(city_calendars.calendar_yaml(2026)), encoding="utf-8")
    vacation = tmp_path / "vacation.yaml"
    vacation.write_text(yaml.safe_dump(city_calendars.vacation_yaml(2026)), encoding="utf-8")
    body = city.city_yaml(
        schools=folder, data=tmp_path, broker_port=1883, http_port=8010, calendar=calendar,
        vacation=vacation, cares={school.scope: school.care for school in made.schools},
    )  # fmt: skip
    path.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    loaded = load_city(path)
    assert len(loaded.schools) == 20
    holidays = loaded.calendar_of(loaded.schools[0])
    assert holidays is not None
    assert holidays.day(date(2026, 6, 1)).kind is DayKind.VACATION
    assert not holidays.service(T0_NS, T0_NS + 86_400 * 10**9).lessons
    assert all(switch.cli is not None for switch in loaded.schools[0].switches)
    bells = loaded.calendar_of(loaded.schools[2])
    assert bells is not None
    day = bells.service(T0_NS, T0_NS + 86_400 * 10**9)
    assert day.lessons.measure_ns == (86_400 - 60) * 10**9, "but for the last minute of the day"
    assert {link.port for school in loaded.schools for link in school.links if link.id == "uplink"}


@pytest.mark.parametrize("seed", range(5))
def test_what_carries_a_link_is_plugged_in_and_the_rest_is_not(seed: int) -> None:
    made = city.plan(schools=20, seed=seed)
    where = served(made)
    for school in made.schools:
        linked = {
            (school.fleet_name(link.switch), where[school.fleet_name(link.switch)].name_of(link))
            for link in school.links
        }
        for plan in school.switches:
            # A floor has one cable to the core, the core one to each floor.
            trunks = {heard.port for heard in plan.neighbours}
            assert len(trunks) == (len(school.switches) - 1 if plan.name.endswith("core") else 1)
            assert set(plan.set) == set(where[plan.name].ports)
            for port, changes in plan.set.items():
                plugged = (plan.name, port) in linked or port in trunks
                assert ("oper" not in changes) == plugged


def test_the_core_and_every_class_with_a_board_are_probed(tmp_path: Path) -> None:
    made = city.plan(schools=2)
    for school in made.schools:
        probed = {city.CORE: ("127.0.0.1", 862)} | {
            serial: (f"127.77.0.{n}", 862) for n, (serial, _, _) in enumerate(school.boards, 1)
        }
        text = city.school_yaml(
            school, served(made), broker_port=1883, local_port=2000, pace=city.Pace(),
            outbox=tmp_path, probed=probed,
        )  # fmt: skip
        path = tmp_path / f"{school.id}.yaml"
        path.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
        targets = load_school(path).probes.targets
        assert [target.link for target in targets] == [link.id for link in school.links]
        assert {target.kind for target in targets[1:]} == {"class"}
        assert targets[0].kind == "core"
        boards = {room: serial for serial, room, _ in school.boards}
        for target, link in zip(targets[1:], school.links[1:], strict=True):
            assert link.room is not None
            assert target.host == probed[boards[link.room]][0]


def test_neighbours_know_each_other() -> None:
    plans = {plan.name: plan for plan in city.plan().switches}
    for plan in plans.values():
        for heard in plan.neighbours:
            back = [n for n in plans[heard.name].neighbours if n.name == plan.name]
            assert [(n.port, n.remote_port) for n in back] == [(heard.remote_port, heard.port)]


@pytest.mark.parametrize("schools", [0, 201])
def test_a_city_of_no_size_is_refused(schools: int) -> None:
    with pytest.raises(ValueError, match="1 to 200"):
        city.plan(schools=schools)
