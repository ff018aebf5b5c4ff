"""Port keys, texts, hardware addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.ports import decode_text, mac_text, port_keys

Rows = list[tuple[int, str | None, str | None]]


@pytest.mark.parametrize(
    ("rows", "keys", "duplicates"),
    [
        ([(1, "g1", "GigabitEthernet 1"), (2, "g2", None)], ["g1", "g2"], set()),
        ([(1, None, "eth0"), (2, None, None)], ["eth0", "#2"], set()),
        ([(1, "a", "x"), (2, "a", "y"), (3, "b", "y")], ["a#1", "a#2", "b"], {1, 2}),
        ([(1, None, "board"), (2, None, "board")], ["board#1", "board#2"], {1, 2}),
        # A name that looks like another one's key.
        ([(2, "a", None), (3, "a", None), (9, "a#2", None)], ["#2", "a#3", "#9"], {2, 3, 9}),
    ],
)
def test_port_keys(rows: Rows, keys: list[str], duplicates: set[int]) -> None:
    assert port_keys(rows) == (keys, duplicates)


names = st.none() | st.sampled_from(["", "a", "b", "a#1", "a#2", "#1", "#2"])


@given(st.lists(st.tuples(names, names), max_size=8))
def test_keys_are_unique(rows: list[tuple[str | None, str | None]]) -> None:
    keys, _ = port_keys([(row, name, descr) for row, (name, descr) in enumerate(rows)])
    assert len(set(keys)) == len(keys)
    assert all(keys)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"GigabitEthernet0/0/1\0", "GigabitEthernet0/0/1"),
        (b"uplink  \r\n", "uplink"),
        ("三年二班".encode(), "三年二班"),
        ("三年二班".encode("gb18030"), "三年二班"),
        (b"caf\xe9", "caf\xe9"),
        (b"\xff\xfe", "\xff\xfe"),
        (b"", ""),
    ],
)
def test_texts(data: bytes, text: str) -> None:
    assert decode_text(data) == text


@given(st.binary(max_size=60))
def test_any_octets_are_some_text(data: bytes) -> None:
    decode_text(data).encode("utf-8", "replace")


def test_hardware_addresses() -> None:
    assert mac_text(bytes.fromhex("00e0fc123456")) == "00:e0:fc:12:34:56"
    assert mac_text(b"") is None
    assert mac_text(None) is None
    assert mac_text(5) is None
