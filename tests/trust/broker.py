"""A real Mosquitto that asks for certificates, and clients that show all kinds of them."""

import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tenone.cli.processes import free_port

CONNECT = b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x04test"
DISCONNECT = b"\xe0\x00"
CONNACK = 0x20
DEADLINE_SECONDS = 20.0


@dataclass
class Broker:
    """``folder`` holds certificate.pem, key.pem, ca.pem and crl.pem before it starts."""

    folder: Path
    program: str
    port: int = 0
    inner: int = 0
    """Of a listener without certificates beside it, on loopback; 0: none."""

    def start(self) -> None:
        self.port = self.port or free_port()
        files = {
            "cafile": "ca.pem",
            "certfile": "certificate.pem",
            "keyfile": "key.pem",
            "crlfile": "crl.pem",
        }
        lines = [
            "per_listener_settings true",
            f"listener {self.port} 127.0.0.1",
            *(f"{key} {self.folder / name}" for key, name in files.items()),
            "require_certificate true",
            "use_identity_as_username true",
            "tls_version tlsv1.2",
            "allow_anonymous false",
            "user root",
        ]
        if self.inner:
            lines += [f"listener {self.inner} 127.0.0.1", "allow_anonymous true"]
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join([*lines, ""]))
        self.log = (self.folder / "mosquitto.log").open("wb")
        self.process = subprocess.Popen(
            [self.program, "-c", str(config), "-v"], stdout=self.log, stderr=self.log
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError((self.folder / "mosquitto.log").read_text())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.log.close()

    def accepts(self, trust: Path, identity: Path | None) -> bool:
        """Whether CONNECT is answered by CONNACK 0 after a handshake with this certificate."""
        context = ssl.create_default_context(cafile=trust)
        if identity is not None:
            context.load_cert_chain(identity)
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), 10) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
            ):
                secure.sendall(CONNECT)
                answer = secure.recv(64)
                secure.sendall(DISCONNECT)
        except (ssl.SSLError, OSError):
            return False
        return len(answer) > 3 and answer[0] == CONNACK and answer[3] == 0

    def openssl(self, trust: Path, identity: Path | None, *options: str) -> bool:
        """The same, asked by ``openssl s_client``."""
        shown = [] if identity is None else ["-cert", str(identity), "-key", str(identity)]
        done = subprocess.run(
            ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", str(trust),
             "-connect", f"127.0.0.1:{self.port}", *shown, *options],
            input=CONNECT + DISCONNECT, capture_output=True, check=False, timeout=30,
        )  # fmt: skip
        return done.stdout[:1] == bytes((CONNACK,)) and done.stdout[3:4] == b"\0"
