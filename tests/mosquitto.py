"""Debian's broker, where it is installed."""

import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tenone.cli.processes import free_port


def installed() -> str:
    """The program; skips loudly where there is none."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        pytest.skip("mosquitto is not installed: sudo apt-get install mosquitto mosquitto-clients")
    return found


class Mosquitto:
    """One on a port of its own, open to everybody; may be killed and started again.

    Has the few methods of :class:`drivers.wire.embedded.EmbeddedBroker` that tests use.
    """

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._program = installed()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} {self.host}\nallow_anonymous true\nlog_dest none\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, and listen."""
        self._process = subprocess.Popen([self._program, "-c", str(self._config)])
        for _ in range(500):
            with suppress(OSError), socket.create_connection((self.host, self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError("mosquitto does not listen")

    def kill(self) -> None:
        """End at once; nothing where it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
