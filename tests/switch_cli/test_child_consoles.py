"""Consoles in a real child process, on a real SSH server."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.console import Console, ConsoleLogin, Consoles
from drivers.cli.dialect import Line
from drivers.cli.errors import CannotError, LineRefusedError, LoginError, SessionLostError
from drivers.cli.hostkeys import HostKeyStore, HostKeyUnknownError
from drivers.cli.manners import Manners
from tenone.trust.masked import Secret
from tenone.vocabulary.intents import Dialect
from tests.switch_cli.scripted import CUT, HANG, PASSWORD, ScriptedSwitch

MANNERS = Manners(
    device_type="terminal_server",
    prompt=re.compile(r"(?:^|[\r\n])(?:<[^<>\s]{1,60}>|\[[^\[\]\s]{1,60}\])\s?\Z"),
    refusals=(re.compile(r"(?m)^Error: .*"),),
    quiet=(Line("undo terminal monitor"),),
    leave=(Line("return", optional=True),),
)
LINES = (Line("system-view"), Line("interface GE1"), Line("undo shutdown"), Line("return"))


@pytest.fixture
async def consoles() -> AsyncIterator[ChildConsoles]:
    made = ChildConsoles(lambda _: MANNERS)
    yield made
    await made.close()


async def until(fact: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "in time"
        await asyncio.sleep(0.02)


def of_process(pid: int) -> bytes:
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_life(
    scripted: ScriptedSwitch, console_login: ConsoleLogin, consoles: ChildConsoles
) -> None:
    room: Consoles = consoles
    assert not consoles.pid, "nothing is started before it is wanted"
    first: Console = await room.open(console_login)
    scripted.answers["display this"] = (b"#\r\n speed 100\r\n",)
    assert await first.run([*LINES[:2], Line("display this")]) == ["", "", "#\n speed 100"]
    scripted.answers["undo shutdown"] = (b"Error: No.\r\n",)
    with pytest.raises(LineRefusedError, match=r"Error: No\.") as refused:
        await first.run(LINES)
    assert refused.value.number == 2
    # Another one at the same time is another session; one given back is used again.
    second = await room.open(console_login)
    assert scripted.logins == 2
    await first.close()
    await first.close()
    with pytest.raises(SessionLostError, match="the session is over"):
        await first.run(LINES)
    third = await room.open(console_login)
    assert scripted.logins == 2
    del scripted.typed[:]
    await asyncio.gather(second.run([Line("a")]), third.run([Line("b")]))
    assert sorted(scripted.typed) == ["a", "b"]
    # With another password it is another login, whatever is kept.
    await third.close()
    with pytest.raises(LoginError, match="does not let 'tenone' in"):
        await room.open(replace(console_login, password=Secret("canary-wrong")))
    pid = consoles.pid
    assert pid is not None
    seen = of_process(pid)
    assert PASSWORD.encode() not in seen
    assert str(console_login.host).encode() not in seen
    await room.close()
    assert not is_there(pid)
    await until(lambda: scripted.open_now == 0)
    with pytest.raises(LoginError, match="the agent is ending"):
        await room.open(console_login)


@pytest.mark.slow
async def test_a_pin_that_is_taken_away(
    console_login: ConsoleLogin, consoles: ChildConsoles
) -> None:
    await (await consoles.open(console_login)).close()
    HostKeyStore(console_login.host_keys).unpin("127.0.0.1", console_login.port)
    with pytest.raises(HostKeyUnknownError):
        await consoles.open(console_login)


@pytest.mark.slow
async def test_lost(
    scripted: ScriptedSwitch, console_login: ConsoleLogin, consoles: ChildConsoles
) -> None:
    for number, line in enumerate(LINES[:2]):
        console = await consoles.open(console_login)
        scripted.answers = {line.text: (CUT,)}
        with pytest.raises(SessionLostError) as lost:
            await console.run(LINES)
        assert lost.value.number == number
        await console.close()
        scripted.answers.clear()
    assert scripted.logins == 2


async def test_the_child_is_killed(
    scripted: ScriptedSwitch, console_login: ConsoleLogin, consoles: ChildConsoles
) -> None:
    console, idle = [await consoles.open(console_login) for _ in range(2)]
    scripted.answers["interface GE1"] = (HANG,)
    under_way = asyncio.create_task(console.run(LINES))
    await until(lambda: "interface GE1" in scripted.typed)
    pid = consoles.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(SessionLostError, match="the process that held the session ended") as lost:
        await under_way
    assert lost.value.number == 1
    with pytest.raises(SessionLostError):
        await idle.run(LINES)
    await idle.close()
    scripted.answers.clear()
    again = await consoles.open(console_login)
    assert await again.run(LINES) == [""] * 4
    assert consoles.pid != pid


@pytest.mark.slow
async def test_cancelled(
    scripted: ScriptedSwitch, console_login: ConsoleLogin, consoles: ChildConsoles
) -> None:
    console = await consoles.open(console_login)
    scripted.answers["interface GE1"] = (HANG,)
    under_way = asyncio.create_task(console.run(LINES))
    await until(lambda: "interface GE1" in scripted.typed)
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    await until(lambda: scripted.open_now == 0)
    await console.close()
    scripted.answers = {"undo terminal monitor": (HANG,)}
    opening = asyncio.create_task(consoles.open(console_login))
    await until(lambda: scripted.logins == 2)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    pid = consoles.pid
    scripted.answers.clear()
    assert await (await consoles.open(console_login)).run(LINES) == [""] * 4
    assert consoles.pid == pid, "the child lives on"


async def test_a_child_that_hangs_is_killed(
    console_login: ConsoleLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.cli.child_consoles.OPEN_SECONDS", 0.3)
    consoles = ChildConsoles(
        lambda _: MANNERS, command=(sys.executable, "-c", "import time; time.sleep(60)")
    )
    with pytest.raises(LoginError, match="the process for it ended"):
        await consoles.open(console_login)
    await consoles.close()
    missing = ChildConsoles(lambda _: MANNERS, command=("/nonexistent/python",))
    with pytest.raises(LoginError, match="cannot be started"):
        await missing.open(console_login)
    await missing.close()


@pytest.mark.slow
async def test_idle_it_ends_and_comes_again(
    scripted: ScriptedSwitch, console_login: ConsoleLogin
) -> None:
    consoles = ChildConsoles(lambda _: MANNERS, idle_seconds=0.2)
    console = await consoles.open(console_login)
    pid = consoles.pid
    assert pid is not None
    await console.close()
    await until(lambda: not is_there(pid) and consoles.pid is None)
    assert scripted.open_now == 0
    await consoles.open(console_login)
    assert consoles.pid not in {None, pid}
    await consoles.close()


async def test_nobody_there_and_no_dialect(
    console_login: ConsoleLogin, consoles: ChildConsoles
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    store = HostKeyStore(console_login.host_keys)
    key = store.pinned("127.0.0.1", console_login.port)
    store.pin("127.0.0.1", port, key, key.fingerprint)
    with pytest.raises(LoginError, match="does not answer"):
        await consoles.open(replace(console_login, port=port))
    with pytest.raises(LoginError, match="cannot be logged in to"):
        await consoles.open(replace(console_login, host="no-such-switch.invalid"))

    def none(name: Dialect) -> Manners:
        raise CannotError(f"{name} is not spoken")

    with pytest.raises(CannotError):
        await ChildConsoles(none).open(console_login)


EGRESS = r"""
import asyncio, re, sys
from pathlib import Path
from agents.egress import Guard, Rule
from agents.egress_hook import install
from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.console import ConsoleLogin
from drivers.cli.errors import LoginError
from drivers.cli.manners import Manners
from tenone.trust.masked import Secret
from tenone.vocabulary.intents import Dialect

