"""One engine as we know it: its id, clock and our keys for it; seals requests, opens answers.

No I/O and no clock of its own: monotonic time is handed in. An answer is believed if its
digest is right, its level is the one asked with, engine, user and context are ours, and its
time lies in the window (RFC 3414 section 3.2). It must also bear the random message id of a
waiting request, which its digest covers: so it is fresh even where the engine's clock has
jumped, and an authentic word about the clock may be believed in either direction.
"""

import hmac

from drivers.snmp.ber import Tag, encode_integer, encode_tlv, expect
from drivers.snmp.errors import DecodeError, Distrusted, SecurityError, UnknownEngine
from drivers.snmp.message import PduType, Request, decode_head, decode_varbinds
from drivers.snmp.v3.frame import (
    AUTH,
    PRIV,
    REPORTABLE,
    SALT_BYTES,
    VERSION,
    Frame,
    enveloped,
    octets,
    read_scoped,
    write_global,
)
from drivers.snmp.v3.keys import Auth, PrivCipher, localise, password_to_key, priv_key
from drivers.snmp.v3.reports import Report, Why, error_of, why_of
from drivers.snmp.v3.shape import Shape, learn
from drivers.snmp.v3.user import User
from tenone.trust.masked import bare

WINDOW_SECONDS = 150
"""RFC 3414 section 2.2.3."""
MAX_TIME = 2**31 - 1
_SOME_ID = 0x4765_4321
_SCOPED = b"\x30\x82"
OVERHEAD = 36
"""Bytes a secured answer has around its PDU beside ids, names, digest and salt."""


