"""BER: what we write we read, what others write we read, what is malformed is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp import ber
from drivers.snmp.ber import Missing, Tag
from drivers.snmp.errors import DecodeError

part = st.integers(0, 2**32 - 1)
oids = st.builds(
    lambda first, second, rest: (first, second if first == 2 else second % 40, *rest),
    st.integers(0, 2),
    st.integers(0, 2**32 - 1 - 80),
    st.lists(part, max_size=126).map(tuple),
)
typed_values = st.one_of(
    st.tuples(st.just(Tag.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(
        st.sampled_from([Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.UINTEGER32]),
        st.integers(0, 2**32 - 1),
    ),
    st.tuples(st.just(Tag.COUNTER64), st.integers(0, 2**64 - 1)),
    st.tuples(
        st.sampled_from([Tag.OCTET_STRING, Tag.OPAQUE, Tag.NSAP_ADDRESS]), st.binary(max_size=400)
    ),
    st.tuples(st.just(Tag.IP_ADDRESS), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(Tag.OID), oids),
    st.tuples(st.just(Tag.NULL), st.none()),
    st.sampled_from([(Tag(missing.value), missing) for missing in Missing]),
)


def decode(data: bytes) -> ber.Value:
    tag, start, stop = ber.read_tlv(data, 0, len(data))
    assert stop == len(data)
    return ber.decode_value(data, tag, start, stop)


@given(typed_values)
def test_a_value_reads_back(typed: tuple[int, ber.Value]) -> None:
    data = ber.encode_value(*typed)
    assert data[0] == typed[0]
    assert decode(data) == typed[1]


@given(oids)
def test_names_sort_and_print(oid: ber.Oid) -> None:
    assert ber.parse_oid(ber.oid_text(oid)) == oid
    assert ber.parse_oid("." + ber.oid_text(oid)) == oid


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("0201ff", -1),
        ("0202ff80", -128),
        ("0201 00", 0),
        ("0204 0000 0001", 1),
        ("4105 00ffffffff", 2**32 - 1),
        ("4204 ffffffff", 2**32 - 1),
        ("4608 ffffffffffffffff", 2**64 - 1),
        ("4609 00ffffffffffffffff", 2**64 - 1),
        ("0603 2b0601", (1, 3, 6, 1)),
        ("0601 00", (0, 0)),
        ("0603 883703", (2, 999, 3)),
        ("0607 2b06 8fffffff7f", (1, 3, 6, 2**32 - 1)),
        ("0481 0161", b"a"),
        ("0484 0000000161", b"a"),
        ("4004 7f000001", b"\x7f\0\0\1"),
        ("8000", Missing.NO_SUCH_OBJECT),
        ("8100", Missing.NO_SUCH_INSTANCE),
        ("8200", Missing.END_OF_MIB_VIEW),
        ("0500", None),
    ],
)
def test_worked_values(data: str, value: ber.Value) -> None:
    assert decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        "0200",  # no contents
        "0205 0000000001",  # wider than INTEGER
        "020c 000000000000000000000001",  # the 12-byte integer
        "4105 01ffffffff",  # over 32 bits
        "4106 000000000001",
        "4101 ff",  # could be 255 or minus one
        "4609 01ffffffffffffffff",
        "460a 00000000000000000001",
        "4003 7f0000",
        "0501 00",
        "8001 00",
        "0600",
        "0602 8001",  # padded
        "0602 2b86",  # cut
        "0606 2b9080808000",  # over 32 bits
        "0401",  # cut
        "0480",  # indefinite
        "0485 0000000001 61",  # length of five bytes
        "0484 7fffffff 61",  # 2 GiB
        "0482 01",  # length cut
        "04",
        "",
        "3003 020100",  # a constructed value
        "a000",
        "0a01 01",
        "0906 038001 0001 01",  # a REAL
    ],
)
def test_malformed_values_are_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(data))


def test_names_are_bounded() -> None:
    assert decode(b"\x06\x7f" + b"\x01" * 127) == (0, 1) + (1,) * 126
    with pytest.raises(DecodeError):
        decode(b"\x06\x81\x80" + b"\x01" * 128)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Tag.INTEGER, 2**31),
        (Tag.GAUGE32, -1),
        (Tag.GAUGE32, 2**32),
        (Tag.COUNTER64, 2**64),
        (Tag.OCTET_STRING, 3),
        (Tag.IP_ADDRESS, b"abc"),
        (Tag.OID, (3, 1)),
        (Tag.OID, (1, 40)),
        (Tag.OID, (1,)),
        (Tag.OID, (1, 3, 2**32)),
        (Tag.NULL, Missing.NO_SUCH_OBJECT),
        (Tag.NO_SUCH_OBJECT, None),
        (Tag.INTEGER, None),
        (Tag.SEQUENCE, b""),
    ],
)
def test_what_does_not_fit_is_not_encoded(tag: int, value: ber.Value) -> None:
    with pytest.raises(ValueError, match="is no"):
        ber.encode_value(tag, value)
