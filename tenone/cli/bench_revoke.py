"""``tenone bench revoke``: from the revocation of a machine to the end of its live session.

A real Mosquitto with dynamic security, mutual TLS with certificates of TenOne's own authority, the
real controller with its broker room. What is timed begins where the registry of machines is told
(the ledger's entry and the record are written by then) and ends where the session's socket ends.
Beside it, what a revocation list does alone: the broker reads it anew, and the session lives on.
"""

import asyncio
import contextlib
import getpass
import json
import logging
import os
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller.service import Controller
from controller.trust.brokers import BrokerRoom
from controller.trust.ca import Authority, Names, Revoked, issue, make_crl, make_root, pem
from controller.trust.machine_room import machine_room
from controller.trust.registry import Certificate, Machine, Registry
from drivers.wire.access_lists import HOST_ROLE, KEEPER_ROLE, host_role, keeper_role
from drivers.wire.dynsec_values import SALT_BYTES, Client, State, first_document
from drivers.wire.mosquitto_conf import PLUGIN, Conf, MutualTls, conf_text
from tenone.cli.bench_machine import machine, version_of
from tenone.cli.processes import free_port
from tenone.config import load_city
from tenone.config.brokers import KEEPER
from tenone.runtime.clock import SystemClock
from tenone.trust.credentials import mark_of
from tenone.trust.masked import Secret
from tenone.trust.names import MachineName
from tenone.vocabulary.scope import ScopePath

HOST = "tenone.host"
CITY, DISTRICT = "bench", "d1"
SECRETS = {HOST: Secret("host-of-a-benchmark"), KEEPER: Secret("keeper-of-a-benchmark")}
LIFETIME = 3600
AT_ONCE = 40
DEADLINE_SECONDS = 120.0
ALONE_SECONDS = 5.0
NS = 1_000_000_000
PUBACK = 0x40


