import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def running(folder: Path) -> list[str]:
    """Command lines of processes started under ``folder``: a child inherits its TMPDIR."""
    found = []
    mark = f"TMPDIR={folder}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tenone.cli", "demo", "--port", "0", "--schools", "3", *options],
        env={"TMPDIR": str(folder), "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "default"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("wrong", [["--for", "soon"], ["--schools", "0"], ["--speed", "99"]])
def test_a_wish_that_cannot_be_met_is_one_sentence(tmp_path: Path, wrong: list[str]) -> None:
    with start(tmp_path, *wrong) as demo:
        output, _ = demo.communicate(timeout=30)
    assert demo.returncode == 2
    assert wrong[0] in output


@pytest.mark.slow
def test_it_ends_by_itself_with_exit_0_and_leaves_nothing(tmp_path: Path) -> None:
    with start(tmp_path, "--for", "12s", "--speed", "3") as demo:
        output, _ = demo.communicate(timeout=100)
    assert demo.returncode == 0, output
    assert "all 3 schools report" in output
    assert re.search(r"Sign in  \S+", output)
    assert "■" in output  # at least one fault was seen to begin
    assert "Traceback" not in output
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "when"),
    [
        (signal.SIGINT, "starting"),
        pytest.param(signal.SIGTERM, "running", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, "starting", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "running", marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_everything(tmp_path: Path, number: signal.Signals, when: str) -> None:
    with start(tmp_path) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if ("switches answer" if when == "starting" else "schools report") in line:
                break
        assert demo.poll() is None, "".join(lines)
        demo.send_signal(number)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, "".join(lines) + rest
    assert "nothing is left running" in rest
    deadline = time.monotonic() + 10
    while running(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
