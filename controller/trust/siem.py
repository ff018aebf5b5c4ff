"""Sends every entry of the ledger on: RFC 5424 syslog, or a file of JSON lines.

At least once, in order, by a cursor kept on disk; never in the way of writing. An entry is one
line, whatever text it carries: its body is ASCII, escaped (:mod:`controller.trust.chain`). Syslog
has no receipts, so the cursor moves when the other machine's TCP has acknowledged every byte
(TIOCOUTQ, where the system tells); what its syslog server loses after that is beyond us. Over UDP
nothing is acknowledged: use it where nothing else is possible.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import ssl
import struct
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

from controller.store.files import replace_file
from controller.trust.chain import Head, Row
from controller.trust.entries import Outcome
from controller.trust.segment import SegmentError
from controller.trust.verify import rows_of
from tenone.config.trust import Siem
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

BATCH_ROWS = 500
IDLE_SECONDS = 5.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
SEND_SECONDS = 20.0
"""How long a connection, and a batch until it is acknowledged, may take."""
FACILITY = 13
"""Log audit (RFC 5424 table 1)."""
SEVERITY = {Outcome.DONE: 6, Outcome.REFUSED: 4, Outcome.FAILED: 3}
"""Informational, warning, error (RFC 5424 table 2)."""
MOST_MESSAGE_ID = 32
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
APPLICATION = "tenone"


class SiemError(Exception):
    """The other side cannot take entries now; one sentence."""


class Sink(Protocol):
    """Where entries go."""

    async def send(self, rows: Sequence[Row]) -> None:
        """Return when they are there; raises SiemError. What was sent may come again."""
        ...

    async def close(self) -> None:
        """Let go of it; the next send opens it again."""
        ...


def json_line(row: Row) -> bytes:
    """An entry with its hashes as one line of JSON, without its end."""
    return b'%s,"previous":"%s","hash":"%s"}' % (
        row.body[:-1],
        row.previous.hex().encode(),
        row.hash.hex().encode(),
    )


def syslog_line(row: Row, host: str) -> bytes:
    """An entry as RFC 5424 has it: log audit, its act as MSGID, the JSON as message."""
    try:
        body = json.loads(row.body)
        severity = SEVERITY.get(body["outcome"], 5)
        at = datetime.fromtimestamp(body["at_ns"] // 1000 / 1e6, UTC).strftime(TIME)
        act = str(body["act"])[:MOST_MESSAGE_ID]
    except (ValueError, KeyError, TypeError, OverflowError):  # somebody or something damaged it
        severity, at, act = SEVERITY[Outcome.FAILED], "-", "-"
    header = " ".join(
        [
            f"<{FACILITY * 8 + severity}>1",
            at,
            "".join(ch for ch in host if "!" <= ch <= "~")[:255] or "-",
            APPLICATION,
            "-",
            act,
            "-",
        ]
    )
    return header.encode("ascii") + b" " + json_line(row)


class FileSink:
    """JSON lines appended to a file, synced; something else may take the file away meanwhile."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def send(self, rows: Sequence[Row]) -> None:
        """See :class:`Sink`."""
        data = b"".join(json_line(row) + b"\n" for row in rows)
        try:
            await asyncio.to_thread(self._append, data)
        except OSError as error:
            raise SiemError(f"{self._file} cannot be appended to: {error.strerror}") from error

    async def close(self) -> None:
        """See :class:`Sink`."""

    def _append(self, data: bytes) -> None:
        with self._file.open("ab") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())


