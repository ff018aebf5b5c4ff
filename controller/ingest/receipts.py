"""Which receipts are due: at most one message a second and node, sooner after a big step."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from controller.store.protocols import ChainKey
from drivers.wire.topics import NodeId

INTERVAL_NS = 1_000_000_000
BIG_STEP = 200
"""A watermark that moved so far is told at once, so that an agent's window opens again."""


@dataclass(slots=True)
class _Node:
    due: dict[ChainKey, int] = field(default_factory=dict)
    told: dict[ChainKey, int] = field(default_factory=dict)
    sent_ns: int = -(2**62)
    urgent: bool = False


class ReceiptBook:
    """What each node has been told, and what it may be told now. No I/O."""

    def __init__(self) -> None:
        self._nodes: dict[NodeId, _Node] = {}

    def note(self, node: NodeId, chain: ChainKey, through: int, *, again: bool) -> None:
        """A commit has made everything through ``through`` durable.

        ``again``: the node sent something it need not have sent, so it missed a receipt.
        """
        if through <= 0:
            return
        known = self._nodes.setdefault(node, _Node())
        told = known.told.get(chain, 0)
        if through > told or again:
            known.due[chain] = through
            known.urgent |= through - told >= BIG_STEP

    def forget(self, node: NodeId) -> None:
        """The node died or was born: what it was told may not have reached it."""
        known = self._nodes.get(node)
        if known is not None:
            known.told.clear()

    def take(self, now_ns: int) -> list[tuple[NodeId, dict[ChainKey, int]]]:
        """The receipts to send now."""
        found = []
        for node, known in self._nodes.items():
            if not known.due or (now_ns - known.sent_ns < INTERVAL_NS and not known.urgent):
                continue
            due, known.due = known.due, {}
            known.told.update(due)
            known.sent_ns = now_ns
            known.urgent = False
            found.append((node, due))
        return found

    def failed(self, node: NodeId, due: Iterable[tuple[ChainKey, int]]) -> None:
        """Sending did not work: they are due again."""
        known = self._nodes.setdefault(node, _Node())
        for chain, through in due:
            known.due[chain] = max(through, known.due.get(chain, 0))
            known.told.pop(chain, None)
