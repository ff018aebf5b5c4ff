"""``tenone configuration`` at a gateway."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.configuration_history import open_history
from tenone.cli.main import build
from tenone.config import load_school
from tenone.journal.disk import OsDisk

SCHOOL = """\
schema_version: 1
school: {id: no3, name: No. 3, district: d1, city: c1}
uplink: {broker: {host: city.example}}
switches:
  - name: core
    host: 192.0.2.1
    snmp: {community: 'env:X'}
    cli: {dialect: comware, username: tenone, password: 'env:X'}
  - {name: bare, host: 192.0.2.2, snmp: {community: 'env:X'}}
"""
CANARY = "canary-7341"
ONE = ("sysname core", f"snmp-agent community read cipher {CANARY}", "interface GE1/0/1")
TWO = (*ONE, " shutdown", "telnet server enable")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "school.yaml"
    file.write_text(SCHOOL)
    history = open_history(load_school(file), OsDisk())
    history.keep("core", ONE, at=1_700_000_000, why="first")
    history.keep("core", TWO, at=1_700_100_000, why="nightly")
    return file


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(build(["configuration"]), ["configuration", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def test_versions_differences_and_text_have_no_secrets(config: Path) -> None:
    code, listed = run("versions", "core", "-c", config)
    newest, oldest = listed.splitlines()
    assert code == 0
    assert newest.startswith("  ")
    assert newest.endswith("2023-11-16 10:00:00  nightly")
    assert oldest.startswith("* ")
    code, said = run("diff", "core", "-c", config)
    assert (code, said.splitlines()) == (
        1, ["@ interface GE1/0/1", "+ shutdown", "+ telnet server enable"],
    )  # fmt: skip
    assert run("diff", "core", "-c", config, "--version", oldest.split()[1]) == (0, "")
    code, shown = run("show", "core", "-c", config)
    assert "<secret:" in shown
    assert CANARY not in shown + said + listed


def test_a_version_is_restored_whole_into_a_file_of_ones_own(config: Path, tmp_path: Path) -> None:
    oldest = run("versions", "core", "-c", config)[1].splitlines()[1].split()[1]
    file = tmp_path / "core.cfg"
    code, said = run("restore", "core", "-c", config, "--to", file, "--version", oldest)
    assert (code, CANARY in said) == (0, False)
    assert tuple(file.read_text().splitlines()) == ONE
    assert file.stat().st_mode & 0o077 == 0


def test_rules_in_both_languages(config: Path) -> None:
    code, said = run("check", "core", "-c", config)
    assert code == 1
    assert "critical: Telnet is open" in said
    assert "Telnet，" in said
    assert "  telnet server enable" in said


@pytest.mark.parametrize(
    ("switch", "more", "code", "says"),
    [
        ("bare", [], 2, "there are: core"),
        ("core", ["--version", "zz"], 1, "names no version"),
        ("core", ["--version", "0" * 12], 1, "no version"),
    ],
)
def test_a_fault_is_one_sentence(
    config: Path, switch: str, more: list[str], code: int, says: str
) -> None:
    got, said = run("show", switch, "-c", config, *more)
    assert got == code
    assert says in said


def test_a_key_others_may_read_is_refused(config: Path) -> None:
    key = config.parent / "outbox" / "configuration-key"
    key.chmod(0o644)
    code, said = run("versions", "core", "-c", config)
    assert code == 1
    assert "chmod 600" in said
