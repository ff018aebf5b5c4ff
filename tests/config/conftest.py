"""A good city of two schools as plain values, and a way to write it down."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Values = dict[str, Any]

SCHOOL: Values = {
    "schema_version": 1,
    "school": {"id": "no3", "name": "第三中学", "district": "east", "city": "binhai"},
    "uplink": {"broker": {"host": "10.0.0.1"}},
    "switches": [
        {"name": "core", "host": "10.1.0.1", "snmp": {"community": "env:COMMUNITY"}},
        {"name": "floor-1", "host": "10.1.0.2", "snmp": {"community": "env:COMMUNITY"}},
    ],
    "links": [
        {"id": "uplink", "tier": "uplink", "switch": "core", "port": "XGigabitEthernet0/0/1"},
        {"id": "c301", "tier": "class", "switch": "floor-1", "port": "Gi0/1", "room": "r301"},
    ],
    "devices": [{"id": "board/b-301", "room": "r301", "name": "三年一班"}],
}
CITY: Values = {
    "schema_version": 1,
    "city": {"id": "binhai", "name": "Binhai"},
    "districts": [{"id": "east", "name": "East"}, {"id": "west", "name": "West"}],
    "schools": "schools",
    "broker": {"embedded": True},
}


@pytest.fixture
def school() -> Values:
    """A good school.yaml as values; the test may bend it."""
    return copy.deepcopy(SCHOOL)


@pytest.fixture
def city() -> Values:
    """A good city.yaml as values; the test may bend it."""
    return copy.deepcopy(CITY)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Values | str], Path]:
    """Write values (or text) to a file under the test's own directory."""

    def write_file(name: str, content: Values | str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write_file
