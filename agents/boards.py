"""What the class boards of a school said last, as one block's columns. No I/O, no clock."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.devices.board import BoardSample
from drivers.wire.topics import Channel
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import Layout, layout
from tenone.vocabulary.metrics import BOARD_HEALTH
from tenone.vocabulary.states import ClockQuality

STREAM = "board-health"
REMEMBERED = 64
"""Message counters remembered a board, to tell a duplicate from a latecomer."""


class Outcome(StrEnum):
    """What became of a sample."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """The same (boot, n) again: an MQTT redelivery."""
    LATE = "late"
    """Older than what the row already says."""


@dataclass(slots=True)
class _Board:
    values: dict[str, Value | None] = field(default_factory=dict)
    heard: int = 0
    boot: str | None = None
    newest: int = -1
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


class BoardTable:
    """One row a configured board. A row keeps the last word on each column."""

    def __init__(self, serials: Sequence[str]) -> None:
        self.layout: Layout = layout(STREAM, BOARD_HEALTH, serials)
        self.outcomes: Counter[Outcome] = Counter()
        self.version = 0
        """Grows with everything that changes a row, so that a keeper knows what it has kept."""
        self._boards = {serial: _Board() for serial in serials}

    def __contains__(self, serial: str) -> bool:
        return serial in self._boards

    def apply(self, sample: BoardSample) -> Outcome:
        """Fold one sample in; the board must be one of the table's."""
        board = self._boards[sample.serial]
        outcome = Outcome.NEW
        if sample.channel is Channel.MEASUREMENT:
            outcome = _judge(board, sample)
        if outcome is Outcome.NEW:
            board.heard += 1
            board.values.update(sample.values)
            if sample.channel is Channel.MEASUREMENT:
                board.values["message_counter"] = sample.n
                believable = sample.clock_quality is not ClockQuality.IMPLAUSIBLE
                # The column says what the device said; the block's own time stands in for it.
                board.values["device_time_ms"] = sample.time_ms if believable else None
            self.version += 1
        self.outcomes[outcome] += 1
        return outcome

    def heard(self) -> dict[str, int]:
        """How many samples of each board were news; of boards that were heard at all."""
        return {serial: one.heard for serial, one in self._boards.items() if one.heard}

    def forget_presence(self) -> None:
        """Nobody knows any more which boards are connected: the broker is out of reach."""
        for board in self._boards.values():
            if board.values.pop("online", None) is not None:
                self.version += 1

    def columns(self) -> list[Column]:
        """All rows, in layout order; what was never said is unknown."""
        boards = self._boards.values()
        return [Column.of(name, [one.values.get(name) for one in boards]) for name in BOARD_HEALTH]


def _judge(board: _Board, sample: BoardSample) -> Outcome:
    """Order by (boot, n); a status needs none, the last one to arrive is the truth."""
    n = -1 if sample.n is None else sample.n
    if sample.boot != board.boot:
        board.boot, board.newest = sample.boot, -1
        board.recent.clear()
    if n in board.recent:
        return Outcome.DUPLICATE
    board.recent.append(n)
    if n <= board.newest:
        return Outcome.LATE
    board.newest = n
    return Outcome.NEW
