"""A gateway's vault that was put back to an older whole state is told."""

import copy
import json
from pathlib import Path

import pytest

from agents.vault_watch import VaultWatch
from tenone.config import School, load_school
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import ManualClock
from tenone.trust.envelope import KeyKey
from tenone.trust.files import write_whole
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault
from tenone.trust.vault_mark import FILE
from tests.config.conftest import SCHOOL


@pytest.fixture
def school(tmp_path: Path) -> School:
    values = copy.deepcopy(SCHOOL)
    values |= {"vault": {"path": "v", "key": "file:key"}, "outbox": {"path": "outbox"}}
    (tmp_path / "school.yaml").write_text(json.dumps(values))
    return load_school(tmp_path / "school.yaml")


def watch(school: School) -> VaultWatch:
    return VaultWatch(school, clock=ManualClock(), disk=OsDisk())


def test_put_back(school: School, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = KeyKey.fresh()
    write_whole(tmp_path / "key", key.text.encode())
    vault = Vault.create(tmp_path / "v", key)
    old = (tmp_path / "v").read_bytes()
    first = watch(school)
    first.look()
    vault.put("a", Secret("x"), now=0)
    first.look()
    assert first.trouble == ""
    (tmp_path / "v").write_bytes(old)
    first.look()
    assert "put back to an older state (change 1, and change 2 is known)" in first.trouble
    again = watch(school)
    again.look()
    assert again.trouble == first.trouble, "a restart forgets nothing"
    assert caplog.text.count("put back") == 2, "told once a process"
    Vault.open(tmp_path / "v", key).advance(2)
    again.look()
    assert again.trouble == ""
    (tmp_path / "outbox" / FILE).unlink()
    (tmp_path / "key").chmod(0o644)
    again.look()
    assert "chmod 600" in again.trouble


def test_without_one(school: School) -> None:
    found = watch(school.model_copy(update={"vault": None}))
    found.look()
    assert found.trouble == ""
