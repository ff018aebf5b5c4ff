"""The city's approval keys: pinned, announced, changed, never brought back."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tenone.trust.approval_keys import KeySet, KeySetError, SignedKeySet


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))


def public(number: int) -> bytes:
    return key(number).public_key().public_bytes_raw()


def keys(number: int, current: int, following: int | None = None, city: str = "c") -> KeySet:
    return KeySet(
        city=city,
        number=number,
        current=public(current),
        next=None if following is None else public(following),
    )


PINNED = keys(3, 1, 2)


@pytest.mark.parametrize(
    ("new", "by", "sentence"),
    [
        (keys(4, 2, 3), 2, None),  # the successor takes over and names its own
        (keys(4, 2), 1, None),
        (keys(4, 1, 3), 1, None),  # another successor
        (keys(9, 4, 5), 1, None),
        (PINNED, 1, None),  # the same again
        (keys(4, 2, 3), 3, "not pinned"),
        (keys(2, 1, 3), 1, "the number 2"),
        (keys(3, 1, 3), 1, "the number 3"),  # another set of the same number
        (keys(4, 2, 3, city="d"), 2, "of the city d"),
    ],
)
def test_what_follows_what(new: KeySet, by: int, sentence: str | None) -> None:
    signed = SignedKeySet.sign(new, key(by))
    if sentence is None:
        assert signed.after(PINNED) == new
        return
    with pytest.raises(KeySetError, match=sentence):
        signed.after(PINNED)


def test_an_old_key_does_not_come_back() -> None:
    first = SignedKeySet.sign(keys(4, 2), key(1)).after(PINNED)
    with pytest.raises(KeySetError, match="not pinned"):
        SignedKeySet.sign(keys(5, 1), key(1)).after(first)
    with pytest.raises(KeySetError, match="number 3"):
        SignedKeySet.sign(PINNED, key(2)).after(first)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_refused(at: int, change: int) -> None:
    signed = SignedKeySet.sign(keys(4, 2, 3), key(1))
    text = bytearray(signed.text.encode())
    text[at % len(text)] ^= change
    with pytest.raises(KeySetError):
        SignedKeySet(text.decode("latin-1"), signed.by, signed.signature).after(PINNED)
    signature = bytearray(signed.signature)
    signature[at % 64] ^= change
    with pytest.raises(KeySetError):
        SignedKeySet(signed.text, signed.by, bytes(signature)).after(PINNED)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(KeySetError):
        KeySet.parse(text)


def test_a_text_is_read_back() -> None:
    for one in (PINNED, keys(1, 1)):
        assert KeySet.parse(one.text) == one
    with pytest.raises(KeySetError, match="is the current one"):
        KeySet.parse(keys(1, 1, 1).text)
