"""``tenone user key`` on real records: made, listed, disabled, removed, told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.store.records import SqlRecords
from controller.trust.keys.model import digest, parse
from controller.trust.keys.records import KeyRecords
from controller.trust.people.records import AccountRecords
from tenone.cli.main import build

APP = build(["user"])
CITY = """
schema_version: 1
city: {id: binhai, name: Binhai}
districts: [{id: east, name: East}]
schools:
  - schema_version: 1
    school: {id: no1, name: No. 1, district: east, city: binhai}
    uplink: {broker: {host: 127.0.0.1}}
broker: {embedded: true}
"""


@pytest.fixture
def city(tmp_path: Path) -> Path:
    path = tmp_path / "city.yaml"
    path.write_text(CITY)
    return path


def said(city: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(APP, ["user", "key", *words, "-c", str(city)])
    assert result.exit_code == code, result.output
    return result.output


def test_a_key_from_its_making_to_its_end(city: Path) -> None:
    assert "no key" in said(city, "list")
    made = said(city, "add", "Exam", "--grant", "viewer@binhai/east", "--days", "30")
    text = made.split()[-1]
    parsed = parse(text)
    assert parsed is not None
    listed = json.loads(said(city, "list", "--json"))
    assert (listed["id"], listed["state"]) == (parsed[0], "active")
    assert listed["grants"] == ["viewer@binhai/east"]
    assert parsed[1] not in said(city, "list")
    assert "disable it first" in said(city, "remove", parsed[0], code=1)
    said(city, "disable", parsed[0])
    assert "disabled" in said(city, "list")
    records = SqlRecords(f"sqlite:///{city.parent / 'records.db'}")
    records.start()
    kept = KeyRecords(records.engine).find(parsed[0])
    told = [(one.act, one.subject) for _, one in AccountRecords(records.engine).notes()]
    records.close()
    assert kept is not None
    assert kept.digest == digest(parsed[1])
    assert told == [("key.create", parsed[0]), ("key.disable", parsed[0])]
    said(city, "remove", parsed[0])
    assert "no key" in said(city, "list")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("add", "x", "--grant", "approver@"), 1, "for people"),
        (("add", "x", "--grant", "system-admin@"), 1, "for people"),
        (("add", "x", "--grant", "viewer@elsewhere"), 2, "no scope"),
        (("add", "x", "--grant", "king@"), 2, "use one of"),
        (("add", "x\n", "--grant", "viewer@"), 1, "printable"),
        (("disable", "nothing"), 1, "no key"),
        (("remove", "nothing"), 1, "no key"),
        (("add", "x", "--grant", "viewer@", "--days", "0"), 2, "greater than"),
        (("add", "x"), 2, "--grant"),
    ],
)
def test_refusals_are_said(city: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    assert sentence in said(city, *words, code=code)
