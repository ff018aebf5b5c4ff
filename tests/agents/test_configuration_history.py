"""Configurations kept by git, secrets apart."""

import copy
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from agents.configuration_history import (
    FOLDER,
    KEY_FILE,
    REPOSITORY,
    History,
    HistoryError,
    hash_of,
    open_history,
)
from tenone.config import load_school
from tenone.journal.disk import OsDisk
from tenone.trust.envelope import KeyKey
from tenone.trust.files import write_whole
from tenone.trust.sealed_files import is_sealed
from tenone.trust.vault import Vault
from tests.config.conftest import SCHOOL

CANARY = "CANARY-7341"
ONE = ("sysname core", f"enable secret 5 {CANARY}", "interface GE0/0/1", " shutdown")
TWO = ("sysname core", f"enable secret 5 {CANARY}b", "interface GE0/0/1")
KEY = KeyKey(bytes(range(32)))


def history(folder: Path, key: KeyKey = KEY) -> History:
    return History(folder / "configurations", key=key, disk=OsDisk())


def everything(folder: Path) -> bytes:
    """All that lies there, objects of git unpacked."""
    place = folder / "configurations" / REPOSITORY
    names = subprocess.run(
        ["git", "--git-dir", place, "cat-file", "--batch-all-objects", "--batch"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return names + b"".join(files)


def test_first_is_accepted_a_change_is_drift_and_accepting_ends_it(tmp_path: Path) -> None:
    kept = history(tmp_path)
    first = kept.keep("core", ONE, at=1000, why="nightly")
    assert first.hash == first.accepted
    again = kept.keep("core", ONE, at=2000, why="nightly")
    assert again == first
    changed = kept.keep("core", TWO, at=3000, why="nightly")
    assert changed.accepted == first.hash
    assert changed.hash != first.hash
    with pytest.raises(HistoryError, match="changed again"):
        kept.accept("core", first.hash)
    kept.accept("core", changed.hash)
    assert kept.keep("core", TWO, at=4000, why="nightly").accepted == changed.hash
    found = kept.versions("core")
    assert [(one.at, one.why, one.accepted) for one in found] == [
        (3000, "nightly", True),
        (1000, "nightly", False),
    ]


def test_a_change_of_ours_is_right_by_itself(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.keep("core", ONE, at=1, why="nightly")
    after = kept.keep("core", TWO, at=2, why="after a-1", accept=True)
    assert after.hash == after.accepted


def test_every_version_comes_back_whole_and_no_secret_lies_open(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.keep("core", ONE, at=1, why="nightly")
    kept.keep("core", TWO, at=2, why="nightly")
    again = history(tmp_path)
    newest, oldest = again.versions("core")
    assert again.restore("core", oldest.commit) == ONE
    assert again.restore("core", newest.commit[:12]) == TWO
    assert again.restore("core") == TWO
    assert CANARY not in "".join(again.lines("core"))
    assert CANARY.encode() not in everything(tmp_path)
    assert (tmp_path / "configurations").stat().st_mode & 0o077 == 0


def test_switches_are_apart(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.keep("core", ONE, at=1, why="nightly")
    kept.keep("floor-1", TWO, at=2, why="nightly")
    (other,) = kept.versions("floor-1")
    with pytest.raises(HistoryError, match="no version"):
        kept.lines("core", other.commit)
    assert kept.lines("floor-1") == kept.lines("floor-1", other.commit)
    assert hash_of(kept.lines("core")) != hash_of(kept.lines("floor-1"))


@pytest.mark.parametrize("commit", ["HEAD", "--help", "refs/heads/core", "zz", "0" * 7])
def test_what_names_no_version_is_refused(tmp_path: Path, commit: str) -> None:
    kept = history(tmp_path)
    kept.keep("core", ONE, at=1, why="nightly")
    with pytest.raises(HistoryError):
        kept.lines("core", commit)


def test_nothing_kept_another_key_and_no_git_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = history(tmp_path)
    assert kept.versions("core") == []
    with pytest.raises(HistoryError, match="nothing has been kept"):
        kept.lines("core")
    kept.keep("core", ONE, at=1, why="nightly")
    with pytest.raises(HistoryError, match="does not open"):
        history(tmp_path, KeyKey(bytes(range(1, 33)))).keep("core", TWO, at=2, why="x")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HistoryError, match="git is not installed"):
        kept.keep("core", TWO, at=2, why="x")


def test_nobody_elses_settings_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    hook = tmp_path / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hook.parent}\n[commit]\n\tgpgSign = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert history(tmp_path).keep("core", ONE, at=1, why="nightly").hash


def test_a_cut_between_secrets_and_commit_loses_nothing(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.keep("core", ONE, at=1, why="nightly")
    held = tmp_path / "held"
    shutil.copytree(tmp_path / "configurations" / REPOSITORY, held)
    kept.keep("core", TWO, at=2, why="nightly")
    shutil.rmtree(tmp_path / "configurations" / REPOSITORY)
    held.rename(tmp_path / "configurations" / REPOSITORY)
    again = history(tmp_path)
    assert again.restore("core") == ONE
    again.keep("core", TWO, at=3, why="nightly")
    assert again.restore("core") == TWO


def test_under_a_vault_it_outlives_the_vaults_key(tmp_path: Path) -> None:
    """As it was before there was a key of its own: what the vault's key sealed is taken over."""
    values = copy.deepcopy(SCHOOL) | {"outbox": {"path": "o"}}
    values |= {"vault": {"path": "v", "key": "file:key"}}
    (tmp_path / "school.yaml").write_text(json.dumps(values))
    school, first = load_school(tmp_path / "school.yaml"), KeyKey.fresh()
    write_whole(tmp_path / "key", first.text.encode())
    Vault.create(tmp_path / "v", first)
    (tmp_path / "o").mkdir()
    lines = ["snmp-agent community read cipher canary-of-a-switch"]
    old = History(tmp_path / "o" / FOLDER, key=first, disk=OsDisk())
    hidden = old.keep("core", lines, at=1, why="found").lines
    found = open_history(school, OsDisk())
    assert found.restore("core") == tuple(lines)
    assert is_sealed((tmp_path / "o" / KEY_FILE).read_bytes())
    fresh = KeyKey.fresh()
    vault = Vault.open(tmp_path / "v", first)
    vault.rewrap(fresh)
    write_whole(tmp_path / "key", fresh.text.encode())
    again = open_history(school, OsDisk())
    assert again.restore("core") == tuple(lines)
    assert again.keep("core", lines, at=2, why="found").lines == hidden, "no change is seen"
