"""The SLA report: days added up to links, schools, districts and the city. Pure.

The same function makes a report from roll-ups in the controller and from recomputed days in
``tenone verify``: equal inputs give an equal document. Seconds, minutes and counts are added,
percentages are made of the sums at the end (SLA.md). Ratios are rounded to nine digits.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from controller.evidence.columns import ADDED, bad_column, exact_sums, minutes_column
from controller.evidence.day import CAUSES
from controller.sla.class_minutes import Tally
from controller.sla.coverage import CERTIFIED_COVERAGE, coverage
from controller.store.packing import Array
from controller.store.rollup_rows import Bucket, OutageRow

Json = dict[str, Any]
FORMAT = 1
DIGITS = 9
CLAUSES = ("link",)
"""By which clauses of SLA.md the class-minutes of days are judged: the link's own alone. What a
page counts as it runs is judged by all of them, and so is another figure."""
WORST_LINES = 200
"""Links listed in a report of a district or city; a CSV has every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Who a link is, for people."""

    link: str
    name: str
    school: str
    district: str
    tier: str
    contract_mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Busyness:
    """P95 of a link's 5-minute means over the whole period."""

    p95_ratio: float | None
    means: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Outages of one link that cost service time; parts that meet at midnight are one."""

    restored: int = 0
    restored_ns: int = 0
    open: int = 0

    def __add__(self, other: "Failures") -> "Failures":
        return Failures(
            restored=self.restored + other.restored,
            restored_ns=self.restored_ns + other.restored_ns,
            open=self.open + other.open,
        )


NONE = Failures()


@dataclass(slots=True)
class Sums:
    """Every added column, one row a link; ``index``: link -> row."""

    links: list[str] = field(default_factory=list)
    columns: dict[str, Array] = field(default_factory=dict)
    until_ns: int = 0
    days: set[int] = field(default_factory=set)
    contracts: set[int] = field(default_factory=set)
    digest: str = ""
    """SHA-256 over the rows that went in: the hash of the report's inputs."""


def add_days(buckets: Iterable[Bucket], wanted: Callable[[str], bool] | None = None) -> Sums:
    """Add rows of days up, by link; ``wanted``: which links (None: all)."""
    sums = Sums()
    known: dict[str, int] = {}
    cache: dict[str, tuple[Sequence[str], Array, Array]] = {}
    digest = hashlib.sha256()
    for bucket in buckets:
        before = cache.get(bucket.district)
        if before is None or before[0] != bucket.links:
            rows = [n for n, link in enumerate(bucket.links) if wanted is None or wanted(link)]
            rows.sort(key=lambda n: bucket.links[n])
            places = [known.setdefault(bucket.links[n], len(known)) for n in rows]
            sums.links += list(known)[len(sums.links) :]
            before = (bucket.links, np.array(rows, np.int64), np.array(places, np.int64))
            cache[bucket.district] = before
        _, rows_at, places_at = before
        if not len(rows_at):
            continue
        sums.days.add(bucket.start)
        digest.update(f"{bucket.district} {bucket.start} {len(rows_at)}\n".encode())
        whole = len(rows_at) == len(bucket.links) and bool((np.diff(rows_at) == 1).all())
        for name in (*ADDED, "until_ns"):
            column = bucket.columns[name] if whole else bucket.columns[name][rows_at]
            digest.update(np.ascontiguousarray(column).tobytes())
            if name == "until_ns":
                sums.until_ns = max(sums.until_ns, int(column.max()))
                continue
            into = sums.columns.get(name)
            if into is None or len(into) < len(known):
                grown = np.zeros(len(known), np.int64)
                if into is not None:
                    grown[: len(into)] = into
                into = sums.columns[name] = grown
            into[places_at] += column
    for name in ADDED:
        into = sums.columns.get(name, np.zeros(0, np.int64))
        sums.columns[name] = np.concatenate((into, np.zeros(len(known) - len(into), np.int64)))
    sums.digest = digest.hexdigest()
    return sums


