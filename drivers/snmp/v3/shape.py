"""The frame of an engine's usual answer, learnt from one that was read in full.

Between two encrypted answers of one engine nothing in the frame moves but lengths, message id,
time, digest and salt. All other octets are compared with those of the answer learnt from, and
the lengths must agree with the datagram's; anything else is read in full.
"""

from typing import NamedTuple

from drivers.snmp.ber import Tag
from drivers.snmp.v3.frame import SALT_BYTES, VERSION, Frame

_LONG = b"\x82"
_ID_AT, _ID_END = 11, 15
"""30 82 LL LL | 02 01 03 30 11 02 04 | message id."""
_SALT = bytes((Tag.OCTET_STRING, SALT_BYTES))
_ENCRYPTED = bytes((Tag.OCTET_STRING, 0x82))
_NUMBER = 2


class Shape(NamedTuple):
    """Where the moving parts lie, and what stands between them."""

    before_id: bytes
    before_time: bytes
    """From the message id to the engine's time; engine id and boots are in it."""
    before_digest: bytes
    """From the time to the digest; the user is in it."""
    time_at: int
    time_end: int
    digest_at: int
    digest_end: int
    salt_at: int
    start: int
    """Where the encrypted octets begin."""
    boots: int

    def fits(self, data: bytes) -> bool:
        """Whether ``data`` has this frame, whatever its moving parts say."""
        size = len(data)
        return (
            data[_ID_END : self.time_at] == self.before_time
            and data[self.time_end : self.digest_at] == self.before_digest
            and data[4:_ID_AT] == self.before_id
            and data[self.digest_end : self.salt_at] == _SALT
            and data[self.start - 4 : self.start - 2] == _ENCRYPTED
            and int.from_bytes(data[2:4], "big") == size - 4
            and int.from_bytes(data[self.start - 2 : self.start], "big") == size - self.start
        )


def id_of(data: bytes) -> int:
    """The message id of a message of the usual shape, else anything."""
    return int.from_bytes(data[_ID_AT:_ID_END], "big")


def learn(data: bytes, frame: Frame) -> Shape | None:
    """The shape of an encrypted answer that was read in full; None if it is no usual one."""
    time_end = frame.auth_start - 2 - len(frame.user) - 2
    width = next(
        (
            width
            for width in range(1, 5)
            if data[time_end - width - 2 : time_end - width] == bytes((_NUMBER, width))
            and int.from_bytes(data[time_end - width : time_end], "big") == frame.time
        ),
        0,
    )
    salt_at = frame.auth_stop + len(_SALT)
    shape = Shape(
        before_id=data[4:_ID_AT],
        before_time=data[_ID_END : time_end - width],
        before_digest=data[time_end : frame.auth_start],
        time_at=time_end - width,
        time_end=time_end,
        digest_at=frame.auth_start,
        digest_end=frame.auth_stop,
        salt_at=salt_at,
        start=salt_at + SALT_BYTES + 4,
        boots=frame.boots,
    )
    usual = (
        width
        and data[1:2] == _LONG
        and data[4:7] == VERSION
        and id_of(data) == frame.msg_id
        and shape.start - 4 == frame.start
        and shape.fits(data)
    )
    return shape if usual else None
