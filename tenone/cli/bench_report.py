"""``tenone bench report``: a month's report of a whole city from roll-ups; a school's verified."""

import json
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from controller.evidence.columns import ADDED
from controller.evidence.day import Promise
from controller.evidence.desk import Asked, Desk, Made
from controller.evidence.promises import Bound, LinkFacts, School
from controller.plan import SchoolPlan
from controller.store.blocks import SqliteBlockStore
from controller.store.rollup_rows import OutageRow
from controller.store.rollups import Rollups, month_days
from controller.store.seals import Seals
from dashboards.reports.sla import as_csv
from tenone.cli.bench_machine import machine, version_of

MONTH = "2026-09"
DISTRICTS = 10
SCHOOL_LINKS = 37
OFTEN, SELDOM = 0.05, 0.01
"""Parts of the link-days with unknown time, and with an outage or a wrong speed."""
DAY_NS = 41_400_000_000_000
"""11.5 hours of service a day."""


def report(
    links: Annotated[int, typer.Option(min=100, help="How many links the city has.")] = 100_000,
    seed: Annotated[int, typer.Option(help="What the days come from.")] = 0,
) -> None:
    """Write a month of days by the real writer, then report it; prints JSON lines."""
    with tempfile.TemporaryDirectory(prefix="tenone-bench-") as name:
        folder = Path(name)
        schools = made_schools(links)
        started = time.perf_counter()
        size = write_month(folder, schools, seed)
        typer.echo(
            json.dumps(
                {
                    "bench": "report",
                    "what": "write",
                    "links": links,
                    "days": month_days(MONTH)[1].day,
                    "seconds": round(time.perf_counter() - started, 3),
                    "bytes": size,
                }
            )
        )
        typer.echo(json.dumps(measure(folder, schools, links)))


def made_schools(links: int) -> dict[str, School]:
    """A city's promises: one uplink and classes a school."""
    schools: dict[str, School] = {}
    for number in range(-(-links // SCHOOL_LINKS)):
        name = f"s{number:05d}"
        plan = SchoolPlan(id=name, district=f"d{number % DISTRICTS:02d}", name=name)
        count = min(SCHOOL_LINKS, links - number * SCHOOL_LINKS)
        facts = tuple(_facts(name, index) for index in range(count))
        schools[name] = School(plan, facts)
    return schools


def _facts(school: str, index: int) -> LinkFacts:
    short = f"c{index:03d}" if index else "up"
    promise = Promise(
        link=f"{school}/{short}",
        contract_mbps=1000 if index else 10_000,
        shared=not index,
        from_ns=0,
    )
    return LinkFacts(
        link=promise.link,
        school=school,
        name=short,
        tier="class" if index else "uplink",
        room=None,
        bounds=(Bound(promise=promise, switch="sw1", port=short),),
    )


def write_month(folder: Path, schools: dict[str, School], seed: int) -> int:
    """Days of every link, with outages and unknown time, through :class:`Rollups`."""
    chance = np.random.default_rng(seed)
    rollups = Rollups(folder / "rollups")
    rollups.start()
    by_district: dict[str, list[str]] = {}
    for school in schools.values():
        links = by_district.setdefault(school.plan.district, [])
        links += [facts.link for facts in school.links]
    first, last = month_days(MONTH)
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        for district, links in sorted(by_district.items()):
            columns, outages = _day(chance, day, links)
            rollups.put_days(district, day, links, columns, outages)
    rollups.close()
    return sum(path.stat().st_size for path in (folder / "rollups").iterdir())


def _day(
    chance: np.random.Generator, day: date, links: list[str]
) -> tuple[dict[str, Any], list[OutageRow]]:
    count = len(links)
    start_ns = (day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400 * 10**9
    unknown = np.where(chance.random(count) < OFTEN, chance.integers(0, DAY_NS // 40, count), 0)
    down = np.where(chance.random(count) < SELDOM, chance.integers(0, 10**12, count), 0)
    slow = np.where(chance.random(count) < SELDOM, chance.integers(0, 10**12, count), 0)
    columns: dict[str, Any] = {name: np.zeros(count, np.int64) for name in ADDED}
    measured = DAY_NS - unknown
    columns |= {
        "service_ns": np.full(count, DAY_NS, np.int64),
        "judged_ns": np.full(count, DAY_NS, np.int64),
        "measured_ns": measured,
        "unknown_ns": unknown,
        "down_ns": down,
        "worst_ns": down + unknown,
        "good_ns": measured - down - slow,
        "bad_ns_link_down": down,
        "bad_ns_speed": slow,
        "deficit_mbps_us": down,
        "contract_mbps_us": measured,
        "minutes_good": 320 - down // (60 * 10**9),
        "minutes_bad_link_down": down // (60 * 10**9),
        "means": np.full(count, 138, np.int32),
        "samples": chance.integers(8600, 8641, count),
        "until_ns": np.full(count, start_ns + 86_400 * 10**9, np.int64),
        "p95_ratio": chance.random(count),
        "calendar_unknown": np.zeros(count, np.uint8),
    }
    outages = [
        OutageRow(
            link=links[at], day=day, start_ns=start_ns, end_ns=start_ns + int(down[at]),
            cost_ns=int(down[at]),
        )
        for at in np.flatnonzero(down).tolist()
    ]  # fmt: skip
    return columns, outages


def measure(folder: Path, schools: dict[str, School], links: int) -> dict[str, Any]:
    """The report of the whole city, and its CSV with every link."""
    blocks = SqliteBlockStore(folder / "blocks")
    desk = Desk(
        city="bench",
        schools=schools,
        rollups=Rollups(folder / "rollups"),
        seals=Seals(folder / "seals"),
        blocks=blocks,
        names={},
    )
    first, last = month_days(MONTH)
    asked = Asked(first=first, last=last)
    made = Made(by="bench", at_ns=0, version=version_of("tenone") or "0")
    begun, spent = time.perf_counter(), time.process_time()
    found = desk.sla(asked, made)
    text = json.dumps(found, ensure_ascii=False)
    seconds, spent = time.perf_counter() - begun, time.process_time() - spent
    begun = time.perf_counter()
    table = as_csv(desk.sla(asked, made, every_link=True))
    return {
        "bench": "report",
        "what": "month",
        "links": links,
        "link_days": sum(len(s.links) for s in schools.values()) * len(found["days"]),
        "groups": len(found["groups"]),
        "links_certified": found["groups"][0]["links_certified"],
        "report_seconds": round(seconds, 3),
        "report_cpu_seconds": round(spent, 3),
        "report_bytes": len(text),
        "csv_seconds": round(time.perf_counter() - begun, 3),
        "csv_lines": table.count("\r\n"),
        "machine": machine(),
    }
