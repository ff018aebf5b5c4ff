"""Whole files: what is read from good ones, and every sentence about bad ones."""

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tenone.config import (
    CalendarFile,
    City,
    ConfigError,
    ConfigProblem,
    School,
    load,
    load_city,
    load_school,
)
from tenone.config.school import Device
from tenone.vocabulary.scope import slug

Values = dict[str, Any]
Write = Callable[[str, Values | str], Path]


def problems(file: Path) -> tuple[ConfigProblem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(file)
    return caught.value.problems


def two_schools(school: Values) -> tuple[Values, Values]:
    other = copy.deepcopy(school)
    other["school"] |= {"id": "no4", "district": "west"}
    return school, other


def test_a_good_school(school: Values, write: Write, tmp_path: Path) -> None:
    file = write("school.yaml", school)
    found = load_school(file)
    assert load(file) == found
    assert str(found.scope) == "binhai/east/no3"
    assert found.school.name == "第三中学"
    assert [str(found.link_id(link)) for link in found.links] == ["no3/uplink", "no3/c301"]
    assert [str(found.device_id(device)) for device in found.devices] == ["no3/board/b-301"]
    assert [link.id for link in found.links_of("floor-1")] == ["c301"]
    assert found.outbox.path == tmp_path / "outbox"
    assert found.outbox.limit_bytes == 512_000_000
    assert found.local_broker.embedded
    assert found.uplink.broker.port == 1883
    assert (found.polling.state_seconds, found.polling.counters_seconds) == (10.0, 60.0)


def test_a_good_city_from_a_directory(school: Values, city: Values, write: Write) -> None:
    for index, each in enumerate(two_schools(school)):
        write(f"schools/{index}.yaml", each)
    write("schools/README.md", "not a school")
    found = load(write("city.yaml", city))
    assert isinstance(found, City)
    assert [each.id for each in found.schools] == ["no3", "no4"]
    no3 = found.school_by_id["no3"]
    assert [found.contract_mbps(no3, link) for link in no3.links] == [10_000, 1_000]
    assert found.stale_after_seconds(no3) == 30.0
    assert found.store.path.is_absolute()


def test_schools_in_sub_directories(school: Values, city: Values, write: Write) -> None:
    no3, no4 = two_schools(school)
    write("schools/east/no3.yaml", no3)
    write("schools/west/no4.yml", no4)
    assert len(load_city(write("city.yaml", city)).schools) == 2


def test_a_city_with_paths_and_a_school_written_out(
    school: Values, city: Values, write: Write
) -> None:
    no3, no4 = two_schools(school)
    write("no3.yaml", no3)
    city["schools"] = ["no3.yaml", no4]
    assert [each.id for each in load_city(write("city.yaml", city)).schools] == ["no3", "no4"]


def test_a_links_own_contract_wins(school: Values, city: Values, write: Write) -> None:
    school["links"][1] |= {"contract_mbps": "2.5G"}
    city["schools"] = [school]
    found = load_city(write("city.yaml", city))
    assert found.contract_mbps(found.schools[0], found.schools[0].links[1]) == 2500


def test_a_school_of_another_profile(school: Values, city: Values, write: Write) -> None:
    school["school"]["profile"] = "rural"
    city["profiles"] = {
        "rural": {
            "tiers": {"uplink": {"contract_mbps": "1G"}, "class": {"contract_mbps": "100M"}},
            "stale_after_intervals": 6,
        }
    }
    city["schools"] = [school]
    found = load_city(write("city.yaml", city))
    no3 = found.schools[0]
    assert [found.contract_mbps(no3, link) for link in no3.links] == [1000, 100]
    assert found.stale_after_seconds(no3) == 60.0


@pytest.mark.parametrize("key", ["limit", "limit_mb"])
def test_the_outbox_limit_has_two_spellings(school: Values, write: Write, key: str) -> None:
    school["outbox"] = {key: "64MB"}
    assert load_school(write("school.yaml", school)).outbox.limit_bytes == 64_000_000


@pytest.mark.parametrize(
    ("tls", "port", "on"), [(True, 8883, True), (False, 1883, False), ({"ca": "x"}, 8883, True)]
)
def test_tls_in_short_and_in_full(
    school: Values, write: Write, tls: object, port: int, on: bool
) -> None:
    school["uplink"]["broker"]["tls"] = tls
    broker = load_school(write("school.yaml", school)).uplink.broker
    assert (broker.port, broker.tls is not None) == (port, on)


def drop(key: str) -> Callable[[Values], object]:
    return lambda values: values.pop(key)


def merge(path: str, **new: object) -> Callable[[Values], object]:
    """Change the group of keys at ``path`` (dots, numbers index lists)."""

    def change(values: Values) -> None:
        target: Any = values
        for part in filter(None, path.split(".")):
            target = target[int(part)] if part.isdigit() else target[part]
        target.update(new)

    return change


PRIV = {"protocol": "aes128", "password": "env:P"}


def v3(**more: object) -> Values:
    """The ``snmp`` of a switch that is asked by v3."""
    return {"version": "v3", "user": "tenone", **more}


SCHOOL_FAULTS: list[tuple[Callable[[Values], object], str, str, str]] = [
    (drop("schema_version"), "", "'schema_version' is missing", "schema_version: 1"),
    (merge("", schema_version=2), "schema_version", "reads schema_version 1, not 2", "write"),
    (merge("", schema_version=True), "schema_version", "not True", "write"),
    (drop("uplink"), "uplink", "'uplink' is missing", "add 'uplink"),
    (merge("", swiches=[]), "swiches", "not known here", "perhaps 'switches' was meant"),
    (
        merge("", zebra=1),
        "zebra",
        "not known here",
        "the keys known here: calendar, care, devices",
    ),
    (merge("", sniff={}), "sniff", "later version", "remove"),
    (merge("links.0", applications=["exam"]), "links[0].applications", "later version", "remove"),
    (merge("switches.0.snmp", version="v4"), "switches[0].snmp.version", "'v4'", "use v1, v2c, v3"),
    (merge("switches.0.snmp", user="u"), "switches[0].snmp", "'user' belongs to", "version: v3"),
    (merge("switches.0.snmp", version="v3"), "switches[0].snmp", "'user' is missing", "add the"),
    (
        merge("switches.0.snmp", version="v3", user="u"),
        "switches[0].snmp",
        "no 'community'",
        "remove it",
    ),
    (merge("switches.0", snmp=v3(priv=PRIV)), "switches[0].snmp", "'auth' is missing", "sha256"),
    (merge("switches.0", snmp={}), "switches[0].snmp", "'community' is missing", "env:NAME"),
    (
        merge("switches.0", snmp=v3(auth={"protocol": "sha2", "password": "env:A"})),
        "switches[0].snmp.auth.protocol",
        "'sha2'",
        "known here: sha256",
    ),
    (
        merge("switches.0", snmp=v3(auth={"protocol": "sha256"})),
        "switches[0].snmp.auth.password",
        "'password' is missing",
        "add",
    ),
    (
        merge("switches.0", snmp=v3(engine_id="8000zz")),
        "switches[0].snmp.engine_id",
        "5 to 32 bytes",
        "in quotes",
    ),
    (merge("links.0", tier="uplnk"), "links[0].tier", "'uplnk'", "perhaps 'uplink' was meant"),
    (merge("links.0", tier=7), "links[0].tier", "the number 7", "use uplink, class"),
    (merge("links.0", port=""), "links[0].port", "shorter than 1", "write it out"),
    (merge("links.0", port=1), "links[0].port", "must be text", "in quotes"),
    (merge("switches.0", host="a b"), "switches[0].host", "neither an IP", "without port"),
    (merge("switches.0", port=70000), "switches[0].port", "at most 65535", "lower it"),
    (merge("", switches={}), "switches", "must be a list, not a group", "- "),
    (merge("switches.0", snmp="public"), "switches[0].snmp", "must be a group", "key: value"),
    (
        merge("switches.0", name="core-2"),
        "links[0].switch",
        "no switch called 'core'",
        "(core-2, floor-1)",
    ),
    (
        lambda values: values["switches"].append(
            {"name": "core", "host": "10.9.9.9", "snmp": {"community": "env:C"}}
        ),
        "switches[2].name",
        "core is used twice in 'switches' (first in the entry of line",
        "change or remove",
    ),
    (
        merge("switches.1", host="10.1.0.1"),
        "switches[1].host",
        "10.1.0.1 port 161 is used twice",
        "change",
    ),
    (merge("links.1", id="uplink"), "links[1].id", "uplink is used twice", "change"),
    (
        merge("links.1", switch="core", port="XGigabitEthernet0/0/1"),
        "links[1].port",
        "XGigabitEthernet0/0/1 of core is used twice",
        "change",
    ),
    (merge("devices.0", room="r999"), "devices[0].room", "no link leads to", "'room' of one"),
    (merge("devices.0", feeds=["core"]), "devices[0]", "'board' feeds nothing", "UPS"),
    (
        merge(
            "devices.0",
            id="ups/u1",
            room=None,
            name=None,
            host="10.1.0.9",
            snmp={"version": "v2c", "community": "env:X"},
            feeds=["attic"],
        ),
        "devices[0].feeds[0]",
        "no switch called 'attic'",
        "'switches'",
    ),
    (merge("devices.0", id="card/c1"), "devices[0]", "kind 'card' come with a later", "boards"),
    (merge("devices.0", id="tv/c1"), "devices[0].kind", "'tv' is not allowed", "use switch, ap"),
    (merge("devices.0", id="b-301"), "devices[0]", "not of the form kind/serial", "board/"),
    (merge("devices.0", kind="board"), "devices[0]", "already says kind", "keep 'id'"),
    (merge("uplink", broker={"embedded": True}), "uplink", "cannot be embedded", "city's broker"),
    (merge("uplink.broker", password="env:P"), "uplink.broker", "no 'username'", "add"),
    (merge("uplink.broker", tls={"key": "k"}), "uplink.broker.tls", "'certificate' is mis", "tog"),
    (
        merge("", local_broker={"embedded": True, "host": "0.0.0.0"}),
        "local_broker",
        "must not listen on 0.0.0.0",
        "Mosquitto",
    ),
    (merge("", local_broker={"embedded": False}), "local_broker", "'host' is missing", "embedded"),
    (merge("", polling={"retries": 11}), "polling.retries", "at most 10", "lower"),
    (merge("", polling={"state_seconds": "9y"}), "polling.state_seconds", "'y'", "ms, s, m"),
    (merge("", polling={"budget_seconds": 1}), "polling", "more than budget_seconds", "raise"),
    (merge("", outbox={"limit_mb": "1MB"}), "outbox.limit_mb", "at least 4", "raise it"),
    (merge("school", name="a\x07b"), "school.name", "control characters", "remove them"),
]


@pytest.mark.parametrize(("change", "key", "what", "remedy"), SCHOOL_FAULTS)
def test_one_fault_in_a_school_is_one_sentence(
    school: Values,
    write: Write,
    change: Callable[[Values], object],
    key: str,
    what: str,
    remedy: str,
) -> None:
    change(school)
    file = write("school.yaml", school)
    (problem,) = problems(file)
    assert problem.key == key
    assert what in problem.what
    assert remedy in problem.remedy
    line = file.read_text().splitlines()[problem.line - 1]
    last = key.rsplit(".", 1)[-1].split("[", maxsplit=1)[0]
    assert f"{last}:" in line or key.startswith("devices") or "missing" in what


def test_a_secret_written_out_is_refused_and_never_repeated(school: Values, write: Write) -> None:
    school["switches"][0]["snmp"]["community"] = "canary-7341"
    secret = {"protocol": "sha256", "password": "canary-7341"}
    school["switches"][1]["snmp"] = v3(auth=secret, priv=secret | {"protocol": "aes128"})
    school["uplink"]["broker"] |= {"username": "agent", "password": "canary-7341"}
    found = problems(write("school.yaml", school))
    assert [problem.key for problem in found] == [
        "switches[0].snmp.community",
        "switches[1].snmp.auth.password",
        "switches[1].snmp.priv.password",
        "uplink.broker.password",
    ]
    assert "canary" not in "\n".join(map(str, found))


def test_all_problems_are_reported_in_the_order_of_the_file(school: Values, write: Write) -> None:
    school["school"]["id"] = "No 3"
    school["links"][0]["tier"] = "x"
    school["switches"][1]["host"] = ""
    found = problems(write("school.yaml", school))
    assert {problem.key for problem in found} == {"school.id", "links[0].tier", "switches[1].host"}
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)


