import subprocess
import sys
from pathlib import Path

import pytest

from agents.lock import FolderLock, LockedError


def test_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "outbox"
    with FolderLock(folder), pytest.raises(LockedError, match="another agent works on"):
        FolderLock(folder).__enter__()
    with FolderLock(folder):
        pass


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from agents.lock import FolderLock\n"
        "FolderLock(pathlib.Path(sys.argv[1])).__enter__()\n"
        "print('held', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    with holder.stdout, holder.stdin:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockedError):
            FolderLock(tmp_path).__enter__()
        holder.kill()
        holder.wait()
    with FolderLock(tmp_path):
        pass


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "lock").mkdir(parents=True)
    for folder in (tmp_path / "file" / "outbox", tmp_path / "file", tmp_path / "taken"):
        with pytest.raises(LockedError, match=r"outbox\.path") as told:
            FolderLock(folder).__enter__()
        assert str(folder) in str(told.value)
