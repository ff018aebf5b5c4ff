"""Encryption: what one end encrypts the other decrypts, and AES is the library's own CFB."""

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.errors import DecodeError
from drivers.snmp.v3.ciphers import cipher
from drivers.snmp.v3.keys import Priv

numbers = st.integers(0, 2**31 - 1)
salts = st.binary(min_size=8, max_size=8)


@given(st.binary(max_size=200), st.sampled_from([16, 24, 32]), salts, numbers, numbers)
def test_aes_decrypts_as_the_library_does(
    data: bytes, size: int, salt: bytes, boots: int, time: int
) -> None:
    key = bytes(range(size))
    vector = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
    theirs = Cipher(AES(key), CFB(vector)).decryptor().update(data)
    assert cipher(Priv.AES128, key).decrypt(data, salt, boots, time) == theirs


@given(
    st.sampled_from(Priv),
    st.lists(st.binary(min_size=1, max_size=100), max_size=5),
    numbers,
    numbers,
)
def test_there_and_back(priv: Priv, plains: list[bytes], boots: int, time: int) -> None:
    one, other = (cipher(priv, bytes(range(priv.size))) for _ in range(2))
    salts = set()
    for plain in plains:
        salt, data = one.encrypt(plain, boots, time)
        salts.add(salt)
        assert other.decrypt(data, salt, boots, time)[: len(plain)] == plain
    assert len(salts) == len(plains)


@pytest.mark.parametrize("size", [0, 1, 7, 9, 15])
def test_des_comes_in_blocks(size: int) -> None:
    with pytest.raises(DecodeError, match="no whole DES blocks"):
        cipher(Priv.DES, bytes(16)).decrypt(bytes(size), bytes(8), 0, 0)
