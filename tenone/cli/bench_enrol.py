"""``tenone bench enrol``: certificates signed a second; a city's agents renewed by the real desk.

One JSON line. Renewals run through records (SQLite, ``synchronous=FULL``) and the audit ledger as
in a running controller, without HTTP; keys and signatures of the agents are made before the clock
starts.
"""

import asyncio
import base64
import json
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from controller.store.protocols import NS
from controller.store.records import SqlRecords
from controller.threads import Thread
from controller.trust.authorities import Authorities
from controller.trust.book import Book
from controller.trust.ca import Names, Revoked, issue, make_crl, make_root
from controller.trust.crl import CrlKeeper
from controller.trust.ledger import AuditLedger
from controller.trust.machine_desk import DeskParts, MachineDesk
from controller.trust.machine_records import MachineRecords
from controller.trust.registry import Registry
from tenone.cli.bench_machine import machine, version_of
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.trust.enrolment import NONCE_BYTES, Renewal, load_certificates, make_csr, new_key
from tenone.trust.names import MachineName
from tenone.vocabulary.scope import ScopePath

CITY = "bench"
EAST = ScopePath.parse("bench/east")


@dataclass(slots=True)
class _Holder:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def enrol(
    agents: Annotated[int, typer.Option(min=10, help="How many gateways renew.")] = 1000,
    seconds: Annotated[float, typer.Option(help="How long certificates are signed.")] = 3.0,
    at_once: Annotated[int, typer.Option(min=1, help="How many ask at the same time.")] = 16,
    folder: Annotated[Path | None, typer.Option(help="Where; else the temporary folder.")] = None,
) -> None:
    """Certificates signed a second, a list of revoked ones made, all agents of a city renewed."""
    with tempfile.TemporaryDirectory(prefix="tenone-bench-", dir=folder) as made:
        body: dict[str, Any] = {
            "bench": "enrol",
            "version": version_of("tenone"),
            "machine": machine(),
            "signed_per_s": round(_signed(seconds), 1),
            "crl_1000_ms": round(_list_ms(1000), 2),
            "renewals": asyncio.run(_renewals(Path(made), agents, at_once)),
        }
    typer.echo(json.dumps(body))
    if body["renewals"]["renewed"] != agents:
        raise typer.Exit(1)


def _signed(seconds: float) -> float:
    """Requests checked and certificates signed, a second."""
    now = int(time.time())
    root, key = make_root(CITY, now), new_key().public_key()
    names = Names(machine=MachineName.agent("no3"), city=CITY)
    count, end = 0, time.perf_counter() + seconds
    begun = time.perf_counter()
    while time.perf_counter() < end:
        issue(root, names, key, now=now, crl_url="https://city.example/api/v1/crl/x")
        count += 1
    return count / (time.perf_counter() - begun)


def _list_ms(entries: int) -> float:
    now = int(time.time())
    root = make_root(CITY, now)
    revoked = [Revoked(secrets.randbits(128), now) for _ in range(entries)]
    begun = time.perf_counter()
    make_crl(root, revoked, now=now, number=1)
    return (time.perf_counter() - begun) * 1e3


async def _renewals(folder: Path, agents: int, at_once: int) -> dict[str, object]:
    clock = SystemClock()
    records = SqlRecords(f"sqlite:///{folder / 'records.db'}")
    in_records = Thread("records")
    await in_records(records.start)
    ledger = AuditLedger(Book(folder / "ledger", city=CITY, boot=secrets.token_hex(16)), clock)
    await ledger.open()
    async with Supervisor(clock) as tasks:
        tasks.start("ledger", ledger.run)
        desk = _desk(folder, records, in_records, ledger, clock)
        holders = await _enrolled(desk, agents, at_once)
        asked = [_request(one) for one in holders]
        waits: list[float] = []
        free = asyncio.Semaphore(at_once)
        serials: set[int] = set()

        async def one(renewal: Renewal, signature: str) -> None:
            async with free:
                begun = time.perf_counter()
                papers = await desk.renew(renewal=renewal, signature=signature, client="bench")
                waits.append(time.perf_counter() - begun)
            serials.add(load_certificates(papers.chain.encode())[0].serial_number)

        begun, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(*each) for each in asked))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    await ledger.close()
    await in_records(records.close)
    in_records.end()
    waits.sort()
    return {
        "agents": agents,
        "at_once": at_once,
        "renewed": len(serials - {one.certificate.serial_number for one in holders}),
        "seconds": round(seconds, 3),
        "per_s": round(agents / seconds, 1),
        "cpu_ms_each": round(cpu / agents * 1e3, 3),
        "p50_ms": round(waits[len(waits) // 2] * 1e3, 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1e3, 1),
    }


def _desk(
    folder: Path, records: SqlRecords, in_records: Thread, ledger: AuditLedger, clock: SystemClock
) -> MachineDesk:
    authorities = Authorities(folder / "ca", CITY)
    kept = MachineRecords(records)
    return MachineDesk(
        DeskParts(
            city=CITY,
            authorities=authorities,
            records=kept,
            registry=Registry(),
            crl=CrlKeeper(authorities, kept, None),
            clock=clock,
            ledger=ledger,
            in_records=in_records,
            scope_of=lambda name: EAST.child(name.path[0]),
        )
    )


async def _enrolled(desk: MachineDesk, agents: int, at_once: int) -> list[_Holder]:
    free = asyncio.Semaphore(at_once)

    async def one(number: int) -> _Holder:
        async with free:
            token, _ = await desk.token(f"agent:s-{number}", by="system")
            key = new_key()
            csr = make_csr(key, "x")
            papers = await desk.enrol(token=token.text, csr=csr, client="bench")
            return _Holder(load_certificates(papers.chain.encode())[0], key)

    return list(await asyncio.gather(*(one(number) for number in range(agents))))


def _request(holder: _Holder) -> tuple[Renewal, str]:
    asked = Renewal(
        serial=holder.certificate.serial_number,
        csr=make_csr(new_key(), "x"),
        wall_ns=int(time.time()) * NS,
        nonce=secrets.token_bytes(NONCE_BYTES),
    )
    return asked, base64.b64encode(asked.sign(holder.key)).decode("ascii")
