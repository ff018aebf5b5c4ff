"""The SLA report as tables of text, and as CSV. No I/O."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from controller.csv_cells import cell
from dashboards.reports.words import Lang, cause, say

Json = Mapping[str, Any]
CSV_COLUMNS: Final = (
    "link", "name", "school", "district", "tier", "contract_mbps", "certified", "refusal",
    "coverage_ratio", "availability_ratio", "availability_worst_ratio", "compliance_ratio",
    "capacity_deficit_ratio", "outages", "outages_open", "mttr_seconds", "mtbf_seconds",
    "utilisation_p95_ratio", "means", "means_missing", "means_busy", "service_ns", "measured_ns",
    "unknown_ns", "down_ns", "good_ns", "samples",
)  # fmt: skip
MINUTE_COLUMNS: Final = ("good", "bad", "unknown")
STAGES: Final = ("mtta", "detect", "acknowledge", "fix", "verify")
REPAIR_COLUMNS: Final = (
    "incidents", "held_back",
    *(f"{stage}_{what}" for stage in STAGES for what in ("seconds", "incidents")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first row names the columns."""

    title: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A document: a title, facts, tables, and what stands below them."""

    title: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    notes: Sequence[str]
    signatures: Sequence[str] = ()
    """Who has to sign, each on an empty line."""
    stamp: str = ""
    """Who made it, when, of what: stands on every sheet of paper."""


def as_csv(report: Json) -> str:
    """One line a link. Text that a spreadsheet would take for a formula is quoted by a ``'``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    minutes = [f"class_minutes_{name}" for name in MINUTE_COLUMNS]
    writer.writerow([*CSV_COLUMNS, *minutes, "class_minutes_clauses", "causes", *REPAIR_COLUMNS])
    clauses = " ".join(report["about"]["class_minutes_clauses"])
    repaired = report["repairs"]["links"]
    for line in report["links"]:
        causes = " ".join(
            f"{name}={part['tenths'] / 10:.1f}%" for name, part in line["bad_time"].items()
        )
        own = [cell(line[name]) for name in CSV_COLUMNS]
        told = [line["class_minutes"][name] for name in MINUTE_COLUMNS]
        people = repaired.get(line["link"], {})
        steps = [
            cell(people.get(name, 0 if "incidents" in name else None)) for name in REPAIR_COLUMNS
        ]
        writer.writerow([*own, *told, cell(clauses), cell(causes), *steps])
    return out.getvalue()


def as_page(report: Json, lang: Lang) -> Page:
    """For HTML and PDF."""
    about, made = report["about"], report["made"]
    scope = about["link"] or about["school"] or about["district"] or say("whole-city", lang)
    days = report["days"]
    facts = [
        (say("scope", lang), f"{about['city']}: {scope}"),
        (say("period", lang), f"{about['first']} {say('to', lang)} {about['last']}"),
        (say("zone", lang), about["zone"]),
        (say("days", lang), str(len(days))),
        (say("until", lang), moment(report["until_ns"], about["zone"])),
        (say("clauses", lang), _clauses(report, lang)),
        (say("made-by", lang), made["by"]),
        (say("made-at", lang), moment(made["at_ns"], about["zone"])),
        (say("version", lang), made["version"]),
        (say("inputs", lang), report["inputs_sha256"]),
    ]
    tables = [
        Table(say("summary", lang), _groups(report, lang)),
        Table(say("links", lang), _links(report, lang)),
    ]
    told = any(one["incidents"] for one in report["repairs"]["groups"])
    if told:
        tables.append(Table(say("repairs", lang), _repairs(report, lang)))
    if report["checkpoints"]:
        tables.append(Table(say("checkpoints", lang), _checkpoints(report, lang)))
    notes = [say("explain", lang), say("clauses-explain", lang)]
    notes.append(say("repairs-explain" if told else "no-repairs", lang))
    if report["links_listed"] < report["links_total"]:
        listed, total = report["links_listed"], report["links_total"]
        notes.insert(0, say("listed", lang, listed=listed, total=total))
    return Page(say("sla-title", lang), facts, tables, notes, stamp=stamp(report, lang))


def stamp(report: Json, lang: Lang) -> str:
    """For the foot of every page: a sheet that is found alone says where it belongs."""
    made, about = report["made"], report["about"]
    return say(
        "stamp",
        lang,
        by=made["by"],
        at=moment(made["at_ns"], about["zone"]),
        sha=report["inputs_sha256"],
    )


