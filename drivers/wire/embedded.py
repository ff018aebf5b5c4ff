"""The embedded broker: rumqttd (package ``iotcore``) in a child process, loopback only.

For demo, development and tests. It has no access control, checks no certificate, and keeps
everything in memory, so it listens on loopback and nowhere else; receipts make its memory
harmless. Measured differences from Mosquitto that matter to a client:

- one listener speaks one MQTT version, so there are two: ``port`` (5) and ``port_311`` (3.1.1);
  they share topics and retained messages;
- a message is delivered with the QoS of the subscription, even where it was published with less;
- ``receive_maximum`` of the client is ignored: 100 unacknowledged messages may be out, and
  while they are, the broker sends nothing else, not even PUBACK and SUBACK. So the loop that
  acknowledges must never await a QoS 1 publish or a subscription, and who resumes a session
  (``MqttPort.session_present``) must not subscribe again before it consumes;
- acknowledgements out of the order of arrival end the connection;
- a session outlives its connection only if it was begun with clean start off;
- a normal DISCONNECT drops the will, reason 0x04 sends it, as they should; but who comes back
  at once under the same client id finds the will of the connection before published after a
  normal DISCONNECT, or not published after a cut. So clean sessions take a new client id for
  each connection.

The child ends when this process does, however it ends.
"""

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tenone.runtime.supervisor import ToldError

MAX_PAYLOAD_BYTES = 64 * 1024 * 1024
MAX_CONNECTIONS = 10_000
MAX_INFLIGHT = 100
"""rumqttd 0.20 keeps to 100 whatever larger number it is told."""
SEGMENT_BYTES = 8 * 1024 * 1024
SEGMENTS = 8
"""Memory bound of each subscription's log: what a slower reader may lag behind."""
START_TIMEOUT_SECONDS = 15.0
STOP_TIMEOUT_SECONDS = 5.0
ATTEMPTS = 5
"""A free port may be taken by somebody else before the broker binds it."""

# iotcore's own child entry point, started the way its Broker class does, but quiet: an
# embedded broker must not write into the terminal of the demo.
_CHILD = (
    "import sys; sys.path[:] = [part for part in sys.path if part not in ('', '.')]; "
    "from iotcore._serve import main; main()"
)
_LISTENER = """
[{section}]
name = "{name}"
listen = "{address}"
next_connection_delay_ms = 0
[{section}.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = {inflight}
dynamic_filters = true
"""
_ROUTER = """id = 0
[router]
id = 0
max_connections = {connections}
max_outgoing_packet_count = 200
max_segment_size = {segment}
max_segment_count = {segments}
"""


class BrokerError(ToldError, RuntimeError):
    """The embedded broker cannot be started as asked."""


class EmbeddedBroker:
    """``async with EmbeddedBroker() as broker:`` or ``with EmbeddedBroker() as broker:``.

    Ports 0 are chosen free. Raises :class:`BrokerError` for an address that is not loopback.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, port_311: int = 0) -> None:
        try:
            loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise BrokerError(
                f"the embedded broker has no access control and listens on loopback only, not on "
                f"{host!r}: use 127.0.0.1, or run Mosquitto for other machines"
            )
        self.host = host
        self._asked = (port, port_311)
        self.port = port
        """MQTT 5."""
        self.port_311 = port_311
        """MQTT 3.1.1."""
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the child process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The child's process id, for measuring its CPU; None when it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start and wait until both listeners accept; raises :class:`BrokerError`."""
        if self.is_running:
            return
        why = ""
        for _ in range(ATTEMPTS):
            self.port, self.port_311 = self._choose_ports()
            self._spawn()
            if self._wait_until_listening():
                self._forget_folder()  # it has been read, and a kill -9 must leave nothing behind
                return
            why = f"it did not listen on ports {self.port} and {self.port_311} in time"
            self.stop()
            if all(self._asked):
                break
        raise BrokerError(f"the embedded broker did not start: {why}")

    def stop(self) -> None:
        """Stop the child and remove its files. Safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()  # the child leaves at once when this pipe closes
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._forget_folder()

    def kill(self) -> None:
        """Kill -9 the child, as a power cut would; :meth:`start` begins anew on the same ports."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._asked = (self.port, self.port_311)
        self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _forget_folder(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _choose_ports(self) -> tuple[int, int]:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with contextlib.ExitStack() as held:
            ports = []
            for asked in self._asked:
                probe = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.host, asked))
                except OSError as error:
                    raise BrokerError(
                        f"the embedded broker cannot listen on {self.host} port {asked} "
                        f"({error.strerror}); end what holds the port, or name another one"
                    ) from error
                ports.append(int(probe.getsockname()[1]))
        return ports[0], ports[1]

    def _spawn(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tenone-broker-")
        configuration = Path(self._folder.name) / "rumqttd.toml"
        configuration.write_text(self._configuration(), encoding="utf-8")
        environment = os.environ | {"IOTCORE_LOG_LEVEL": "CRITICAL", "RUST_LOG": "off"}
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own arguments
            [sys.executable, "-c", _CHILD, f'{{"config_path": "{configuration}"}}'],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us; we end the child in our own order
        )

    def _configuration(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        text = _ROUTER.format(connections=MAX_CONNECTIONS, segment=SEGMENT_BYTES, segments=SEGMENTS)
        for version, port in (("v5", self.port), ("v4", self.port_311)):
            text += _LISTENER.format(
                section=f"{version}.1",
                name=version,
                address=f"{host}:{port}",
                payload=MAX_PAYLOAD_BYTES,
                inflight=MAX_INFLIGHT,
            )
        return text

    def _wait_until_listening(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        waiting = [self.port, self.port_311]
        while time.monotonic() < deadline and self.is_running:
            waiting = [port for port in waiting if not self._accepts(port)]
            if not waiting:
                return True
            time.sleep(0.02)
        return False

    def _accepts(self, port: int) -> bool:
        try:
            with socket.create_connection((self.host, port), timeout=0.5):
                return True
        except OSError:
            return False
