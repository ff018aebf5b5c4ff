"""The child process by itself: what it may open, when it ends, what it says when it breaks."""

import io
import json
import re
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from drivers.cli.child import LEASE_SECONDS, Child, Places
from drivers.cli.console import ConsoleLogin
from drivers.cli.dialect import Line
from drivers.cli.manners import Manners
from drivers.cli.pipe import of_lines, of_login, of_manners, packed
from tests.switch_cli.scripted import PASSWORD, ScriptedSwitch

MANNERS = Manners(device_type="terminal_server", prompt=re.compile(r"(?:^|\n)(?:<SW>|\[SW\])\Z"))
COMMAND = [sys.executable, "-P", "-m", "drivers.cli.child"]


def opening(login: ConsoleLogin) -> dict[str, Any]:
    data = of_login(login, "127.0.0.1")
    return {"id": 1, "do": "open", "login": data, "manners": of_manners(MANNERS)}


def test_it_ends_with_its_parent_and_shows_no_password(
    scripted: ScriptedSwitch, console_login: ConsoleLogin
) -> None:
    messages = [
        opening(console_login),
        {"id": 2, "do": "dance"},
        {"id": 3, "do": "run", "session": 77, "lines": []},
        {"id": 4, "do": "run", "session": "no number", "lines": []},
    ]
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(b"".join(packed(one) for one in messages))
        child.stdin.flush()
        said = {one["id"]: one for one in (json.loads(child.stdout.readline()) for _ in range(4))}
        assert said[1]["ok"] == 1
        assert said[2]["error"]["sentence"] == "'dance' is no request"
        assert said[3]["error"]["kind"] == "SessionLostError"
        assert said[4]["error"]["sentence"] == "the process that holds the sessions has a fault"
        child.stdin.close()
        assert child.wait(10) == 0
        errors = child.stderr.read().decode()
    assert "ValueError at" in errors, "the place is told"
    assert "no number" not in errors, "what was sent is not"
    assert PASSWORD not in errors
    deadline = time.monotonic() + 10
    while scripted.open_now:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_what_is_printed_does_not_get_in_between() -> None:
    code = (
        "import sys, drivers.cli.child as c\n"
        "c.Child.serve = lambda self: (print('noise'), input) and None\n"
        "c.main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], input=b"", capture_output=True, timeout=60, check=True
    )
    assert run.stdout == b""


def test_idle_sessions_end_and_those_in_use_have_a_lease(
    scripted: ScriptedSwitch, console_login: ConsoleLogin
) -> None:
    now = [0.0]
    out = io.BytesIO()
    child = Child(io.BytesIO(), out, idle_seconds=60, clock=lambda: now[0])

    def do(message: dict[str, Any]) -> dict[str, Any]:
        out.seek(0)
        out.truncate()
        before = threading.active_count()
        child._requests = io.BytesIO(packed(message))
        child.serve()
        deadline = time.monotonic() + 20
        while child._state.jobs or (not out.getvalue() and before):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        answer: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
        return answer

    assert child.sweep() is False
    assert do(opening(console_login))["ok"] == 1
    now[0] += 120
    assert child.sweep() is False, "somebody holds it"
    assert do({"id": 2, "do": "run", "session": 1, "lines": of_lines([Line("a")])})["ok"] == [""]
    assert do({"id": 3, "do": "close", "session": 1})["ok"] is None
    now[0] += 30
    assert child.sweep() is False
    assert do(opening(console_login))["ok"] == 1, "kept"
    assert scripted.logins == 1
    now[0] += LEASE_SECONDS + 1
    assert child.sweep() is True, "nobody used it for long: it is ended, and nothing is left"
    lost = do({"id": 4, "do": "run", "session": 1, "lines": of_lines([Line("a")])})
    assert lost["error"]["kind"] == "SessionLostError"
    child.end()


def test_places() -> None:
    places = Places()
    places.add("10.0.0.1", 22)
    places.hook("socket.connect", (None, ("10.0.0.1", 22)))
    places.hook("socket.connect", (None, ("10.0.0.1", 22, 0, 0)))
    places.hook("socket.getaddrinfo", ("10.0.0.1", 22, 0, 0, 0))
    places.hook("open", ("file", "r", 0))
    for event, arguments in (
        ("socket.connect", (None, ("10.0.0.1", 23))),
        ("socket.connect", (None, ("10.0.0.2", 22))),
        ("socket.connect", (None, "/run/agent.sock")),
        ("socket.getaddrinfo", ("name.example", 22, 0, 0, 0)),
        ("socket.sendto", (None, ("10.0.0.1", 22))),
        ("subprocess.Popen", ("sh", [], None, None)),
        ("os.system", (b"sh",)),
    ):
        with pytest.raises(PermissionError):
            places.hook(event, arguments)


def test_the_hook_stands_in_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listens:
        port = listens.getsockname()[1]
        code = (
            "import drivers.cli.child as c, socket, sys\n"
            "def serve(self):\n"
            f"    try: socket.create_connection(('127.0.0.1', {port}))\n"
            "    except PermissionError as error: print(error, file=sys.stderr)\n"
            "c.Child.serve = serve\n"
            "c.main()"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], input=b"", capture_output=True, timeout=60, check=True
        )
    assert b"the look-up of '127.0.0.1' is the agent's" in run.stderr