_FIGURES: Final = (
    "coverage", "availability", "worst", "compliance", "deficit", "outages", "mttr", "mtbf", "sle",
)  # fmt: skip


def _figures(line: Json, lang: Lang) -> list[str]:
    sle = line["class_minutes"]["sle_ratio"]
    known = percent(line["class_minutes"]["coverage_ratio"], lang)
    return [
        percent(line["coverage_ratio"], lang),
        percent(line["availability_ratio"], lang),
        percent(line["availability_worst_ratio"], lang),
        percent(line["compliance_ratio"], lang),
        percent(line["capacity_deficit_ratio"], lang),
        str(line["outages"]),
        length(line["mttr_seconds"], lang),
        length(line["mtbf_seconds"], lang),
        say("none", lang) if sle is None else f"{percent(sle, lang)} ({known})",
    ]


def _groups(report: Json, lang: Lang) -> list[list[str]]:
    head = [say(key, lang) for key in ("where", "tier", "number", "certified", *_FIGURES, "causes")]
    return [
        head,
        *(
            [
                group["scope"],
                say(group["tier"], lang),
                str(group["links"]),
                str(group["links_certified"]),
                *_figures(group, lang),
                _causes(group, lang),
            ]
            for group in report["groups"]
        ),
    ]


def _links(report: Json, lang: Lang) -> list[list[str]]:
    keys = ("link", "name", "tier", "contract", *_FIGURES, "p95", "causes", "verdict")
    rows = [[say(key, lang) for key in keys]]
    for line in report["links"]:
        refusal = line["refusal"]
        rows.append(
            [
                line["link"],
                line["name"],
                say(line["tier"], lang),
                str(line["contract_mbps"]),
                *_figures(line, lang),
                percent(line["utilisation_p95_ratio"], lang),
                _causes(line, lang),
                say("yes", lang) if refusal is None else say(f"refused-{refusal}", lang),
            ]
        )
    return rows


def _causes(line: Json, lang: Lang) -> str:
    """Parts of the bad time; they add up to 100.0 %."""
    parts = [
        f"{cause(name, lang)} {part['tenths'] / 10:.1f} %"
        for name, part in line["bad_time"].items()
    ]
    return ", ".join(parts) or say("none", lang)


def _clauses(report: Json, lang: Lang) -> str:
    """By which clauses class-minutes are judged, and by which they are not."""
    judged = report["about"]["class_minutes_clauses"]
    every = ", ".join(say(f"clause-{name}", lang) for name in judged)
    return say("clauses-only" if len(judged) == 1 else "clauses-some", lang, clauses=every)


def _repairs(report: Json, lang: Lang) -> list[list[str]]:
    """Means of scopes, then of levels; beside each on how many of the incidents it rests."""
    rows = [[say(key, lang) for key in ("where", "incidents", "held-back", *STAGES)]]
    repairs = report["repairs"]
    lines = [(one["scope"], one) for one in repairs["groups"]]
    lines += [(say(f"level-{one['level']}", lang), one) for one in repairs["levels"]]
    for where, one in lines:
        steps = [
            say("none", lang)
            if one[f"{stage}_seconds"] is None
            else f"{length(one[f'{stage}_seconds'], lang)} "
            f"({one[f'{stage}_incidents']}/{one['incidents']})"
            for stage in STAGES
        ]
        rows.append([where, str(one["incidents"]), str(one["held_back"]), *steps])
    return rows


def _checkpoints(report: Json, lang: Lang) -> list[list[str]]:
    zone = report["about"]["zone"]
    rows = [[say(key, lang) for key in ("journal", "key", "count", "first", "last")]]
    rows += [
        [
            one["journal"],
            one["public_key"],
            str(one["count"]),
            moment(one["first_ns"], zone),
            moment(one["last_ns"], zone),
        ]
        for one in report["checkpoints"]
    ]
    return rows


def percent(ratio: float | None, lang: Lang) -> str:
    """Cut to a thousandth of a percent, never rounded up: 99.9999 is not 100."""
    if ratio is None:
        return say("unknown", lang)
    thousandths = int(Fraction(str(ratio)) * 100_000)
    return f"{thousandths // 1000}.{thousandths % 1000:03d} %"


def length(seconds: float | None, lang: Lang) -> str:
    """A duration in hours, minutes and seconds."""
    if seconds is None:
        return say("none", lang)
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def moment(ns: int, zone: str) -> str:
    """A moment in local time."""
    when = datetime.fromtimestamp(ns // 10**9, UTC).astimezone(ZoneInfo(zone))
    return when.strftime("%Y-%m-%d %H:%M:%S")
