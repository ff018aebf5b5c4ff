"""SNMPv3 from the agent's side: the user-based security model (RFC 3414 section 3), its own keys.

Nothing here is shared with the reader of ``drivers/snmp``: what one of the two gets wrong, the
other must not hide. Own too are the key arithmetic, the frame's reader and its writer.
"""

import hashlib
import hmac
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag, StrEnum

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from firmware_sims.switch import ber
from firmware_sims.switch.ber import BerError
from tenone.runtime.clock import Clock

HASHES = {
    "md5": ("md5", 12), "sha1": ("sha1", 12), "sha224": ("sha224", 16),
    "sha256": ("sha256", 24), "sha384": ("sha384", 32), "sha512": ("sha512", 48),
}  # fmt: skip
"""Name -> hash, octets of the digest sent (RFC 3414 section 6, RFC 7860 section 4)."""
KEY_OCTETS = {"des": 16, "aes128": 16, "aes192": 24, "aes256": 32, "aes192c": 24, "aes256c": 32}
_PASSWORD_STREAM = 1_048_576
_BLOCK = 4096
_SALT = 8


class Level(IntFlag):
    """msgFlags."""

    AUTH = 1
    PRIV = 2
    REPORTABLE = 4


class Stat(StrEnum):
    """What an agent reports by: the last arcs of usmStats, and unknownContexts."""

    LEVEL = "1"
    TIME = "2"
    USER = "3"
    ENGINE = "4"
    DIGEST = "5"
    DECRYPTION = "6"
    CONTEXT = "context"


_OBJECTS: dict[Stat, ber.Arcs] = {
    stat: (1, 3, 6, 1, 6, 3, 15, 1, 1, int(stat), 0) for stat in Stat if stat.isdigit()
}
_OBJECTS[Stat.CONTEXT] = (1, 3, 6, 1, 6, 3, 12, 1, 5, 0)


class UsmFault(Exception):  # noqa: N818 - it is reported, not raised to anybody outside
    """A message that is answered with a report."""

    def __init__(self, stat: Stat) -> None:
        super().__init__(stat.name)
        self.stat = stat


@dataclass(frozen=True, slots=True, kw_only=True)
class V3User:
    """A user the agent knows. Without ``auth`` it asks in the open."""

    name: str
    auth: str = ""
    auth_password: str = ""
    priv: str = ""
    priv_password: str = ""

    @classmethod
    def parse(cls, text: str) -> "V3User":
        """Read ``name[:auth:password[:priv:password]]``; raises ValueError."""
        parts = text.split(":")
        if len(parts) not in (1, 3, 5) or not all(parts):
            raise ValueError(
                f"{text!r} is no SNMPv3 user: write NAME, NAME:AUTH:PASSWORD or "
                "NAME:AUTH:PASSWORD:PRIV:PASSWORD"
            )
        name, auth, auth_password, priv, priv_password = [*parts, "", "", "", ""][:5]
        if (auth and auth not in HASHES) or (priv and priv not in KEY_OCTETS):
            raise ValueError(
                f"{text!r} names an unknown protocol: use one of {', '.join(HASHES)} and "
                f"one of {', '.join(KEY_OCTETS)}"
            )
        if (auth and len(auth_password) < 8) or (priv and len(priv_password) < 8):  # noqa: PLR2004 - RFC 3414 11.2
            raise ValueError("an SNMPv3 password has at least 8 characters")
        return cls(
            name=name,
            auth=auth,
            auth_password=auth_password,
            priv=priv,
            priv_password=priv_password,
        )

    @property
    def level(self) -> Level:
        """The most it can."""
        return Level(Level.AUTH * bool(self.auth) + Level.PRIV * bool(self.priv))


