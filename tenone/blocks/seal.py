"""Checkpoints: what an agent signs of its chains, and what a signature proves. No I/O.

A block's hash covers all of its bytes and with them the hash of the block before it, so a head's
hash proves every block of the chain *as long as all blocks between are there whole*. Raw blocks age
out, therefore a checkpoint also signs, for each class, the root of a hash tree (RFC 9162, section
2.1.1) over the hashes of all blocks since the checkpoint before. With the hashes alone (32 bytes a
block) a block that was kept can then be proved to be the one that was sealed, with nothing else of
its chain left. See docs/decisions/0008-checkpoints-sign-hash-trees.md.

The canonical text, ASCII, every line ended by a line feed::

    tenone-checkpoint 1
    journal <journal id, hex>
    key <key id>
    wall_ns <wall clock, ns since 1970 UTC>
    P1 <first> <last> <hash of block last> <root over the hashes of first..last>

with one line a class that has blocks, in the order of the classes. Where nothing came since the
checkpoint before, ``first`` is ``last + 1`` and the root is that of the empty tree. The signature
is Ed25519 (RFC 8032) over the text.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tenone.blocks.block import Block, BlockError
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.evidence import CHECKPOINT
from tenone.vocabulary.states import PriorityClass

FIRST_LINE = "tenone-checkpoint 1"
CHECKPOINT_LAYOUT = Layout("checkpoint", CHECKPOINT, ("checkpoint",))
MAX_SEQ = 2**63 - 1
_HEAD = re.compile(r"(P[0-3]) ([1-9][0-9]*) (0|[1-9][0-9]*) ([0-9a-f]{64}) ([0-9a-f]{64})")
_FIELDS = (
    ("journal", re.compile(r"[0-9a-f]{32}")),
    ("key", re.compile(r"[0-9a-z:.-]{1,64}")),
    ("wall_ns", re.compile(r"0|[1-9][0-9]{0,18}")),
)


class SealError(ValueError):
    """A checkpoint that is malformed or whose signature does not hold."""


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """The root of the hash tree over ``hashes`` (RFC 9162, section 2.1.1); SHA-256."""
    if not hashes:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\0" + one).digest() for one in hashes]
    while len(level) > 1:
        # The tree splits at the largest power of two: pairs from the left, an odd one goes up.
        pairs = [
            hashlib.sha256(b"\1" + level[at] + level[at + 1]).digest()
            for at in range(0, len(level) - 1, 2)
        ]
        level = pairs + level[2 * len(pairs) :]
    return level[0]


def key_id(public_key: bytes) -> str:
    """The name of a key without a certificate: its scheme and the start of its SHA-256.

    Part 3 brings a certificate authority for devices; its names take another scheme.
    """
    return f"ed25519:{hashlib.sha256(public_key).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Head:
    """One class at a checkpoint: its newest block, and the tree over what is new."""

    first: int
    last: int
    hash: bytes
    root: bytes

    def proves(self, hashes: Mapping[int, bytes]) -> bool | None:
        """Whether ``hashes``, by sequence number, are the sealed ones; None: one is missing."""
        if self.last in hashes and hashes[self.last] != self.hash:
            return False
        known = [hashes.get(seq) for seq in range(self.first, self.last + 1)]
        found = [one for one in known if one is not None]
        return None if len(found) < len(known) else merkle_root(found) == self.root


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What is signed."""

    journal_id: bytes
    key_id: str
    wall_ns: int
    heads: Mapping[PriorityClass, Head]

    @property
    def text(self) -> str:
        """The canonical text; see the module."""
        lines = [
            FIRST_LINE,
            f"journal {self.journal_id.hex()}",
            f"key {self.key_id}",
            f"wall_ns {self.wall_ns}",
        ]
        for priority, head in sorted(self.heads.items()):
            lines.append(
                f"{priority.name} {head.first} {head.last} {head.hash.hex()} {head.root.hex()}"
            )
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a canonical text; raises :class:`SealError` for anything else."""
        lines = text.split("\n")
        if lines[:1] != [FIRST_LINE] or lines[-1] or len(lines) < len(_FIELDS) + 2:
            raise SealError("this is no checkpoint's text")
        values = []
        for (name, shape), line in zip(_FIELDS, lines[1:], strict=False):
            said, _, value = line.partition(" ")
            if said != name or not shape.fullmatch(value):
                raise SealError(f"the checkpoint's line {line[:80]!r} is not its {name}")
            values.append(value)
        heads: dict[PriorityClass, Head] = {}
        for line in lines[len(_FIELDS) + 1 : -1]:
            priority, head = _head(line)
            if heads and priority <= max(heads):
                raise SealError(f"the checkpoint's class {priority.name} is out of order")
            heads[priority] = head
        return cls(
            journal_id=bytes.fromhex(values[0]),
            key_id=values[1],
            wall_ns=int(values[2]),
            heads=heads,
        )


def _head(line: str) -> tuple[PriorityClass, Head]:
    found = _HEAD.fullmatch(line)
    if found is None:
        raise SealError(f"the checkpoint's line {line[:80]!r} is no chain head")
    name, first, last, own, root = found.groups()
    head = Head(int(first), int(last), bytes.fromhex(own), bytes.fromhex(root))
    if not 1 <= head.first <= head.last + 1 <= MAX_SEQ:
        raise SealError(f"the checkpoint's class {name} ends at {last} before it begins at {first}")
    return PriorityClass[name], head


@dataclass(frozen=True, slots=True)
class Seal:
    """A signed checkpoint as it travels: a block of the stream ``checkpoint``."""

    text: str
    public_key: bytes
    signature: bytes

    @classmethod
    def sign(cls, checkpoint: Checkpoint, key: Ed25519PrivateKey) -> "Seal":
        """Sign with the key the checkpoint names."""
        text = checkpoint.text
        public = key.public_key().public_bytes_raw()
        return cls(text, public, key.sign(text.encode()))

    @classmethod
    def of(cls, block: Block) -> "Seal":
        """Read a block; raises :class:`SealError`. Says nothing yet about the signature."""
        try:
            row = [str(column.raw()[0]) for column in block.columns(CHECKPOINT_LAYOUT)]
            text, public, signature = row
            return cls(text, bytes.fromhex(public), bytes.fromhex(signature))
        except (BlockError, ValueError) as error:
            raise SealError(f"a block of the stream checkpoint holds none: {error}") from error

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of its block."""
        values = (self.text, self.public_key.hex(), self.signature.hex())
        return tuple(
            Column.of(name, [value]) for name, value in zip(CHECKPOINT, values, strict=True)
        )

    def check(self) -> Checkpoint:
        """The checkpoint, if the signature holds and is by the key it names; :class:`SealError`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(
                self.signature, self.text.encode()
            )
        except (InvalidSignature, ValueError) as error:
            raise SealError("the signature does not fit the checkpoint's text") from error
        checkpoint = Checkpoint.parse(self.text)
        if checkpoint.key_id != key_id(self.public_key):
            raise SealError(f"the checkpoint names the key {checkpoint.key_id}, not its own")
        return checkpoint
