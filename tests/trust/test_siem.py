import asyncio
import contextlib
import json
import re
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from controller.trust.book import Book
from controller.trust.chain import Row, Told
from controller.trust.entries import Entry, Outcome
from controller.trust.siem import (
    DatagramSink,
    FileSink,
    SiemError,
    SiemExport,
    StreamSink,
    json_line,
    sink_of,
    syslog_line,
)
from controller.trust.verify import rows_of
from tenone.config.trust import Siem
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor

ODD = "李\n<13>1 - - - - - -\r\x1b]0;title\x07\u2028\u202e\x00\x7f\ud800"
AT_NS = 1_700_000_000_123_456_789


def told(number: int, **more: object) -> Told:
    entry = Entry(act="session.open", actor=f"account:{ODD}", detail={"n": number, "text": ODD})
    return Told(entry, AT_NS + number, number)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path / "ledger", city="binhai", boot="b", segment_rows=30)
    made.append([told(n) for n in range(40)])
    return made


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not fact():  # noqa: ASYNC110 - as an outsider sees it
            await asyncio.sleep(0.01)


def numbers(lines: Sequence[bytes]) -> list[int]:
    return [json.loads(line)["seq"] for line in lines]


def test_one_line_whatever_text(book: Book) -> None:
    row = list(rows_of(book.folder))[1]
    line = syslog_line(row, "ho st\n")
    assert re.fullmatch(rb"[ -~]+", line)
    header = b"<110>1 2023-11-14T22:13:20.123456Z host tenone - session.open - "
    assert line == header + json_line(row)
    assert json.loads(json_line(row))["actor"] == f"account:{ODD}"
    assert json.loads(json_line(row))["hash"] == row.hash.hex()


@pytest.mark.parametrize(
    ("outcome", "start"),
    [(Outcome.DONE, b"<110>"), (Outcome.REFUSED, b"<108>"), (Outcome.FAILED, b"<107>")],
)
def test_severity(tmp_path: Path, outcome: Outcome, start: bytes) -> None:
    book = Book(tmp_path, city="c", boot="b")
    book.append([Told(Entry(act="a.b", actor="system", outcome=outcome), 1, 1)])
    book.close()
    assert syslog_line(list(rows_of(tmp_path))[1], "h").startswith(start)


@dataclass
class Server:
    """A syslog server that may refuse, close early, or take."""

    lines: list[bytes] = field(default_factory=list)
    cut_after: int | None = None
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int(await reader.readuntil(b" "))
                line = await reader.readexactly(length)
                self.lines.append(line[line.index(b"{") :])
                if self.cut_after is not None and len(self.lines) >= self.cut_after:
                    self.cut_after = None
                    writer.transport.abort()
                    return
        writer.close()


def certificate(folder: Path) -> Path:
    """Key and self-signed certificate of 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "siem")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "siem.pem"
    file.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return file


@contextlib.asynccontextmanager
async def listening(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    made = await asyncio.start_server(server.serve, "127.0.0.1", server.port, ssl=tls)
    server.port = made.sockets[0].getsockname()[1]
    async with made:
        yield


def export(book: Book, sink: StreamSink | FileSink | DatagramSink) -> SiemExport:
    return SiemExport(
        sink,
        folder=book.folder,
        cursor_file=book.folder.parent / "cursor.json",
        clock=SystemClock(),
        head=lambda: book.head,
    )


async def test_in_order_from_segment_to_segment_and_on(book: Book) -> None:
    server = Server()
    async with listening(server), Supervisor(SystemClock()) as tasks:
        one = export(book, StreamSink("127.0.0.1", server.port, None, "h"))
        tasks.start("export", one.run)
        await until(lambda: len(server.lines) == 41)
        book.append([told(41)])  # another segment
        one.wake()
        await until(lambda: len(server.lines) == 42)
        await tasks.stop("export")
        again = export(book, StreamSink("127.0.0.1", server.port, None, "h"))
        book.append([told(42)])
        tasks.start("export", again.run)  # a restart goes on by the cursor
        await until(lambda: len(server.lines) == 43)
    assert numbers(server.lines) == list(range(1, 44))


async def test_a_server_that_goes_and_comes(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least once: what a broken connection may have lost comes again."""
    monkeypatch.setattr("controller.trust.siem.FIRST_RETRY_SECONDS", 0.05)
    server = Server(cut_after=7)
    async with listening(server):
        one = export(book, StreamSink("127.0.0.1", server.port, None, "h"))
        async with Supervisor(SystemClock()) as tasks:
            tasks.start("export", one.run)
            await until(lambda: one.figures.seq == 41)
    assert set(numbers(server.lines)) == set(range(1, 42))


