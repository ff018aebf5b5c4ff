from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sims.switch import ber, message

SYS = (1, 3, 6, 1, 2, 1, 1)


@pytest.mark.parametrize(
    ("kind", "pdu"), [("Get", 0xA0), ("GetNext", 0xA1), ("Set", 0xA3), ("GetBulk", 0xA5)]
)
def test_requests_made_by_pysnmp_are_read(v2c: Any, kind: str, pdu: int) -> None:
    data = v2c.request(kind, [(*SYS, 1, 0), (*SYS, 3, 0)], request_id=2**31 - 1, community="schule")
    request = message.parse(data)
    assert (request.version, request.community, request.pdu) == (1, b"schule", pdu)
    assert request.request_id == ber.integer(2**31 - 1)
    assert [ber.arcs_of(name.key) for name in message.names(request.varbinds)] == [
        (*SYS, 1, 0),
        (*SYS, 3, 0),
    ]
    if kind == "GetBulk":
        assert (request.first, request.second) == (0, 10)


def test_replies_are_read_by_pysnmp(v2c: Any) -> None:
    request = message.parse(v2c.request("Get", [(*SYS, 5, 0)], request_id=9))
    body = ber.tlv(ber.SEQUENCE, ber.oid((*SYS, 5, 0)) + ber.value(ber.OCTET_STRING, b"sw1"))
    assert v2c.reply(message.response(request, body)) == (
        0,
        0,
        [((*SYS, 5, 0), "OctetString", b"sw1")],
    )


@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_raises_anything_else(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        message.parse(data)


@given(st.data())
def test_a_spoilt_request_is_read_or_refused(data: st.DataObject) -> None:
    good = bytearray(
        bytes.fromhex("302902010104067075626c6963a01c02044a2f1c8b020100020100300e300c06082b")
        + bytes.fromhex("060102010103000500")
    )
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        request = message.parse(bytes(good))
        message.names(request.varbinds)
    except ber.BerError:
        return
    assert request.version in (0, 1)


@pytest.mark.parametrize("version", [2, 3, -1])
def test_other_versions_are_refused(version: int) -> None:
    data = ber.tlv(ber.SEQUENCE, ber.integer(version) + ber.tlv(ber.OCTET_STRING, b"public"))
    with pytest.raises(ber.BerError, match="neither"):
        message.parse(data)
