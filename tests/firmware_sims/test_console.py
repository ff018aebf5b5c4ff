"""The console as a parent process meets it: pipes, signals, and their ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

SIMULATOR = """
import asyncio
from firmware_sims.console import Console
from firmware_sims.control import refuse_others

def handle(command):
    refuse_others(command, "set")
    print("did", flush=True)

async def main():
    console = Console()
    console.say({"ready": True, "school": "学校"})
    await console.serve(handle)
    console.line("ended")

asyncio.run(main())
"""
SECONDS = 30
Process = subprocess.Popen[bytes]


@contextmanager
def simulator(before: Callable[[], None] | None = None) -> Iterator[Process]:
    """A simulator that is ready."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", SIMULATOR],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=before,  # noqa: PLW1509 - no threads here
    ) as process:
        try:
            assert json.loads(line(process)) == {"ready": True, "school": "学校"}
            yield process
        finally:
            process.kill()


def line(process: Process) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def write(process: Process, data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def end(process: Process, number: signal.Signals = signal.SIGTERM) -> tuple[int, bytes, bytes]:
    """Exit code, what else was said, errors."""
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def test_each_line_is_answered_in_order_whatever_pieces_it_comes_in() -> None:
    with simulator() as process:
        write(process, b'\n  \n{"set": 1}\n{"get": 1}\nnonsense\n{"s')
        assert (line(process), json.loads(line(process))) == (b"did\n", {"ok": True})
        refused = [json.loads(line(process)) for _ in range(2)]
        assert [answer["ok"] for answer in refused] == [False, False]
        assert "'get' is not known" in refused[0]["error"]
        assert "not JSON" in refused[1]["error"]
        write(process, b'et": 2}\n')
        assert (line(process), json.loads(line(process))) == (b"did\n", {"ok": True})
        assert end(process) == (0, b"ended\n", b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_of_input_ends_nothing_and_a_signal_does(number: signal.Signals) -> None:
    with simulator() as process:
        assert process.stdin is not None
        write(process, b'{"set": 1}\n')
        process.stdin.close()
        process.stdin = None
        assert (line(process), json.loads(line(process))) == (b"did\n", {"ok": True})
        assert end(process, number) == (0, b"ended\n", b"")


def test_no_input_at_all_is_as_good_as_its_end() -> None:
    with simulator(before=lambda: os.close(0)) as process:
        assert end(process) == (0, b"ended\n", b"")


def test_a_line_without_end_is_refused_and_the_next_is_read() -> None:
    with simulator() as process:
        write(process, b"x" * (2 << 20))
        assert json.loads(line(process))["ok"] is False
        write(process, b'\n{"set": 1}\n')
        while (said := line(process)) != b"did\n":
            assert json.loads(said)["ok"] is False
        assert json.loads(line(process)) == {"ok": True}
        assert end(process) == (0, b"ended\n", b"")


def test_it_ends_when_nobody_listens_any_more() -> None:
    with simulator() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        write(process, b"nonsense\n")
        assert process.wait(SECONDS) == 0
        assert process.stderr.read() == b""
