import copy
import json
from pathlib import Path
from typing import Any

import pytest

from controller.trust.starts import FILE, keep, start_entry
from tenone.config import load_city
from tests.config.conftest import CITY, SCHOOL


def write(folder: Path, city: dict[str, Any], *schools: dict[str, Any]) -> Path:
    (folder / "city.yaml").write_text(json.dumps({**city, "schools": list(schools)}))
    return folder / "city.yaml"


@pytest.fixture
def city() -> dict[str, Any]:
    return copy.deepcopy(CITY)


@pytest.fixture
def school() -> dict[str, Any]:
    return copy.deepcopy(SCHOOL)


def changed(folder: Path, file: Path) -> str | None:
    entry, digests = start_entry(load_city(file), folder, "1.0")
    keep(folder, digests)
    found = entry.detail.get("changed")
    assert found is None or isinstance(found, str)
    return found


def test_what_is_new_since_the_last_start(
    tmp_path: Path, city: dict[str, Any], school: dict[str, Any]
) -> None:
    assert changed(tmp_path, write(tmp_path, city, school)) is None  # the first start ever
    assert changed(tmp_path, write(tmp_path, city, school)) == ""
    city["http"] = {"port": 8020}
    city["trust"] = {"ledger": {"retention_days": 200}}
    assert (
        changed(tmp_path, write(tmp_path, city, school)) == "http.port trust.ledger.retention_days"
    )
    school["switches"][0]["snmp"]["community"] = "env:OTHER"
    other = copy.deepcopy(school)
    other["school"]["id"] = "no4"
    found = changed(tmp_path, write(tmp_path, city, school, other))
    assert found is not None
    keys = found.split()
    assert "schools.no3.switches" in keys
    assert "schools.no3.links" not in keys
    assert {"schools.no4.links", "schools.no4.school"} <= set(keys)


def test_no_value_is_told(tmp_path: Path, city: dict[str, Any], school: dict[str, Any]) -> None:
    school["switches"][0]["snmp"]["community"] = "env:CANARY_NAME"
    changed(tmp_path, write(tmp_path, city, school))
    city["city"]["name"] = "Canary City"
    entry, _ = start_entry(load_city(write(tmp_path, city, school)), tmp_path, "1.0")
    assert entry.detail["changed"] == "city.name"
    assert "anary" not in repr(entry)
    assert "CANARY" not in (tmp_path / FILE).read_text()


def test_a_damaged_memory_is_no_memory(
    tmp_path: Path, city: dict[str, Any], school: dict[str, Any]
) -> None:
    (tmp_path / FILE).write_text("{")
    assert changed(tmp_path, write(tmp_path, city, school)) is None
    assert changed(tmp_path, write(tmp_path, city, school)) == ""
