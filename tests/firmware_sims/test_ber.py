from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ as untyped_univ
from pysnmp.proto import rfc1902 as untyped_rfc1902

from firmware_sims.switch import ber

univ: Any = untyped_univ
rfc1902: Any = untyped_rfc1902

arcs = st.tuples(
    st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**32 - 1), max_size=30)
).map(lambda parts: (parts[0], parts[1], *parts[2]))


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_are_read_by_pyasn1_and_as_short_as_can_be(value: int) -> None:
    # pyasn1 itself writes -128 in two octets, X.690 8.3.2 allows one.
    encoded = ber.integer(value)
    assert decoder.decode(encoded) == (univ.Integer(value), b"")
    assert len(encoded) <= len(encoder.encode(univ.Integer(value)))
    assert len(encoded) == 3 or encoded[2:3] + bytes([encoded[3] & 0x80]) not in {
        b"\x00\x00",
        b"\xff\x80",
    }


@given(st.integers(0, 2**64 - 1))
def test_counter64_as_pysnmp_writes_it(value: int) -> None:
    assert ber.value(ber.COUNTER64, value) == encoder.encode(rfc1902.Counter64(value))


@given(st.integers(0, 2**32 - 1))
def test_gauges_as_pysnmp_writes_them(value: int) -> None:
    assert ber.value(ber.GAUGE32, value) == encoder.encode(rfc1902.Gauge32(value))


@given(st.binary(max_size=70_000))
def test_octets_as_pyasn1_writes_them(content: bytes) -> None:
    assert ber.value(ber.OCTET_STRING, content) == encoder.encode(univ.OctetString(content))


@given(arcs)
def test_oids_as_pyasn1_writes_them_and_back(oid: tuple[int, ...]) -> None:
    assert ber.oid(oid) == encoder.encode(univ.ObjectIdentifier(oid))
    assert ber.arcs_of(ber.sort_key_of_content(ber.oid_content(oid))) == oid


@given(arcs, arcs)
def test_sort_keys_order_as_oids_do(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert (ber.sort_key(one) < ber.sort_key(other)) == (one < other)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80", b"\x2b\x86", b"\x2b\x90\x80\x80\x80\x00", b"\x2b" + bytes(127)],
    ids=["empty", "unfinished first", "unfinished", "arc over 32 bits", "too many arcs"],
)
def test_bad_oids_are_refused(content: bytes) -> None:
    with pytest.raises(ber.BerError):
        ber.sort_key_of_content(content)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x05\x00", b"\x30\x80\x00\x00", b"\x30\x84\x7f\xff\xff\xff\x00"],
    ids=["nothing", "no length", "cut", "indefinite", "2 GiB"],
)
def test_bad_headers_are_refused(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        ber.header(data, 0, len(data))
