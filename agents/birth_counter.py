"""bdSeq: which connection of the node a birth or a death belongs to (Sparkplug 3.0, 6.4.5)."""

import logging
from pathlib import Path

from tenone.journal.disk import Disk

log = logging.getLogger(__name__)

FILE = "bdseq"
NUMBERS = 256


class BirthCounter:
    """The number of the last CONNECT, over restarts; store it before the CONNECT goes out."""

    def __init__(self, folder: Path, *, disk: Disk) -> None:
        self._path = folder / FILE
        self._disk = disk

    def last(self) -> int | None:
        """The last number stored; None at the very first start, or where the file is spoilt."""
        try:
            text = self._disk.read(self._path)
        except FileNotFoundError:
            return None
        if text.strip().isdigit() and int(text) < NUMBERS:
            return int(text)
        log.warning("%s does not hold a number from 0 to 255; bdSeq starts at 0", self._path)
        return None

    def store(self, number: int) -> None:
        """Put ``number`` on disk. Blocks for one fsync.

        A full disk is said and no more: it must not cut the school off, for only receipts make
        room on it.
        """
        try:
            self._disk.make_folder(self._path.parent)
            self._disk.replace(self._path, b"%d\n" % number)
        except OSError as error:
            log.warning("the number of this connection to the city cannot be kept: %s", error)
