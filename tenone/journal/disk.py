"""The disk the journal writes to, passed in so that tests can cut the power."""

import os
from pathlib import Path
from typing import Protocol


class OpenFile(Protocol):
    """A file open for appending."""

    def write(self, data: bytes) -> None:
        """Append all of ``data``; raises ``OSError`` when the disk will not take it."""
        ...

    def sync(self) -> None:
        """Return only when what was written survives a power cut."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file back to ``size`` bytes."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...


class Disk(Protocol):
    """The few things the journal asks of a file system."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents, durably."""
        ...

    def names(self, folder: Path) -> list[str]:
        """The names in ``folder``, sorted."""
        ...

    def read(self, path: Path) -> bytes:
        """All bytes of a file."""
        ...

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, fewer at the end of the file."""
        ...

    def append(self, path: Path) -> OpenFile:
        """Open for appending; a new file's name is durable once its first sync returned."""
        ...

    def replace(self, path: Path, data: bytes) -> None:
        """Write a small file whole or not at all, durably; readable for its owner alone."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file; coming back after a power cut does no harm."""
        ...


class _OsFile:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._folder: Path | None = path.parent

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def sync(self) -> None:
        os.fdatasync(self._fd)
        if self._folder is not None:  # a new name needs its folder written too
            sync_folder(self._folder)
            self._folder = None

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd, size)
        os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


class OsDisk:
    """The machine's file system."""

    def make_folder(self, path: Path) -> None:
        """See :class:`Disk`."""
        if path.is_dir():
            return
        self.make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)

    def names(self, folder: Path) -> list[str]:
        """See :class:`Disk`."""
        return sorted(path.name for path in folder.iterdir())

    def read(self, path: Path) -> bytes:
        """See :class:`Disk`."""
        return path.read_bytes()

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        """See :class:`Disk`."""
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def append(self, path: Path) -> OpenFile:
        """See :class:`Disk`."""
        return _OsFile(path)

    def replace(self, path: Path, data: bytes) -> None:
        """See :class:`Disk`."""
        fresh = path.with_name(path.name + ".new")
        try:
            # What is not the account's own business is written elsewhere, by its own means.
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                os.fchmod(fd, 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def remove(self, path: Path) -> None:
        """See :class:`Disk`."""
        path.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Make new names in a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
