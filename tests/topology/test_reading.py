"""Rows of blocks as values."""

import pytest

from controller.topology.reading import (
    Row,
    facts_of,
    heard_of,
    identity_of,
    ports_known,
    stations_of,
)


def test_unknown_stays_unknown() -> None:
    assert identity_of({"own_serial": "", "own_base_mac": None}).macs == frozenset()
    heard = heard_of("sw1", {"neighbour_port": "G1", "neighbour_protocol": "lldp"})
    assert (heard.mac, heard.name, heard.capabilities) == (None, None, None)
    assert heard.words == "?"
    assert heard.is_network


@pytest.mark.parametrize(
    ("said", "network"),
    [("bridge router", True), ("station-only", False), ("", True), (None, True)],
)
def test_capabilities(said: str | None, network: bool) -> None:
    row: Row = {"neighbour_port": "G1", "neighbour_capabilities": said}
    assert heard_of("sw1", row).is_network is network


def test_an_address_on_two_ports_of_one_switch_is_on_neither() -> None:
    rows: list[Row] = [
        {"station_mac": "a", "station_port": "G1"},
        {"station_mac": "a", "station_port": "G2"},
        {"station_mac": "b", "station_port": "G1"},
        {"station_mac": "c", "station_port": None},
    ]
    assert stations_of(rows) == {"b": "G1"}


def test_ports() -> None:
    rows: dict[str, Row] = {
        "G1": {"if_index": 1, "if_descr": "first", "mac": "02:00:00:00:00:01"},
        "G2": {"if_index": 2, "if_descr": "twice", "mac": "00:00:00:00:00:00"},
        "G3": {"if_index": 3, "if_descr": "twice"},
    }
    ports = ports_known([facts_of(key, row) for key, row in rows.items()])
    assert ports.keys == {"G1", "G2", "G3"}
    assert ports.key_of("first") == "G1"
    assert ports.key_of("twice") is None
    assert ports.macs == {"02:00:00:00:00:01"}