def localised(password: bytes, hash_name: str, engine_id: bytes) -> bytes:
    """The key of a password at an engine (RFC 3414 A.2.1 and 2.6), hashed block by block."""
    digest = hashlib.new(hash_name)
    endless = password * (_BLOCK // len(password) + 2)
    for sent in range(0, _PASSWORD_STREAM, _BLOCK):
        first = sent % len(password)
        digest.update(endless[first : first + _BLOCK])
    key = digest.digest()
    return hashlib.new(hash_name, key + engine_id + key).digest()


def _stretched(user: V3User, engine_id: bytes) -> bytes:
    """The encryption key: as it is, lengthened by hashing, or, for Cisco, as a new password."""
    hash_name, _ = HASHES[user.auth]
    key = last = localised(user.priv_password.encode(), hash_name, engine_id)
    while len(key) < KEY_OCTETS[user.priv]:
        cisco = user.priv.endswith("c")
        last = localised(last, hash_name, engine_id) if cisco else _hashed(key, hash_name)
        key += last
    return key[: KEY_OCTETS[user.priv]]


def _hashed(octets: bytes, hash_name: str) -> bytes:
    return hashlib.new(hash_name, octets).digest()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A received SNMPv3 message."""

    msg_id: bytes
    """Encoded, to be repeated as it came."""
    flags: Level
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: tuple[int, int]
    """Where the digest stands."""
    salt: bytes
    body: bytes
    """The scoped PDU, or the octets of the encrypted one."""


def parse(data: bytes) -> Parsed:
    """Read a message up to its scoped PDU; raises :class:`BerError`."""
    at, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    version, at = ber.read_integer(data, at, end)
    if version != 3:  # noqa: PLR2004 - SNMPv3
        raise BerError(f"version {version} is not 3")
    at, stop = ber.expect(data, at, end, ber.SEQUENCE)
    _, after_id = ber.read_integer(data, at, stop)
    _, flags_at = ber.read_integer(data, after_id, stop)
    first, after_flags = ber.expect(data, flags_at, stop, ber.OCTET_STRING)
    model, _ = ber.read_integer(data, after_flags, stop)
    if after_flags - first != 1 or model != 3:  # noqa: PLR2004 - the user-based model
        raise BerError("the header is not of the user-based security model")
    place, body_at = ber.expect(data, stop, end, ber.OCTET_STRING)
    place, last = ber.expect(data, place, body_at, ber.SEQUENCE)
    fields: list[tuple[int, int]] = []
    for tag in (4, 2, 2, 4, 4, 4):
        start, place = ber.expect(data, place, last, tag)
        fields.append((start, place))
    engine_id, boots, time, user, digest, salt = fields
    return Parsed(
        msg_id=data[at:after_id],
        flags=Level(data[first] & 7),
        engine_id=data[slice(*engine_id)],
        boots=int.from_bytes(data[slice(*boots)], "big"),
        time=int.from_bytes(data[slice(*time)], "big"),
        user=data[slice(*user)],
        digest=digest,
        salt=data[slice(*salt)],
        body=data[body_at:end],
    )


@dataclass(frozen=True, slots=True)
class Scoped:
    """What a message asks, and how it has to be answered."""

    asked: Parsed
    level: Level
    pdu: bytes


class Engine:
    """An authoritative engine: its id, boots and clock, and the users it knows."""

    def __init__(
        self, users: Sequence[V3User], *, name: str, clock: Clock, boots: int = 1, seed: int = 0
    ) -> None:
        self.engine_id = b"\x80\x00\x1f\x88\x04" + name.encode()[:27]
        """RFC 3411: enterprise 8072, text administratively assigned."""
        self.boots = boots
        self.users = {user.name.encode(): user for user in users}
        self._clock = clock
        self._born_ns = clock.monotonic_ns()
        self._keys: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        self._chance = random.Random(seed)
        self._counts = dict.fromkeys(Stat, 0)

    @property
    def time(self) -> int:
        """Seconds since the last boot."""
        return max(0, (self._clock.monotonic_ns() - self._born_ns) // 1_000_000_000)

    def reboot(self) -> None:
        """Start anew: boots + 1, time 0."""
        self.boots += 1
        self._born_ns = self._clock.monotonic_ns()

    def jump(self, seconds: float) -> None:
        """Let the clock leap, forwards or (negative) backwards, without a boot."""
        self._born_ns -= round(seconds * 1e9)

    def rename(self, name: str) -> None:
        """Take another engine id, as a replaced device has."""
        self.engine_id = b"\x80\x00\x1f\x88\x04" + name.encode()[:27]

    # -- receiving -------------------------------------------------------------------

    def open(self, data: bytes, asked: Parsed) -> Scoped:
        """RFC 3414 section 3.2; raises :class:`UsmFault` and :class:`BerError`."""
        if asked.engine_id != self.engine_id:
            raise UsmFault(Stat.ENGINE)
        user = self.users.get(asked.user)
        if user is None:
            raise UsmFault(Stat.USER)
        level = asked.flags & (Level.AUTH | Level.PRIV)
        if level & ~user.level or level == Level.PRIV:
            raise UsmFault(Stat.LEVEL)
        if level & Level.AUTH:
            self._prove(data, asked, user)
        body = asked.body
        if level & Level.PRIV:
            body = self._decrypted(user, asked)
        try:
            at, end = ber.expect(body, 0, len(body), ber.SEQUENCE)
            start, at = ber.expect(body, at, end, ber.OCTET_STRING)
            start, after = ber.expect(body, at, end, ber.OCTET_STRING)
        except BerError:
            if level & Level.PRIV:
                raise UsmFault(Stat.DECRYPTION) from None
            raise
        if start != after:
            raise UsmFault(Stat.CONTEXT)
        return Scoped(asked, level, body[after:end])

    def _prove(self, data: bytes, asked: Parsed, user: V3User) -> None:
        """The digest and the clock; raises :class:`UsmFault`."""
        start, stop = asked.digest
        size = HASHES[user.auth][1]
        blank = data[:start] + bytes(stop - start) + data[stop:]
        if stop - start != size or data[start:stop] != self._digest(user, blank):
            raise UsmFault(Stat.DIGEST)
        if asked.boots != self.boots or abs(asked.time - self.time) > 150:  # noqa: PLR2004 - RFC 3414 2.2.3
            raise UsmFault(Stat.TIME)

    def _decrypted(self, user: V3User, asked: Parsed) -> bytes:
        body = asked.body
        try:
            start, stop = ber.expect(body, 0, len(body), ber.OCTET_STRING)
        except BerError:
            raise UsmFault(Stat.DECRYPTION) from None
        if len(asked.salt) != _SALT or (user.priv == "des" and (stop - start) % 8):
            raise UsmFault(Stat.DECRYPTION)
        return self._cipher(user, asked.salt, asked.boots, asked.time, back=True).update(
            body[start:stop]
        )

    # -- sending ---------------------------------------------------------------------

    def seal(
        self, asked: Parsed, level: Level, pdu: bytes, *, context: bytes = b"", late: int = 0
    ) -> bytes:
        """A message to whoever asked; ``late`` seconds are taken from the clock it shows."""
        scoped = ber.tlv(ber.SEQUENCE, _octets(self.engine_id) + _octets(context) + pdu)
        boots, time, salt = self.boots, max(0, self.time - late), b""
        user = self.users.get(asked.user)
        size = 0
        if user is not None and level & Level.AUTH:
            size = HASHES[user.auth][1]
        if user is not None and level & Level.PRIV:
            salt = self._chance.randbytes(_SALT)
            if user.priv == "des":
                scoped += bytes(-len(scoped) % 8)
            scoped = _octets(self._cipher(user, salt, boots, time, back=False).update(scoped))
        header = ber.tlv(
            ber.SEQUENCE,
            asked.msg_id + ber.integer(65_507) + _octets(bytes((int(level),))) + ber.integer(3),
        )
        before = (
            _octets(self.engine_id) + ber.integer(boots) + ber.integer(time) + _octets(asked.user)
        )
        parameters = ber.tlv(ber.SEQUENCE, before + _octets(bytes(size)) + _octets(salt))
        message = ber.tlv(ber.SEQUENCE, ber.integer(3) + header + _octets(parameters) + scoped)
        if user is None or not size:
            return message
        start, stop = parse(message).digest
        return message[:start] + self._digest(user, message) + message[stop:]

    def report(self, asked: Parsed, stat: Stat, *, signed: bool = True) -> bytes:
        """RFC 3414 section 3.2: only the clock is reported with a digest."""
        self._counts[stat] += 1
        variable = ber.oid(_OBJECTS[stat]) + ber.integer(self._counts[stat], ber.COUNTER32)
        zero = ber.integer(0)
        pdu = ber.tlv(
            0xA8, zero + zero + zero + ber.tlv(ber.SEQUENCE, ber.tlv(ber.SEQUENCE, variable))
        )
        level = Level.AUTH if stat is Stat.TIME and signed else Level(0)
        return self.seal(asked, level, pdu)

    # -- keys ------------------------------------------------------------------------

    def _key(self, user: V3User) -> tuple[bytes, bytes]:
        """The keys of authentication and encryption."""
        at = (user.name.encode(), self.engine_id)
        if at not in self._keys:
            hash_name, _ = HASHES[user.auth]
            auth = localised(user.auth_password.encode(), hash_name, self.engine_id)
            self._keys[at] = auth, (_stretched(user, self.engine_id) if user.priv else b"")
        return self._keys[at]

    def _digest(self, user: V3User, message: bytes) -> bytes:
        hash_name, size = HASHES[user.auth]
        return hmac.new(self._key(user)[0], message, hash_name).digest()[:size]

    def _cipher(
        self, user: V3User, salt: bytes, boots: int, time: int, *, back: bool
    ) -> CipherContext:
        key = self._key(user)[1]
        if user.priv == "des":
            vector = bytes(one ^ other for one, other in zip(key[8:16], salt, strict=True))
            chosen: Cipher[CBC] | Cipher[CFB] = Cipher(TripleDES(key[:8] * 3), CBC(vector))
        else:
            vector = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
            chosen = Cipher(AES(key), CFB(vector))
        return chosen.decryptor() if back else chosen.encryptor()


def _octets(content: bytes) -> bytes:
    return ber.tlv(ber.OCTET_STRING, content)
