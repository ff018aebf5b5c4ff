"""Small files that are replaced as a whole."""

from pathlib import Path

from tenone.journal.disk import OsDisk


def replace_file(file: Path, data: bytes) -> None:
    """Write, sync, rename, sync the folder: the file is the old one or the new one, whole.

    Beside it stands ``<name>.new`` meanwhile. One process writes a file: what a killed one left
    unfinished is written over. Raises OSError.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    OsDisk().replace(file, data)
