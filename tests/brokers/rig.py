"""A real Mosquitto with dynamic security and mutual TLS, as TenOne writes its files."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drivers.wire.dynsec_values import SALT_BYTES, State, first_document
from drivers.wire.mosquitto_conf import PLUGIN, Conf, MutualTls, conf_text
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import Endpoint, Will
from tenone.cli.processes import free_port
from tenone.trust.masked import Secret
from tests import mosquitto

DEADLINE_SECONDS = 20.0
DAY = 86_400.0


async def until(holds: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for a fact."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        await asyncio.sleep(0.01)


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        self.crl = folder / "crl.pem"
        self.revoked: list[int] = []
        self.make_crl()

    def make_crl(self) -> None:
        """Write the list anew."""
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(now - dt.timedelta(hours=1))
        builder = builder.next_update(now + dt.timedelta(days=9))
        for serial in self.revoked:
            row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            builder = builder.add_revoked_certificate(row.build())
        listed = builder.sign(self.key, hashes.SHA256())
        self.crl.write_bytes(listed.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, *, seconds: float = DAY, server: bool = False, file: str = ""
    ) -> x509.Certificate:
        """A certificate with ``name`` as its CN, kept with its key under ``file``."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(seconds=seconds))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if server:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        stem = file or name
        (self.folder / f"{stem}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (self.folder / f"{stem}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made

    def serial(self, file: str) -> int:
        """Of the certificate kept under ``file``."""
        return x509.load_pem_x509_certificate(
            (self.folder / f"{file}.pem").read_bytes()
        ).serial_number

    def context(self, file: str, trust: Path | None = None) -> ssl.SSLContext:
        """A client's TLS with the certificate kept under ``file``."""
        made = ssl.create_default_context(cafile=trust or self.ca)
        made.load_cert_chain(self.folder / f"{file}.pem", self.folder / f"{file}.key")
        return made


@dataclass
class Broker:
    """One Mosquitto: a loopback listener with passwords, a TLS listener with certificates."""

    folder: Path
    authority: Authority
    program: str
    passwords: Mapping[str, Secret]
    by_password: bool = False
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def conf(self) -> Conf:
        """Its configuration, as TenOne writes it."""
        listener = MutualTls(
            host="127.0.0.1",
            port=self.tls_port,
            ca=self.authority.ca,
            certificate=self.authority.folder / "server.pem",
            key=self.authority.folder / "server.key",
            crl=self.authority.crl,
            passwords=self.by_password,
        )
        return Conf(folder=self.folder, loopback_port=self.port, tls=listener, user="root")

    def seed(self, state: State) -> None:
        """Write the first file of the plugin."""
        salts = {name: os.urandom(SALT_BYTES) for name in state.clients}
        document = first_document(state, self.passwords, salts=salts)
        self.conf.dynsec_file.write_text(document)
        (self.folder / "first.json").write_text(document)

    def start(self) -> None:
        """Start it and wait until both listeners answer."""
        (self.folder / "mosquitto.conf").write_text(conf_text(self.conf))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.folder / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        for port in (self.port, self.tls_port):
            deadline = time.monotonic() + DEADLINE_SECONDS
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def hang_up(self) -> None:
        """SIGHUP: read the revocation list again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def inside(self, username: str) -> Endpoint:
        """By loopback and password."""
        password = self.passwords[username]
        return Endpoint(host="127.0.0.1", port=self.port, username=username, password=password)

    def outside(self, file: str) -> Endpoint:
        """By TLS with a certificate."""
        return Endpoint(host="localhost", port=self.tls_port, tls=self.authority.context(file))

    def agent(self, school: str, *, client_id: str = "", will: Will | None = None) -> MqttPort:
        """A port as an agent opens it."""
        return MqttPort(
            endpoint=self.outside(school),
            client_id=client_id or f"tenone-node-{school}",
            will=will,
        )

    def written(self) -> dict[str, object]:
        """What the plugin keeps on disk."""
        read: dict[str, object] = json.loads(self.conf.dynsec_file.read_text())
        return read


@contextlib.contextmanager
def broker_in(
    folder: Path, passwords: Mapping[str, Secret], state: State, *, by_password: bool = False
) -> Iterator[Broker]:
    """Start one; skips loudly where Mosquitto or its plugin is not installed."""
    program = mosquitto.installed()
    if not PLUGIN.exists():
        pytest.skip("mosquitto with its dynamic security: sudo apt-get install mosquitto")
    authority = Authority(folder / "pki")
    authority.issue("localhost", server=True, file="server")
    home = folder / "broker"
    home.mkdir()
    broker = Broker(home, authority, program, passwords, by_password=by_password)
    broker.seed(state)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
