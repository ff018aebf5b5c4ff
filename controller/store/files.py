"""Small files that are replaced as a whole."""

import os
import secrets
from pathlib import Path


def replace_file(file: Path, data: bytes) -> None:
    """Write, sync, rename, sync the folder: the file is the old one or the new one, whole.

    One process writes a file: what a killed one left unfinished is cleared away. Raises OSError.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    for stray in file.parent.glob(f"{file.stem}.*.new"):
        stray.unlink(missing_ok=True)
    fresh = file.with_suffix(f".{secrets.token_hex(4)}.new")
    with fresh.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
