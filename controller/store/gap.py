"""A gap block's word about a chain: which numbers will not come. No I/O."""

from controller.store.watermark import Chain
from tenone.blocks.block import Block, BlockError
from tenone.journal.journal import GAP_LAYOUT


def excuse(chain: Chain, block: Block) -> list[int]:
    """Let a gap block fill the hole it names; returns sequence numbers that do not fit."""
    try:
        columns = {column.metric.name: column.raw()[0] for column in block.columns(GAP_LAYOUT)}
        last_hash = bytes.fromhex(str(columns["gap_last_hash"]))
    except (BlockError, ValueError):
        return [block.seq]
    first, last = int(columns["gap_first_seq"]), int(columns["gap_last_seq"])
    if not 0 < first <= last < block.seq:
        return [block.seq]
    chain.excuse(first, last)
    return chain.link_gap(last, last_hash) if last_hash else []
