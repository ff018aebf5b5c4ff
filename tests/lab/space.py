"""Namespaces of their own for a switch or a row of boards: network, mounts, name, processes.

All of it ends with one process: what was started inside dies with it, and so do the ports.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PATH = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
PROGRAMS = (
    "ip",
    "ethtool",
    "bridge",
    "unshare",
    "nsenter",
    "snmpd",
    "snmpset",
    "sshd",
    "lldpd",
    "lldpcli",
)
UNSHARE = ("unshare", "-n", "-m", "-u", "-p", "-f", "--mount-proc")


def missing() -> str | None:
    """Why there can be no lab here; None: there can be one."""
    if os.geteuid() != 0:
        return "the honest lab needs root for its namespaces and ports"
    lacking = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if lacking:
        return f"the honest lab needs {', '.join(lacking)}: see tests/system-packages.sh"
    if not Path("/dev/net/tun").exists():
        return "the honest lab needs taps, and this kernel has no /dev/net/tun"
    tried = subprocess.run(
        [*UNSHARE, "ip", "tuntap", "add", "dev", "c1", "mode", "tap"],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PATH": PATH},
    )
    if tried.returncode != 0:
        return f"the honest lab may not make namespaces with taps here: {tried.stderr.strip()}"
    return None


class Space:
    """One set of namespaces with the host's files."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._started: list[subprocess.Popen[Any]] = []
        begin = (
            f"hostname {name}; ip link set lo up; mount -t tmpfs none /run; echo ready; exec cat"
        )
        self._first = subprocess.Popen(
            [*UNSHARE, "--kill-child", "sh", "-euc", begin],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PATH": PATH},
        )
        assert self._first.stdout is not None
        if self._first.stdout.readline() != b"ready\n":
            self._first.kill()
            self._first.wait()
            self._first.stdout.close()
            raise AssertionError(f"the namespaces of {name} could not be made")
        below = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text()
        self.pid = int(below.split()[0])
        """The first process inside, as the machine counts."""

    def within(self, *command: str) -> list[str]:
        """The command that runs ``command`` inside."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", "--", *command]

    def run(self, *command: str) -> str:
        """Its output; fails the test with what the program said."""
        done = subprocess.run(
            self.within(*command), check=False, capture_output=True, text=True,
            env={**os.environ, "PATH": PATH},
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}{done.stdout}"
        return done.stdout

    def script(self, text: str) -> str:
        """A shell script, which ends at its first failure."""
        return self.run("sh", "-euc", text)

    def start(
        self, command: Sequence[str], *, env: dict[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[Any]:
        """A program inside that runs until :meth:`close`."""
        started = subprocess.Popen(
            self.within(*command), env={**os.environ, "PATH": PATH, **(env or {})}, **more
        )
        self._started.append(started)
        return started

    def close(self) -> None:
        """End all that is inside; never fails twice."""
        # The first process inside ends with its input and takes all others along, as it would if
        # this process died; those outside then end by themselves.
        assert self._first.stdin is not None
        self._first.stdin.close()
        for process in (*self._started, self._first):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        self._started.clear()
