"""Abuse case 17: names a spreadsheet would take for formulas, in every CSV the product writes."""

import csv
import io
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controller.csv_cells import cell, plain
from controller.incidents.model import Incident, Kind, Subject
from controller.incidents.tickets import Ticket, from_csv, to_csv
from controller.inventory.netbox import export, propose
from dashboards.reports.sheets import items_csv
from dashboards.reports.sla import CSV_COLUMNS, MINUTE_COLUMNS, as_csv
from tenone.config import load_city
from tenone.vocabulary.states import Cause, Severity
from tests.abuse.formulas import DANGEROUS, is_formula
from tests.controller.harness import write_city

ROOT = Path(__file__).parents[2]
WRITERS = {
    "controller/incidents/tickets.py",
    "controller/inventory/netbox.py",
    "dashboards/reports/sheets.py",
    "dashboards/reports/sla.py",
}
"""Every module that writes CSV, each with a test below or in its own file."""


def cells(text: str) -> list[str]:
    return [one for row in csv.reader(io.StringIO(text, newline="")) for one in row]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_dangerous_text_is_quoted_and_read_back(text: str) -> None:
    written = str(cell(text))
    assert written == f"'{text}"
    assert plain(written) == text


@pytest.mark.parametrize(
    "value",
    [-1, -1.5, 0, 10**9, None, True, "-12.5", "+3", "-1e-7", "GE1/0/1", "a=b", "", "'x", "'"],
)
def test_numbers_and_harmless_texts_are_not_spoilt(value: object) -> None:
    assert cell(value) == ("" if value is None else value)


@given(st.one_of(st.text(max_size=12), st.text("'=+-@\t\r\0\uff1d1.eE", max_size=8)))
def test_what_is_written_is_read_back_and_never_a_formula(text: str) -> None:
    written = str(cell(text))
    assert plain(written) == text
    assert not is_formula(written)


def test_every_module_that_writes_csv_quotes_its_cells() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in ("controller", "dashboards", "agents", "drivers", "tenone")
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
        and ("csv.writer(" in (text := path.read_text()) or "csv.DictWriter(" in text)
    }
    assert found == WRITERS
    for one in found:
        assert "import cell" in (ROOT / one).read_text(), one


def test_items_of_reports() -> None:
    """Assets, data quality, indicators: whatever a device says of itself."""
    items = [
        {
            "id": text,
            "made": {"vendor": text, text: "x"},
            "ports": [text, "GE1"],
            "celsius": -3.5,
            "text_number": "-3.5",
        }
        for text in DANGEROUS
    ]
    told = cells(items_csv(items))
    assert [one for one in told if is_formula(one)] == []
    assert told.count("-3.5") == 2 * len(DANGEROUS)


def test_tickets() -> None:
    incident = Incident(
        id="i-1",
        subject=Subject("-no1", Kind.LINK, "=c301"),
        cause=Cause.LINK_DOWN,
        severity=Severity.CRITICAL,
        began_ns=1,
        opened_ns=1,
    )
    for text in DANGEROUS:
        ticket = Ticket(
            number=text, incident="i-1", school="-no1", assignee=text, note=text,
            made_ns=0, changed_ns=0, changed_by="x",
        )  # fmt: skip
        written = to_csv([(ticket, incident), (None, incident)])
        assert [one for one in cells(written) if is_formula(one)] == []
        if text == text.strip():
            (back,) = from_csv(written)
            assert (back.number, back.assignee, back.note) == (text, text, text)


def test_the_inventory(tmp_path: Path) -> None:
    """Port names and names for people come from outside; ids are slugs, which may begin with -."""
    path = write_city(tmp_path / "city", broker_port=1, http_port=2, schools=("-no1",))
    for text in DANGEROUS:
        body = yaml.safe_load((tmp_path / "city/schools/-no1.yaml").read_text())
        if not text.isprintable() or text != text.strip():
            continue  # the configuration refuses control characters
        body["school"]["name"] = text
        body["links"][1]["port"] = text
        body["links"][1]["name"] = text
        other = tmp_path / "city/schools/-no1.yaml"
        other.write_text(yaml.safe_dump(body, allow_unicode=True))
        city = load_city(path)
        tables = export(city, city.schools)
        for table in tables.values():
            assert [one for one in cells(table) if is_formula(one)] == []
        made = propose(city, city.schools[0], tables["devices"], tables["interfaces"])
        assert (made.differences, made.notes) == ([], [])


def test_the_report_of_a_period() -> None:
    """Its cells pass the same function; the figures and formulas are in tests/reports."""
    report = {
        "about": {"class_minutes_clauses": ["=1"]},
        "repairs": {"links": {}},
        "links": [
            {
                **dict.fromkeys(CSV_COLUMNS, "=1+1"),
                "bad_time": {"=x": {"tenths": 5}},
                "class_minutes": dict.fromkeys(MINUTE_COLUMNS, -1),
                "link": "@x",
            }
        ],
    }
    told = cells(as_csv(report))
    assert [one for one in told if is_formula(one)] == []
    assert told.count("-1") == len(MINUTE_COLUMNS)
