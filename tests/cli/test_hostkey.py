"""``tenone hostkey``: nothing is pinned that was not read elsewhere."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from typer.testing import CliRunner

from agents.sessions import HOST_KEYS
from tenone.cli.hostkey import FAILED
from tenone.cli.main import build

SCHOOL = """\
schema_version: 1
school: {{id: no3, name: No. 3, district: d1, city: c1}}
uplink: {{broker: {{host: city.example}}}}
switches:
  - name: acc
    host: 127.0.0.1
    snmp: {{community: "env:C"}}
    cli: {{dialect: huawei-vrp5, port: {port}, username: tenone, password: "env:P"}}
  - {{name: bare, host: 127.0.0.2, snmp: {{community: "env:C"}}}}
outbox: {{path: outbox}}
"""
OTHER = "SHA256:" + "A" * 43


class Shown:
    """A server that shows a key and lets nobody in."""

    def __init__(self) -> None:
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._up.wait(10)

    @property
    def fingerprint(self) -> str:
        return self.key.get_fingerprint()

    async def _run(self) -> None:
        self._ended = asyncio.Event()
        talks: list[asyncssh.SSHServerConnection] = []

        class Noting(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                talks.append(conn)

        async with asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[self.key], server_factory=Noting
        ) as server:
            self.port = server.get_port()
            self._up.set()
            await self._ended.wait()
        for talk in talks:
            talk.abort()
            await talk.wait_closed()
        await asyncio.sleep(0)  # transports close one turn later

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(scope="module")
def switch() -> Iterator[Shown]:
    made = Shown()
    yield made
    made.close()


@pytest.fixture
def config(tmp_path: Path, switch: Shown) -> Path:
    file = tmp_path / "school.yaml"
    file.write_text(SCHOOL.format(port=switch.port))
    return file


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(build(["hostkey"]), ["hostkey", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def test_a_life(config: Path, switch: Shown, tmp_path: Path) -> None:
    assert "not pinned" in run("list", "-c", config)[1]
    assert switch.fingerprint in run("show", "acc", "-c", config)[1]
    code, said = run("pin", "acc", OTHER, "-c", config)
    assert code == FAILED
    assert "nothing is pinned" in said
    assert run("pin", "acc", switch.fingerprint, "-c", config)[0] == 0
    kept = tmp_path / "outbox" / HOST_KEYS
    assert f"[127.0.0.1]:{switch.port} ssh-ed25519 " in kept.read_text()
    assert switch.fingerprint in run("list", "-c", config)[1]
    assert "bare" not in run("list", "-c", config)[1]
    assert run("remove", "acc", "-c", config)[0] == 0
    assert run("remove", "acc", "-c", config)[0] == FAILED


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nowhere"), "no switch 'nowhere'; with 'cli': acc"),
        (("pin", "bare", OTHER), "no 'cli' for the switch bare"),
        (("pin", "acc", "SHA256:x"), "a fingerprint is"),
    ],
)
def test_what_is_wrong_is_said(config: Path, arguments: tuple[str, ...], said: str) -> None:
    code, output = run(*arguments, "-c", config)
    assert code == FAILED
    assert said in " ".join(output.split())


def test_a_switch_that_is_away(config: Path, switch: Shown) -> None:
    config.write_text(config.read_text().replace(f"port: {switch.port}", "port: 1"))
    code, output = run("show", "acc", "-c", config)
    assert code == FAILED
    assert "shows no SSH host key" in output
