import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.trust.book import Book
from controller.trust.chain import Told
from controller.trust.entries import Entry, Outcome
from controller.trust.heads import line_of
from controller.trust.segment import segments
from controller.trust.witnesses import FILE
from tenone.cli.main import build
from tests.trust.witnessed import cut_off

RUN = CliRunner()
CITY = """
schema_version: 1
city: {id: binhai, name: Binhai}
districts: [{id: east, name: East}]
schools:
  - school: {id: no3, name: No 3, district: east, city: binhai}
    uplink: {broker: {host: 10.0.0.1}}
    switches: [{name: core, host: 10.1.0.1, snmp: {community: "env:C"}}]
    links: [{id: uplink, tier: uplink, switch: core, port: "1"}]
broker: {host: 127.0.0.1}
trust: {anchors: [{file: anchors.jsonl}]}
"""
AT_NS = round(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A city.yaml whose ledger has a few entries, and an anchor of the newest."""
    file = tmp_path / "city.yaml"
    file.write_text(CITY, encoding="utf-8")
    book = Book(tmp_path / "store/ledger", city="binhai", boot="b")
    entries = [
        Entry(act="session.open", actor="account:li", scope="binhai/east"),
        Entry(act="session.refuse", actor="account:mo\x1b]0;x\n", outcome=Outcome.REFUSED),
        Entry(act="personal.read", actor="account:li", scope="binhai/east/no3"),
    ]
    head = book.append([Told(entry, AT_NS + n, n) for n, entry in enumerate(entries)])
    book.close()
    line = line_of(head, AT_NS, "binhai")
    (tmp_path / "anchors.jsonl").write_text(f"{line}\n", encoding="utf-8")
    return file


def run(*words: str) -> tuple[int, str]:
    result = RUN.invoke(build(["audit"]), ["audit", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_a_whole_ledger(city: Path) -> None:
    code, said = run("verify", "-c", str(city))
    assert code == 0
    assert said.startswith("WHOLE: 4 entries")
    assert "1 anchors fit" in said
    code, said = run("verify", str(city.parent / "store/ledger"), "--json")
    assert code == 0
    assert json.loads(said)["whole"] is True


def test_a_cut_off_one(city: Path) -> None:
    for file in segments(city.parent / "store/ledger"):
        file.unlink()
    (city.parent / "store/ledger").rmdir()
    run("report", "-c", str(city), "--year", "2026")  # begins another ledger
    code, said = run("verify", "-c", str(city))
    assert code == 1
    assert "begun anew" in said


def test_listed_and_counted_and_both_ledgered(city: Path) -> None:
    code, said = run("list", "-c", str(city), "--actor", "account:li", "--json")
    assert code == 0
    acts = [json.loads(line)["act"] for line in said.splitlines()]
    assert acts == ["personal.read", "session.open"]
    code, said = run("list", "-c", str(city), "--scope", "binhai/east/no3")
    assert [line.split()[2] for line in said.splitlines()] == ['"audit.read"', '"personal.read"']
    code, said = run("list", "-c", str(city), "--act", "session", "--until", "2026-04-01")
    assert len(said.splitlines()) == 2
    assert "\x1b" not in said
    code, said = run("report", "-c", str(city), "--year", "2026", "--json")
    body = json.loads(said)
    assert body["personal_reads"] == {"done": 1}
    assert body["acts"]["session.refuse"] == {"refused": 1}
    code, said = run("list", "-c", str(city), "--act", "audit")
    assert [line.split()[2] for line in said.splitlines()] == [
        '"audit.read"',
        '"audit.report"',
        '"audit.read"',
        '"audit.read"',
        '"audit.read"',
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify"], "name the ledger's folder"),
        (["verify", "/nowhere/at/all"], "nothing at"),
        (["verify", "{store}", "--anchors", "{city}"], "line 2: this is no anchored head"),
        (["list", "-c", "{city}", "--since", "yesterday"], "is no moment"),
        (["list", "-c", "/nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_bad_input(city: Path, words: list[str], says: str) -> None:
    places = {"city": str(city), "store": str(city.parent / "store/ledger")}
    code, said = run(*(word.format(**places) for word in words))
    assert code == 2
    assert says in said


def test_a_restore_is_admitted(city: Path) -> None:
    line = json.loads((city.parent / "anchors.jsonl").read_text())
    (city.parent / "store" / FILE).write_text(
        json.dumps({**line, "algorithm": "sha256", "school": "no3"})
    )
    code, said = run("admit", "-c", str(city), "--reason", "disk died")
    assert (code, "nothing to admit" in said) == (1, True)
    cut_off(city.parent / "store/ledger", 3)
    code, said = run("verify", "-c", str(city), "--witnesses")
    assert (code, said[:4]) == (1, "BAD:")
    assert run("admit", "-c", str(city), "--reason", " ")[0] == 1
    code, said = run("admit", "-c", str(city), "--reason", "disk died")
    assert code == 0, said
    assert "from entry 1 on" in said
    code, said = run("verify", "-c", str(city), "--witnesses")
    assert code == 0, said
    assert 'entry 3 admits that this is not what it was from entry 1 on: "disk died"' in said
    assert "2 heads that were seen before then, up to entry 4, are not of it" in said
    code, said = run("verify", "-c", str(city), "--json")
    assert json.loads(said)["whole"] is True


def test_another_ledger_is_admitted_from_its_beginning(city: Path) -> None:
    head = {"ledger": "0f" * 16, "seq": 9, "hash": "00" * 32, "at_ns": 1}
    (city.parent / "anchors.jsonl").write_text(json.dumps(head))
    assert run("verify", "-c", str(city))[0] == 1
    assert "from entry 1 on" in run("admit", "-c", str(city), "--reason", "no backup")[1]
    assert run("verify", "-c", str(city))[0] == 0


def test_no_school_has_said_anything(city: Path) -> None:
    code, said = run("verify", "-c", str(city), "--witnesses")
    assert (code, "no school has said yet" in said) == (2, True)
    assert run("verify", str(city.parent / "store/ledger"), "--witnesses")[0] == 2