def failures(rows: Iterable[OutageRow], until_ns: int) -> dict[str, Failures]:
    """Outages by link; rows come by link and time. One that lasts until ``until_ns`` is open."""
    found: dict[str, Failures] = {}
    for link, end_ns, cost_ns in united(rows):
        if cost_ns:
            still = end_ns >= until_ns
            one = Failures(
                restored=int(not still), restored_ns=0 if still else cost_ns, open=int(still)
            )
            found[link] = found.get(link, NONE) + one
    return found


def united(rows: Iterable[OutageRow]) -> Iterable[tuple[str, int, int]]:
    """Link, end and cost of each outage, its parts put together."""
    ordered = sorted(rows, key=lambda row: (row.link, row.start_ns))
    open_: tuple[str, int, int] | None = None
    for row in ordered:
        if open_ is not None and (row.link, row.start_ns) == open_[:2]:
            open_ = (row.link, row.end_ns, open_[2] + row.cost_ns)
            continue
        if open_ is not None:
            yield open_
        open_ = (row.link, row.end_ns, row.cost_ns)
    if open_ is not None:
        yield open_


def figures(sums: Mapping[str, int], failed: Failures) -> Json:
    """The figures of a link or a group, from its sums."""
    measured, service = sums["measured_ns"], sums["service_ns"]
    bad_ns = {c: sums[bad_column(c)] for c in CAUSES if sums[bad_column(c)]}
    tally = Tally(
        good=sums["minutes_good"],
        bad_by_cause={c: sums[minutes_column(c)] for c in CAUSES if sums[minutes_column(c)]},
        unknown=sums["minutes_unknown"],
    )
    count = failed.restored + failed.open
    return {
        "service_ns": service,
        "measured_ns": measured,
        "unknown_ns": sums["unknown_ns"],
        "down_ns": sums["down_ns"],
        "good_ns": sums["good_ns"],
        "coverage_ratio": _ratio(coverage(sums["unknown_ns"], service)),
        "availability_ratio": _less(sums["down_ns"], measured),
        "availability_worst_ratio": _less(sums["worst_ns"], sums["judged_ns"]),
        "compliance_ratio": _part(sums["good_ns"], measured),
        "capacity_deficit_ratio": _part(sums["deficit_mbps_us"], sums["contract_mbps_us"]),
        "bad_time": _shares(Tally(bad_by_cause=bad_ns)),
        "outages": count,
        "outages_open": failed.open,
        "mttr_seconds": _seconds(failed.restored_ns, failed.restored),
        "mtbf_seconds": _seconds(measured - sums["down_ns"], count),
        "class_minutes": {
            "good": tally.good,
            "bad": tally.bad,
            "unknown": tally.unknown,
            "sle_ratio": _ratio(tally.sle_ratio),
            "coverage_ratio": _ratio(tally.coverage),
            "causes": _shares(tally),
        },
        "means": sums["means"],
        "means_missing": sums["means_missing"],
        "means_busy": sums["means_busy"],
        "samples": sums["samples"],
    }


def _shares(tally: Tally) -> Json:
    """By cause: the amount, and tenths of a percent that add up to 1000."""
    tenths = tally.cause_tenths()
    return {
        cause.label: {"amount": tally.bad_by_cause[cause], "tenths": part}
        for cause, part in tenths.items()
    }


def refusals(sums: Sums) -> list[str | None]:
    """Why each link's period is not certified, as a code; None where it is."""
    least = CERTIFIED_COVERAGE
    names = ("service_ns", "unknown_ns", "calendar_unknown")
    found: list[str | None] = []
    for service, unknown, strange in zip(
        *(sums.columns[name].tolist() for name in names), strict=True
    ):
        if not service:
            found.append("no-service-time")
        elif strange:
            found.append("calendar-unknown")
        else:
            enough = (service - unknown) * least.denominator >= service * least.numerator
            found.append(None if enough else "coverage")
    return found


