"""Platforms as small servers on loopback: each way a request can end."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drivers.probe.http import MOST_BODY_BYTES, fetch
from tenone.cli.processes import free_port
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.probes import HttpOutcome

CLOCK = SystemClock()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def say(data: bytes, wait: float = 0.0) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(wait)
        writer.write(data)

    return talk


@asynccontextmanager
async def server(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has what it wanted
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def test_an_answer_with_its_phases() -> None:
    async with server(say(OK, wait=0.05)) as port:
        sample = await fetch(f"http://127.0.0.1:{port}/x?y=1", clock=CLOCK)
    assert (sample.outcome, sample.status, sample.body_bytes) == (HttpOutcome.ANSWERED, 200, 5)
    assert sample.error == ""
    assert sample.tls_ns is None
    assert sample.dns_ns is not None
    assert sample.connect_ns is not None
    assert sample.first_byte_ns is not None
    assert sample.total_ns is not None
    assert sample.first_byte_ns >= 45_000_000
    assert sample.total_ns >= sample.dns_ns + sample.connect_ns + sample.first_byte_ns


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_a_bad_status_is_an_answer(status: int) -> None:
    async with server(say(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)) as port:
        sample = await fetch(f"http://127.0.0.1:{port}/", clock=CLOCK)
    assert (sample.outcome, sample.status) == (HttpOutcome.ANSWERED, status)


async def test_redirects_are_followed_and_counted() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        step = int(path[1:] or b"0")
        if step == 3:
            writer.write(OK)
        else:
            writer.write(
                b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n" % (step + 1)
            )

    async with server(talk) as port:
        sample = await fetch(f"http://127.0.0.1:{port}/0", clock=CLOCK)
    assert (sample.outcome, sample.status, sample.redirects) == (HttpOutcome.ANSWERED, 200, 3)


@pytest.mark.parametrize(
    ("to", "why"),
    [("/again", "more than 5"), ("ftp://x.cn/", "no address"), ("http://[/", "no address")],
)
async def test_a_redirect_that_leads_nowhere(to: str, why: str) -> None:
    head = f"HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
    async with server(say(head.encode())) as port:
        sample = await fetch(f"http://127.0.0.1:{port}/", clock=CLOCK)
    assert sample.outcome is HttpOutcome.MALFORMED
    assert why in sample.error


async def test_a_body_is_bounded() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(16_384))
            await writer.drain()

    async with server(talk) as port:
        sample = await fetch(f"http://127.0.0.1:{port}/", clock=CLOCK)
    assert sample.outcome is HttpOutcome.ANSWERED
    assert MOST_BODY_BYTES <= sample.body_bytes < 2 * MOST_BODY_BYTES


@pytest.mark.parametrize(
    ("data", "outcome", "why"),
    [
        (b"", HttpOutcome.NO_ANSWER, "closed unanswered"),
        (b"SSH-2.0-x\r\n\r\n", HttpOutcome.MALFORMED, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", HttpOutcome.MALFORMED, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, HttpOutcome.MALFORMED, "not HTTP"),
    ],
)
async def test_what_is_no_answer(data: bytes, outcome: HttpOutcome, why: str) -> None:
    async with server(say(data)) as port:
        sample = await fetch(f"http://127.0.0.1:{port}/", clock=CLOCK)
    assert sample.outcome is outcome
    assert why in sample.error


async def test_silence_is_told_after_its_time() -> None:
    async with server(say(OK, wait=5)) as port:
        sample = await fetch(f"http://127.0.0.1:{port}/", clock=CLOCK, timeout=0.1)
    assert (sample.outcome, sample.status) == (HttpOutcome.NO_ANSWER, None)
    assert sample.error == "not done within 0.1 s"
    assert sample.connect_ns is not None
    assert sample.first_byte_ns is None


async def test_nobody_listens() -> None:
    sample = await fetch(f"http://127.0.0.1:{free_port()}/", clock=CLOCK)
    assert sample.outcome is HttpOutcome.NO_CONNECTION
    assert "efused" in sample.error
    assert sample.dns_ns is not None
    assert sample.connect_ns is None


async def test_a_name_without_address() -> None:
    sample = await fetch("http://no-such-host.invalid/", clock=CLOCK)
    assert (sample.outcome, sample.connect_ns) == (HttpOutcome.NO_ADDRESS, None)
    assert sample.error.startswith("no-such-host.invalid: ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.mark.parametrize("trusted", [True, False])
async def test_tls_has_its_own_time_and_its_own_failure(certificate: Path, trusted: bool) -> None:
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)
    theirs = ssl.create_default_context(cafile=certificate if trusted else None)
    async with server(say(OK), ours) as port:
        sample = await fetch(f"https://localhost:{port}/", clock=CLOCK, tls=theirs)
    if trusted:
        assert (sample.outcome, sample.status) == (HttpOutcome.ANSWERED, 200)
        assert sample.tls_ns is not None
    else:
        assert (sample.outcome, sample.tls_ns) == (HttpOutcome.TLS_FAILED, None)
        assert "self-signed certificate" in sample.error
        assert sample.connect_ns is not None
