"""Passwords into keys: RFC 3414 appendix A.2, RFC 7860, and the vendors' longer AES keys.

Pure functions. A key belongs to a user and one engine, so that what is stolen from one switch
opens no other.
"""

import hashlib
from enum import Enum
from functools import lru_cache
from typing import Protocol, Self, TypeVar

PASSWORD_BYTES = 1 << 20
"""RFC 3414 A.2.1: the password is repeated over so many bytes and hashed."""
MIN_PASSWORD = 8
"""RFC 3414 section 11.2; agents refuse shorter ones."""


class Auth(Enum):
    """How a message is authenticated: name, hash, bytes of the truncated HMAC."""

    MD5 = ("md5", "md5", 12)
    """RFC 3414 section 6: old, for switches that know nothing better."""
    SHA1 = ("sha1", "sha1", 12)
    """RFC 3414 section 7: old, for switches that know nothing better."""
    SHA224 = ("sha224", "sha224", 16)
    """RFC 7860 section 4.1, as the three below."""
    SHA256 = ("sha256", "sha256", 24)
    SHA384 = ("sha384", "sha384", 32)
    SHA512 = ("sha512", "sha512", 48)

    def __init__(self, text: str, digest: str, size: int) -> None:
        self.text = text
        self.digest = digest
        self.size = size
        """Bytes of the authentication parameters."""

    @property
    def old(self) -> bool:
        """Whether it is kept only for switches that know nothing better."""
        return self in {Auth.MD5, Auth.SHA1}

    @classmethod
    def named(cls, name: str) -> Self:
        """By its name in configurations; raises ValueError naming all."""
        return _named(cls, name)


class Extension(Enum):
    """How a key that is longer than its hash is made."""

    NONE = "none"
    BLUMENTHAL = "blumenthal"
    """draft-blumenthal-aes-usm-04 section 3.1.2.1; net-snmp and most makers."""
    REEDER = "reeder"
    """draft-reeder-snmpv3-usm-3desede-00 section 2.1; Cisco's AES-192 and AES-256."""


class Priv(Enum):
    """How the content is encrypted: name, bytes of the key, way to lengthen it."""

    DES = ("des", 16, Extension.NONE)
    """RFC 3414 section 8: old and broken, for switches that know nothing better. 8 bytes of
    the key are the DES key, 8 the pre-IV."""
    AES128 = ("aes128", 16, Extension.NONE)
    """RFC 3826."""
    AES192 = ("aes192", 24, Extension.BLUMENTHAL)
    AES256 = ("aes256", 32, Extension.BLUMENTHAL)
    AES192C = ("aes192c", 24, Extension.REEDER)
    AES256C = ("aes256c", 32, Extension.REEDER)

    def __init__(self, text: str, size: int, extension: Extension) -> None:
        self.text = text
        self.size = size
        """Bytes of the localised key."""
        self.extension = extension

    @property
    def old(self) -> bool:
        """Whether it is kept only for switches that know nothing better."""
        return self is Priv.DES

    @classmethod
    def named(cls, name: str) -> Self:
        """By its name in configurations; raises ValueError naming all."""
        return _named(cls, name)


class PrivCipher(Protocol):
    """Encrypts and decrypts under one localised key."""

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:
        """The salt used, and the encrypted bytes."""
        ...

    def decrypt(self, data: bytes, salt: bytes, boots: int, time: int) -> bytes:
        """The plain bytes (DES: with padding); raises :class:`DecodeError`."""
        ...


_Named = TypeVar("_Named", Auth, Priv)


def _named(kind: type[_Named], name: str) -> _Named:
    for one in kind:
        if one.text == name.lower():
            return one
    known = ", ".join(f"{one.text} (old)" if one.old else one.text for one in kind)
    raise ValueError(f"the protocol is none of {known}")


@lru_cache(maxsize=64)
def password_to_key(password: bytes, auth: Auth) -> bytes:
    """The user's key Ku (RFC 3414 A.2): about 2 ms, so it is kept for all engines of a user."""
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"a password has at least {MIN_PASSWORD} characters (RFC 3414)")
    times = PASSWORD_BYTES // len(password) + 1
    return hashlib.new(auth.digest, (password * times)[:PASSWORD_BYTES]).digest()


def localise(key: bytes, engine_id: bytes, auth: Auth) -> bytes:
    """The key Kul that holds at one engine alone (RFC 3414 section 2.6)."""
    return hashlib.new(auth.digest, key + engine_id + key).digest()


def priv_key(password: bytes, engine_id: bytes, auth: Auth, priv: Priv) -> bytes:
    """The localised encryption key, of exactly ``priv.size`` bytes."""
    key = localise(password_to_key(password, auth), engine_id, auth)
    if len(key) < priv.size and priv.extension is Extension.NONE:
        raise ValueError(f"{auth.text} gives too few bytes for {priv.text}")
    part = key
    while len(key) < priv.size:
        if priv.extension is Extension.REEDER:
            part = localise(password_to_key(part, auth), engine_id, auth)
            key += part
        else:
            key += hashlib.new(auth.digest, key).digest()
    return key[: priv.size]
