"""``tenone approvals``: keys listed and rotated, written into the ledger first."""

import copy
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.trust.approval_signer import FILE_NAME, ApprovalSigner
from controller.trust.verify import rows_of
from tenone.cli._ledger import folder_of
from tenone.cli.main import build
from tenone.config import City, load_city
from tests.config.conftest import CITY, SCHOOL


@pytest.fixture
def config(tmp_path: Path) -> Path:
    values = {**copy.deepcopy(CITY), "schools": [copy.deepcopy(SCHOOL)]}
    (tmp_path / "city.yaml").write_text(json.dumps(values))
    return tmp_path / "city.yaml"


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(build(["approvals"]), ["approvals", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def keys_of(city: City) -> ApprovalSigner:
    return ApprovalSigner(city.store.path / "trust", city.id)


def test_rotated_beside_a_running_controller(config: Path) -> None:
    city = load_city(config)
    code, said = run("list", "-c", config)
    assert (code, "start the controller once" in said) == (1, True)
    running = keys_of(city)
    first = running.keys
    code, said = run("list", "-c", config)
    assert (code, "key set 1, since " in said) == (0, True)
    private = json.loads((city.store.path / "trust" / FILE_NAME).read_text())
    code, said = run("rotate", "-c", config)
    assert (code, "key set 2" in said) == (0, True)
    assert private["current"] not in said
    assert private["next"] not in said
    assert running.keys.number == 2, "the running one has noticed"
    assert running.keys.current == first.next
    told = running.announcement
    assert told is not None
    assert told.after(first) == running.keys
    (entry,) = [
        body
        for row in rows_of(folder_of(city))
        if (body := json.loads(row.body))["act"] == "approval.rotate-keys"
    ]
    assert entry["detail"] == {"number": 2}
    assert entry["actor"].startswith("console:")


def test_a_ledger_that_cannot_be_written(config: Path) -> None:
    city = load_city(config)
    keys_of(city)
    folder_of(city).write_text("in the way")
    code, said = run("rotate", "-c", config)
    assert (code, "nothing is changed" in said) == (1, True)
    assert keys_of(city).keys.number == 1