CALENDAR = {
    "schema_version": 1,
    "terms": [{"name": "autumn", "first": "2026-09-01", "last": "2027-01-20"}],
    "bells": {"day": {"periods": [{"name": "1", "starts": "08:00", "ends": "08:40"}]}},
    "weekdays": {"monday": "day"},
}
CALENDARS = {
    "good.yaml": CALENDAR,
    "strange.yaml": {**CALENDAR, "schools": {"no9": {}}},
    "bad.yaml": {key: value for key, value in CALENDAR.items() if key != "terms"},
}
CITY_FAULTS: list[tuple[Callable[[Values], object], str, str, str]] = [
    (drop("schools"), "", "'schools' is missing", "schools: DIRECTORY"),
    (merge("", schools=[]), "schools", "no school", "add at least one"),
    (merge("", schools=7), "schools", "neither a path nor a school", "write the path"),
    (merge("", schools="empty"), "schools", "holds no .yaml file", "one file a school"),
    (drop("broker"), "broker", "'broker' is missing", "add"),
    (merge("broker", host_id="other"), "uplink.host_id", "wait for the host 'tenone'", "city's"),
    (merge("", districts=[]), "districts", "fewer than 1", "add"),
    (
        merge("", districts=[{"id": "w", "name": "W"}]),
        "school.district",
        "no district 'east'",
        "use one of w",
    ),
    (merge("city", id="other"), "school.city", "belongs to the city 'binhai'", "correct"),
    (
        merge("", profiles={"p": {}}),
        "school.profile",
        "no profile 'default'",
        "use one of p",
    ),
    (
        merge("", profiles={"default": {"tiers": {"uplink": {"contract_mbps": 1}}}}),
        "links[1].tier",
        "promises nothing to 'class'",
        "contract_mbps",
    ),
    (
        merge("", profiles={"default": {"tiers": {"upling": {"contract_mbps": 1}}}}),
        "profiles.default.tiers.upling",
        "'upling' is not allowed",
        "use",
    ),
    (merge("", calendars=[]), "calendars", "not a group of names", "default: calendar.yaml"),
    (merge("", calendars={"A B": "good.yaml"}), "calendars.A B", "no name", "a-z"),
    (merge("", calendars={"default": 7}), "calendars.default", "not the path", "calendar.yaml"),
    (merge("", calendars={"default": "strange.yaml"}), "calendars.default", "'no9'", "correct"),
    (merge("", calendars={"default": "bad.yaml"}), "terms", "'terms' is missing", "add"),
    (
        merge("", calendars={"a": "good.yaml", "b": "good.yaml"}),
        "profiles.default",
        "several calendars",
        "call one of them default (a, b)",
    ),
    (
        merge("", profiles={"default": {"calendar": "c"}}, calendars={"a": "good.yaml"}),
        "profiles.default.calendar",
        "no calendar called 'c'",
        "(a)",
    ),
    (merge("", applications={}), "applications", "later version", "remove"),
    (merge("", http={"host": "0.0.0.0"}), "http", "which names browsers come", "'hosts'"),
    (
        merge("", http={"host": "192.0.2.1", "tls": "off"}),
        "http",
        "plain HTTP",
        "web server with TLS",
    ),
    (
        merge("", http={"host": "192.0.2.1", "behind_tls": True}),
        "http",
        "plain HTTP",
        "web server with TLS",
    ),
    (merge("", http={"tls": "on"}), "http.tls", "'auto', 'off'", "write 'auto'"),
    (merge("", http={"tls": {"key": "k.pem"}}), "http.tls", "'certificate' is missing", "together"),
    (merge("", http={"prot": 1}), "http.prot", "not known", "'port' was meant"),
    (merge("", records={"url": "postgresql://x/y"}), "records.url", "SQLite", "sqlite:///"),
    (
        merge("", store={"influx": {"url": "http://u:p@h"}}),
        "store.influx.url",
        "right form",
        "match",
    ),
    (
        merge("", store={"influx": {"url": "http://h", "token": "abc"}}),
        "store.influx.token",
        "reference",
        "env:NAME",
    ),
]


