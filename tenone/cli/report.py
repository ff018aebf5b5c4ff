"""``tenone report``: what the promise came to, from the files of a controller."""

import getpass
import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from controller.evidence.desk import Asked, Desk, Made, ReportError
from controller.evidence.opening import open_desk
from controller.evidence.promises import Works
from controller.incidents.maintenance import Windows
from controller.incidents.records import IncidentRecords
from controller.incidents.repairs import repairs_of
from controller.plan import CityPlan, plan_of
from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from controller.store.rollups import month_days
from controller.trust.entries import LedgerError
from dashboards.reports.html import as_html
from dashboards.reports.pdf import as_pdf
from dashboards.reports.sla import Page, as_csv, as_page
from dashboards.reports.words import Lang
from tenone.cli._console import CityFile, configured
from tenone.cli._ledger import ledgered
from tenone.cli.bench_machine import version_of
from tenone.config import City, load_city

SHEETS = "tenone.cli.report_sheets"
FAILED = 1
BAD_ASKED = 2


class Format(StrEnum):
    """How a report is written."""

    PDF = "pdf"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


School = Annotated[str | None, typer.Option("--school", help="One school.")]
District = Annotated[str | None, typer.Option("--district", help="One district.")]
LinkId = Annotated[str | None, typer.Option("--link", help="One link, as SCHOOL/LINK.")]
From = Annotated[str | None, typer.Option("--from", help="First local day, YYYY-MM-DD.")]
To = Annotated[str | None, typer.Option("--to", help="Last local day; the same where left out.")]
Month = Annotated[str | None, typer.Option("--month", help="A local month, YYYY-MM.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How it is written.")]
Language = Annotated[Lang, typer.Option("--lang", help="The language of PDF and HTML.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="A file instead of stdout.")]
By = Annotated[str | None, typer.Option("--by", help="Who makes it; the signed-in user if not.")]


@dataclass(frozen=True, slots=True)
class Opened:
    """A controller's files."""

    city: City
    plan: CityPlan
    desk: Desk
    records: SqlRecords


def register(app: typer.Typer) -> None:
    """Add the commands."""
    report = typer.Typer(help="Reports from what a controller has kept.", no_args_is_help=True)
    report.callback()(_keep_command_names)
    report.command("sla")(sla)
    # These build on the options above, so they are found only now.
    for name in ("inspection", "indicators", "quality"):
        report.command(name)(getattr(importlib.import_module(SHEETS), name))
    app.add_typer(report, name="report")


def _keep_command_names() -> None:
    """Reports from what a controller has kept."""


def sla(  # noqa: PLR0917 - the command's options
    config: CityFile,
    school: School = None,
    district: District = None,
    link: LinkId = None,
    first: From = None,
    last: To = None,
    month: Month = None,
    written: FormatOption = Format.JSON,
    lang: Language = Lang.ZH,
    output: Output = None,
    by: By = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Also write what it can be verified from.")
    ] = None,
) -> None:
    """Availability, compliance and class-minutes of a month or any days, with their coverage."""
    first_day, last_day = period(first, last, month)
    if link is not None:
        school = link.partition("/")[0]

    def make(opened: Opened) -> None:
        asked = Asked(first=first_day, last=last_day, district=district, school=school, link=link)
        every = True if written is Format.CSV else None
        report = opened.desk.sla(asked, made_by(by), every_link=every)
        if evidence is not None:
            evidence.write_bytes(opened.desk.evidence(asked, report))
        match written:
            case Format.JSON:
                body = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
            case Format.CSV:
                body = "\ufeff" + as_csv(report)  # the mark tells spreadsheets that it is UTF-8
            case _:
                write_page(as_page(report, lang), lang, written, output)
                return
        write(body.encode(), output)

    scope = school or district or ""
    what = Ledgered("sla", scope, first_day, last_day, bundle=evidence is not None)
    told(config, what, make)


@dataclass(frozen=True, slots=True)
class Ledgered:
    """What the audit ledger is told before a report is made."""

    kind: str
    about: str
    first: date
    last: date
    bundle: bool = False
    """Its evidence leaves with it."""


def told(config: Path, what: Ledgered, make: Callable[[Opened], None]) -> None:
    """Make one report over a city's files; ends the command with a sentence where it cannot be."""
    try:
        opened = open_files(config)
        detail = {"kind": what.kind, "first": str(what.first), "last": str(what.last)}
        act = "evidence.export" if what.bundle else "report.make"
        ledgered(opened.city, act, subject=what.about, detail=detail)
        make(opened)
    except (ReportError, StoreError, LedgerError, OSError) as error:
        typer.echo(f"tenone report: {error}", err=True)
        raise typer.Exit(FAILED) from None


def period(first: str | None, last: str | None, month: str | None) -> tuple[date, date]:
    """The days that were asked for; ends the command with a sentence where they are none."""
    why = "name --month, or --from and --to, and not both"
    try:
        if month is not None and first is None and last is None:
            return month_days(month)
        if month is None and first is not None:
            begin = date.fromisoformat(first)
            end = begin if last is None else date.fromisoformat(last)
            if begin <= end:
                return begin, end
            why = f"{last} lies before {first}"
    except ValueError as error:
        why = str(error)
    typer.echo(
        f"tenone report: {why}; write --month 2026-09, or --from 2026-09-01 --to 2026-09-30",
        err=True,
    )
    raise typer.Exit(BAD_ASKED)


def open_files(config: Path) -> Opened:
    """The desk over a city's files; ends the command where the configuration is wrong."""
    city = configured(load_city, config)
    plan = plan_of(city)
    records = SqlRecords(city.records.url)
    now_ns = time.time_ns()
    works = _works(plan, records, now_ns)
    repairs = repairs_of(IncidentRecords(records.engine))
    desk = open_desk(Path(city.store.path), plan, records, now_ns, works=works, repairs=repairs)
    return Opened(city, plan, desk, records)


def _works(plan: CityPlan, records: SqlRecords, now_ns: int) -> Works:
    """What was announced, from the records of incidents."""
    windows = Windows(IncidentRecords(records.engine).load(now_ns).windows)
    scopes = {school.id: plan.scope_of(school) for school in plan.schools}
    return lambda link: windows.of_link(link, scopes[link.partition("/")[0]])


def made_by(by: str | None) -> Made:
    """Who makes a report, now, with this version."""
    return Made(
        by=by or getpass.getuser(), at_ns=time.time_ns(), version=version_of("tenone") or "0"
    )


def write_page(page: Page, lang: Lang, written: Format, output: Path | None) -> None:
    """HTML or PDF."""
    html = written is Format.HTML
    write(as_html(page, lang).encode() if html else as_pdf(page, lang), output)


def write(body: bytes, output: Path | None) -> None:
    """To a file, or to standard output."""
    if output is not None:
        output.write_bytes(body)
    else:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
