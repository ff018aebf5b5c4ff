"""What is sealed opens with its key beside what it was bound to, and not otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.trust.envelope import (
    EnvelopeError,
    KeyKey,
    Suite,
    data_key,
    seal,
    unseal,
)

SUITES = list(Suite)


@given(st.sampled_from(SUITES), st.binary(max_size=200), st.binary(max_size=50))
def test_there_and_back(suite: Suite, text: bytes, bound: bytes) -> None:
    key = data_key(suite)
    sealed = seal(suite, key, text, bound)
    assert len(sealed) == 12 + len(text) + 16
    assert unseal(suite, key, sealed, bound) == text
    assert seal(suite, key, text, bound) != sealed


@pytest.mark.parametrize("suite", SUITES)
def test_every_bit_counts(suite: Suite) -> None:
    key = data_key(suite)
    sealed = seal(suite, key, b"0f-canary", b"name\x001")
    for place in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(EnvelopeError):
            unseal(suite, key, bytes(changed), b"name\x001")
    for short in range(len(sealed)):
        with pytest.raises(EnvelopeError):
            unseal(suite, key, sealed[:short], b"name\x001")
    with pytest.raises(EnvelopeError):
        unseal(suite, key, sealed, b"name\x002")
    with pytest.raises(EnvelopeError):
        unseal(suite, data_key(suite), sealed, b"name\x001")


def test_keys() -> None:
    key = KeyKey.fresh()
    assert KeyKey.parse(key.text) == key
    assert KeyKey.parse(f" {key.octets.hex()}\n") == key
    assert key.text not in repr(key)
    assert key.octets.hex() not in repr(key)
    ids = {key.id(suite, salt) for suite in SUITES for salt in (b"a", b"b")}
    assert len(ids) == 4
    assert key.mac(Suite.SM4, b"a", b"data") != key.mac(Suite.AES, b"a", b"data")


@pytest.mark.parametrize(
    "text", ["", "password", "0" * 64, "AA==", "z" * 64, "=" * 44, "é" * 44, "x" * 5000]
)
def test_no_key(text: str) -> None:
    with pytest.raises(EnvelopeError) as caught:
        KeyKey.parse(text)
    assert not text or text not in str(caught.value)
