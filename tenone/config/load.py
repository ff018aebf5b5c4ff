"""Reads ``school.yaml`` and ``city.yaml``; every problem found is reported at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from tenone.config.base import ConfigModel
from tenone.config.calendar import CalendarFile
from tenone.config.city import City
from tenone.config.document import Document, Plain, read_document
from tenone.config.explain import explain
from tenone.config.load_calendar import load_calendar, read_calendar
from tenone.config.problems import ConfigError, ConfigProblem, KeyPath
from tenone.config.school import School
from tenone.config.vault import vault_place
from tenone.vocabulary.scope import SLUG_RULE, is_slug

SCHEMA_VERSION = 1
_Model = TypeVar("_Model", bound=ConfigModel)


@dataclass(frozen=True, slots=True)
class _Found:
    """A school and where it was written down."""

    school: School
    document: Document
    prefix: KeyPath


def load(path: Path) -> School | City | CalendarFile:
    """Read a configuration file of any kind; raises :class:`ConfigError`."""
    document = read_document(path)
    if "bells" in document.values:
        return read_calendar(document)
    match "school" in document.values, "city" in document.values:
        case True, False:
            return _with_calendar(document, _load_school(document).school)
        case False, True:
            return _load_city(document)
        case _:
            problem = document.problem(
                (),
                "the file is neither a school's nor a city's nor a calendar",
                "a school.yaml has the key 'school' at its top, a city.yaml the key 'city', a "
                "calendar.yaml the key 'bells'",
            )
            raise ConfigError([problem])


def load_school(path: Path) -> School:
    """Read ``school.yaml``; raises :class:`ConfigError` with all problems found."""
    document = read_document(path)
    return _with_calendar(document, _load_school(document).school)


def load_city(path: Path) -> City:
    """Read ``city.yaml`` and all its schools; raises :class:`ConfigError` likewise."""
    return _load_city(read_document(path))


def _load_school(document: Document) -> _Found:
    _versioned(document)
    school = _validate(School, document, _without_calendar(document.values))
    found = _Found(school, document, ())
    problems = list(_check_school(found))
    if problems:
        raise ConfigError(problems)
    return found


def _without_calendar(values: dict[str, Plain]) -> dict[str, Plain]:
    return {key: value for key, value in values.items() if key != "calendar"}


def _with_calendar(document: Document, school: School) -> School:
    """The agent's own reading of the file: the calendar that 'calendar' names belongs to it."""
    if "calendar" not in document.values:
        return school
    entry = document.values["calendar"]
    if not isinstance(entry, str) or not entry:
        what = "this is not the path of a calendar"
        raise ConfigError(
            [document.problem(("calendar",), what, "write the path of a calendar.yaml")]
        )
    calendar = load_calendar(document.file.parent / Path(entry).expanduser())
    return school.model_copy(update={"calendar": calendar})


def _load_city(document: Document) -> City:
    _versioned(document)
    problems: list[ConfigProblem] = []
    city: City | None = None
    apart = {"schools", "calendars"}
    values = {key: value for key, value in document.values.items() if key not in apart}
    try:
        city = _validate(City, document, values)
    except ConfigError as error:
        problems += error.problems
    calendars = _calendars(document, problems)
    found = _schools(document, problems)
    problems += _check_unique(found)
    if city is not None:
        city = city.model_copy(update={"calendars": calendars})
        problems += _check_calendars(document, city, found)
        problems += _check_enforcement(document, city, found)
        for each in found:
            problems += _check_against_city(each, city)
    if problems or city is None:
        raise ConfigError(problems)
    return city.model_copy(update={"schools": tuple(each.school for each in found)})


def _versioned(document: Document) -> None:
    version = document.values.get("schema_version")
    if version == SCHEMA_VERSION and not isinstance(version, bool):
        return
    if version is None:
        what = "'schema_version' is missing"
        problem = document.problem((), what, f"add 'schema_version: {SCHEMA_VERSION}' at the top")
    else:
        what = f"this version of TenOne reads schema_version {SCHEMA_VERSION}, not {version!r}"
        remedy = f"write 'schema_version: {SCHEMA_VERSION}', or install the TenOne it was made for"
        problem = document.problem(("schema_version",), what, remedy)
    raise ConfigError([problem])


def _validate(
    model: type[_Model], document: Document, values: Plain, prefix: KeyPath = ()
) -> _Model:
    try:
        base = document.file.absolute().parent
        group = values.get("vault") if isinstance(values, dict) else None
        context = {"base": base, "vault": vault_place(group, base)}
        return model.model_validate(values, context=context)
    except ValidationError as error:
        raise ConfigError(explain(document, model, error, prefix)) from error


