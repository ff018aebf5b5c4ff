"""Small files that hold keys: written whole or not at all, never readable for others."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tenone.journal.disk import sync_folder

PRIVATE = 0o600
OPEN = 0o644


class KeyFileError(Exception):
    """A key's file cannot be read or written; one sentence that names it."""


def write_whole(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Replace ``path``; after a power cut it holds the old bytes or the new. KeyFileError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if mode == PRIVATE else 0o755)
        fresh.unlink(missing_ok=True)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            os.fchmod(file.fileno(), mode)  # the umask may have taken more than it should
            _give_back(file.fileno(), path)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise KeyFileError(f"{path} cannot be written ({error.strerror or error})") from error


def _give_back(fd: int, path: Path) -> None:
    """What root replaces for a service stays the service's; raises OSError."""
    if os.geteuid() != 0:
        return
    with suppress(FileNotFoundError):
        old = path.stat()
        os.fchown(fd, old.st_uid, old.st_gid)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold off other processes that would change the same file; KeyFileError."""
    try:
        fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be locked ({error.strerror or error})") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def read_private(path: Path) -> bytes:
    """The bytes of a file that nobody else may read. KeyFileError, also where others may."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise KeyFileError(
                    f"{path} holds a key and others may read it: run chmod 600 {path}, and "
                    "think who may have read it"
                )
            return file.read()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror or error})") from error


def read_open(path: Path) -> bytes:
    """The bytes of a file without secrets. KeyFileError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror or error})") from error