def revoke(
    sessions: Annotated[int, typer.Option(min=10, help="Live sessions.")] = 1000,
    one_by_one: Annotated[
        int, typer.Option(min=1, help="How many are revoked one after another.")
    ] = 300,
) -> None:
    """Revoke-to-cut, one by one and all the rest at once, beside a revocation list alone."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None or not PLUGIN.exists():
        typer.echo("mosquitto with its dynamic security is not installed", err=True)
        raise typer.Exit(1)
    # The sessions say nothing that is Sparkplug; the controller would tell of each message.
    logging.getLogger("controller").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="tenone-bench-") as made:
        lab = Lab(Path(made), program, max(sessions, one_by_one + 2))
        with lab.broker():
            measured = asyncio.run(_measure(lab, one_by_one))
    body = {
        "bench": "revoke",
        "version": version_of("tenone"),
        "machine": machine(),
        "sessions": lab.count,
        **measured,
    }
    typer.echo(json.dumps(body))


class Lab:
    """Files, certificates, the broker."""

    def __init__(self, folder: Path, program: str, count: int) -> None:
        self.folder = folder
        self.count = count
        self.schools = [f"s{number}" for number in range(count)]
        self.port, self.tls_port = free_port(), free_port()
        self._program = program
        self.now = int(time.time())
        self.root: Authority = make_root(CITY, self.now - 60)
        self.serials: dict[str, int] = {}
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "schools").mkdir()
        (folder / "ca.pem").write_bytes(pem(self.root.certificate))
        self.list_revoked(())
        self._certificate(MachineName.parse("server:broker"), "server", ("localhost",))
        for school in self.schools:
            self._certificate(MachineName.agent(school), school)
            self._yaml(f"schools/{school}.yaml", _school(school, self.tls_port))
        self._yaml("city.yaml", _city(self.port))
        for name, secret in SECRETS.items():
            (folder / name).write_text(secret.use())

    def list_revoked(self, serials: Sequence[int]) -> None:
        """Write the revocation list."""
        rows = [Revoked(serial, self.now) for serial in serials]
        listed = make_crl(self.root, rows, now=self.now - 60, number=len(rows) + 1)
        (self.folder / "crl.pem").write_bytes(listed.public_bytes(serialization.Encoding.PEM))

    def context(self, school: str) -> ssl.SSLContext:
        """A client's TLS."""
        made = ssl.create_default_context(cafile=self.folder / "ca.pem")
        made.load_cert_chain(self.folder / f"{school}.pem", self.folder / f"{school}.key")
        return made

    @contextlib.contextmanager
    def broker(self) -> Iterator[None]:
        """Start it, end it."""
        listener = MutualTls(
            host="127.0.0.1",
            port=self.tls_port,
            ca=self.folder / "ca.pem",
            certificate=self.folder / "server.pem",
            key=self.folder / "server.key",
            crl=self.folder / "crl.pem",
        )
        conf = Conf(
            folder=self.folder, loopback_port=self.port, tls=listener, user=getpass.getuser()
        )
        (self.folder / "mosquitto.conf").write_text(conf_text(conf))
        salts = {name: os.urandom(SALT_BYTES) for name in SECRETS}
        conf.dynsec_file.write_text(first_document(_first(), SECRETS, salts=salts))
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [self._program, "-c", str(self.folder / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        try:
            self._listening()
            yield
        finally:
            self.process.kill()
            self.process.wait()

    def _listening(self) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def _certificate(self, name: MachineName, file: str, dns: tuple[str, ...] = ()) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        names = Names(machine=name, city=CITY, dns=dns)
        made = issue(self.root, names, key.public_key(), now=self.now - 60, lifetime=LIFETIME)
        self.serials[file] = made.serial_number
        (self.folder / f"{file}.pem").write_bytes(pem(made))
        encoded = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (self.folder / f"{file}.key").write_bytes(encoded)

    def _yaml(self, name: str, values: dict[str, Any]) -> None:
        (self.folder / name).write_text(json.dumps(values))  # JSON is YAML


@dataclass(slots=True)
class Session:
    """One live session: a socket with a CONNECT sent, nothing else."""

    school: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: float | None = None
    acked: int = 0

    async def watch(self) -> None:
        """Until the broker ends it."""
        with contextlib.suppress(OSError):
            while data := await self.reader.read(4096):
                self.acked += data[0] == PUBACK and data[-1] < 0x80  # noqa: PLR2004 - a refusal's bit
        self.ended = time.monotonic()

    def publish(self, number: int) -> None:
        """QoS 1, to its own NDATA."""
        topic = f"spBv1.0/{DISTRICT}/NDATA/{self.school}".encode()
        body = len(topic).to_bytes(2, "big") + topic + number.to_bytes(2, "big") + b"\0x"
        self.writer.write(bytes([0x32, len(body)]) + body)


async def _measure(lab: Lab, one_by_one: int) -> dict[str, Any]:
    config = load_city(lab.folder / "city.yaml")
    async with Controller(config, clock=SystemClock()) as running:
        registry = machine_room(running.rooms.values()).registry
        for school in lab.schools:
            registry.put(_machine(lab, school))
        room = next(one for one in running.rooms.values() if isinstance(one, BrokerRoom))
        await _until(lambda: room.health().ready and _accounts(room) == lab.count + 2)
        limit = asyncio.Semaphore(AT_ONCE)
        sessions = await asyncio.gather(*(_open(lab, one, limit) for one in lab.schools))
        async with asyncio.TaskGroup() as group:
            for one in sessions:
                group.create_task(one.watch())
            alone = await _list_alone(lab, sessions[-1])
            spent = [await _cut(registry, one) for one in sessions[:one_by_one]]
            rest = sessions[one_by_one:]
            together = await _cut_all(registry, rest)
            lively = sum(one.ended is None for one in sessions)
            for one in sessions:
                one.writer.close()
    return {
        "revoked_one_by_one": _figures(spent),
        "revoked_at_once": _figures(together),
        "still_connected": lively,
        "list_alone": alone,
    }


async def _cut(registry: Registry, session: Session) -> float:
    began = time.monotonic()
    _revoke(registry, session.school)
    await _until(lambda: session.ended is not None)
    return (session.ended or began) - began


async def _cut_all(registry: Registry, sessions: Sequence[Session]) -> list[float]:
    began = time.monotonic()
    for one in sessions:
        _revoke(registry, one.school)
    await _until(lambda: all(one.ended is not None for one in sessions))
    return [(one.ended or began) - began for one in sessions]


async def _list_alone(lab: Lab, session: Session) -> dict[str, Any]:
    """The list names it, the broker has read it; the session publishes on."""
    lab.list_revoked([lab.serials[session.school]])
    if lab.process is not None:
        lab.process.send_signal(signal.SIGHUP)
    began = time.monotonic()
    asked = 0
    while time.monotonic() - began < ALONE_SECONDS and session.ended is None:
        asked += 1
        session.publish(asked)
        await asyncio.sleep(0.25)
    try:
        again = await _open(lab, session.school, asyncio.Semaphore(1))
    except (OSError, EOFError):
        refused = True
    else:
        refused = False
        again.writer.close()
    return {
        "seconds": ALONE_SECONDS,
        "published": asked,
        "acknowledged": session.acked,
        "cut": session.ended is not None,
        "new_connection_refused": refused,
    }


async def _open(lab: Lab, school: str, limit: asyncio.Semaphore) -> Session:
    async with limit:
        context = await asyncio.to_thread(lab.context, school)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", lab.tls_port, ssl=context, server_hostname="localhost"
        )
        name = f"n-{school}".encode()
        body = b"\0\4MQTT\5\2\0\x78\0" + len(name).to_bytes(2, "big") + name
        writer.write(bytes([0x10, len(body)]) + body)
        await reader.readexactly(4)  # CONNACK; with TLS 1.3 a refused certificate shows here
        return Session(school, reader, writer)


def _revoke(registry: Registry, school: str) -> None:
    found = registry.find(f"agent:{school}")
    if found is not None:
        registry.put(replace(found, revoked_ns=time.time_ns(), why="benchmark"))


def _machine(lab: Lab, school: str) -> Machine:
    one = Certificate(
        serial=f"{lab.serials[school]:x}",
        authority=lab.root.id,
        key="",
        issued_ns=(lab.now - 60) * NS,
        not_before=lab.now - 60,
        not_after=lab.now + LIFETIME,
    )
    scope = ScopePath.parse(f"{CITY}/{DISTRICT}/{school}")
    return Machine(name=f"agent:{school}", scope=scope, certificates=(one,), enrolled_ns=1)


def _accounts(room: BrokerRoom) -> int:
    return 0 if room.keeper is None or room.keeper.trouble else room.keeper.accounts


async def _until(holds: Any) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("the benchmark waited in vain")
        await asyncio.sleep(0.001)


def _figures(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(one * 1000 for one in seconds)
    return {
        "count": len(ordered),
        "p50_ms": round(statistics.median(ordered), 1),
        "p99_ms": round(ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))], 1),
        "max_ms": round(ordered[-1], 1),
    }


def _first() -> State:
    host = Client(
        username=HOST,
        roles=frozenset({HOST_ROLE}),
        client_id="tenone-tenone",
        mark=mark_of(HOST, SECRETS[HOST]),
    )
    keeper = Client(username=KEEPER, roles=frozenset({KEEPER_ROLE}))
    return State.of([host_role("tenone"), keeper_role()], [host, keeper])


def _city(port: int) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "city": {"id": CITY, "name": "Benchmark"},
        "districts": [{"id": DISTRICT, "name": "One"}],
        "schools": "schools",
        "broker": {
            "host": "127.0.0.1", "port": port, "username": HOST, "password": f"file:{HOST}",
        },
        "trust": {"broker": {"port": port, "password": f"file:{KEEPER}"}},
    }  # fmt: skip


def _school(school: str, port: int) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "school": {"id": school, "name": school, "district": DISTRICT, "city": CITY},
        "uplink": {"broker": {"host": "127.0.0.1", "port": port}},
    }
