import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.journal.records import MAGIC, RecordKind, encode, read_at, scan

BODIES = st.lists(st.binary(max_size=60), max_size=8)


@given(bodies=BODIES, torn=st.binary(max_size=40))
def test_every_whole_record_is_read_and_a_torn_end_is_not(bodies: list[bytes], torn: bytes) -> None:
    whole = b"".join(encode(RecordKind.BLOCK, body) for body in bodies)
    tail = encode(RecordKind.BLOCK, torn + b"x")[:-1]
    found = list(scan(whole + tail))
    assert [record.body for record in found] == bodies
    assert not any(record.after_damage for record in found)


@given(bodies=st.lists(st.binary(min_size=1, max_size=60), min_size=3, max_size=6), at=st.data())
def test_one_flipped_bit_costs_one_record(bodies: list[bytes], at: st.DataObject) -> None:
    records = [encode(RecordKind.BLOCK, body) for body in bodies]
    victim = at.draw(st.integers(0, len(records) - 2))
    data = bytearray(b"".join(records))
    start = sum(len(record) for record in records[:victim])
    bit = at.draw(st.integers(0, len(records[victim]) * 8 - 1))
    data[start + bit // 8] ^= 1 << bit % 8
    if any(MAGIC in body for body in bodies):
        return
    found = list(scan(bytes(data)))
    assert [record.body for record in found] == bodies[:victim] + bodies[victim + 1 :]
    assert found[victim].after_damage


@given(data=st.binary(max_size=200))
def test_rubbish_is_no_record_and_no_crash(data: bytes) -> None:
    assert all(read_at(data, record.offset) for record in scan(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"T1JR",
        encode(RecordKind.BLOCK, b"abc")[:-1],
        encode(RecordKind.BLOCK, b"abc").replace(b"abc", b"abd"),
        b"T1JR\xff\xff\xff\xff" + bytes(9),
    ],
)
def test_what_is_not_a_record(data: bytes) -> None:
    assert read_at(data, 0) is None