def _calendars(document: Document, problems: list[ConfigProblem]) -> dict[str, CalendarFile]:
    """All calendars a city names; what is wrong with them goes to ``problems``."""
    named = document.values.get("calendars", {})
    if not isinstance(named, dict):
        what = "'calendars' is not a group of names"
        remedy = "write a name and the path of its calendar.yaml, like 'default: calendar.yaml'"
        problems.append(document.problem(("calendars",), what, remedy))
        return {}
    found: dict[str, CalendarFile] = {}
    for name, entry in named.items():
        path: KeyPath = ("calendars", name)
        if not is_slug(name):
            what = f"{name!r} is no name for a calendar"
            problems.append(document.problem(path, what, SLUG_RULE))
        elif not isinstance(entry, str) or not entry:
            what = "this is not the path of a calendar"
            problems.append(document.problem(path, what, "write the path of a calendar.yaml"))
        else:
            try:
                found[name] = load_calendar(document.file.parent / Path(entry).expanduser())
            except ConfigError as error:
                problems += error.problems
    return found


def _check_calendars(
    document: Document, city: City, found: list[_Found]
) -> Iterable[ConfigProblem]:
    """Profiles name calendars, calendars name schools: all of them must exist."""
    names = ", ".join(city.calendars) or "none is written down"
    for profile, contract in city.profiles.items():
        named = contract.calendar
        if named is not None and named not in city.calendars:
            yield document.problem(
                ("profiles", profile, "calendar"),
                f"there is no calendar called {named!r}",
                f"use one of the names under 'calendars' ({names})",
            )
        elif city.calendars and city.calendar_name(contract) is None:
            yield document.problem(
                ("profiles", profile),
                "there are several calendars and the profile does not say which is its own",
                f"add 'calendar: NAME' to the profile, or call one of them default ({names})",
            )
    known = {each.school.id for each in found}
    for name, calendar in city.calendars.items():
        for school in sorted(set(calendar.schools) - known):
            yield document.problem(
                ("calendars", name),
                f"the calendar has exceptions for {school!r}, which is no school of the city",
                "correct the school's id in the calendar, or remove it there",
            )


def _check_enforcement(
    document: Document, city: City, found: list[_Found]
) -> Iterable[ConfigProblem]:
    """A rule about a place or a link that does not exist holds nobody back: it is a mistake."""
    places = {city.id}
    places |= {f"{city.id}/{one.id}" for one in city.districts}
    places |= {f"{city.id}/{one.school.school.district}/{one.school.id}" for one in found}
    rules = city.enforcement
    named = {
        "modes": [one.scope for one in rules.modes],
        "freezes": [one.scope for one in rules.freezes],
    }
    for key, scopes in named.items():
        for index, scope in enumerate(scopes):
            if scope is not None and scope not in places:
                yield document.problem(
                    ("enforcement", key, index, "scope"),
                    f"there is no place {scope!r} in the city",
                    f"write it like {city.id}, {city.id}/DISTRICT or {city.id}/DISTRICT/SCHOOL",
                )
    links = {f"{one.school.id}/{link.id}" for one in found for link in one.school.links}
    for index, link in enumerate(rules.allowed_links):
        if link not in links:
            yield document.problem(
                ("enforcement", "allowed_links", index),
                f"there is no link {link!r} in the city",
                "write it like SCHOOL/LINK, as in the school's 'links'",
            )


def _schools(document: Document, problems: list[ConfigProblem]) -> list[_Found]:
    """All schools a city names; what is wrong with them goes to ``problems``."""
    if "schools" not in document.values:
        remedy = "add 'schools: DIRECTORY', or a list of files or of schools written out"
        problems.append(document.problem((), "'schools' is missing", remedy))
        return []
    named = document.values["schools"]
    entries: list[tuple[KeyPath, Plain]] = (
        [(("schools", index), entry) for index, entry in enumerate(named)]
        if isinstance(named, list)
        else [(("schools",), named)]
    )
    found: list[_Found] = []
    for path, entry in entries:
        try:
            found += _schools_at(document, path, entry, problems)
        except ConfigError as error:
            problems += error.problems
    if not found and not problems:
        what = "the city has no school"
        problems.append(document.problem(("schools",), what, "add at least one"))
    return found


def _schools_at(
    document: Document, path: KeyPath, entry: Plain, problems: list[ConfigProblem]
) -> list[_Found]:
    if isinstance(entry, dict):
        school = _validate(School, document, _without_calendar(entry), path)
        found = _Found(school, document, path)
        problems += _check_school(found)
        return [found]
    if not isinstance(entry, str) or not entry:
        what = "this is neither a path nor a school"
        remedy = "write the path of a school.yaml, of a directory of them, or the school itself"
        raise ConfigError([document.problem(path, what, remedy)])
    place = document.file.parent / Path(entry).expanduser()
    if not place.is_dir():
        return [_load_school(read_document(place))]
    files = sorted(file for file in place.rglob("*.y*ml") if file.suffix in {".yaml", ".yml"})
    if not files:
        what = f"the directory {entry} holds no .yaml file"
        raise ConfigError([document.problem(path, what, "put one file a school into it")])
    result = []
    for file in files:
        try:
            result.append(_load_school(read_document(file)))
        except ConfigError as error:
            problems += error.problems
    return result


