"""One request to a platform with the time of each phase: name, connection, TLS, first byte.

RFC 9110, RFC 9112. h11 reads and writes; the connection is ours, so that its phases can be timed.
A client library would hide them, reuse connections, and follow redirects without telling.
"""

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import h11

from drivers.probe.datagrams import Address
from tenone.runtime.clock import Clock
from tenone.vocabulary.probes import HttpOutcome

TIMEOUT_SECONDS: Final = 10.0
"""For the whole chain of requests."""
MOST_REDIRECTS: Final = 5
MOST_BODY_BYTES: Final = 64 * 1024
MOST_HEAD_BYTES: Final = 32 * 1024
_READ_BYTES: Final = 16 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
USER_AGENT: Final = "TenOne-probe"


@dataclass(slots=True, kw_only=True)
class HttpSample:
    """One chain of requests. A phase that did not come about is None; times add up over it."""

    outcome: HttpOutcome = HttpOutcome.NO_ADDRESS
    status: int | None = None
    dns_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    first_byte_ns: int | None = None
    total_ns: int | None = None
    redirects: int = 0
    body_bytes: int = 0
    error: str = ""


class _Failed(Exception):  # noqa: N818 - an outcome, told to the caller as such
    def __init__(self, outcome: HttpOutcome, sentence: str) -> None:
        self.outcome = outcome
        super().__init__(sentence)


async def fetch(
    url: str,
    *,
    clock: Clock,
    tls: ssl.SSLContext | None = None,
    timeout: float = TIMEOUT_SECONDS,  # noqa: ASYNC109 - the sample says how far it came
) -> HttpSample:
    """GET ``url`` and follow its redirects; every failure is an outcome with a sentence.

    ``tls``: whom to trust; the system's authorities if not given.
    """
    sample = HttpSample()
    start_ns = clock.monotonic_ns()
    try:
        async with asyncio.timeout(timeout):
            await _chain(url, sample, clock, tls)
    except TimeoutError:
        sample.error = f"not done within {timeout:g} s"
    except _Failed as failed:
        sample.outcome, sample.error = failed.outcome, str(failed)
    sample.total_ns = clock.monotonic_ns() - start_ns
    return sample


async def _chain(url: str, sample: HttpSample, clock: Clock, tls: ssl.SSLContext | None) -> None:
    while True:
        to = await _once(url, sample, clock, tls)
        if to is None:
            return
        if sample.redirects >= MOST_REDIRECTS:
            raise _Failed(HttpOutcome.MALFORMED, f"more than {MOST_REDIRECTS} redirects")
        sample.redirects += 1
        url = _joined(url, to)


async def _once(
    url: str, sample: HttpSample, clock: Clock, tls: ssl.SSLContext | None
) -> str | None:
    """One request; returns where it is redirected to."""
    parts, port = _parts(url)
    host = parts.hostname or ""
    sample.outcome = HttpOutcome.NO_ADDRESS
    mark_ns = clock.monotonic_ns()
    address = await _resolve(host, port)
    sample.dns_ns = (sample.dns_ns or 0) + clock.monotonic_ns() - mark_ns
    sample.outcome = HttpOutcome.NO_CONNECTION
    mark_ns = clock.monotonic_ns()
    try:
        reader, writer = await asyncio.open_connection(address[0], address[1])
    except OSError as error:
        raise _Failed(HttpOutcome.NO_CONNECTION, f"{host} port {port}: {_why(error)}") from error
    try:
        sample.connect_ns = (sample.connect_ns or 0) + clock.monotonic_ns() - mark_ns
        if parts.scheme == "https":
            sample.outcome = HttpOutcome.TLS_FAILED
            context = tls
            if context is None:  # reads the authorities' file: not part of the handshake
                context = await asyncio.to_thread(ssl.create_default_context)
            mark_ns = clock.monotonic_ns()
            await _start_tls(writer, context, host)
            sample.tls_ns = (sample.tls_ns or 0) + clock.monotonic_ns() - mark_ns
        sample.outcome = HttpOutcome.NO_ANSWER
        return await _ask(reader, writer, parts, sample, clock)
    finally:
        writer.transport.abort()


async def _start_tls(writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str) -> None:
    try:
        await writer.start_tls(context, server_hostname=host)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        why = getattr(error, "verify_message", "") or _why(error)
        raise _Failed(HttpOutcome.TLS_FAILED, f"TLS with {host}: {why}") from error


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    parts: SplitResult,
    sample: HttpSample,
    clock: Clock,
) -> str | None:
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)
    request = h11.Request(
        method="GET",
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        headers=[
            ("Host", parts.netloc.rpartition("@")[2]),
            ("User-Agent", USER_AGENT),
            ("Accept", "*/*"),
            ("Connection", "close"),
        ],
    )
    sample.body_bytes = 0
    try:
        writer.write(wire.send(request) or b"")
        writer.write(wire.send(h11.EndOfMessage()) or b"")
        mark_ns = clock.monotonic_ns()
        first = await reader.read(_READ_BYTES)
        if not first:
            raise _Failed(HttpOutcome.NO_ANSWER, "the connection was closed unanswered")
        sample.first_byte_ns = (sample.first_byte_ns or 0) + clock.monotonic_ns() - mark_ns
        wire.receive_data(first)
        return await _answer(reader, wire, sample)
    except h11.RemoteProtocolError as error:
        raise _Failed(HttpOutcome.MALFORMED, f"what came is not HTTP: {error}") from error
    except OSError as error:
        raise _Failed(sample.outcome, _why(error)) from error


async def _answer(
    reader: asyncio.StreamReader, wire: h11.Connection, sample: HttpSample
) -> str | None:
    """Read the answer as far as it counts; returns where it redirects to."""
    while sample.body_bytes < MOST_BODY_BYTES:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Response):
            sample.outcome, sample.status = HttpOutcome.ANSWERED, event.status_code
            to = _location(event)
            if to is not None:
                return to
        elif isinstance(event, h11.Data):
            sample.body_bytes += len(event.data)
        elif not isinstance(event, h11.InformationalResponse):
            break
    return None


def _location(response: h11.Response) -> str | None:
    if response.status_code not in _REDIRECTS:
        return None
    for name, value in response.headers:
        if name == b"location":
            return value.decode("latin-1")
    return None


def _joined(url: str, to: str) -> str:
    try:
        return urljoin(url, to)
    except ValueError:
        return to  # which is then no address, and told as such


def _parts(url: str) -> tuple[SplitResult, int]:
    refused = _Failed(HttpOutcome.MALFORMED, f"{url[:80]!r} is no address of a web page")
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        raise refused from None
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        raise refused
    return parts, port


async def _resolve(host: str, port: int) -> Address:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _Failed(HttpOutcome.NO_ADDRESS, f"{host}: {_why(error)}") from error
    return found[0][4]  # type: ignore[return-value] # SOCK_STREAM of inet families only


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror | ssl.SSLError):
        # asyncio puts its own words, with the address, where the system's reason was.
        return os.strerror(error.errno) if error.errno else str(error)
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__)
