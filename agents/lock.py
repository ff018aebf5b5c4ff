"""One agent an outbox: two writers would break the journal's chain."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

FILE = "lock"


class LockedError(Exception):
    """The folder is not ours to work on; the message says which, why, and what to do."""


class FolderLock:
    """``with FolderLock(folder):``. The kernel gives it back when the process ends, however."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd: int | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LockedError(
                f"the folder {self._folder} cannot be used ({error.strerror}): let outbox.path "
                "name a folder that the agent may write"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise LockedError(
                f"another agent works on {self._folder}: stop it, or give this one another "
                "outbox.path"
            ) from error
        self._fd = fd
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
