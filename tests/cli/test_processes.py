import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tenone.cli.processes import (
    QUIET_PORTS,
    Child,
    ChildError,
    Tree,
    free_port,
    free_quiet_udp_ports,
)


def switch(folder: Path, name: str = "switches") -> Child:
    return Child(name, ["sim", "switch", "--ready-json"], log=folder / f"{name}.log")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z"


def eventually(fact: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_port_that_is_taken_is_not_given_out() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        assert free_port(taken) != taken


async def test_a_child_says_when_it_is_ready_answers_and_stops(tmp_path: Path) -> None:
    child = switch(tmp_path)
    ready = await child.start()
    assert ready["switches"][0]["name"] == "sw1"
    assert await child.ask({"switch": "sw1", "silent": True}) == {"ok": True}
    with pytest.raises(ChildError, match="no switch here is called 'sw9'"):
        await child.ask({"switch": "sw9", "silent": True})
    pid = child.pid
    await child.stop()
    assert gone(pid)
    with pytest.raises(ChildError, match="not running"):
        await child.ask({"switch": "sw1", "silent": True})


async def test_a_child_that_cannot_start_says_why(tmp_path: Path) -> None:
    child = Child("odd", ["sim", "switch", "--vendor", "nobody"], log=tmp_path / "odd.log")
    with pytest.raises(ChildError, match="nobody"):
        await child.start()


async def test_the_tree_starts_a_crashed_child_again_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    tree = Tree(said.append)
    child = switch(tmp_path)
    await tree.start(child)
    first = child.pid
    os.kill(first, signal.SIGKILL)  # a crash: nobody asked the tree
    await asyncio.to_thread(eventually, lambda: child.pid != first and child.running)
    await tree.stop()
    assert any("starting it again" in line for line in said)
    assert gone(child.pid)


async def test_a_child_ended_on_purpose_stays_ended_until_it_is_wanted(tmp_path: Path) -> None:
    said: list[str] = []
    tree = Tree(said.append)
    child = switch(tmp_path)
    await tree.start(child)
    child.signal(signal.SIGKILL)
    await child.wait()
    await asyncio.sleep(1.5)  # longer than the tree waits before it starts a crashed child again
    assert not child.running
    await child.start()
    second = child.pid
    await asyncio.sleep(0.2)
    assert child.pid == second  # started once, not by hand and by the tree as well
    assert said == []
    await tree.stop()


def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, sys, pathlib
        from tenone.cli.processes import Child

        async def main() -> None:
            child = Child("s", ["sim", "switch", "--ready-json"], log=pathlib.Path(sys.argv[1]))
            await child.start()
            print(child.pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "log")], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    eventually(lambda: gone(pid))


def test_quiet_udp_ports_are_free_different_and_not_of_the_systems_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tenone.cli.processes.QUIET_PORTS", (30_000, 30_040))
        found = free_quiet_udp_ports(20)
    assert len(set(found)) == 20
    (port,) = free_quiet_udp_ports(1)
    assert port in range(*QUIET_PORTS)
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("", port))
