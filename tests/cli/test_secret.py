"""``tenone secret``: values by standard input, nothing of them on any output."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.vault_watch import VaultWatch
from controller.trust.verify import rows_of
from tenone.cli.main import build
from tenone.config import load_school
from tenone.config.own_files import OWN_KEY
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import SystemClock
from tenone.trust.envelope import KeyKey
from tenone.trust.vault import Vault

CANARY = "canary-9c41"
SCHOOL = """\
schema_version: 1
school: {id: no3, name: No. 3, district: d1, city: c1}
uplink: {broker: {host: city.example, username: no3, password: 'vault:broker'}}
vault: {path: v, key: 'file:key'}
"""
CITY = """\
schema_version: 1
city: {id: c1, name: C}
districts: [{id: d1, name: D}]
schools: [school.yaml]
broker: {host: city.example}
http: {metrics_token: 'vault:metrics'}
vault: {path: v, key: 'file:key'}
"""
COMMAND = (sys.executable, "-m", "tenone.cli", "secret")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "school.yaml"
    file.write_text(SCHOOL)
    return file


def run(*arguments: str | Path, given: str = "") -> tuple[int, str]:
    """The command within this process: a process of its own costs half a second."""
    done = CliRunner().invoke(build(["secret"]), ["secret", *map(str, arguments)], input=given)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert CANARY not in done.output + done.stderr
    return done.exit_code, done.output


def revealed(config: Path) -> str:
    found = load_school(config).uplink.broker.password
    assert found is not None
    return found.reveal()


def test_a_life(config: Path, tmp_path: Path) -> None:
    assert run("init", "-c", config)[0] == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "v").stat().st_mode & 0o777 == 0o600
    code, said = run("check", "-c", config)
    assert (code, "broker: " in said) == (1, True)
    assert run("set", "broker", "-c", config, given=f"{CANARY}\n")[0] == 0
    assert revealed(config) == CANARY
    assert run("set", "broker", "--next", "-c", config, given=f"{CANARY}-two")[0] == 0
    assert "version 1 of 20" in run("list", "-c", config)[1]
    before = (tmp_path / "key").read_text()
    assert run("rotate-key", "-c", config)[0] == 0
    assert (tmp_path / "key").read_text() != before
    assert not (tmp_path / "key.next").exists()
    assert run("promote", "broker", "-c", config)[0] == 0
    assert revealed(config) == f"{CANARY}-two"
    code, said = run("check", "-c", config)
    assert (code, "OK, 2 values of 2 secrets open" in said) == (0, True)
    assert run("rotate-key", "-c", config, "--to", "file:other")[0] == 0
    config.write_text(SCHOOL.replace("file:key", "file:other"))
    assert revealed(config) == f"{CANARY}-two"
    assert run("remove", "broker", "-c", config)[0] == 0


def test_from_a_terminal(config: Path) -> None:
    run("init", "-c", config)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "set", "broker", "-c", str(config)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while process.poll() is None or b"current" not in shown:
        shown += os.read(ours, 1000)
        if shown.endswith(b": ") and shown.count(b": ") <= 2:
            os.write(ours, f"{CANARY}\n".encode())
        if b"version 1" in shown:
            break
    process.wait(10)
    os.close(ours)
    assert CANARY.encode() not in shown, "nothing typed is echoed"
    assert revealed(config) == CANARY


def test_what_is_refused(config: Path, tmp_path: Path) -> None:
    code, said = run("set", "broker", "-c", config, given=CANARY)
    assert (code, "key cannot be read" in said) == (1, True)
    run("init", "-c", config)
    for arguments, given, words in (
        (("init",), "", "already"),
        (("set", "A/b"), CANARY, "no name for a secret"),
        (("set", "broker"), "", "bytes long"),
        (("set", "broker", "--next"), CANARY, "could follow"),
        (("promote", "broker"), "", "no secret 'broker'"),
        (("rotate-key", "--to", CANARY), "", "must be a reference"),
    ):
        code, said = run(*arguments, "-c", config, given=given)
        assert (code, words in said) == (1, True), said
    assert run("set", "broker", CANARY, "-c", config)[0] == 1, "no value by the command line"
    config.write_text(SCHOOL.replace("vault: {", "valut: {"))
    code, said = run("list", "-c", config)
    assert (code, "there is no 'vault'" in said) == (2, True)
    config.write_text(SCHOOL.replace("file:key", CANARY))
    code, said = run("list", "-c", config)
    assert (code, "vault.key: a secret must be a reference" in said) == (2, True)
    config.write_text(SCHOOL.replace("path: v, ", ""))
    assert run("list", "-c", config)[0] == 2


def test_a_rotation_broken_off(config: Path, tmp_path: Path) -> None:
    """After each of its steps the next run of rotate-key ends the work, and no value is lost."""
    run("init", "-c", config)
    run("set", "broker", "-c", config, given=CANARY)
    fresh = KeyKey.fresh()
    (tmp_path / "key.next").write_text(fresh.text)  # broken off after the key was written
    code, said = run("rotate-key", "-c", config)
    assert (code, "chmod 600" in said) == (1, True), "it is not thrown away for its mode"
    (tmp_path / "key.next").chmod(0o600)
    assert run("rotate-key", "-c", config)[0] == 0
    assert revealed(config) == CANARY
    old = KeyKey.parse((tmp_path / "key").read_text())
    (tmp_path / "key.next").write_text(fresh.text)
    (tmp_path / "key.next").chmod(0o600)
    Vault.open(tmp_path / "v", old).rewrap(fresh)  # broken off before the key took its place
    assert "another key" in run("check", "-c", config)[1]
    assert run("rotate-key", "-c", config)[0] == 0
    assert revealed(config) == CANARY


def test_changes_of_a_citys_vault_stand_in_its_ledger_first(tmp_path: Path) -> None:
    city = tmp_path / "city.yaml"
    city.write_text(CITY)
    (tmp_path / "school.yaml").write_text(SCHOOL)
    run("init", "-c", city)
    run("set", "metrics", "-c", city, given=CANARY)
    assert not (tmp_path / "store").exists(), "a city that has not run has no ledger yet"
    (tmp_path / "store/ledger").mkdir(parents=True)
    run("set", "metrics", "--next", "-c", city, given=CANARY)
    run("promote", "metrics", "-c", city)
    run("rotate-key", "-c", city)
    run("remove", "metrics", "-c", city)
    kept = b"".join(
        one.read_bytes() for one in (tmp_path / "store/ledger").rglob("*") if one.is_file()
    )
    for act in ("next", "promote", "rotate-key", "remove"):
        assert f"secret.{act}".encode() in kept
    assert CANARY.encode() not in kept
    run("set", "metrics", "-c", city, given=CANARY)
    shutil.rmtree(tmp_path / "store/ledger")
    (tmp_path / "store/ledger").write_text("no folder")
    code, said = run("remove", "metrics", "-c", city)
    assert (code, "nothing is changed" in said) == (1, True), said
    assert "metrics" in run("list", "-c", city)[1]


def test_a_vault_that_was_put_back(config: Path, tmp_path: Path) -> None:
    """A gateway's agent remembers; the commands build nothing on an older state."""
    run("init", "-c", config)
    run("set", "broker", "-c", config, given=CANARY)
    old = (tmp_path / "v").read_bytes()
    run("set", "broker", "-c", config, given=f"{CANARY}-two")
    code, said = run("accept", "-c", config)
    assert (code, "as new as it is known to be" in said) == (1, True)
    agent = VaultWatch(load_school(config), clock=SystemClock(), disk=OsDisk())
    agent.look()
    assert agent.trouble == ""
    (tmp_path / "v").write_bytes(old)
    (tmp_path / "v").chmod(0o600)
    agent.look()
    assert "put back" in agent.trouble
    for arguments in (("set", "broker"), ("remove", "broker"), ("rotate-key",)):
        code, said = run(*arguments, "-c", config, given=CANARY)
        assert (code, "put back to an older state" in said) == (1, True), arguments
    assert (tmp_path / "v").read_bytes() == old
    assert run("accept", "-c", config)[0] == 0
    agent.look()
    assert agent.trouble == ""
    assert run("set", "broker", "-c", config, given=CANARY)[0] == 0


