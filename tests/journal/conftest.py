"""A disk that forgets what was not synced, and drafts to put into a journal."""

import errno
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tenone.blocks.block import Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.metrics import BOARD_HEALTH, PORT_COUNTERS, PORT_STATE
from tenone.vocabulary.states import PriorityClass


class PowerOff(BaseException):
    """The power goes in the middle of something: nobody gets to tidy up."""


class PowerCutDisk:
    """Files in memory. ``cut`` loses what no sync covered, but may keep a torn part of it."""

    def __init__(self, seed: int = 0, capacity: int = 1 << 40) -> None:
        self.live: dict[Path, bytearray] = {}
        self.durable: dict[Path, bytes] = {}
        self.folders: set[Path] = set()
        self.capacity = capacity
        self.fail_sync = False
        self.new_file_room: int | None = None
        """How many bytes a file takes that is made from now on."""
        self.writes_left: int | None = None
        """After so many changes the power goes; None: it stays."""
        self._narrow: dict[Path, int] = {}
        self._random = random.Random(seed)

    def cut(self) -> None:
        """The power goes: unsynced appends survive as a prefix, or with rubbish at the end."""
        for path, data in list(self.live.items()):
            safe = self.durable.get(path)
            if safe is None:
                if self._random.random() < 0.5:
                    del self.live[path]
                    continue
                safe = b""
            if bytes(data[: len(safe)]) != safe:
                self.live[path] = bytearray(safe)
                continue
            extra = data[len(safe) :]
            kept = extra[: self._random.randint(0, len(extra))]
            if kept and self._random.random() < 0.3:
                kept[-1] ^= 0x55
            self.live[path] = bytearray(safe) + kept
        for path in self.durable.keys() - self.live.keys():
            self.live[path] = bytearray(self.durable[path])
        self.durable = {path: bytes(data) for path, data in self.live.items()}

    def room(self, path: Path) -> int:
        room = self.capacity - self.used()
        if path in self._narrow:
            room = min(room, self._narrow[path] - len(self.live[path]))
        return max(room, 0)

    def used(self) -> int:
        return sum(len(data) for data in self.live.values())

    def make_folder(self, path: Path) -> None:
        self.folders.add(path)

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in self.live if path.parent == folder)

    def read(self, path: Path) -> bytes:
        if path not in self.live:
            raise FileNotFoundError(path)
        return bytes(self.live[path])

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        return bytes(self.live[path][offset : offset + length])

    def append(self, path: Path) -> "PowerCutFile":
        if path not in self.live:
            self._narrow.pop(path, None)
            if self.new_file_room is not None:
                self._narrow[path] = self.new_file_room
        self.live.setdefault(path, bytearray())
        return PowerCutFile(self, path)

    def spend(self) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise PowerOff
            self.writes_left -= 1

    def replace(self, path: Path, data: bytes) -> None:
        self.spend()
        if self.used() - len(self.live.get(path, b"")) + len(data) > self.capacity:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.live[path] = bytearray(data)
        self.durable[path] = data

    def remove(self, path: Path) -> None:
        self.spend()
        self.live.pop(path, None)
        if self._random.random() < 0.7:  # an unlink may come back after a cut
            self.durable.pop(path, None)


class PowerCutFile:
    def __init__(self, disk: PowerCutDisk, path: Path) -> None:
        self._disk = disk
        self._path = path

    def write(self, data: bytes) -> None:
        self._disk.spend()
        room = self._disk.room(self._path)
        self._disk.live[self._path] += data[:room]
        if room < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")

    def sync(self) -> None:
        if self._disk.fail_sync:
            raise OSError(errno.EIO, "Input/output error")
        self._disk.durable[self._path] = bytes(self._disk.live[self._path])

    def truncate(self, size: int) -> None:
        del self._disk.live[self._path][size:]
        self._disk.durable[self._path] = bytes(self._disk.live[self._path])

    def close(self) -> None:
        pass


PORTS = tuple(f"GigabitEthernet0/0/{number}" for number in range(1, 9))
STREAMS = {
    PriorityClass.P0: Layout("port-state", PORT_STATE, PORTS[:1]),
    PriorityClass.P1: Layout("port-counters", PORT_COUNTERS, PORTS),
    PriorityClass.P2: Layout("board-health", BOARD_HEALTH, ("b-301",)),
    PriorityClass.P3: Layout("port-state", PORT_STATE, PORTS[:2]),
}


def make_draft(priority: PriorityClass, mark: int) -> Draft:
    """A block whose wall clock is ``mark``, so that it can be told from every other."""
    layout = STREAMS[priority]
    stamp = Stamp(
        agent="no3",
        subject=f"no3/switch/p{priority.value}",
        boot_id=bytes(16),
        wall_ns=mark,
        monotonic_ns=mark,
    )
    columns = [
        Column.of(metric.name, [None if metric.type.code == "" else mark % 100] * len(layout.rows))
        for metric in layout.metrics
    ]
    return Draft.of(layout, stamp, columns, priority)


@pytest.fixture
def draft() -> Callable[[PriorityClass, int], Draft]:
    return make_draft


@pytest.fixture
def power_cut_disk() -> Callable[..., PowerCutDisk]:
    return PowerCutDisk