@pytest.mark.parametrize(("change", "key", "what", "remedy"), CITY_FAULTS)
def test_one_fault_in_a_city_is_one_sentence(
    school: Values,
    city: Values,
    write: Write,
    tmp_path: Path,
    change: Callable[[Values], object],
    key: str,
    what: str,
    remedy: str,
) -> None:
    (tmp_path / "empty").mkdir()
    write("schools/no3.yaml", school)
    for name, calendar in CALENDARS.items():
        write(name, calendar)
    change(city)
    (problem,) = problems(write("city.yaml", city))
    assert problem.key == key
    assert what in problem.what
    assert remedy in problem.remedy


def test_a_city_reports_all_of_its_schools(school: Values, city: Values, write: Write) -> None:
    no3, no4 = two_schools(school)
    no4["school"]["id"] = "no3"
    broken = copy.deepcopy(no3)
    broken["links"][0]["tier"] = "x"
    write("schools/a.yaml", no3)
    write("schools/b.yaml", no4)
    write("schools/c.yaml", broken)
    write("schools/d.yaml", "a: [")
    city["city"]["nme"] = "x"
    found = problems(write("city.yaml", city))
    assert [(problem.file.name, problem.key) for problem in found] == [
        ("city.yaml", "city.nme"),
        ("c.yaml", "links[0].tier"),
        ("d.yaml", ""),
        ("b.yaml", "school.id"),
    ]
    assert "exists already" in found[-1].what


