"""``tenone reflector`` and ``tenone probe`` as two processes on loopback."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

Run = tuple[int, list[str], str]


@asynccontextmanager
async def reflector(*options: str) -> AsyncIterator[str]:
    """A running reflector; gives the place it answers at."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tenone.cli", "reflector", "--listen", "127.0.0.1:0", "--ready-json",
        *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PROBE_KEY": "of this test"},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        ready = json.loads(await process.stdout.readline())
    try:
        yield ready["listening"][0]
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b"answered" in said


async def run(*arguments: str) -> Run:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tenone.cli", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PROBE_KEY": "of this test", "WRONG_KEY": "of another"},
    )  # fmt: skip
    async with asyncio.timeout(30):
        out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode().splitlines(), error.decode()


async def test_two_processes() -> None:
    async with reflector("--stateful") as place:
        code, lines, _ = await run("probe", place, "--count", "20", "--interval", "2ms", "--json")
        plain = await run("probe", place, "--count", "2", "--interval", "2ms", "--dscp", "46")
    assert code == 0
    packets, summary = [json.loads(line) for line in lines[:-1]], json.loads(lines[-1])
    assert [packet["sequence"] for packet in packets] == list(range(20))
    assert (summary["sent"], summary["lost"], summary["duplicates"]) == (20, 0, 0)
    delays = [packet["away_ns"] - packet["held_ns"] for packet in packets]
    assert summary["delay_min_us"] == min(delays) / 1000
    assert summary["delay_max_us"] == max(delays) / 1000
    assert plain[0] == 0
    assert plain[1][0].startswith(f"{place}: 2 sent, 0 lost; round trip ")


@pytest.mark.slow
async def test_only_who_has_the_key_is_answered() -> None:
    async with reflector("--key", "env:PROBE_KEY") as place:
        good, wrong = await asyncio.gather(
            run("probe", place, "--count", "3", "--key", "env:PROBE_KEY"),
            run("probe", place, "--count", "3", "--key", "env:WRONG_KEY"),
        )
    assert good[0] == 0
    assert (wrong[0], wrong[1]) == (1, [f"{place}: 3 sent, 3 lost"])


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["reflector", "--listen", "here:there"], 2, "is no place"),
        (["reflector", "--allow", "all"], 2, "'all' is no network"),
        (["reflector", "--key", "plain"], 2, "never the secret itself"),
        (["reflector", "--key", "env:NOT_SET_AT_ALL"], 2, "NOT_SET_AT_ALL is not set"),
        (["reflector", "--listen", "192.0.2.1:5000"], 1, "192.0.2.1:5000 cannot be listened on"),
        (["probe", "[]:1"], 2, "is no place"),
        (["probe", "127.0.0.1:862", "--interval", "soon"], 2, "not a quantity"),
        (["probe", "no-such-host.invalid"], 2, "not known"),
    ],
)
def test_bad_arguments_are_a_sentence(
    arguments: list[str], code: int, why: str, invoke: Callable[[list[str]], tuple[int, str]]
) -> None:
    found, said = invoke(arguments)
    assert found == code
    assert why in said
    assert "Traceback" not in said


@pytest.fixture
def invoke() -> Callable[[list[str]], tuple[int, str]]:
    """Run a command inside this process."""
    from typer.testing import CliRunner  # noqa: PLC0415 - the processes above need none of it

    from tenone.cli.main import build  # noqa: PLC0415 - likewise

    def call(arguments: list[str]) -> tuple[int, str]:
        done = CliRunner().invoke(build(["probe", "reflector"]), arguments)
        return done.exit_code, done.output

    return call
