"""Which day files of blocks go, and how: their days are over, or the disk bound is reached."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from controller.store.dayfile import SUFFIX, companions, size_of
from controller.store.protocols import DAY_NS, NS, StoreError

log = logging.getLogger(__name__)


def day_of(wall_ns: int) -> str:
    """The UTC day of a moment, ``YYYY-MM-DD``."""
    return datetime.fromtimestamp(wall_ns / NS, UTC).strftime("%Y-%m-%d")


def unreadable(district: str, error: Exception) -> str:
    """What is said of a district whose files cannot be read at the start."""
    return (
        f"the block files of district {district} cannot be read: {error}; its agents keep their "
        "blocks meanwhile. Restore the file, or move it away to begin anew"
    )


def due(
    files: Iterable[Path],
    *,
    now_ns: int,
    retention_days: int | None,
    limit_bytes: int | None,
    in_use: set[Path],
) -> list[tuple[Path, bool]]:
    """Files to remove, oldest day first; True where their days are over, else the disk is full.

    ``now_ns`` must be bounded by the blocks' own clocks: a controller's clock that jumps ahead must
    not age anything out. ``in_use``: being written, never removed.
    """
    oldest = day_of(max(now_ns - (retention_days or 0) * DAY_NS, 0))
    ordered = sorted(files, key=lambda path: path.name)
    total = sum(size_of(path) for path in ordered)
    going = []
    for path in ordered:
        old = retention_days is not None and path.name.removesuffix(SUFFIX) <= oldest
        large = limit_bytes is not None and total > limit_bytes
        if path not in in_use and (old or large):
            total -= size_of(path)
            going.append((path, old))
    return going


def remove(path: Path, *, old: bool, keep: Callable[[Path], None]) -> bool:
    """Unlink a file after ``keep``; whether it went. At the disk bound it goes all the same."""
    try:
        keep(path)
    except StoreError as error:
        log.error("%s", error)  # noqa: TRY400 - said in one line
        if old:
            return False
    for name in (path, *companions(path)):
        name.unlink(missing_ok=True)
    log.info("block file %s removed: %s", path, "past its days" if old else "disk bound")
    return True
