"""Indicators (R23), data quality (R34) and inspection sheets (R22) from days. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from controller.evidence.repairs import STAGES
from controller.evidence.report import Json, Line
from controller.store.rollup_rows import Bucket, QualityRow

ATTAINED: Final = 0.99
"""A link attains its speed on a day if it had it for this part of the time that is known."""
TEN_GIGABIT_MBPS: Final = 10_000
GIGABIT_MBPS: Final = 1000
LATE_SHARE: Final = 0.01
SKEW_SECONDS: Final = 60.0


@dataclass(slots=True)
class _Count:
    """Places of one kind on one day: all, those known, those at speed."""

    places: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    attained: set[str] = field(default_factory=set)

    def as_json(self) -> Json:
        known, attained = len(self.known), len(self.attained)
        return {
            "total": len(self.places),
            "known": known,
            "attained": attained,
            "attained_ratio": round(attained / known, 9) if known else None,
            "coverage_ratio": round(known / len(self.places), 9) if self.places else None,
        }


def indicators(buckets: Iterable[Bucket], lines: Mapping[str, Line], city: str) -> list[Json]:
    """Share of schools at 10G and of classes at 1G, by day, for the city and each district.

    A school is at 10G if an uplink promised 10G or more attains it; a class if its link attains
    1G or more. What is not known is in no share: ``coverage_ratio`` stands beside it.
    """
    found: dict[tuple[int, str], dict[str, _Count]] = {}
    for bucket in buckets:
        good = bucket.columns["good_ns"].tolist()
        measured = bucket.columns["measured_ns"].tolist()
        contracts = bucket.columns["contract_mbps"].tolist()
        for link, had, of, contract in zip(bucket.links, good, measured, contracts, strict=True):
            line = lines.get(link)
            if line is None or line.tier not in {"uplink", "class"}:
                continue
            kind, place, least = (
                ("schools_10g", line.school, TEN_GIGABIT_MBPS)
                if line.tier == "uplink"
                else ("classes_1g", link, GIGABIT_MBPS)
            )
            for scope in (city, f"{city}/{line.district}"):
                counts = found.setdefault((bucket.start, scope), {})
                count = counts.setdefault(kind, _Count())
                count.places.add(place)
                if of:
                    count.known.add(place)
                if of and contract >= least and had >= ATTAINED * of:
                    count.attained.add(place)
    return [
        {
            "id": f"{scope}@{date.fromordinal(day)}",
            "scope": scope,
            "day": date.fromordinal(day).isoformat(),
            **{
                kind: counts.get(kind, _Count()).as_json() for kind in ("schools_10g", "classes_1g")
            },
        }
        for (day, scope), counts in sorted(found.items())
    ]


@dataclass(slots=True)
class _School:
    district: str = ""
    links: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    service_ns: int = 0
    unknown_ns: int = 0
    samples: int = 0
    blocks: int = 0
    late: int = 0
    worst_age_ns: int = 0
    skew_ns: int = 0
    worst_skew_ns: int = 0


def quality(
    buckets: Iterable[Bucket],
    rows: Iterable[QualityRow],
    lines: Mapping[str, Line],
    duplicates: Mapping[str, int],
) -> list[Json]:
    """Data quality by school over a period, the worst first.

    Completeness is the known part of the service window. ``duplicates``: blocks a school sent more
    than once since the controller started (resending is normal after an outage).
    """
    schools: dict[str, _School] = {}
    for line in lines.values():
        own = schools.setdefault(line.school, _School())
        own.district = line.district
        own.links.add(line.link)
    for bucket in buckets:
        columns = (
            bucket.columns[name].tolist() for name in ("service_ns", "unknown_ns", "samples")
        )
        for link, service, unknown, samples in zip(bucket.links, *columns, strict=True):
            if link not in lines:
                continue
            own = schools[lines[link].school]
            own.service_ns += service
            own.unknown_ns += unknown
            own.samples += samples
            if samples:
                own.heard.add(link)
    for row in rows:
        known = schools.get(row.school)
        if known is not None:
            known.blocks += row.blocks
            known.late += row.late
            known.skew_ns += row.skew_ns
            known.worst_age_ns = max(known.worst_age_ns, row.worst_age_ns)
            if abs(row.worst_skew_ns) > abs(known.worst_skew_ns):
                known.worst_skew_ns = row.worst_skew_ns
    found = [_quality(name, own, duplicates.get(name, 0)) for name, own in schools.items()]
    return sorted(found, key=lambda one: (one["completeness_ratio"] or 0.0, one["id"]))


def _quality(name: str, own: _School, duplicates: int) -> Json:
    silent = sorted(own.links - own.heard)
    return {
        "id": name,
        "district": own.district,
        "completeness_ratio": round(1 - own.unknown_ns / own.service_ns, 9)
        if own.service_ns
        else None,
        "links": len(own.links),
        "links_silent": silent,
        "samples": own.samples,
        "blocks": own.blocks,
        "late_ratio": round(own.late / own.blocks, 9) if own.blocks else None,
        "lateness_worst_seconds": round(own.worst_age_ns / 1e9, 3) if own.blocks else None,
        "clock_skew_mean_seconds": round(own.skew_ns / own.blocks / 1e9, 3) if own.blocks else None,
        "clock_skew_worst_seconds": round(own.worst_skew_ns / 1e9, 3) if own.blocks else None,
        "duplicates": duplicates,
    }


def inspection(report: Json, told: Json, *, size: str) -> Json:
    """The sheet of one school. ``size``: ``weekly`` or ``semester``; ``told``: its data quality.

    Each item says what evidence there is and whether it is in order; people sign that they saw it.
    """
    lines = report["links"]
    by_tier: dict[str, list[Json]] = {}
    for line in lines:
        by_tier.setdefault(line["tier"], []).append(line)
    items = [
        _attained("uplink-speed", by_tier.get("uplink", [])),
        _attained("class-speed", by_tier.get("class", [])),
        _item("outages", [one["link"] for one in lines if one["outages"]],
              value=sum(one["outages"] for one in lines)),
        _item("outages-open", [one["link"] for one in lines if one["outages_open"]],
              value=sum(one["outages_open"] for one in lines)),
        _item("coverage", [one["link"] for one in lines if not one["certified"]],
              value=told["completeness_ratio"]),
        _item("silent", told["links_silent"], value=len(told["links_silent"])),
        _item("late-data", [], value=told["late_ratio"],
              ok=(told["late_ratio"] or 0.0) <= LATE_SHARE),
        _item("clock", [], value=told["clock_skew_worst_seconds"],
              ok=abs(told["clock_skew_worst_seconds"] or 0.0) <= SKEW_SECONDS),
    ]  # fmt: skip
    people = _people(report)
    items.append(_step("mtta", people))
    if size == "semester":
        busy = [one["link"] for one in lines if (one["utilisation_p95_ratio"] or 0.0) > 0.8]  # noqa: PLR2004 - BUSY_RATIO
        worst = max((one["utilisation_p95_ratio"] or 0.0 for one in lines), default=0.0)
        items.append(_item("utilisation", busy, value=worst))
        items.append(_item("mttr", [], value=_group(report)["mttr_seconds"], ok=True))
        items += [_step(stage, people) for stage in STAGES]
    return {
        "kind": "inspection",
        "size": size,
        "about": report["about"],
        "days": report["days"],
        "until_ns": report["until_ns"],
        "inputs_sha256": report["inputs_sha256"],
        "items": items,
        "repairs": report["repairs"],
    }


def _group(report: Json) -> Json:
    groups: list[Json] = report["groups"]
    return next(one for one in groups if one["kind"] == "school" and one["tier"] == "all")


def _people(report: Json) -> Json:
    """What people did about the school's incidents; empty where it had none."""
    groups: list[Json] = report["repairs"]["groups"]
    return next((one for one in groups if one["kind"] == "school"), {})


def _step(code: str, people: Json) -> Json:
    """A mean in seconds, and on how many of the incidents it rests; it judges nobody."""
    item = _item(code, [], value=people.get(f"{code}_seconds")) | {"ok": None}
    rests_on, incidents = people.get(f"{code}_incidents", 0), people.get("incidents", 0)
    return {**item, "rests_on": rests_on, "incidents": incidents}


def _attained(code: str, lines: list[Json]) -> Json:
    below = [
        one["link"]
        for one in lines
        if one["compliance_ratio"] is None or one["compliance_ratio"] < ATTAINED
    ]
    return _item(code, below, value=len(lines) - len(below), of=len(lines))


def _item(
    code: str, links: list[str], *, value: Any, of: int | None = None, ok: bool | None = None
) -> Json:
    """``links``: those to look at; without any the item is in order unless ``ok`` says not."""
    return {
        "code": code,
        "value": value,
        "of": of,
        "links": links,
        "ok": not links if ok is None else ok,
    }
