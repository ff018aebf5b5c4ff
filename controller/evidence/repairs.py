"""How long people took: MTTA and the stages of repairs, for reports. Pure.

What rests on incidents is the controller's record, signed by nobody: it stands apart in a report
and ``tenone verify`` does not recompute it. Beside each mean stands on how many incidents it rests.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from controller.sla.repair import Repair, mean_split, split
from controller.store.protocols import NS
from tenone.calendar.intervals import Intervals

Json = dict[str, Any]
Repairs = Callable[[int, int], Sequence[Repair]]
"""The incidents opened in ``[start, end)``; the incidents' room knows."""
Measured = Callable[[Repair, int, int], Intervals]
"""The service time of an incident's place in ``[start, end)``, without approved maintenance."""
STAGES = ("detect", "acknowledge", "fix", "verify")


def no_repairs(start_ns: int, end_ns: int) -> Sequence[Repair]:  # noqa: ARG001 - a default
    """Nobody knows of any."""
    return ()


def repairs_json(
    repairs: Iterable[Repair],
    district_of: Mapping[str, str],
    measured: Measured,
    city: str,
) -> Json:
    """City, districts, schools, links and levels that had incidents; others have none."""
    scopes: dict[tuple[str, str], list[Repair]] = {("city", city): []}
    links: dict[str, list[Repair]] = {}
    levels: dict[str, list[Repair]] = {}
    for one in repairs:
        district = f"{city}/{district_of[one.school]}"
        school = f"{district}/{one.school}"
        for key in (("city", city), ("district", district), ("school", school)):
            scopes.setdefault(key, []).append(one)
        if one.link is not None:
            links.setdefault(one.link, []).append(one)
        if one.level is not None:
            levels.setdefault(one.level, []).append(one)
    order = {"city": 0, "district": 1, "school": 2}
    return {
        "groups": [
            {"kind": kind, "scope": scope, **means(some, measured)}
            for (kind, scope), some in sorted(
                scopes.items(), key=lambda item: (order[item[0][0]], item[0][1])
            )
        ],
        "levels": [
            {"level": level, **means(some, measured)} for level, some in sorted(levels.items())
        ],
        "links": {link: means(some, measured) for link, some in sorted(links.items())},
    }


def means(repairs: Sequence[Repair], measured: Measured) -> Json:
    """The means in seconds of service time; None where none of the incidents has that stage.

    ``held_back``: incidents nobody was told of, behind a dead parent or in announced work. They are
    in no mean.
    """
    told = [one for one in repairs if one.alarmed_ns is not None]
    splits = [split(one.course, measured(one, one.course.began_ns, _end(one))) for one in told]
    by_stage = mean_split(splits)
    waits = [
        measured(one, one.alarmed_ns, one.course.acknowledged_ns).measure_ns
        for one in told
        if one.alarmed_ns is not None and one.course.acknowledged_ns is not None
    ]
    found: Json = {
        "incidents": len(told),
        "held_back": len(repairs) - len(told),
        "mtta_seconds": _seconds(Fraction(sum(waits), len(waits)) if waits else None),
        "mtta_incidents": len(waits),
    }
    for stage in STAGES:
        found[f"{stage}_seconds"] = _seconds(by_stage[f"{stage}_ns"])
        found[f"{stage}_incidents"] = sum(getattr(one, f"{stage}_ns") is not None for one in splits)
    return found


def _end(one: Repair) -> int:
    course = one.course
    steps = (course.detected_ns, course.acknowledged_ns, course.fixed_ns, course.verified_ns)
    return max((step for step in steps if step is not None), default=course.began_ns)


def _seconds(mean_ns: Fraction | None) -> float | None:
    return None if mean_ns is None else round(float(mean_ns / NS), 3)
