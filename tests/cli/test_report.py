"""``tenone report`` and ``tenone verify`` over the files of a controller."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from controller.evidence.promises import read_schools
from controller.evidence.room import FOLDER
from controller.incidents.model import Incident, State, Subject
from controller.incidents.records import IncidentRecords
from controller.plan import plan_of
from controller.store.protocols import NS
from controller.store.records import SqlRecords
from tenone.cli.main import build
from tenone.config import load_city
from tenone.vocabulary.states import Cause, Severity
from tests.controller.harness import write_city
from tests.evidence.world import DAY, SPAN, World, random_morning

APP = build(["report", "verify"])


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city.yaml whose controller ran for a day; reports only read its files."""
    tmp_path = tmp_path_factory.mktemp("city")
    path = write_city(tmp_path / "city", broker_port=1, http_port=8010, schools=["no1"])
    with path.open("a") as file:
        file.write(f"store: {{path: {tmp_path}/store}}\n")
        file.write(f"records: {{url: 'sqlite:///{tmp_path}/records.db'}}\n")
    config = load_city(path)
    plan = plan_of(config)
    records = SqlRecords(config.records.url)
    records.start()
    records.load(plan, SPAN.start_ns - 3 * 86_400 * NS)
    school = read_schools(records.engine, plan)["no1"]
    records.close()
    world = World(tmp_path / "store", school=school, evidence=FOLDER)
    world.commit(random_morning(world, 5))
    world.settle(SPAN.end_ns)
    world.close()
    return path


def run(*argv: str) -> Result:
    return CliRunner().invoke(APP, list(argv))


def sla(city: Path, *argv: str) -> Result:
    return run("report", "sla", "-c", str(city), "--from", DAY.isoformat(), *argv)


def test_json_csv_html_and_pdf(city: Path, tmp_path: Path) -> None:
    answer = sla(city, "--by", "张三")
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert report["made"]["by"] == "张三"
    assert {line["link"] for line in report["links"]} == {"no1/up", "no1/c301", "no1/c302"}
    answer = sla(city, "--format", "csv", "--month", "2026-09")
    assert answer.exit_code == 2
    answer = run("report", "sla", "-c", str(city), "--month", "2026-09", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.stdout.removeprefix("\ufeff"))))
    assert [row["link"] for row in rows] == ["no1/c301", "no1/c302", "no1/up"]
    assert rows[0]["refusal"] == "coverage"
    assert rows[0]["class_minutes_clauses"] == "link"
    assert (rows[0]["incidents"], rows[0]["mtta_seconds"]) == ("0", "")
    english = sla(city, "--format", "html", "--lang", "en").stdout
    assert "link clause only" in english
    assert "neither stands for the other" in english
    page = sla(city, "--format", "html", "--school", "no1")
    assert "仅链路条款" in page.stdout
    assert "不可互相替代" in page.stdout
    assert "网络服务水平报告" in page.stdout
    assert "不予认证" in page.stdout
    paper = tmp_path / "a.pdf"
    assert sla(city, "--format", "pdf", "-o", str(paper)).exit_code == 0
    assert paper.read_bytes().startswith(b"%PDF-")


def test_what_is_written_can_be_verified_elsewhere(city: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "a.evidence"
    assert sla(city, "--school", "no1", "--evidence", str(bundle)).exit_code == 0
    answer = run("verify", str(bundle))
    assert answer.exit_code == 0, answer.output
    assert "EQUAL" in answer.stdout
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 4
    bundle.write_bytes(bytes(data))
    answer = run("verify", str(bundle), "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["faults"]
    assert run("verify", str(tmp_path / "none")).exit_code == 2


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--school", "no9"), "check the id"),
        (("--to", "2026-09-01"), "lies before"),
        (("--evidence", "x"), "of one school"),
        (("--from", "yesterday"), "--month 2026-09"),
    ],
)
def test_what_cannot_be_made_is_said(city: Path, argv: tuple[str, ...], sentence: str) -> None:
    answer = sla(city, *argv)
    assert answer.exit_code in {1, 2}
    assert sentence in answer.stderr


def test_sheets_indicators_and_quality(city: Path, tmp_path: Path) -> None:
    day = ("-c", str(city), "--from", DAY.isoformat())
    sheet = json.loads(
        run("report", "inspection", *day, "--school", "no1", "--format", "json").stdout
    )
    items = {one["code"]: one for one in sheet["items"]}
    assert items["class-speed"]["of"] == 2
    assert not items["coverage"]["ok"]
    assert items["silent"]["value"] == 0
    big = run(
        "report", "inspection", *day, "--school", "no1", "--size", "semester", "--format", "html"
    )
    assert "每学期大检查" in big.stdout
    assert "分管领导" in big.stdout, "a line to sign"
    paper = tmp_path / "sheet.pdf"
    assert run("report", "inspection", *day, "--school", "no1", "-o", str(paper)).exit_code == 0
    assert paper.read_bytes().startswith(b"%PDF-")
    items = json.loads(run("report", "indicators", *day).stdout)["items"]
    assert [one["scope"] for one in items] == ["binhai", "binhai/east"]
    assert items[0]["schools_10g"]["total"] == 1
    assert items[0]["classes_1g"]["total"] == 2
    rows = run("report", "quality", *day, "--format", "csv").stdout
    assert "completeness_ratio" in rows
    assert "no1,east" in rows


def test_what_people_did_is_told_from_the_records(city: Path) -> None:
    """Incidents of the day in the records come out as MTTA; the bundle still verifies."""
    config = load_city(city)
    records = SqlRecords(config.records.url)
    records.start()
    began = SPAN.start_ns + 7 * 3600 * NS + 1800 * NS
    made = Incident(
        id="no1-1",
        subject=Subject.link("no1/c301"),
        cause=Cause.LINK_DOWN,
        severity=Severity.CRITICAL,
        state=State.RESOLVED,
        began_ns=began,
        opened_ns=began + 10 * NS,
        alarmed_ns=began + 10 * NS,
        acknowledged_ns=began + 70 * NS,
        acknowledged_level=0,
        clearing_ns=began + 300 * NS,
        resolved_ns=began + 330 * NS,
        level=0,
    )
    incidents = IncidentRecords(records.engine)
    incidents.write([(made, None, "east")], [])
    report = json.loads(sla(city, "--school", "no1").stdout)
    assert report["repairs"]["groups"][0]["mtta_seconds"] == 60.0
    assert report["repairs"]["levels"][0]["level"] == "school"
    answer = run(
        "report", "sla", "-c", str(city), "--from", DAY.isoformat(), "--format", "csv",
    )  # fmt: skip
    rows = {r["link"]: r for r in csv.DictReader(io.StringIO(answer.stdout.removeprefix("\ufeff")))}
    assert (rows["no1/c301"]["incidents"], rows["no1/c301"]["fix_seconds"]) == ("1", "230.0")
    assert rows["no1/up"]["incidents"] == "0"
    english = sla(city, "--format", "html", "--lang", "en").stdout
    assert "0:01:00 (1/1)" in english
    assert "in no signed block" in english
    records.close()