def _check_school(found: _Found) -> Iterable[ConfigProblem]:
    """What must hold between the parts of one school."""
    school = found.school
    yield from _twice(found, "switches", [switch.name for switch in school.switches], "name")
    yield from _twice(
        found, "switches", [f"{s.host} port {s.port}" for s in school.switches], "host"
    )
    yield from _twice(found, "links", [link.id for link in school.links], "id")
    yield from _twice(found, "devices", [device.id for device in school.devices], None)
    yield from _twice(
        found, "links", [f"{link.port} of {link.switch}" for link in school.links], "port"
    )
    switches = {switch.name for switch in school.switches}
    for index, link in enumerate(school.links):
        if link.switch not in switches:
            known = ", ".join(sorted(switches)) or "none"
            yield found.document.problem(
                (*found.prefix, "links", index, "switch"),
                f"there is no switch called {link.switch!r}",
                f"use one of the names under 'switches' ({known})",
            )
    for index, stranger in school.probes.strangers(link.id for link in school.links):
        yield found.document.problem(
            (*found.prefix, "probes", "targets", index, "link"),
            f"there is no link called {stranger!r}",
            "use the 'id' of one of the links, or leave the key out",
        )
    rooms = {link.room for link in school.links}
    for index, device in enumerate(school.devices):
        if device.room is not None and device.room not in rooms:
            yield found.document.problem(
                (*found.prefix, "devices", index, "room"),
                f"no link leads to the room {device.room!r}",
                "use the 'room' of one of the links, or leave the key out",
            )
        for place, name in enumerate(device.feeds or ()):
            if name not in switches:
                known = ", ".join(sorted(switches)) or "none"
                yield found.document.problem(
                    (*found.prefix, "devices", index, "feeds", place),
                    f"there is no switch called {name!r}",
                    f"use names under 'switches' ({known}), or leave the key out",
                )


def _twice(found: _Found, group: str, names: list[str], key: str | None) -> Iterable[ConfigProblem]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name not in first:
            first[name] = index
            continue
        path = (*found.prefix, group, index) + ((key,) if key else ())
        line = found.document.place((*found.prefix, group, first[name])).line
        yield found.document.problem(
            path,
            f"{name} is used twice in {group!r} (first in the entry of line {line})",
            "change or remove one of the two",
        )


def _check_unique(found: list[_Found]) -> Iterable[ConfigProblem]:
    first: dict[str, _Found] = {}
    for each in found:
        other = first.setdefault(each.school.id, each)
        if other is not each:
            place = other.document.place((*other.prefix, "school", "id"))
            yield each.document.problem(
                (*each.prefix, "school", "id"),
                f"the school {each.school.id!r} exists already "
                f"({other.document.file}:{place.line})",
                "give each school of the city an id of its own",
            )


def _check_against_city(found: _Found, city: City) -> Iterable[ConfigProblem]:
    """What must hold between a school and its city."""
    school = found.school

    def problem(what: str, remedy: str, *path: str | int) -> ConfigProblem:
        return found.document.problem((*found.prefix, *path), what, remedy)

    if school.school.city != city.id:
        what = f"the school belongs to the city {school.school.city!r}, this is {city.id!r}"
        yield problem(what, "correct the school's city", "school", "city")
    districts = [district.id for district in city.districts]
    if school.school.district not in districts:
        what = f"the city has no district {school.school.district!r}"
        yield problem(what, f"use one of {', '.join(districts)}", "school", "district")
    if school.uplink.host_id != city.broker.host_id:
        what = (
            f"the agent would wait for the host {school.uplink.host_id!r}, "
            f"the city's controller is {city.broker.host_id!r}"
        )
        yield problem(what, "use the city's broker.host_id", "uplink", "host_id")
    profile = city.profiles.get(school.school.profile)
    if profile is None:
        what = f"the city has no profile {school.school.profile!r}"
        remedy = f"use one of {', '.join(city.profiles)}"
        yield problem(what, remedy, "school", "profile")
        return
    for index, link in enumerate(school.links):
        if link.contract_mbps is None and link.tier not in profile.tiers:
            what = f"the profile {school.school.profile!r} promises nothing to {link.tier.value!r}"
            remedy = "add the tier to the profile, or 'contract_mbps' to the link"
            yield problem(what, remedy, "links", index, "tier")