def test_the_key_path_of_a_school_written_out(school: Values, city: Values, write: Write) -> None:
    school["links"][0]["tier"] = "x"
    city["schools"] = [school]
    (problem,) = problems(write("city.yaml", city))
    assert problem.key == "schools[0].links[0].tier"
    assert problem.line > 1


def test_a_school_that_is_not_there(city: Values, write: Write) -> None:
    city["schools"] = ["nowhere.yaml"]
    (problem,) = problems(write("city.yaml", city))
    assert problem.file.name == "nowhere.yaml"
    assert "cannot be read" in problem.what


@pytest.mark.parametrize("text", ["schema_version: 1\n", "a: 1\n", "school: 1\ncity: 1\n"])
def test_a_file_of_neither_kind(write: Write, text: str) -> None:
    (problem,) = problems(write("x.yaml", text))
    assert "neither a school's nor a city's nor a calendar" in problem.what


def test_what_was_read_cannot_be_changed(school: Values, write: Write) -> None:
    found = load(write("school.yaml", school))
    assert isinstance(found, School)
    with pytest.raises(ValueError, match="frozen"):
        setattr(found.polling, "retries", 5)  # noqa: B010 - mypy would refuse the plain assignment


@pytest.mark.parametrize(
    ("calendars", "profile", "name"),
    [
        ({}, {}, None),
        ({"only": "good.yaml"}, {}, "only"),
        ({"default": "good.yaml", "b": "strange.yaml"}, {}, "default"),
        ({"default": "good.yaml", "b": "good.yaml"}, {"calendar": "b"}, "b"),
    ],
)
def test_which_calendar_a_school_goes_by(
    school: Values,
    city: Values,
    write: Write,
    calendars: dict[str, str],
    profile: Values,
    name: str | None,
) -> None:
    write("schools/no3.yaml", school)
    write("schools/no9.yaml", {**school, "school": {**school["school"], "id": "no9"}})
    for file, values in CALENDARS.items():
        write(file, values)
    city |= {"calendars": calendars, "profiles": {"default": profile}}
    loaded = load_city(write("city.yaml", city))
    assert loaded.calendar_name(loaded.profiles[slug("default")]) == name
    calendar = loaded.calendar_of(loaded.school_by_id["no3"])
    assert (calendar is None) == (name is None)
    if calendar is not None:
        assert calendar.day(date(2026, 11, 23)).bells is not None


