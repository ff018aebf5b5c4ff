"""The gateway's seal: every minute and at every stop it signs the heads of its chains."""

import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.origin import Origin
from agents.ports import Keep
from tenone.blocks.block import Block, Draft
from tenone.blocks.seal import CHECKPOINT_LAYOUT, Checkpoint, Head, Seal, key_id, merkle_root
from tenone.journal.disk import Disk
from tenone.journal.journal import Journal
from tenone.trust.files import KeyFileError
from tenone.trust.sealed_files import SealedFiles, is_sealed
from tenone.vocabulary.states import PriorityClass

log = logging.getLogger(__name__)

SUBJECT = "gateway/journal"
INTERVAL_SECONDS = 60.0
KEY_FILE = "seal-key"
WHAT = "journal seal"
MAX_HASHES = 100_000
"""Of one class between two checkpoints; beyond it the tree begins anew: the chain proves alone."""


class SealKeyError(Exception):
    """The key cannot be read or made; the message says why and what to do."""


def seal_key(folder: Path, disk: Disk, files: SealedFiles | None = None) -> Ed25519PrivateKey:
    """The key beside the outbox, made at the first start (mode 0600, synced before it is used).

    Raises :class:`SealKeyError`. A file that was torn while it was made has signed nothing and is
    made anew; one that is otherwise unreadable is refused, for a new key is news to the city.
    ``files`` seal it where there is a vault.
    """
    path = folder / KEY_FILE
    files = files or SealedFiles()
    try:
        disk.make_folder(folder)
        if KEY_FILE in disk.names(folder):
            body = disk.read(path)
            if body.endswith(b"\n"):
                if is_sealed(body) or files.seals:
                    body = files.read(path, WHAT)
                return Ed25519PrivateKey.from_private_bytes(_private(body))
            log.warning("the seal key in %s was never written whole; it is made anew", folder)
            disk.remove(path)
        key = Ed25519PrivateKey.generate()
        about = {
            "format": 1,
            "key": key_id(key.public_key().public_bytes_raw()),
            "private": key.private_bytes_raw().hex(),
        }
        text = json.dumps(about).encode() + b"\n"
        if files.seals:
            files.write(path, WHAT, text)
            return key
        file = disk.append(path)
        try:
            file.write(text)
            file.sync()
        finally:
            file.close()
    except (KeyFileError, OSError, ValueError, KeyError, TypeError) as error:
        raise SealKeyError(
            f"the key that seals the journal, {path}, cannot be used: {error}; restore the file, "
            "or remove it to begin with a new key, which the city will report"
        ) from error
    return key


def _private(body: bytes) -> bytes:
    return bytes.fromhex(json.loads(body)["private"])


class Checkpoints:
    """Notes what the journal keeps and signs it. Give :meth:`run` to a supervisor.

    :meth:`note` is called in the journal's thread with every batch that is durable.
    """

    def __init__(
        self, *, origin: Origin, keep: Keep, journal: Journal, key: Ed25519PrivateKey
    ) -> None:
        self._origin = origin
        self._keep = keep
        self._key = key
        self._key_id = key_id(key.public_key().public_bytes_raw())
        self._journal_id = journal.journal_id
        self._lock = threading.Lock()
        self._hashes: dict[PriorityClass, list[bytes]] = {}
        self._heads: dict[PriorityClass, tuple[int, bytes]] = {}
        for priority in PriorityClass:
            if journal.head(priority):
                self._heads[priority] = journal.head(priority), journal.head_hash(priority)
        self.signed = 0
        """Checkpoints kept since the start."""

    def note(self, blocks: Sequence[Block]) -> None:
        """Blocks that are durable now, in order."""
        with self._lock:
            for block in blocks:
                new = self._hashes.setdefault(block.priority, [])
                seq, _ = self._heads.get(block.priority, (0, b""))
                if block.seq == seq + 2:
                    new.append(block.previous)  # a gap record, which the journal writes by itself
                elif block.seq != seq + 1 or len(new) >= MAX_HASHES:
                    new.clear()
                new.append(block.hash)
                self._heads[block.priority] = block.seq, block.hash

    async def tell(self) -> None:
        """Sign this moment and keep it; raises :class:`JournalError`."""
        with self._lock:
            heads = {
                priority: Head(seq - len(new) + 1, seq, own, merkle_root(new))
                for priority, (seq, own) in self._heads.items()
                for new in [self._hashes.get(priority, [])]
            }
            taken = {priority: len(new) for priority, new in self._hashes.items()}
        stamp = self._origin.stamp(SUBJECT)
        checkpoint = Checkpoint(
            journal_id=self._journal_id, key_id=self._key_id, wall_ns=stamp.wall_ns, heads=heads
        )
        seal = Seal.sign(checkpoint, self._key)
        await self._keep([Draft.of(CHECKPOINT_LAYOUT, stamp, seal.columns)])
        with self._lock:  # only now: what could not be kept is signed with the next one
            for priority, count in taken.items():
                del self._hashes[priority][:count]
        self.signed += 1

    async def run(self) -> None:
        """One a minute, for ever."""
        while True:
            await self._origin.clock.sleep(INTERVAL_SECONDS)
            await self.tell()
