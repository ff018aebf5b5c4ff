"""A file that is replaced is the old one or the new one, also under kill -9."""

import asyncio
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from controller.state.path_file import decode
from controller.store.files import replace_file


def test_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "a.bin"
    for data in (b"one", b"", b"three" * 1000):
        replace_file(file, data)
        assert file.read_bytes() == data
    assert [one.name for one in file.parent.iterdir()] == ["a.bin"]


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "a.bin.new").write_bytes(b"half")
    (tmp_path / "b.bin.new").write_bytes(b"another's")
    replace_file(tmp_path / "a.bin", b"whole")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.bin", "b.bin.new"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"file"):
        replace_file(tmp_path / "file" / "a.bin", b"")


WRITER = """
import sys
from pathlib import Path
import numpy as np
from controller.store.files import replace_file
from controller.sla.loss_window import LONGEST
from controller.state.path_file import Snapshot, encode
from controller.state.paths import OCTETS, Windows
from controller.state.probe_streams import PathId
count, written = 3000, 0
ids = [PathId(f"no1/c{n}", f"c{n}", 0) for n in range(count)]
print("go", flush=True)
while True:
    written += 1
    one = np.full(count, written % LONGEST)
    windows = Windows(np.full((count, OCTETS), written % 256, np.uint8), one, one, one, one)
    shot = Snapshot(written_ns=written, paths=ids, windows=windows, chains={})
    replace_file(Path(sys.argv[1]), encode(shot))
"""


async def test_a_file_that_is_written_under_kill_is_always_whole(tmp_path: Path) -> None:
    file = tmp_path / "proofs" / "windows.bin"
    for pause in (0.05, 0.14):
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(file), stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        assert await writer.stdout.readline() == b"go\n"
        async with asyncio.timeout(20):
            while not file.exists():  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.005)
        await asyncio.sleep(pause)
        writer.send_signal(signal.SIGKILL)
        await writer.wait()
        read = decode(file.read_bytes())
        assert np.all(read.windows.next == read.written_ns % 2120)
    assert len(list(file.parent.iterdir())) <= 2, "what a killed writer leaves is cleared away"
