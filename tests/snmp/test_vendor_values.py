"""Values and indexes of vendor tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.ber import Missing, Value
from drivers.snmp.vendor_values import COLUMN_KINDS, INDEX_KINDS, read_index, read_value

MAC = (80, 111, 119, 234, 220, 160)


@pytest.mark.parametrize(
    ("kinds", "arcs", "parts"),
    [
        (["mac"], MAC, ["50:6f:77:ea:dc:a0"]),
        (["mac", "number"], (*MAC, 1), ["50:6f:77:ea:dc:a0", "1"]),
        (["mac"], MAC[:5], None),
        (["mac"], (*MAC, 1), None),
        (["mac"], (*MAC[:5], 256), None),
        (["text"], (6, 87, 73, 70, 73, 79, 71), ["WIFIOG"]),
        (["text"], (7, 87, 73, 70, 73, 79, 71), None),
        (["text"], (0,), None),
        (["port", "number"], (4194304000, 3), ["GPON 0/0/0", "3"]),
        (["port", "number"], (7, 3), ["#7", "3"]),
        (["zero"], (0,), ["0"]),
        (["zero"], (1,), None),
        (["number"], (), None),
    ],
)
def test_index(kinds: list[str], arcs: tuple[int, ...], parts: list[str] | None) -> None:
    assert read_index(kinds, arcs, {4194304000: "GPON 0/0/0"}) == parts


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("text", b" AP-1 \0", "AP-1"),
        ("text", b"", None),
        ("mac", b"\x50\x6f\x77\xea\xdc\xa0", "50:6f:77:ea:dc:a0"),
        ("mac", b"\x50", None),
        ("address", b"\x0a\x00\x00\x01", "10.0.0.1"),
        ("address", b"\0\0\0\0", None),
        ("count", 0, 0),
        ("count", -1, None),
        ("count", Missing.NO_SUCH_INSTANCE, None),
        ("gpon-serial", b"HWTC\x12\x34\xab\xcd", "HWTC1234ABCD"),
        ("gpon-serial", b"485754431234ABCD", "485754431234ABCD"),
        ("gpon-serial", 5, None),
        ("word", 1, "online"),
        ("word", 7, "7"),
        ("word", None, None),
        ("scaled", -2250, -22.5),
        ("scaled", 2147483647, None),
        ("scaled", b"x", None),
    ],
)
def test_value(kind: str, value: Value, read: object) -> None:
    said = read_value(kind, value, words={1: "online"}, scale=0.01, low=-60, high=10)
    assert said == (pytest.approx(read) if isinstance(read, float) else read)


@given(
    st.lists(st.sampled_from(sorted(INDEX_KINDS)), max_size=3),
    st.lists(st.integers(0, 2**32 - 1), max_size=12).map(tuple),
)
def test_any_index_is_read_or_refused(kinds: list[str], arcs: tuple[int, ...]) -> None:
    parts = read_index(kinds, arcs, {})
    assert parts is None or len(parts) == len(kinds)


@given(
    st.sampled_from(sorted(COLUMN_KINDS)),
    st.one_of(st.integers(-(2**31), 2**64), st.binary(max_size=40), st.none()),
)
def test_any_value_is_read_or_unknown(kind: str, value: Value) -> None:
    said = read_value(kind, value)
    assert said is None or isinstance(said, str | int | float)
