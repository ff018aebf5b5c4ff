"""Inspection sheets, indicators and data quality as pages and CSV. No I/O."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from controller.csv_cells import cell
from dashboards.reports.sla import Page, Table, length, moment, percent, stamp
from dashboards.reports.words import Lang, say

Json = Mapping[str, Any]
RATIOS = frozenset({"coverage", "late-data", "utilisation"})
SHOWN_LINKS = 12


def inspection_page(sheet: Json, lang: Lang) -> Page:
    """One sheet with a line to sign for each who answers for it."""
    about, made = sheet["about"], sheet["made"]
    head = [say(key, lang) for key in ("item", "finding", "result", "person", "remark")]
    rows = [[*_item(one, lang), "", ""] for one in sheet["items"]]
    return Page(
        say(f"{sheet['size']}-title", lang),
        [
            (say("school", lang), about["school"]),
            (say("period", lang), f"{about['first']} {say('to', lang)} {about['last']}"),
            (say("until", lang), moment(sheet["until_ns"], about["zone"])),
            (say("made-by", lang), made["by"]),
            (say("made-at", lang), moment(made["at_ns"], about["zone"])),
            (say("version", lang), made["version"]),
            (say("inputs", lang), sheet["inputs_sha256"]),
        ],
        [Table(say("summary", lang), [head, *rows])],
        [say("by-hand", lang), say("repairs-explain", lang)],
        [say(key, lang) for key in ("technician", "department-head", "leader")],
        stamp(sheet, lang),
    )


def _item(one: Json, lang: Lang) -> list[str]:
    value = one["value"]
    if "rests_on" in one:
        text = say(
            "rests-on",
            lang,
            value=length(value, lang),
            rests_on=one["rests_on"],
            incidents=one["incidents"],
        )
    elif value is None:
        text = say("unknown", lang)
    elif one["code"] in RATIOS:
        text = percent(value, lang)
    else:
        text = str(value) if one["of"] is None else f"{value}/{one['of']}"
    links = one["links"]
    if links:
        more = f" +{len(links) - SHOWN_LINKS}" if len(links) > SHOWN_LINKS else ""
        text += f": {', '.join(links[:SHOWN_LINKS])}{more}"
    result = "" if one["ok"] is None else say("ok" if one["ok"] else "look", lang)
    return [say(f"item-{one['code']}", lang), text, result]


def indicators_page(items: Sequence[Json], lang: Lang) -> Page:
    """A line a day and scope."""
    keys = ("day", "where", "schools-10g", "coverage", "classes-1g", "coverage")
    rows = [
        [
            one["day"],
            one["scope"],
            _share(one["schools_10g"], lang),
            percent(one["schools_10g"]["coverage_ratio"], lang),
            _share(one["classes_1g"], lang),
            percent(one["classes_1g"]["coverage_ratio"], lang),
        ]
        for one in items
    ]
    head = [say(key, lang) for key in keys]
    return Page(say("indicators-title", lang), [], [Table(say("summary", lang), [head, *rows])], [])


def _share(share: Json, lang: Lang) -> str:
    ratio = percent(share["attained_ratio"], lang)
    return say("share", lang, attained=share["attained"], known=share["known"], ratio=ratio)


def quality_page(items: Sequence[Json], lang: Lang) -> Page:
    """A line a school, the worst first."""
    keys = (
        "school", "district", "complete", "links", "silent", "blocks", "late", "late-worst", "skew",
    )  # fmt: skip
    rows = [
        [
            one["id"],
            one["district"],
            percent(one["completeness_ratio"], lang),
            str(one["links"]),
            str(len(one["links_silent"])),
            str(one["blocks"]),
            percent(one["late_ratio"], lang),
            length(one["lateness_worst_seconds"], lang),
            say("unknown", lang)
            if one["clock_skew_worst_seconds"] is None
            else f"{one['clock_skew_worst_seconds']:.1f} s",
        ]
        for one in items
    ]
    head = [say(key, lang) for key in keys]
    return Page(say("quality-title", lang), [], [Table(say("summary", lang), [head, *rows])], [])


def items_csv(items: Sequence[Json]) -> str:
    """Flat JSON objects as CSV; nested ones as ``outer_inner``."""
    flat = [dict(_flat(one)) for one in items]
    names = list(dict.fromkeys(name for one in flat for name in one))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\r\n")
    writer.writerow({name: cell(name) for name in names})
    writer.writerows({name: cell(value) for name, value in one.items()} for one in flat)
    return out.getvalue()


def _flat(value: Json, before: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            found += _flat(inner, f"{before}{name}_")
        elif isinstance(inner, list):
            found.append((f"{before}{name}", " ".join(map(str, inner))))
        else:
            found.append((f"{before}{name}", "" if inner is None else inner))
    return found