class StreamSink:
    """Syslog over TLS (RFC 5425) or TCP, octets counted before each message (RFC 5425 4.3)."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, here: str) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._here = here
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, rows: Sequence[Row]) -> None:
        """See :class:`Sink`."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                writer = await self._connected()
                for row in rows:
                    line = syslog_line(row, self._here)
                    writer.write(b"%d %s" % (len(line), line))
                await writer.drain()
                await self._acknowledged(writer)
        except (OSError, TimeoutError) as error:
            await self.close()
            said = str(error) or "it does not take what is sent"
            raise SiemError(f"{self._host} port {self._port}: {said}") from error

    async def close(self) -> None:
        """See :class:`Sink`."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def _connected(self) -> asyncio.StreamWriter:
        if self._writer is None:
            name = self._host if self._tls is not None else None
            self._reader, self._writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._tls, server_hostname=name
            )
        return self._writer

    async def _acknowledged(self, writer: asyncio.StreamWriter) -> None:
        """Wait until the other machine has all of it, and still is there."""
        socket = writer.get_extra_info("socket")
        while True:
            if self._reader is None or self._reader.at_eof():
                raise ConnectionResetError("the connection was closed")
            if not writer.transport.get_write_buffer_size() and not _unacknowledged(
                socket.fileno()
            ):
                return
            await asyncio.sleep(0.01)


class DatagramSink:
    """Syslog over UDP (RFC 5426), one datagram a message. Nothing tells whether it arrives."""

    def __init__(self, host: str, port: int, here: str) -> None:
        self._host = host
        self._port = port
        self._here = here
        self._transport: asyncio.DatagramTransport | None = None

    async def send(self, rows: Sequence[Row]) -> None:
        """See :class:`Sink`."""
        try:
            if self._transport is None:
                loop = asyncio.get_running_loop()
                self._transport, _ = await loop.create_datagram_endpoint(
                    asyncio.DatagramProtocol, remote_addr=(self._host, self._port)
                )
            for row in rows:
                self._transport.sendto(syslog_line(row, self._here))
                await asyncio.sleep(0)
        except OSError as error:
            await self.close()
            raise SiemError(f"{self._host} port {self._port}: {error}") from error

    async def close(self) -> None:
        """See :class:`Sink`."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def sink_of(config: Siem, here: str) -> Sink:
    """What the configuration asks for; raises OSError for a ``ca`` that is none."""
    if config.file is not None:
        return FileSink(config.file)
    host, port = config.host or "", config.at_port
    if config.transport == "udp":
        return DatagramSink(host, port, here)
    tls = None
    if config.transport == "tls":
        tls = ssl.create_default_context(cafile=str(config.ca) if config.ca else None)
    return StreamSink(host, port, tls, here)


@dataclass(slots=True)
class SiemFigures:
    """For /metrics and /readyz."""

    sent: int = 0
    seq: int = 0
    """The newest entry that the other side has."""
    trouble: str = ""


class SiemExport:
    """Follows the ledger's files by a cursor of its own."""

    def __init__(
        self,
        sink: Sink,
        *,
        folder: Path,
        cursor_file: Path,
        clock: Clock,
        head: Callable[[], Head | None],
    ) -> None:
        self.figures = SiemFigures()
        self._sink = sink
        self._folder = folder
        self._cursor_file = cursor_file
        self._clock = clock
        self._head = head
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something was written."""
        self._wake.set()

    async def run(self) -> None:
        """Send what is new, for ever; for a supervisor."""
        pause = FIRST_RETRY_SECONDS
        try:
            while True:
                self._wake.clear()
                try:
                    await self._send_new()
                except (SiemError, SegmentError, OSError) as error:
                    if not self.figures.trouble:
                        log.warning("entries of the ledger are not exported: %s", error)
                    self.figures.trouble = str(error)
                    await self._clock.sleep(pause)
                    pause = min(pause * 2, LONGEST_RETRY_SECONDS)
                    continue
                self.figures.trouble, pause = "", FIRST_RETRY_SECONDS
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await self._wake.wait()
        finally:
            await self._sink.close()

    async def _send_new(self) -> None:
        head = self._head()
        if head is None:
            return
        after = self.figures.seq or await asyncio.to_thread(self._kept, head)
        while after < head.seq:
            rows = await asyncio.to_thread(self._rows, after)
            if not rows:
                return
            await self._sink.send(rows)
            after = rows[-1].seq
            await asyncio.to_thread(self._keep, head.ledger, after)
            self.figures.sent += len(rows)
            self.figures.seq = after

    def _rows(self, after: int) -> list[Row]:
        return list(islice(rows_of(self._folder, after), BATCH_ROWS))

    def _kept(self, head: Head) -> int:
        """The cursor; 0 where there is none for what this ledger is: all is sent again.

        One that is ahead is of a ledger that was put back from a copy since.
        """
        try:
            body = json.loads(self._cursor_file.read_bytes())
            seq = int(body["seq"])
            return seq if body["ledger"] == head.ledger and seq <= head.seq else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _keep(self, ledger: str, seq: int) -> None:
        replace_file(self._cursor_file, json.dumps({"ledger": ledger, "seq": seq}).encode())


def _unacknowledged(fd: int) -> int:
    """Bytes sent that the other machine has not acknowledged; 0 where the system does not tell."""
    try:
        found: tuple[int] = struct.unpack("i", fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return 0
    return found[0]
