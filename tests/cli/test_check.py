from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tenone.cli.main import build

SCHOOL = """\
schema_version: 1
school: {id: no3, name: 第三中学, district: east, city: binhai}
uplink: {broker: {host: 10.0.0.1}}
switches:
  - {name: core, host: 10.1.0.1, snmp: {community: "env:CHECK_TEST_COMMUNITY"}}
links:
  - {id: uplink, tier: uplink, switch: core, port: Te0/1}
  - {id: c301, tier: class, switch: core, port: Gi0/1, room: r301}
devices:
  - {id: board/b-301, room: r301}
"""
CITY = """\
schema_version: 1
city: {id: binhai, name: Binhai}
districts: [{id: east, name: East}]
schools: [school.yaml]
broker: {embedded: true}
"""
CALENDAR = """\
schema_version: 1
terms: [{name: autumn, first: 2026-09-01, last: 2027-01-22}]
bells: {day: {periods: [{name: "1", starts: "08:00", ends: "08:40"}]}}
weekdays: {monday: day}
"""


@pytest.fixture
def app() -> typer.Typer:
    return build(["check"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "school.yaml").write_text(SCHOOL, encoding="utf-8")
    (tmp_path / "city.yaml").write_text(CITY, encoding="utf-8")
    (tmp_path / "calendar.yaml").write_text(CALENDAR, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(SCHOOL.replace("tier: class", "tier: clas"))
    return tmp_path


def test_good_files_are_counted(app: typer.Typer, folder: Path) -> None:
    calendar = folder / "calendar.yaml"
    files = [str(folder / "school.yaml"), str(folder / "city.yaml"), str(calendar)]
    done = CliRunner().invoke(app, ["check", *files])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{folder}/school.yaml: OK, school no3: 1 switch, 2 links, 1 device",
        f"{folder}/city.yaml: OK, city binhai: 1 district, 1 school, 1 switch, 2 links, 1 device",
        f"{calendar}: OK, calendar: terms from 2026-09-01 to 2027-01-22, 1 taught weekdays",
    ]


def test_a_bad_file_fails_and_the_others_are_still_looked_at(
    app: typer.Typer, folder: Path
) -> None:
    files = [str(folder / name) for name in ("bad.yaml", "missing.yaml", "school.yaml")]
    done = CliRunner().invoke(app, ["check", *files])
    assert done.exit_code == 1
    bad, missing, good = done.stdout.splitlines()
    assert bad == (
        f"{folder}/bad.yaml:8: links[1].tier: 'clas' is not allowed here. "
        "Perhaps 'class' was meant; known here: uplink, class, backbone, wifi."
    )
    assert missing.startswith(f"{folder}/missing.yaml: the file cannot be read (No such file")
    assert "OK, school no3" in good


@pytest.mark.parametrize("name", ["school.yaml", "city.yaml"])
def test_secrets_are_fetched_when_asked_for(
    app: typer.Typer, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("CHECK_TEST_COMMUNITY", raising=False)
    arguments = ["check", "--secrets", str(folder / name)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert done.stdout == (
        f"{folder / name}: the environment variable CHECK_TEST_COMMUNITY is not set or empty: "
        "set it to the secret before starting.\n"
    )
    monkeypatch.setenv("CHECK_TEST_COMMUNITY", "canary-4471")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    assert "canary" not in done.output


def test_no_file_is_a_wrong_call(app: typer.Typer) -> None:
    assert CliRunner().invoke(app, ["check"]).exit_code == 2


def test_notes_about_secrets(app: typer.Typer, folder: Path) -> None:
    """They are said and refuse nothing: Docker and NFS show files as they like."""
    file, secret = folder / "school.yaml", folder / "community"
    secret.write_text("x")
    secret.chmod(0o644)
    file.write_text(SCHOOL.replace("env:CHECK_TEST_COMMUNITY", "file:community"))
    done = CliRunner().invoke(app, ["check", "--secrets", str(file)])
    assert done.exit_code == 0
    clear, readable = done.stderr.splitlines()
    assert "note: there is no 'vault'" in clear
    assert f"note: others may read the secret {secret}: if nothing else" in readable
    assert "OK, school no3" in done.stdout
    secret.chmod(0o600)
    file.write_text(file.read_text() + "vault: {path: v, key: 'file:community'}\n")
    done = CliRunner().invoke(app, ["check", "--secrets", str(file)])
    assert done.stderr == ""
