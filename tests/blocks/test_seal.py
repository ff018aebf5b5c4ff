"""Checkpoints: the tree of RFC 9162, the canonical text, and that any change is noticed."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tenone.blocks.block import FIRST_PREVIOUS, Draft, Stamp
from tenone.blocks.seal import (
    CHECKPOINT_LAYOUT,
    Checkpoint,
    Head,
    Seal,
    SealError,
    key_id,
    merkle_root,
)
from tenone.vocabulary.states import PriorityClass

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
P1, P2 = PriorityClass.P1, PriorityClass.P2


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tree(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\0" + leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha(b"\1" + tree(leaves[:half]) + tree(leaves[half:]))


@given(st.integers(0, 70))
def test_the_root_is_that_of_the_rfc(count: int) -> None:
    leaves = [sha(bytes([number])) for number in range(count)]
    assert merkle_root(leaves) == tree(leaves)


def checkpoint() -> Checkpoint:
    heads = {
        P1: Head(3, 5, sha(b"5"), merkle_root([sha(b"3"), sha(b"4"), sha(b"5")])),
        P2: Head(8, 7, sha(b"7"), merkle_root([])),
    }
    return Checkpoint(
        journal_id=bytes(range(16)), key_id=key_id(PUBLIC), wall_ns=1_790_000_000, heads=heads
    )


def test_the_text_is_what_the_docstring_says_and_reads_back() -> None:
    text = checkpoint().text
    lines = text.splitlines()
    assert lines[0] == "tenone-checkpoint 1"
    assert lines[1] == "journal 000102030405060708090a0b0c0d0e0f"
    assert lines[2].startswith("key ed25519:")
    assert lines[3] == "wall_ns 1790000000"
    assert lines[4].startswith("P1 3 5 ")
    assert text.endswith("\n")
    assert Checkpoint.parse(text) == checkpoint()


def test_a_seal_travels_in_a_block_and_holds() -> None:
    seal = Seal.sign(checkpoint(), KEY)
    stamp = Stamp(
        agent="no1", subject="no1/gateway/journal", boot_id=bytes(16), wall_ns=1, monotonic_ns=1
    )
    block = Draft.of(CHECKPOINT_LAYOUT, stamp, seal.columns).seal(bytes(16), 1, FIRST_PREVIOUS)
    assert block.priority is P2
    assert Seal.of(block) == seal
    assert Seal.of(block).check() == checkpoint()


@given(st.data())
def test_every_flipped_bit_is_noticed(data: st.DataObject) -> None:
    seal = Seal.sign(checkpoint(), KEY)
    parts = [seal.text.encode(), seal.public_key, seal.signature]
    part = data.draw(st.sampled_from(range(3)))
    place = data.draw(st.integers(0, len(parts[part]) * 8 - 1))
    flipped = bytearray(parts[part])
    flipped[place // 8] ^= 1 << place % 8
    parts[part] = bytes(flipped)
    with pytest.raises((SealError, UnicodeDecodeError)):
        Seal(parts[0].decode(), parts[1], parts[2]).check()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tenone-checkpoint 2\n",
        checkpoint().text[:-1],
        checkpoint().text + "P3 1 1 00 00\n",
        checkpoint().text.replace("P1 3 5", "P1 7 5"),
        checkpoint().text.replace("P1 3", "P1 03"),
        checkpoint().text.replace("wall_ns 1", "wall_ns -1"),
        checkpoint().text.replace("P2 8 7", "P1 8 7"),
        checkpoint().text.replace("journal", "Journal"),
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(SealError):
        Checkpoint.parse(text)


def test_a_key_that_is_not_the_named_one_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(SealError, match="not its own"):
        Seal.sign(checkpoint(), other).check()


def test_a_head_proves_its_hashes() -> None:
    head = checkpoint().heads[P1]
    hashes = {seq: sha(str(seq).encode()) for seq in (3, 4, 5)}
    assert head.proves(hashes) is True
    assert head.proves({**hashes, 4: sha(b"x")}) is False
    assert head.proves({3: hashes[3], 5: hashes[5]}) is None, "one is missing"
    assert head.proves({5: sha(b"x")}) is False, "the head itself is another"
