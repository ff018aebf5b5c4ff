"""Where device messages go that do not fit: counted exactly, kept within a bound.

One JSON object a line: ``time`` (epoch seconds), ``reason``, ``why`` (a sentence), ``topic``,
``count`` (how many alike since the line before), ``head`` (the first 200 bytes, escaped) and
``bytes`` (how many there were). Two files of half the bound each take turns, so the newest
half is always there.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from drivers.devices.message import Reason
from tenone.journal.disk import Disk

LIMIT_BYTES = 4 * 1024 * 1024
HEAD_BYTES = 200
MAX_TOPIC_CHARACTERS = 200
MAX_WAITING = 500
"""Different (reason, topic) pairs remembered between two writes."""
CURRENT = "quarantine.jsonl"
OLDER = "quarantine.1.jsonl"


@dataclass(slots=True)
class _Line:
    wall_ns: int
    why: str
    head: bytes
    size: int
    count: int = 1


class Quarantine:
    """Messages put aside. :meth:`add` only remembers; :meth:`write` is the one that does I/O.

    Messages that are alike (same reason and topic) between two writes share a line, and past
    :data:`MAX_WAITING` different ones a line tells of the rest, so a flood costs a bounded
    number of lines. :attr:`counts` is exact.
    """

    def __init__(self, folder: Path, *, disk: Disk, limit_bytes: int = LIMIT_BYTES) -> None:
        self.counts: Counter[Reason] = Counter()
        """Messages put aside since the agent started, by reason."""
        self._disk = disk
        self._folder = folder
        self._half = limit_bytes // 2
        self._waiting: dict[tuple[Reason, str], _Line] = {}
        self._size: int | None = None

    @property
    def total(self) -> int:
        """Messages put aside since the agent started."""
        return self.counts.total()

    @property
    def summary(self) -> str:
        """How many for which reason, such as ``flood=3 json=1``."""
        return " ".join(
            f"{reason.name.lower()}={self.counts[reason]}" for reason in sorted(self.counts)
        )

    def add(self, reason: Reason, why: str, topic: str, payload: bytes, wall_ns: int) -> None:
        """Put one message aside."""
        self.counts[reason] += 1
        key = (reason, topic[:MAX_TOPIC_CHARACTERS])
        if key not in self._waiting and len(self._waiting) >= MAX_WAITING:
            key = (reason, "(more topics than fit)")
        line = self._waiting.get(key)
        if line is not None:
            line.count += 1
        else:
            self._waiting[key] = _Line(wall_ns, why, payload[:HEAD_BYTES], len(payload))

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to write."""
        return bool(self._waiting)

    @property
    def is_precious(self) -> bool:
        """Whether something besides floods waits: each of those is a message of its own."""
        return any(reason is not Reason.FLOOD for reason, _ in self._waiting)

    def take_lines(self) -> bytes:
        """The lines to write, as bytes; they are not waiting any more."""
        waiting, self._waiting = self._waiting, {}
        return b"".join(_encode(*key, line) for key, line in waiting.items())

    def write(self, lines: bytes) -> None:
        """Append ``lines`` and sync; may run in a thread. Raises ``OSError``."""
        current = self._folder / CURRENT
        self._disk.make_folder(self._folder)
        names = self._disk.names(self._folder)
        if self._size is None:
            self._size = len(self._disk.read(current)) if CURRENT in names else 0
        if self._size + len(lines) > self._half and CURRENT in names:
            self._disk.replace(self._folder / OLDER, self._disk.read(current))
            self._disk.remove(current)
            self._size = 0
        file = self._disk.append(current)
        try:
            file.write(lines)
            file.sync()
        finally:
            file.close()
        self._size += len(lines)


def _encode(reason: Reason, topic: str, line: _Line) -> bytes:
    body = {
        "time": round(line.wall_ns / 1e9, 3),
        "reason": reason.value,
        "why": line.why,
        "topic": topic,
        "count": line.count,
        "bytes": line.size,
        "head": line.head.decode("ascii", "backslashreplace"),
    }
    return json.dumps(body).encode() + b"\n"
