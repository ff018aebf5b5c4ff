"""``tenone incidents``: out as CSV, states of tickets back, into the timeline."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from controller.incidents.model import Act
from controller.incidents.tickets import Ticket, TicketRecords
from tenone.cli.main import build
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tests.controller.harness import write_city
from tests.incidents.house import Town

RUNNER = CliRunner()
SLOW: dict[str, Any] = {"speed_mbps": [100, 1000, 10_000]}


@pytest.fixture
async def incident(tmp_path: Path) -> str:
    """One open incident with a ticket, in the records of the city of ``config``."""
    (tmp_path / "city").mkdir()
    town = Town(tmp_path / "city", ManualClock(), Escalation.model_validate({}))
    town.born("no1", "no2")
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    (view,) = town.desk.views(ScopePath())
    await town.desk.act(view.id, Act.TICKETED, who="Li", version=None, text="t-1", level=0)
    ticket = Ticket(
        number="t-1",
        incident=view.id,
        school="no1",
        note="=1+1",
        made_ns=1,
        changed_ns=1,
        changed_by="Li",
    )
    TicketRecords(town.records.engine).put(ticket, was=None)
    town.close()
    return view.id


@pytest.fixture
def config(tmp_path: Path, incident: str) -> Path:
    folder = tmp_path / "made"
    path = write_city(folder, broker_port=1, http_port=2, schools=("no1",))
    path.write_text(f"{path.read_text()}records: {{url: 'sqlite:///{tmp_path}/city/records.db'}}\n")
    assert incident
    return path


def run(*arguments: str) -> Any:
    return RUNNER.invoke(build(["incidents"]), ["incidents", *arguments])


def test_out_and_states_back(tmp_path: Path, config: Path, incident: str) -> None:
    done = run("export", "-c", str(config))
    assert done.exit_code == 0, done.output
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["number"], row["incident"], row["cause"]) == ("t-1", incident, "speed")
    assert row["note"] == "'=1+1"  # no formula for a spreadsheet
    back = tmp_path / "back.csv"
    back.write_text("number,state,assignee\nt-1,in-progress,ACME\n,open,\nt-9,done,\n")
    done = run("import", "-c", str(config), "--by", "ITSM", str(back))
    assert (done.exit_code, done.stdout) == (1, "1 of 2 tickets changed\n")
    assert "ticket t-9 is unknown here" in done.stderr
    again = run("import", "-c", str(config), "--by", "ITSM", str(back))
    assert again.stdout == "0 of 2 tickets changed\n"
    to = tmp_path / "out.csv"
    assert run("export", "-c", str(config), "--to", str(to), "--days", "3").exit_code == 0
    (row,) = csv.DictReader(io.StringIO(to.read_text()))
    assert (row["state"], row["assignee"]) == ("in-progress", "ACME")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("state\nopen\n", "line 1: the column 'number' is missing"),
        ("number,state\nt-1,odd\n", "line 2: the state 'odd' is unknown"),
        ("number,state\nt-1,open\nt-1,done\n", "line 3: ticket t-1 stands here twice"),
    ],
)
def test_a_wrong_line_takes_nothing(tmp_path: Path, config: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    done = run("import", "-c", str(config), "--by", "ITSM", str(file))
    assert done.exit_code == 2
    assert said in done.stderr
