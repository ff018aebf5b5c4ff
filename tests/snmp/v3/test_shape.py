"""The learnt frame: lengths must agree, and nothing but its moving parts may move."""

import pytest

from drivers.snmp.v3.frame import octets, read_frame, write_global
from drivers.snmp.v3.shape import id_of, learn

MOVING = ("id", "time", "digest", "salt", "data")


def message(
    size: int = 400, time: bytes = b"\x02\x02\x10\x00", user: bytes = b"bob", salt: bytes = bytes(8)
) -> bytes:
    """An encrypted answer whose content means nothing."""
    params = octets(b"\x80\0\0\0\1") + b"\x02\x01\x03" + time + octets(user)
    params += octets(bytes(24)) + octets(salt)
    body = b"\x02\x01\x03" + write_global(0x1234_5678, 3)
    body += octets(b"\x30" + bytes((len(params),)) + params) + octets(bytes(size))
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body


def test_the_moving_parts_and_no_others() -> None:
    first = message()
    shape = learn(first, read_frame(first))
    assert shape is not None
    assert id_of(first) == 0x1234_5678
    moving = {
        *range(11, 15),
        *range(shape.time_at, shape.time_end),
        *range(shape.digest_at, shape.digest_end),
        *range(shape.salt_at, shape.salt_at + 8),
        *range(shape.start, len(first)),
    }
    for place in range(len(first)):
        spoilt = bytearray(first)
        spoilt[place] ^= 0x01
        # The first two octets say what the rest of the lengths are checked against.
        assert shape.fits(bytes(spoilt)) == (place in moving or place < 2), place
    for other in (500, 399, 300):
        assert shape.fits(message(other))
    assert not shape.fits(first[:-1])
    assert not shape.fits(first + b"\0")
    assert not shape.fits(message(user=b"bib"))
    assert not shape.fits(message(time=b"\x02\x01\x10"))
    assert not shape.fits(b"")


@pytest.mark.parametrize("size", [20, 100])
def test_a_short_message_has_no_shape(size: int) -> None:
    short = message(size)
    assert learn(short, read_frame(short)) is None


def test_what_is_not_encrypted_has_no_shape() -> None:
    plain = message(salt=b"")
    assert learn(plain, read_frame(plain)) is None