class Peer:
    """The engine behind one device, and one user's keys for it."""

    def __init__(self, user: User, label: str) -> None:
        self.user = user
        self.label = label
        self.engine_id = b""
        self.boots = 0
        self.trusted = False
        """The clock below comes from an authentic message, not from a mere report."""
        self._time = 0
        self._at_ns = 0
        self._name = user.name.encode()
        self._context = user.context.encode()
        self._flags = AUTH * (user.auth is not None) | PRIV * (user.priv is not None)
        self._auth_size = user.auth.size if user.auth is not None else 0
        self._auth_key = b""
        self._cipher: PrivCipher | None = None
        self._opened = False
        self._shape: Shape | None = None
        self._second = -1, -1
        """Boots and time for which the two below were made."""
        self._front = self._back = b""
        self._scope = b""
        self._who = b"", b""
        if user.engine_id:
            self._know(user.engine_id)

    @property
    def unproved(self) -> bool:
        """We encrypt, know the engine, and have not yet decrypted anything authentic of it."""
        return self._cipher is not None and not self._opened

    @property
    def undecrypted(self) -> Report:
        """What an agent should have reported that kept silent about what we encrypt."""
        why = Why.DECRYPTION
        return Report(why, why.value, self.engine_id, *self.clock(self._at_ns), authentic=True)

    @property
    def overhead(self) -> int:
        """Bytes an answer has more than its twin in v2c with no community, at most."""
        ids = 2 * max(len(self.engine_id), 32)
        salt = SALT_BYTES * 2 if self._flags & PRIV else 0
        return OVERHEAD + ids + len(self._name) + len(self._context) + self._auth_size + salt

    def clock(self, now_ns: int) -> tuple[int, int]:
        """The engine's boots and time (s) as they should be now."""
        return self.boots, min(self._time + (now_ns - self._at_ns) // 1_000_000_000, MAX_TIME)

    # -- asking ----------------------------------------------------------------------

    def seal(self, request: Request, number: int, now_ns: int) -> bytes:
        """The message for ``request``, or, while the engine is not known, the question for it."""
        if not self.engine_id:
            return _discovery(number)
        boots, time = self.clock(now_ns)
        if self._second != (boots, time):
            self._second = boots, time
            self._front, self._back = self._around(boots, time)
        data = encode_tlv(Tag.SEQUENCE, self._scope + request.pdu(number))
        salt = b""
        if self._cipher is not None:
            salt, data = self._cipher.encrypt(data, boots, time)
            data = octets(data)
        body = self._front + number.to_bytes(4, "big") + self._back + salt + data
        return self._signed(encode_tlv(Tag.SEQUENCE, body), len(data) + len(salt) + 2)

    def _around(self, boots: int, time: int) -> tuple[bytes, bytes]:
        """What stands before the four octets of the message id, and from there to the salt.

        The same for a second, so it is not made for every message.
        """
        whole = write_global(_SOME_ID, self._flags | REPORTABLE)
        at = whole.index(_SOME_ID.to_bytes(4, "big"))
        salt = bytes(SALT_BYTES if self._cipher is not None else 0)
        params = self._params(boots, time, salt)
        return VERSION + whole[:at], whole[at + 4 :] + params[: len(params) - len(salt)]

    def _params(self, boots: int, time: int, salt: bytes) -> bytes:
        """The security parameters with an empty digest."""
        clock = encode_integer(boots) + encode_integer(time)
        fields = self._who[0] + clock + self._who[1] + octets(salt)
        return octets(encode_tlv(Tag.SEQUENCE, fields))

    def knock(self, number: int, now_ns: int) -> bytes:
        """An empty question, signed and not encrypted.

        Many agents keep silent about what they cannot decrypt. If they answer this one, then
        name, auth password and clock were right.
        """
        boots, time = self.clock(now_ns)
        data = encode_tlv(Tag.SEQUENCE, self._scope + _empty(number))
        body = (
            VERSION
            + write_global(number, self._flags & AUTH | REPORTABLE)
            + self._params(boots, time, b"")
            + data
        )
        return self._signed(encode_tlv(Tag.SEQUENCE, body), len(data) + 2)

    def _signed(self, message: bytes, after: int) -> bytes:
        """``message`` with its digest, behind which ``after`` octets follow."""
        if not self._auth_size:
            return message
        stop = len(message) - after
        return message[: stop - self._auth_size] + self._digest(message) + message[stop:]

    def _digest(self, message: bytes) -> bytes:
        """RFC 3414 section 6.3.1, RFC 7860 section 4.2.1: the HMAC cut to its size."""
        auth: Auth = self.user.auth  # type: ignore[assignment] # asked only where there is one
        return hmac.digest(self._auth_key, message, auth.digest)[: self._auth_size]

    # -- answers ---------------------------------------------------------------------

    def glance(self, data: bytes, now_ns: int) -> bytes | None:
        """As :meth:`open` for an answer with a frame like the last one's; else None."""
        shape, hide = self._shape, self._cipher
        if shape is None or hide is None or not self.trusted or not shape.fits(data):
            return None
        at, end = shape.digest_at, shape.digest_end
        digest = self._digest(data[:at] + bytes(end - at) + data[end:])
        time = int.from_bytes(data[shape.time_at : shape.time_end], "big")
        boots, expected = self.clock(now_ns)
        if (
            not hmac.compare_digest(digest, data[at:end])
            or shape.boots != boots
            or time + WINDOW_SECONDS < expected
        ):
            return None
        salt = data[shape.salt_at : shape.salt_at + SALT_BYTES]
        plain = hide.decrypt(data[shape.start :], salt, boots, time)
        begin = 4 + len(self._scope)
        if (
            plain[:2] != _SCOPED
            or int.from_bytes(plain[2:4], "big") != len(plain) - 4
            or plain[4:begin] != self._scope
            or plain[begin] != PduType.RESPONSE
        ):
            return None
        if time > self._time:
            self._set_clock(boots, time, now_ns, trusted=True)
        return enveloped(plain[begin:])

    def open(self, frame: Frame, data: bytes, now_ns: int) -> bytes | Report:
        """The answer in a v2c envelope, or what the agent reports instead of one.

        Raises :class:`DecodeError` for malformed bytes, :class:`Distrusted` for what is not
        to be believed. An authentic answer from outside the window comes back as the report
        that the clock is wrong: nothing in it is used.
        """
        authentic = self.authentic(frame, data)
        context_id, context, pdu = self._content(frame, data)
        kind = pdu[0] if pdu else 0
        if kind == PduType.REPORT:
            return self._report(frame, pdu, authentic=authentic)
        if frame.flags & (AUTH | PRIV) != self._flags:
            raise Distrusted("an answer came with less security than it was asked with")
        self._opened = authentic
        if frame.engine_id != self.engine_id or frame.user != self._name:
            raise Distrusted("an answer came from another engine or for another user")
        if context_id != self.engine_id or context != self._context:
            raise Distrusted("an answer came from another context")
        if authentic and not self._in_window(frame, now_ns):
            # Ask once more: whatever clock the next answer shows is the engine's.
            why = Why.NOT_IN_TIME
            return Report(why, why.value, self.engine_id, *self.clock(now_ns), authentic=False)
        if frame.flags & PRIV:
            self._shape = learn(data, frame)
        return enveloped(pdu)

    def authentic(self, frame: Frame, data: bytes) -> bool:
        """Whether the message is signed with our key; raises :class:`Distrusted` if wrongly."""
        if not frame.flags & AUTH:
            if frame.flags & PRIV:
                raise Distrusted("a message is encrypted and not authenticated")
            return False
        start, stop = frame.auth_start, frame.auth_stop
        if not self._auth_key or frame.engine_id != self.engine_id or frame.user != self._name:
            raise Distrusted("a message is signed for another engine or user")
        size = self._auth_size
        unsigned = data[:start] + bytes(size) + data[stop:]
        if stop - start != size or not hmac.compare_digest(
            self._digest(unsigned), data[start:stop]
        ):
            raise Distrusted("the digest of a message is wrong")
        return True

    def _content(self, frame: Frame, data: bytes) -> tuple[bytes, bytes, bytes]:
        """Context engine, context name and PDU, decrypted."""
        if not frame.flags & PRIV:
            engine_id, context, at, stop = read_scoped(data, frame.start, padded=False)
            return engine_id, context, data[at:stop]
        if self._cipher is None:
            raise Distrusted("a message is encrypted and we have no key for it")
        if len(frame.salt) != SALT_BYTES:
            raise DecodeError(f"a salt of {len(frame.salt)} bytes")
        start, stop = expect(data, frame.start, len(data), Tag.OCTET_STRING, "the encrypted data")
        if stop != len(data):
            raise DecodeError(f"{len(data) - stop} bytes follow the encrypted data")
        plain = self._cipher.decrypt(data[start:stop], frame.salt, frame.boots, frame.time)
        engine_id, context, at, stop = read_scoped(plain, 0, padded=True)
        return engine_id, context, plain[at:stop]

    @staticmethod
    def _report(frame: Frame, pdu: bytes, *, authentic: bool) -> Report:
        message = enveloped(pdu)
        head = decode_head(message)
        names = [bind.name for bind in decode_varbinds(message, head.start, head.stop)]
        name = names[0] if names else ()
        return Report(
            why_of(name), name, frame.engine_id, frame.boots, frame.time, authentic=authentic
        )

    def heard(self, report: Report, now_ns: int) -> SecurityError | None:
        """Learn from a report; None says that asking again makes sense."""
        if report.why is Why.UNKNOWN_ENGINE:
            pinned = self.user.engine_id
            if not report.engine_id:
                return UnknownEngine(f"{self.label} rejects our engine id and does not say its own")
            if pinned and report.engine_id != pinned:
                return UnknownEngine(
                    f"{self.label} has the engine id {report.engine_id.hex()}, not the "
                    f"{pinned.hex()} it was pinned to: it is another device, or was replaced"
                )
            if report.engine_id != self.engine_id:
                self._know(report.engine_id)
            self._set_clock(report.boots, report.time, now_ns, trusted=False)
            return None
        if report.why is Why.NOT_IN_TIME and report.engine_id == self.engine_id:
            self._set_clock(report.boots, report.time, now_ns, trusted=report.authentic)
            return None
        return error_of(report, self.user, self.label)

    # -- the clock and the keys ------------------------------------------------------

    def _in_window(self, frame: Frame, now_ns: int) -> bool:
        """RFC 3414 section 3.2 step 7b; what is newer than the last becomes our clock."""
        if self.trusted:
            boots, time = self.clock(now_ns)
            if frame.boots < boots or frame.boots == MAX_TIME:
                return False
            if frame.boots == boots and frame.time + WINDOW_SECONDS < time:
                return False
        if (frame.boots, frame.time) > (self.boots, self._time) or not self.trusted:
            self._set_clock(frame.boots, frame.time, now_ns, trusted=True)
        return True

    def _set_clock(self, boots: int, time: int, now_ns: int, *, trusted: bool) -> None:
        self.boots, self._time, self._at_ns, self.trusted = boots, time, now_ns, trusted

    def _know(self, engine_id: bytes) -> None:
        """Make the keys for an engine."""
        user = self.user
        self.engine_id = engine_id
        self.trusted = False
        self._shape = None
        self._second = -1, -1
        if user.auth is not None:
            key = password_to_key(bare(user.auth_password).encode(), user.auth)
            self._auth_key = localise(key, engine_id, user.auth)
            if user.priv is not None:
                # An agent that encrypts nothing does not carry the library.
                from drivers.snmp.v3.ciphers import cipher  # noqa: PLC0415 - as said

                secret = priv_key(
                    bare(user.priv_password).encode(), engine_id, user.auth, user.priv
                )
                self._cipher = cipher(user.priv, secret)
        self._scope = octets(engine_id) + octets(self._context)
        self._who = octets(engine_id), octets(self._name) + octets(bytes(self._auth_size))


def _empty(number: int) -> bytes:
    return encode_tlv(PduType.GET, encode_integer(number) + b"\x02\x01\x00\x02\x01\x00\x30\x00")


def _discovery(number: int) -> bytes:
    """RFC 3414 section 4: an empty question to nobody, which is answered by the engine's id."""
    scoped = octets(b"") + octets(b"") + _empty(number)
    nobody = octets(b"") + b"\x02\x01\x00\x02\x01\x00" + octets(b"") * 3
    return encode_tlv(
        Tag.SEQUENCE,
        VERSION
        + write_global(number, REPORTABLE)
        + octets(encode_tlv(Tag.SEQUENCE, nobody))
        + encode_tlv(Tag.SEQUENCE, scoped),
    )