def sla_report(
    sums: Sums,
    outages: Sequence[OutageRow],
    lines: Mapping[str, Line],
    *,
    about: Json,
    city: str,
    busy: Mapping[str, Busyness] | None = None,
    every_link: bool = True,
) -> Json:
    """The whole document. ``about``: what it is of (period, scope); goes in as it stands.

    ``every_link`` False: only links that are refused or not fully compliant, the worst first.
    """
    failed = failures(outages, sums.until_ns)
    order = sorted(range(len(sums.links)), key=lambda n: sums.links[n])
    reasons = refusals(sums)
    shown = order if every_link else _worst(sums, reasons)
    return {
        "format": FORMAT,
        "kind": "sla",
        "about": about,
        "inputs_sha256": sums.digest,
        "until_ns": sums.until_ns,
        "days": [date.fromordinal(day).isoformat() for day in sorted(sums.days)],
        "groups": _groups(sums, reasons, failed, lines, city),
        "links_total": len(sums.links),
        "links_listed": len(shown),
        "links": [
            _link_line(sums, n, lines[sums.links[n]], reasons[n], failed, busy or {}) for n in shown
        ],
        "outages": [
            {"link": link, "end_ns": end_ns, "cost_ns": cost_ns}
            for link, end_ns, cost_ns in united(outages)
            if cost_ns
        ]
        if every_link
        else [],
    }


def _worst(sums: Sums, reasons: Sequence[str | None]) -> list[int]:
    measured = sums.columns["measured_ns"]
    lost = measured - sums.columns["good_ns"]
    refused = np.array([reason is not None for reason in reasons])
    order = np.lexsort((np.array(sums.links), -lost, ~refused))
    return [int(n) for n in order[:WORST_LINES] if refused[n] or lost[n]]


def _link_line(  # noqa: PLR0917 - one line of everything
    sums: Sums,
    row: int,
    line: Line,
    reason: str | None,
    failed: Mapping[str, Failures],
    busy: Mapping[str, Busyness],
) -> Json:
    own = {name: int(sums.columns[name][row]) for name in ADDED}
    load = busy.get(line.link)
    return {
        "link": line.link,
        "name": line.name,
        "school": line.school,
        "district": line.district,
        "tier": line.tier,
        "contract_mbps": line.contract_mbps,
        "certified": reason is None,
        "refusal": reason,
        **figures(own, failed.get(line.link, NONE)),
        "utilisation_p95_ratio": None if load is None else load.p95_ratio,
    }


def _groups(
    sums: Sums,
    reasons: Sequence[str | None],
    failed: Mapping[str, Failures],
    lines: Mapping[str, Line],
    city: str,
) -> list[Json]:
    """City, districts and schools; each as a whole and by tier."""
    found: list[Json] = []
    own = [lines[link] for link in sums.links]
    levels: tuple[tuple[str, Callable[[Line], str]], ...] = (
        ("city", lambda _line: city),
        ("district", lambda line: f"{city}/{line.district}"),
        ("school", lambda line: f"{city}/{line.district}/{line.school}"),
    )
    for kind, scope_of in levels:
        for tiers in (False, True):
            keys = [(scope_of(line), line.tier if tiers else "all") for line in own]
            names = sorted(set(keys))
            number = {key: n for n, key in enumerate(names)}
            groups = np.array([number[key] for key in keys], np.int64)
            table = {name: exact_sums(sums.columns[name], groups, len(names)) for name in ADDED}
            broken: dict[tuple[str, str], Failures] = {}
            for link, one in failed.items():
                if link in lines:
                    key = (scope_of(lines[link]), lines[link].tier if tiers else "all")
                    broken[key] = broken.get(key, NONE) + one
            refused = Counter(
                key for key, reason in zip(keys, reasons, strict=True) if reason is not None
            )
            total = Counter(keys)
            found += [
                {
                    "scope": scope,
                    "kind": kind,
                    "tier": tier,
                    "links": total[scope, tier],
                    "links_certified": total[scope, tier] - refused[scope, tier],
                    **figures(
                        {name: table[name][n] for name in ADDED}, broken.get((scope, tier), NONE)
                    ),
                }
                for n, (scope, tier) in enumerate(names)
            ]
    return found


def _ratio(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), DIGITS)


def _part(part: int, whole: int) -> float | None:
    return _ratio(Fraction(part, whole)) if whole else None


def _less(part: int, whole: int) -> float | None:
    return _ratio(1 - Fraction(part, whole)) if whole else None


def _seconds(total_ns: int, count: int) -> float | None:
    return round(total_ns / count / 1e9, 3) if count else None