def test_tenones_own(config: Path) -> None:
    run("init", "-c", config)
    for arguments in (("set", OWN_KEY), ("remove", OWN_KEY), ("promote", OWN_KEY)):
        code, said = run(*arguments, "-c", config, given=CANARY)
        assert (code, "TenOne's own" in said) == (1, True), arguments
    assert run("seal", "-c", config)[0] == 0


def test_the_citys_ledger_knows_every_change(config: Path, tmp_path: Path) -> None:
    city = tmp_path / "city.yaml"
    city.write_text(CITY)
    (tmp_path / "store" / "ledger").mkdir(parents=True)
    run("init", "-c", city)
    run("set", "metrics", "-c", city, given=CANARY)
    old = (tmp_path / "v").read_bytes()
    run("set", "metrics", "-c", city, given=f"{CANARY}-two")
    found = [json.loads(row.body) for row in rows_of(tmp_path / "store" / "ledger")]
    seen = [one["detail"]["generation"] for one in found if one["act"] == "secret.seen"]
    assert seen == [2, 3, 4]
    (tmp_path / "v").write_bytes(old)
    code, said = run("set", "metrics", "-c", city, given=CANARY)
    assert (code, "change 3, and change 4 is known" in said) == (1, True)
    assert run("accept", "-c", city)[0] == 0
    assert run("rotate-key", "-c", city)[0] == 0
    assert config.exists()
