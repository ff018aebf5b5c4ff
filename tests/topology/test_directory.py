"""Which device a neighbour is: addresses decide, names only where nothing better was said."""

import pytest

from controller.topology.directory import Directory
from controller.topology.model import Heard, Identity

CORE, F1, BOARD = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:0b:01"


def directory(**told: str) -> Directory:
    """Switches core, f1, f2; ``f1="mac"`` is what one said of itself."""
    return Directory(
        {"core": "10.0.0.1", "f1": "10.0.0.2", "f2": "10.0.0.2"},
        {name: Identity(base_mac=mac) for name, mac in told.items()},
        {"core": [CORE]},
        {"b-11": "no1/board/b-11", "Board 11": "no1/board/b-11"},
    )


def heard(**said: str) -> Heard:
    return Heard(switch="x", port="G1", protocol="lldp", **said)  # type: ignore[arg-type] # texts only


@pytest.mark.parametrize(
    ("told", "said", "switch"),
    [
        ({"f1": F1}, {"mac": F1}, "f1"),
        ({"f1": F1}, {"chassis_id": F1}, "f1"),
        ({}, {"mac": CORE}, "core"),  # by the address of one of its ports
        ({"f1": F1, "f2": F1}, {"mac": F1}, None),  # two claim it
        ({}, {"address": "10.0.0.1"}, "core"),
        ({}, {"address": "10.0.0.2"}, None),  # asked at by two
        ({}, {"name": "F1"}, "f1"),
        ({"f1": F1}, {"name": "f1"}, None),  # f1 has told its address; this one has none
        ({}, {"name": "f1", "mac": BOARD}, None),  # another box of the same name
        ({}, {"name": "HUAWEI"}, None),
        ({}, {}, None),
    ],
)
def test_switch_of(told: dict[str, str], said: dict[str, str], switch: str | None) -> None:
    assert directory(**told).switch_of(heard(**said)) == switch


@pytest.mark.parametrize(
    ("said", "node"),
    [
        ({"mac": CORE}, "switch/core"),
        ({"name": "board 11", "mac": BOARD}, "device/no1/board/b-11"),
        ({"chassis_id": "b-11"}, "device/no1/board/b-11"),
        ({"mac": BOARD, "name": "HUAWEI"}, f"heard/{BOARD}"),
        ({"name": "HUAWEI"}, "heard/x/G1/HUAWEI"),
        ({}, "heard/x/G1/?"),
    ],
)
def test_node_of(said: dict[str, str], node: str) -> None:
    assert directory().node_of(heard(**said)) == node
