"""What signatures, hash trees and chains prove of a set of blocks. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.store.protocols import ChainKey
from tenone.blocks.block import Block
from tenone.blocks.seal import Checkpoint, Seal, SealError


@dataclass(slots=True)
class Proof:
    """The result; ``faults`` in the order of the chains, the first is the one to name."""

    faults: list[str] = field(default_factory=list)
    sealed: set[tuple[ChainKey, int]] = field(default_factory=set)
    """Blocks whose hash is signed for."""
    checkpoints: int = 0
    missing: int = 0
    """Sequence numbers inside the chains of which there is neither block nor hash."""


@dataclass(slots=True)
class _Chain:
    whole: dict[int, Block] = field(default_factory=dict)
    hashes: dict[int, bytes] = field(default_factory=dict)


def prove(
    blocks: Iterable[Block],
    hashes: Mapping[tuple[ChainKey, int], bytes],
    seals: Iterable[Block],
    first_keys: Mapping[bytes, bytes],
) -> Proof:
    """Check everything against everything.

    ``hashes``: of blocks that are not there whole. ``first_keys``: the key each journal began with;
    a checkpoint by any other key proves nothing.
    """
    proof = Proof()
    chains: dict[ChainKey, _Chain] = {}
    for block in blocks:
        chain = chains.setdefault(ChainKey(block.journal_id, block.priority), _Chain())
        chain.whole[block.seq] = block
        chain.hashes[block.seq] = block.hash
    for (key, seq), value in hashes.items():
        chains.setdefault(key, _Chain()).hashes.setdefault(seq, value)
    checkpoints = _checkpoints(seals, first_keys, proof)
    for key in sorted(chains):
        _follow(key, chains[key], proof)
        _seal(key, chains[key], checkpoints.get(key.journal_id, ()), proof)
    return proof


def _checkpoints(
    seals: Iterable[Block], first_keys: Mapping[bytes, bytes], proof: Proof
) -> dict[bytes, list[Checkpoint]]:
    found: dict[bytes, list[Checkpoint]] = {}
    for block in seals:
        name = f"checkpoint {block.seq} of journal {block.journal_id.hex()[:8]}"
        try:
            seal = Seal.of(block)
            checkpoint = seal.check()
        except SealError as error:
            proof.faults.append(f"{name}: {error}")
            continue
        if checkpoint.journal_id != block.journal_id:
            proof.faults.append(f"{name} speaks of another journal")
        elif first_keys.get(block.journal_id) != seal.public_key:
            proof.faults.append(f"{name} is signed by a key that is not the journal's")
        else:
            found.setdefault(block.journal_id, []).append(checkpoint)
            proof.checkpoints += 1
    return found


def _follow(key: ChainKey, chain: _Chain, proof: Proof) -> None:
    """Each whole block must name the hash of the one before it."""
    numbers = sorted(chain.hashes)
    if numbers:
        proof.missing += numbers[-1] - numbers[0] + 1 - len(numbers)
    for seq in numbers:
        block, before = chain.whole.get(seq), chain.hashes.get(seq - 1)
        if block is not None and before is not None and block.previous != before:
            proof.faults.append(f"{_name(key, seq)} does not follow the one before it")


def _seal(key: ChainKey, chain: _Chain, checkpoints: Iterable[Checkpoint], proof: Proof) -> None:
    """What is in a signed tree, is a signed head, or leads to one through whole blocks."""
    numbers = sorted(chain.hashes)
    sealed: set[int] = set()
    for checkpoint in checkpoints:
        head = checkpoint.heads.get(key.priority)
        if head is None or not numbers or head.last < numbers[0] or head.first > numbers[-1] + 1:
            continue
        proved = head.proves(chain.hashes)
        if proved is False:
            proof.faults.append(
                f"{_name(key, head.first)} to {head.last} are not those that were sealed"
            )
        elif proved:
            sealed.update(range(head.first, head.last + 1))
        if proved is not False and chain.hashes.get(head.last) == head.hash:
            sealed.add(head.last)
    for seq in reversed(numbers):
        if seq not in sealed and seq + 1 in sealed and seq + 1 in chain.whole:
            sealed.add(seq)
    proof.sealed |= {(key, seq) for seq in sealed}


def _name(key: ChainKey, seq: int) -> str:
    return f"block {seq} of class {key.priority.name} of journal {key.journal_id.hex()[:8]}"