def test_a_calendar_by_itself(write: Write) -> None:
    found = load(write("calendar.yaml", CALENDAR))
    assert isinstance(found, CalendarFile)


CALENDAR_OF_A_SCHOOL: Values = {
    "schema_version": 1,
    "terms": [{"name": "autumn", "first": "2026-09-01", "last": "2027-01-22"}],
    "bells": {"normal": {"periods": [{"name": "1", "starts": "08:00", "ends": "08:40"}]}},
    "weekdays": {"monday": "normal"},
}


def test_a_school_with_a_calendar(school: Values, write: Write) -> None:
    write("here/calendar.yaml", CALENDAR_OF_A_SCHOOL)
    school["calendar"] = "calendar.yaml"
    file = write("here/school.yaml", school)
    for found in (load_school(file), load(file)):
        assert isinstance(found, School)
        assert found.calendar is not None
        assert found.calendar.terms[0].name == "autumn"


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (7, "not the path of a calendar"),
        ("", "not the path of a calendar"),
        ("none.yaml", "none.yaml"),
        ("bad.yaml", "no bells called 'lost'"),
    ],
)
def test_a_bad_calendar_of_a_school(school: Values, write: Write, entry: object, what: str) -> None:
    write("bad.yaml", CALENDAR_OF_A_SCHOOL | {"weekdays": {"monday": "lost"}})
    school["calendar"] = entry
    (problem,) = problems(write("school.yaml", school))
    assert what in str(problem)


