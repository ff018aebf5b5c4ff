"""Encryption of the scoped PDU: CFB-AES (RFC 3826) and CBC-DES (RFC 3414 section 8).

Every message takes a fresh salt, which travels beside it; no two messages under one key have
the same initialisation vector.
"""

import os

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from drivers.snmp.errors import DecodeError
from drivers.snmp.v3.frame import SALT_BYTES
from drivers.snmp.v3.keys import Priv, PrivCipher

_DES_BLOCK = 8
_COUNTER64 = 2**64 - 1
_COUNTER32 = 2**32 - 1


def cipher(priv: Priv, key: bytes) -> PrivCipher:
    """The cipher of ``priv`` under a localised ``key`` of ``priv.size`` bytes."""
    return _Des(key) if priv is Priv.DES else _Aes(key)


class _Aes:
    """RFC 3826 section 3.1: the vector is boots, time and a 64-bit salt."""

    def __init__(self, key: bytes) -> None:
        self._key = AES(key)
        self._salt = int.from_bytes(os.urandom(SALT_BYTES), "big")

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:
        self._salt = self._salt + 1 & _COUNTER64
        salt = self._salt.to_bytes(SALT_BYTES, "big")
        vector = (boots << 32 | time).to_bytes(8, "big") + salt
        return salt, Cipher(self._key, CFB(vector)).encryptor().update(plain)

    def decrypt(self, data: bytes, salt: bytes, boots: int, time: int) -> bytes:
        vector = (boots << 32 | time).to_bytes(8, "big") + salt
        return Cipher(self._key, CFB(vector)).decryptor().update(data)


class _Des:
    """RFC 3414 section 8.1.1: the vector is the pre-IV xor the salt; boots are in the salt."""

    def __init__(self, key: bytes) -> None:
        # Three equal keys make it single DES.
        self._key = TripleDES(key[:_DES_BLOCK] * 3)
        self._pre = int.from_bytes(key[_DES_BLOCK : 2 * _DES_BLOCK], "big")
        self._salt = int.from_bytes(os.urandom(4), "big")

    def _cipher(self, salt: bytes) -> Cipher[CBC]:
        vector = self._pre ^ int.from_bytes(salt, "big")
        return Cipher(self._key, CBC(vector.to_bytes(_DES_BLOCK, "big")))

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:  # noqa: ARG002 - the time is no part of this one's vector
        self._salt = self._salt + 1 & _COUNTER32
        salt = (boots << 32 | self._salt).to_bytes(SALT_BYTES, "big")
        padded = plain + bytes(-len(plain) % _DES_BLOCK)
        return salt, self._cipher(salt).encryptor().update(padded)

    def decrypt(self, data: bytes, salt: bytes, boots: int, time: int) -> bytes:  # noqa: ARG002 - as above
        if not data or len(data) % _DES_BLOCK:
            raise DecodeError(f"{len(data)} encrypted bytes are no whole DES blocks")
        return self._cipher(salt).decryptor().update(data)