async def test_over_tls_to_whom_is_trusted(book: Book, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server, rows = Server(), list(rows_of(book.folder))
    async with listening(server, context):
        where = {"host": "127.0.0.1", "port": server.port}
        base = {"base": tmp_path}
        trusted = sink_of(Siem.model_validate({**where, "ca": "siem.pem"}, context=base), "h")
        await trusted.send(rows)
        await until(lambda: len(server.lines) == len(rows))
        await trusted.close()
        stranger = sink_of(Siem.model_validate(where, context=base), "h")
        with pytest.raises(SiemError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.send(rows)
    assert numbers(server.lines) == list(range(1, 42))


async def test_a_server_that_is_not_there(book: Book) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sink = StreamSink("127.0.0.1", port, None, "h")
    with pytest.raises(SiemError, match=f"127.0.0.1 port {port}"):
        await sink.send(list(rows_of(book.folder)))


async def test_a_server_that_takes_nothing(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in buffers is not there."""
    monkeypatch.setattr("controller.trust.siem.SEND_SECONDS", 0.2)
    rows = list(rows_of(book.folder))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sink = StreamSink("127.0.0.1", taken.getsockname()[1], None, "h")
        with pytest.raises(SiemError, match="does not take"):
            await sink.send(rows * 400)


async def test_a_file(book: Book, tmp_path: Path) -> None:
    file = tmp_path / "siem.jsonl"
    one = export(book, FileSink(file))
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("export", one.run)
        await until(lambda: one.figures.seq == 41)
        file.rename(tmp_path / "siem.1")  # something that rotates it
        book.append([told(50)])
        one.wake()
        await until(lambda: one.figures.seq == 42)
    assert numbers((tmp_path / "siem.1").read_bytes().splitlines()) == list(range(1, 42))
    assert numbers(file.read_bytes().splitlines()) == [42]


async def test_datagrams(book: Book) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.settimeout(5)
        sink = DatagramSink("127.0.0.1", taken.getsockname()[1], "h")
        rows: list[Row] = list(rows_of(book.folder))[:3]
        await sink.send(rows)
        got = [await asyncio.to_thread(taken.recv, 65_536) for _ in rows]
        await sink.close()
    assert got == [syslog_line(row, "h") for row in rows]


async def test_a_ledger_put_back_from_a_copy_is_sent_from_its_beginning(
    book: Book, tmp_path: Path
) -> None:
    """Its cursor is ahead of it: what is written now bears numbers that were sent before."""
    copy = tmp_path / "copy"
    shutil.copytree(book.folder, copy)
    file = tmp_path / "siem.jsonl"
    one = export(book, FileSink(file))
    book.append([told(n) for n in range(41, 45)])
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("export", one.run)
        await until(lambda: one.figures.seq == 45)
    book.close()
    shutil.rmtree(book.folder)
    shutil.copytree(copy, book.folder)
    again = Book(book.folder, city="binhai", boot="b", segment_rows=30)
    again.append([told(100)])
    file.unlink()
    other = export(again, FileSink(file))
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("export", other.run)
        await until(lambda: other.figures.seq == 42)
    assert numbers(file.read_bytes().splitlines()) == list(range(1, 43))


@pytest.mark.parametrize("body", [b"{}", b"[1]", b'{"seq":3,"act', b'{"outcome":[],"at_ns":"x"}'])
def test_a_damaged_entry_does_not_stop_the_export(body: bytes) -> None:
    line = syslog_line(Row(3, body, b"p" * 32, b"h" * 32), "h")
    assert line.startswith(b"<107>1 - h tenone - - - ")
