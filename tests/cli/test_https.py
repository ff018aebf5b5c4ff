"""``tenone controller`` over TLS, as a process: whom to trust, refusals, live renewal."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from controller.trust.authorities import Authorities
from tenone.cli.processes import free_port
from tenone.trust.enrolment import load_certificates

CITY = """
schema_version: 1
city: {{id: binhai, name: Binhai}}
districts: [{{id: east, name: East}}]
schools:
  - schema_version: 1
    school: {{id: no1, name: No. 1, district: east, city: binhai}}
    uplink: {{broker: {{host: 127.0.0.1, port: {broker}}}}}
broker: {{embedded: true, port: {broker}}}
http: {{port: {http}{more}}}
"""


@dataclass
class Running:
    """One controller."""

    folder: Path
    ready: dict[str, object]

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ready["ca_file"]))

    def shown(self) -> x509.Certificate:
        """What a new handshake is shown."""
        context = self.trusting()
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")


def started(folder: Path, more: str = "") -> subprocess.Popen[str]:
    path = folder / "city.yaml"
    path.write_text(CITY.format(broker=free_port(), http=free_port(), more=more))
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tenone.cli", "controller", "-c", str(path), "--ready-json"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"no_proxy": "*"},
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("https")
    with started(folder) as process:
        try:
            assert process.stdout is not None
            yield Running(folder, json.loads(process.stdout.readline()))
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_certificate_is_verified_and_the_cookie_is_the_hosts(running: Running) -> None:
    assert running.url.startswith("https://127.0.0.1:")
    with httpx.Client(verify=running.trusting(), base_url=running.url) as client:
        alive = client.get("/healthz")
        assert alive.status_code == 200
        assert alive.headers["strict-transport-security"] == "max-age=31536000"
        signed_in = client.post(
            "/api/v1/sessions",
            json={"code": running.ready["sign_in_code"]},
            headers={"origin": running.url},
        )
        cookie = signed_in.headers["set-cookie"]
        assert cookie.startswith("__Host-tenone=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        said = {one["name"]: one for one in client.get("/readyz").json()["parts"]}
        assert said["https"]["ready"] is True


def test_the_said_fingerprint_is_the_roots(running: Running) -> None:
    roots = load_certificates(Path(str(running.ready["ca_file"])).read_bytes())
    assert running.ready["ca_sha256"] == [
        root.fingerprint(hashes.SHA256()).hex(":").upper() for root in roots
    ]
    assert Path(running.folder / "store" / "web" / "key.pem").stat().st_mode & 0o077 == 0


def test_nobody_else_is_believed(running: Running) -> None:
    with (
        httpx.Client(verify=ssl.create_default_context()) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(running.url)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize(
    ("options", "works"),
    [
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), False),
        (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), False),
        (("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"), False),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"), False),
        (("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"), False),
        (("-tls1_2",), True),
        (("-tls1_3",), True),
    ],
)
def test_what_openssl_may_speak(running: Running, options: tuple[str, ...], works: bool) -> None:
    asked = subprocess.run(
        [
            "openssl", "s_client", "-connect", f"127.0.0.1:{running.port}", "-verify_return_error",
            "-CAfile", str(running.ready["ca_file"]), "-verify_hostname", "localhost", *options,
        ],
        input="", capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (asked.returncode == 0) is works, asked.stderr
    assert ("Verification: OK" in asked.stdout and "Cipher is (NONE)" not in asked.stdout) is works


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"P" * 20_000])
def test_plain_http_gets_a_sentence(running: Running, first: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as plain:
        plain.sendall(first)
        answer = http.client.HTTPResponse(plain)
        answer.begin()
        assert answer.status == 400
        assert b"HTTPS only" in answer.read()
        assert answer.getheader("strict-transport-security") is None


@pytest.mark.parametrize("first", [b"", b"\x00\x01", b"\x16\x03\x01\x00\x05hello", b"\x80" * 9])
def test_what_is_neither_is_closed_and_the_next_is_served(running: Running, first: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as plain:
        plain.sendall(first)
        try:
            plain.shutdown(socket.SHUT_WR)
            heard = plain.recv(100)
        except OSError:  # closed with what we sent unread
            heard = b""
        assert b"HTTP" not in heard
    assert running.shown().subject


def test_another_authority_renews_it_and_open_connections_stay(running: Running) -> None:
    before = running.shown()
    standing = http.client.HTTPSConnection("localhost", running.port, context=running.trusting())
    standing.connect()
    local = standing.sock.getsockname()
    authorities = Authorities(running.folder / "ca", "binhai")
    authorities.open(int(time.time()))
    authorities.switch(authorities.add(int(time.time())).id)
    until(lambda: running.shown().serial_number != before.serial_number)
    after = running.shown()
    assert after.issuer != before.issuer or (
        after.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        != before.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    )
    for _ in range(2):
        standing.request("GET", "/healthz")
        answer = standing.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"status":"ok"}')
        assert standing.sock.getsockname() == local, "the same connection"
    standing.close()


@pytest.mark.slow
def test_files_of_ones_own_are_loaded_again_when_they_change(
    running: Running, tmp_path: Path
) -> None:
    kept = running.folder / "store" / "web"
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    shutil.copy(kept / "certificate.pem", chain)
    shutil.copy(kept / "key.pem", key)
    more = f", hosts: [localhost, 127.0.0.1], tls: {{certificate: {chain}, key: {key}}}"
    with started(tmp_path, more) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert "ca_file" not in ready
            own = Running(tmp_path, ready | {"ca_file": kept / "ca.pem"})
            before = own.shown()
            assert before == load_certificates(chain.read_bytes())[0]
            whole = key.read_bytes()
            key.write_text("no key")  # half of a change: the old one goes on
            until(lambda: "PEM" in (tmp_path / "log").read_text())
            assert own.shown() == before
            key.write_bytes(whole)
            with httpx.Client(verify=own.trusting(), base_url=own.url) as client:
                until(lambda: "https: " not in client.get("/readyz").text)
        finally:
            process.kill()


@pytest.mark.slow
def test_a_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).write_text("x")
    with started(tmp_path, ", tls: {certificate: a.pem, key: b.pem}") as process:
        assert process.wait(60) == 1
    said = (tmp_path / "log").read_text()
    assert "http.tls" in said
    assert said.count("\n") == 1
