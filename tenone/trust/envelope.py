"""Envelope encryption: a data key a secret, itself sealed by a key-encryption key.

AES-256-GCM (NIST SP 800-38D) or, by switch, SM4-GCM (GB/T 32907-2016 in the GCM of RFC 8998).
A sealed text is ``nonce (12 bytes), ciphertext, tag (16 bytes)``. Pure arithmetic but for the
random keys and nonces.
"""

import base64
import binascii
import os
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32
KEY_ID_BYTES = 8
KEY_FORM = "64 hexadecimal digits or 44 characters of base64 (32 random bytes)"


class EnvelopeError(Exception):
    """Something does not open: another key, another place, or a changed byte."""


class Suite(StrEnum):
    """Which ciphers seal."""

    AES = "aes-256-gcm"
    SM4 = "sm4-gcm"

    @property
    def key_bytes(self) -> int:
        """Length of a data key."""
        return 32 if self is Suite.AES else 16

    @property
    def digest(self) -> hashes.HashAlgorithm:
        """The hash that belongs to it: SHA-256 or SM3 (GB/T 32905-2016)."""
        return hashes.SHA256() if self is Suite.AES else hashes.SM3()

    def cipher(self, key: bytes, nonce: bytes, tag: bytes | None) -> Cipher[modes.GCM]:
        """The cipher; ``tag`` only to open."""
        block = algorithms.AES(key) if self is Suite.AES else algorithms.SM4(key)
        return Cipher(block, modes.GCM(nonce, tag))


def seal(suite: Suite, key: bytes, text: bytes, bound: bytes) -> bytes:
    """Seal ``text`` with ``key``; it opens only beside the same ``bound``."""
    nonce = os.urandom(NONCE_BYTES)
    encryptor = suite.cipher(key, nonce, None).encryptor()
    encryptor.authenticate_additional_data(bound)
    sealed = encryptor.update(text) + encryptor.finalize()
    return nonce + sealed + encryptor.tag


def unseal(suite: Suite, key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """The text; raises :class:`EnvelopeError`."""
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise EnvelopeError("the sealed text is too short to be one")
    nonce, body, tag = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:-TAG_BYTES], sealed[-TAG_BYTES:]
    decryptor = suite.cipher(key, nonce, tag).decryptor()
    decryptor.authenticate_additional_data(bound)
    try:
        return decryptor.update(body) + decryptor.finalize()
    except InvalidTag:
        raise EnvelopeError("it does not open: another key, another place, or changed") from None


def data_key(suite: Suite) -> bytes:
    """A fresh key for one secret."""
    return os.urandom(suite.key_bytes)


@dataclass(frozen=True, slots=True)
class KeyKey:
    """The key-encryption key: 32 random bytes from which the keys in use are derived."""

    octets: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no key; raises :class:`EnvelopeError`."""
        if len(self.octets) != KEY_BYTES:
            raise EnvelopeError(f"a key is {KEY_FORM}")
        if len(set(self.octets)) < KEY_BYTES // 4:
            raise EnvelopeError("the key is no random one: make one with 'tenone secret init'")

    @classmethod
    def fresh(cls) -> "KeyKey":
        """A new random one."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> "KeyKey":
        """Read it as text; raises :class:`EnvelopeError`, which never quotes it."""
        text = text.strip()
        try:
            if len(text) == 2 * KEY_BYTES:
                return cls(bytes.fromhex(text))
            return cls(base64.b64decode(text, validate=True))
        except (ValueError, binascii.Error):
            raise EnvelopeError(f"a key is {KEY_FORM}") from None

    @property
    def text(self) -> str:
        """How it is written into a key file."""
        return base64.b64encode(self.octets).decode("ascii")

    def derive(self, suite: Suite, use: str, salt: bytes, length: int) -> bytes:
        """A key for one use (HKDF, RFC 5869)."""
        info = f"tenone vault {suite} {use}".encode()
        return HKDF(suite.digest, length, salt, info).derive(self.octets)

    def id(self, suite: Suite, salt: bytes) -> bytes:
        """Names the key without telling anything of it."""
        return self.derive(suite, "key id", salt, KEY_ID_BYTES)

    def mac(self, suite: Suite, salt: bytes, data: bytes) -> bytes:
        """A message authentication code over ``data``."""
        code = hmac.HMAC(self.derive(suite, "whole file", salt, KEY_BYTES), suite.digest)
        code.update(data)
        return code.finalize()
