"""How long repairs took, by the level that was responsible (R21; SLA.md, definition 2). Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from controller.incidents.escalation import LEVELS
from controller.incidents.model import Incident
from controller.incidents.records import IncidentRecords
from controller.sla.repair import Course, Repair, mean_split, split
from controller.store.protocols import NS
from tenone.calendar.intervals import Intervals

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTimes:
    """The mean stages of one level's repairs in seconds; None where none has that stage."""

    level: str
    repairs: int
    detect: float | None
    acknowledge: float | None
    fix: float | None
    verify: float | None


def course_of(incident: Incident) -> Course:
    """Began, noticed, taken, good again, proved to be good."""
    return Course(
        began_ns=incident.began_ns,
        detected_ns=incident.opened_ns,
        acknowledged_ns=incident.acknowledged_ns,
        fixed_ns=incident.clearing_ns or incident.resolved_ns,
        verified_ns=incident.resolved_ns,
    )


def level_of(incident: Incident) -> int:
    """Who took it, else the highest level that was told; -1: nobody was."""
    if incident.acknowledged_ns is not None:
        return incident.acknowledged_level
    return incident.level


def opened_between(incidents: Iterable[Incident], start_ns: int, end_ns: int) -> list[Repair]:
    """Incidents opened in ``[start, end)``, as reports count them.

    An open one that looks good again may break anew: it has no fix yet.
    """
    found = []
    for one in incidents:
        if start_ns <= one.opened_ns < end_ns:
            course = course_of(one)
            if one.resolved_ns is None:
                course = replace(course, fixed_ns=None)
            level = level_of(one)
            found.append(
                Repair(
                    school=one.subject.school,
                    link=one.subject.link_id,
                    level=LEVELS[level] if level >= 0 else None,
                    alarmed_ns=one.alarmed_ns,
                    course=course,
                )
            )
    return found


def repairs_of(records: IncidentRecords) -> Callable[[int, int], list[Repair]]:
    """The same from the records: what was opened since is open still, or was resolved since."""
    return lambda start_ns, end_ns: opened_between(
        records.load(start_ns).incidents, start_ns, end_ns
    )


def by_level(
    incidents: Iterable[Incident], measured_of: Callable[[Incident], Intervals]
) -> list[LevelTimes]:
    """The means of every level that had a repair; ``measured_of``: the time that counts (W')."""
    grouped: dict[int, list[Incident]] = {}
    for incident in incidents:
        if incident.resolved_ns is not None and level_of(incident) >= 0:
            grouped.setdefault(level_of(incident), []).append(incident)
    found = []
    for level, some in sorted(grouped.items()):
        means = mean_split(split(course_of(one), measured_of(one)) for one in some)
        found.append(
            LevelTimes(
                level=LEVELS[level],
                repairs=len(some),
                detect=_seconds(means["detect_ns"]),
                acknowledge=_seconds(means["acknowledge_ns"]),
                fix=_seconds(means["fix_ns"]),
                verify=_seconds(means["verify_ns"]),
            )
        )
    return found


def times_json(times: LevelTimes) -> Json:
    """As the API says it; seconds."""
    return {
        "level": times.level,
        "repairs": times.repairs,
        "detect_seconds": times.detect,
        "acknowledge_seconds": times.acknowledge,
        "fix_seconds": times.fix,
        "verify_seconds": times.verify,
    }


def _seconds(mean_ns: Fraction | None) -> float | None:
    return None if mean_ns is None else float(mean_ns / NS)
