"""The block store's way past a block that nobody can read (decision 0016)."""

import sqlite3
import threading

from controller.store.dayfile import DayFile
from controller.store.protocols import ChainKey, StoreError
from controller.store.watermark import Chain


class Passing:
    """Part of :class:`controller.store.blocks.SqliteBlockStore`."""

    _lock: threading.RLock
    _chains: dict[ChainKey, Chain]
    _open: dict[str, DayFile]

    def holds_up(self, key: ChainKey, seq: int, school: str) -> bool:
        """Whether this block alone keeps the watermark of a chain of ``school`` where it is."""
        with self._lock:
            chain = self._chains.get(key)
            return chain is not None and chain.school == school and chain.holds_up(seq)

    def pass_over(self, key: ChainKey, seq: int, school: str) -> int | None:
        """Excuse a block that nobody can read; the new watermark, durable on return.

        None where it no longer holds anything up. Raises :class:`StoreError`; then nothing moved.
        """
        with self._lock:
            chain = self._chains.get(key)
            if chain is None or not self.holds_up(key, seq, school):
                return None
            file = self._open.get(chain.district)
            if file is None:
                raise StoreError(f"no block file of {chain.district} is open")
            file.dirty.add(key)
            try:
                file.begin()
                file.mark(
                    [
                        (each, known.excusing(seq) if each == key else known)
                        for each, known in self._chains.items()
                        if each in file.dirty and known.district == file.district
                    ],
                    everything=False,
                )
                file.commit()
            except sqlite3.Error as error:
                file.roll_back()
                raise StoreError(
                    f"block {seq} could not be passed over in {file.path}: {error}; it is tried "
                    "again when it comes again"
                ) from error
            chain.excuse(seq, seq)
            return chain.through