port, other, host_keys = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
guard = Guard([Rule("127.0.0.1", "tcp", port, "a switch")])
install(guard)
manners = Manners(device_type="terminal_server", prompt=re.compile(r"<SW>\Z"))

async def main():
    consoles = ChildConsoles(lambda _: manners)
    login = dict(dialect=Dialect.HUAWEI_VRP5, username="tenone",
                 password=Secret(sys.stdin.readline().strip()), host_keys=host_keys)
    await (await consoles.open(ConsoleLogin(host="127.0.0.1", port=port, **login))).close()
    for host, to in (("127.0.0.1", other), ("switch.example", port)):
        try:
            await consoles.open(ConsoleLogin(host=host, port=to, **login))
        except LoginError as error:
            print(error)
    print(guard.refused)
    await consoles.close()
    assert "netmiko" not in sys.modules and "paramiko" not in sys.modules

asyncio.run(main())
"""


def test_the_child_goes_where_the_agent_may_go(
    scripted: ScriptedSwitch, console_login: ConsoleLogin
) -> None:
    """The agent's guard decides about the child's connections, and counts them."""
    with socket.create_server(("127.0.0.1", 0)) as unlisted:
        unlisted.settimeout(0)
        port = unlisted.getsockname()[1]
        store = HostKeyStore(console_login.host_keys)
        store.pin("127.0.0.1", port, scripted.host_key, scripted.host_key.fingerprint)
        run = subprocess.run(
            [sys.executable, "-c", EGRESS, str(scripted.port), str(port), str(store.path)],
            input=PASSWORD + "\n", capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        with pytest.raises(BlockingIOError):
            unlisted.accept()
    first, second, refused = run.stdout.splitlines()
    assert f"127.0.0.1 port {port} (TCP) is not on the agent's egress list" in first
    assert "'switch.example' is not on the agent's egress list" in second
    assert refused == "2"
    assert scripted.logins == 1
    assert PASSWORD not in run.stdout + run.stderr
