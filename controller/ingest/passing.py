"""When the receipt may pass a block that nobody can read. No I/O.

Such a block comes again for ever, and what its journal holds behind it is never forgotten (decision
0016). It is passed once the very same bytes were refused often and long enough, while they alone
held up their chain; a good copy that comes in between is committed like any other and ends it.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from controller.store.protocols import NS, ChainKey
from drivers.wire.topics import NodeId

PASS_AFTER_TIMES = 10
PASS_AFTER_NS = 30 * 60 * NS


@dataclass(frozen=True)
class WholeBlock:
    """The bytes of one refused block, all of them, and the place it claims in its chain."""

    node: NodeId
    chain: ChainKey
    seq: int
    data: bytes

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the bytes as they came."""
        return hashlib.sha256(self.data).digest()


@dataclass(slots=True)
class _Held:
    seq: int
    hash: bytes
    first_ns: int
    times: int = 0


class Patience:
    """How often and how long each chain has been held up by the same bytes; since the start."""

    def __init__(self) -> None:
        self._held: dict[ChainKey, _Held] = {}

    def refused(self, block: WholeBlock, now_ns: int, *, holds_up: bool) -> tuple[int, bool]:
        """Count one refusal; how many there were of these bytes, and whether to pass them now.

        ``now_ns``: monotonic. ``holds_up``: the chain waits for nothing but this block.
        """
        held = self._held.get(block.chain)
        if not holds_up:
            if held is not None and held.seq == block.seq:
                del self._held[block.chain]
            return 1, False
        if held is None or (held.seq, held.hash) != (block.seq, block.hash):
            held = self._held[block.chain] = _Held(block.seq, block.hash, now_ns)
        held.times += 1
        due = held.times >= PASS_AFTER_TIMES and now_ns - held.first_ns >= PASS_AFTER_NS
        return held.times, due

    def forget(self, chain: ChainKey) -> None:
        """The chain goes on."""
        self._held.pop(chain, None)
