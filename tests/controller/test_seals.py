"""Checkpoints at the controller: kept for ever, first keys remembered, changes told."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.store.seals import Seals
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.seal import CHECKPOINT_LAYOUT, Checkpoint, Seal, key_id
from tenone.vocabulary.evidence import CHECKPOINT

ONE = Ed25519PrivateKey.from_private_bytes(bytes(32))
TWO = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
JOURNAL = bytes(16)
START_NS = 1_790_000_000_000_000_000


def block(
    key: Ed25519PrivateKey = ONE, *, seq: int = 1, journal: bytes = JOURNAL, said: bytes = JOURNAL,
    damage: bool = False,
) -> Block:  # fmt: skip
    wall_ns = START_NS + seq * 60 * 10**9
    checkpoint = Checkpoint(
        journal_id=said,
        key_id=key_id(key.public_key().public_bytes_raw()),
        wall_ns=wall_ns,
        heads={},
    )
    seal = Seal.sign(checkpoint, key)
    values = [seal.text, seal.public_key.hex(), bytes(64).hex() if damage else seal.signature.hex()]
    columns = [Column.of(name, [value]) for name, value in zip(CHECKPOINT, values, strict=True)]
    stamp = Stamp(
        agent="no1", subject="no1/gateway/journal", boot_id=bytes(16), wall_ns=wall_ns,
        monotonic_ns=1,
    )  # fmt: skip
    return Draft.of(CHECKPOINT_LAYOUT, stamp, columns).seal(journal, seq, FIRST_PREVIOUS)


def test_kept_found_again_and_once(tmp_path: Path) -> None:
    seals = Seals(tmp_path)
    seals.start()
    blocks = [block(seq=seq) for seq in (1, 2, 3)]
    assert seals.put("no1", blocks) == []
    assert seals.put("no1", blocks[:1]) == []
    found = list(seals.between("no1", START_NS, START_NS + 150 * 10**9))
    assert [kept.block.data for kept in found] == [blocks[0].data, blocks[1].data]
    assert list(seals.between("no2", 0, 2**62)) == []
    seals.close()
    again = Seals(tmp_path)
    again.start()
    assert again.first_keys("no1") == {JOURNAL: ONE.public_key().public_bytes_raw()}
    again.close()


def test_another_key_is_told_and_kept(tmp_path: Path) -> None:
    seals = Seals(tmp_path)
    seals.start()
    seals.put("no1", [block()])
    (finding,) = seals.put("no1", [block(TWO, seq=2)])
    assert "not the one it began with" in finding
    assert len(list(seals.between("no1", 0, 2**62))) == 2
    assert seals.put("no1", [block(TWO, journal=bytes([1]) * 16, said=bytes([1]) * 16)]) == []
    seals.close()


def test_what_does_not_hold_is_told_and_not_kept(tmp_path: Path) -> None:
    seals = Seals(tmp_path)
    seals.start()
    (one,) = seals.put("no1", [block(damage=True)])
    assert "signature" in one
    (two,) = seals.put("no1", [block(said=bytes([7]) * 16)])
    assert "another journal" in two
    assert list(seals.between("no1", 0, 2**62)) == []
    assert seals.first_keys("no1") == {}
    seals.close()
