"""``tenone report inspection|indicators|quality``: sheets to sign, shares over time, the data."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from controller.evidence.desk import Asked
from dashboards.reports.sheets import indicators_page, inspection_page, items_csv, quality_page
from dashboards.reports.sla import Page
from dashboards.reports.words import Lang
from tenone.cli._console import CityFile
from tenone.cli.report import (
    By,
    District,
    Format,
    FormatOption,
    From,
    Language,
    Ledgered,
    Month,
    Opened,
    Output,
    School,
    To,
    made_by,
    period,
    told,
    write,
    write_page,
)

Json = Mapping[str, Any]


class Size(StrEnum):
    """Which inspection."""

    WEEKLY = "weekly"
    SEMESTER = "semester"


def inspection(  # noqa: PLR0917 - the command's options
    config: CityFile,
    school: Annotated[str, typer.Option("--school", help="Which school.")],
    size: Annotated[
        Size, typer.Option("--size", help="The small one, or the big one.")
    ] = Size.WEEKLY,
    first: From = None,
    last: To = None,
    month: Month = None,
    written: FormatOption = Format.PDF,
    lang: Language = Lang.ZH,
    output: Output = None,
    by: By = None,
) -> None:
    """A school's sheet filled from evidence, with empty lines for people to sign."""
    asked = _asked(first, last, month, school=school)

    def make(opened: Opened) -> None:
        sheet = opened.desk.inspection(asked, made_by(by), size.value)
        _write(sheet, sheet["items"], inspection_page(sheet, lang), written, lang, output)

    told(config, Ledgered("inspection", school, asked.first, asked.last), make)


def indicators(  # noqa: PLR0917 - the command's options
    config: CityFile,
    district: District = None,
    first: From = None,
    last: To = None,
    month: Month = None,
    written: FormatOption = Format.JSON,
    lang: Language = Lang.ZH,
    output: Output = None,
) -> None:
    """The share of schools at 10G and of classes at 1G, by day, city and district."""
    asked = _asked(first, last, month, district=district)

    def make(opened: Opened) -> None:
        items = opened.desk.indicators(asked)
        _write({"items": items}, items, indicators_page(items, lang), written, lang, output)

    told(config, Ledgered("indicators", district or "", asked.first, asked.last), make)


def quality(  # noqa: PLR0917 - the command's options
    config: CityFile,
    school: School = None,
    district: District = None,
    first: From = None,
    last: To = None,
    month: Month = None,
    written: FormatOption = Format.JSON,
    lang: Language = Lang.ZH,
    output: Output = None,
) -> None:
    """Completeness, lateness, clock skew and silent links by school, the worst first."""
    asked = _asked(first, last, month, district=district, school=school)

    def make(opened: Opened) -> None:
        items = opened.desk.quality(asked, {})
        _write({"items": items}, items, quality_page(items, lang), written, lang, output)

    told(config, Ledgered("quality", school or district or "", asked.first, asked.last), make)


def _asked(
    first: str | None, last: str | None, month: str | None, *,
    district: str | None = None, school: str | None = None,
) -> Asked:  # fmt: skip
    """The last week where no days are named."""
    if first is None and month is None:
        today = date.today()  # noqa: DTZ011 - whoever types means the days of the wall calendar
        begin, end = today - timedelta(days=7), today
    else:
        begin, end = period(first, last, month)
    return Asked(first=begin, last=end, district=district, school=school)


def _write(  # noqa: PLR0917 - one document in each of its forms
    whole: Json, items: Sequence[Json], page: Page, written: Format, lang: Lang,
    output: Path | None,
) -> None:  # fmt: skip
    match written:
        case Format.JSON:
            write((json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode(), output)
        case Format.CSV:
            write(("\ufeff" + items_csv(items)).encode(), output)
        case _:
            write_page(page, lang, written, output)
