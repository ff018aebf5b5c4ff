"""Which journal a folder holds, and the order to begin it anew under another id.

``journal.json`` names the journal and the folder in it where its classes are; it is replaced
whole, so a journal begun anew counts from one moment on, whatever happens before or after.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from tenone.blocks.block import ID_BYTES
from tenone.journal.disk import Disk
from tenone.journal.segment import SUFFIX
from tenone.vocabulary.states import PriorityClass

ABOUT_FILE = "journal.json"
SET_BACK_FILE = "set-back.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """A journal's id, and its folder in the directory; empty is the directory itself."""

    journal_id: bytes
    folder: str = ""

    @classmethod
    def new(cls, *, own_folder: bool = False) -> "Identity":
        """A random one."""
        journal_id = secrets.token_bytes(ID_BYTES)
        return cls(journal_id, journal_id.hex() if own_folder else "")

    @classmethod
    def read(cls, disk: Disk, directory: Path) -> "Identity | None":
        """What ``directory`` says; None where it holds no journal yet."""
        if ABOUT_FILE not in disk.names(directory):
            return None
        about = json.loads(disk.read(directory / ABOUT_FILE))
        return cls(bytes.fromhex(about["journal_id"]), about.get("folder", ""))

    def write(self, disk: Disk, directory: Path) -> None:
        """Make this the journal of ``directory``, durably."""
        body = {"format": 1, "journal_id": self.journal_id.hex()}
        if self.folder:
            body["folder"] = self.folder
        disk.replace(directory / ABOUT_FILE, json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class Order:
    """Begin anew as ``fresh``; the files of the journal before are in the folder ``old``."""

    fresh: Identity
    old: str

    @classmethod
    def read(cls, disk: Disk, directory: Path) -> "Order | None":
        """The order that stands in ``directory``, if any."""
        if SET_BACK_FILE not in disk.names(directory):
            return None
        body = json.loads(disk.read(directory / SET_BACK_FILE))
        return cls(Identity(bytes.fromhex(body["journal_id"]), body["journal_id"]), body["old"])

    def write(self, disk: Disk, directory: Path) -> None:
        """Let it stand, durably."""
        body = {"journal_id": self.fresh.journal_id.hex(), "old": self.old}
        disk.replace(directory / SET_BACK_FILE, json.dumps(body).encode())

    def done(self, disk: Disk, directory: Path) -> None:
        """The fresh journal counts: drop the old one's files and the order."""
        clear(disk, directory / self.old)
        disk.remove(directory / SET_BACK_FILE)


def clear(disk: Disk, home: Path) -> None:
    """Remove all files of a journal's classes."""
    for priority in PriorityClass:
        folder = home / f"p{priority.value}"
        disk.make_folder(folder)
        for name in disk.names(folder):
            if name.endswith(SUFFIX):
                disk.remove(folder / name)
