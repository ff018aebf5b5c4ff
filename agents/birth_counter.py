"""bdSeq: which connection of the node a birth or a death belongs to (Sparkplug 3.0, 6.4.5)."""

import logging
from pathlib import Path

from tenone.journal.disk import Disk

log = logging.getLogger(__name__)

FILE = "bdseq"
NUMBERS = 256


class BirthCounter:
    """0, 1, ... 255, 0, ... across restarts; a number is on disk before it is used."""

    def __init__(self, folder: Path, *, disk: Disk) -> None:
        self._path = folder / FILE
        self._disk = disk

    def next(self) -> int:
        """The number of the next CONNECT. Blocks for one fsync; raises ``OSError``."""
        number = (self._last() + 1) % NUMBERS
        self._disk.make_folder(self._path.parent)
        self._disk.replace(self._path, b"%d\n" % number)
        return number

    def _last(self) -> int:
        try:
            text = self._disk.read(self._path)
        except FileNotFoundError:
            return -1
        if text.strip().isdigit() and int(text) < NUMBERS:
            return int(text)
        log.warning("%s does not hold a number from 0 to 255; bdSeq starts at 0", self._path)
        return -1
