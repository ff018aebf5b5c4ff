"""Keys on disk: whole or not at all, and for nobody else's eyes."""

import os
from pathlib import Path

import pytest

from tenone.trust.files import OPEN, KeyFileError, read_open, read_private, write_whole


def test_a_key_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.pem"
    before = os.umask(0)
    try:
        write_whole(path, b"one")
        write_whole(path, b"two")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_private(path) == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["key.pem"]


def test_what_is_open_is_open_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "ca.pem", b"x", mode=OPEN)
    finally:
        os.umask(before)
    assert (tmp_path / "ca.pem").stat().st_mode & 0o777 == 0o644
    assert read_open(tmp_path / "ca.pem") == b"x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    write_whole(path, b"x", mode=mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_private(path)


def test_what_cannot_be_is_said_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for attempt in (
        lambda: read_private(tmp_path / "none"),
        lambda: read_open(tmp_path / "none"),
        lambda: write_whole(tmp_path / "file" / "key.pem", b""),
    ):
        with pytest.raises(KeyFileError, match=str(tmp_path)):
            attempt()