def test_a_city_does_not_ask_for_its_schools_calendars(
    city: Values, school: Values, write: Write
) -> None:
    write("schools/no3.yaml", school | {"calendar": "only-at-the-school.yaml"})
    (found,) = load_city(write("city.yaml", city)).schools
    assert found.calendar is None


def test_a_ups_feeds_what_it_names_and_a_lone_one_everything() -> None:
    def ups(serial: str, *feeds: str) -> Device:
        asked = {"host": "10.1.0.9", "snmp": {"version": "v2c", "community": "env:X"}}
        named = {"feeds": feeds} if feeds else {}
        return Device.model_validate({"kind": "ups", "serial": serial, **asked, **named})

    def fed(*upses: Device) -> dict[str, tuple[str, ...]]:
        parts: dict[str, Any] = {"devices": upses}
        school = School.model_construct(**parts)
        return {name: school.fed_by(name) for name in ("core", "floor")}

    assert fed() == {"core": (), "floor": ()}
    assert fed(ups("u1")) == {"core": ("u1",), "floor": ("u1",)}
    assert fed(ups("u1"), ups("u2", "floor")) == {"core": ("u1",), "floor": ("u2",)}
    assert fed(ups("u1", "core"), ups("u2", "core")) == {"core": ("u1", "u2"), "floor": ()}
