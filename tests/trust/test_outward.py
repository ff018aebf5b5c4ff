"""Abuse case 14 of TRUST.md: server-side request forgery by the address of a webhook."""

import asyncio
import gzip
import ipaddress
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import dns.asyncresolver
import dns.exception
import dns.message
import dns.rrset
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from controller.trust.outward import (
    Outward,
    OutwardError,
    OutwardTransport,
    Target,
    Why,
    inner_addresses,
    may_reach,
    system_resolve,
)

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
NAMES = {
    "inside.example": ["10.1.2.3"],
    "here.example": ["127.0.0.1"],
    "six.example": ["::1"],
    "mixed.example": ["93.184.216.34", "192.168.1.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "nowhere.example": [],
    "many.example": [f"93.184.216.{last}" for last in range(1, 40)],
    "zone.example": ["fe80::1%lo"],
    "good.example": ["93.184.216.34"],
    "good6.example": ["2606:2800:220:1:248:1893:25c8:1946"],
}

FORBIDDEN = (
    # An ordinary address of a place that is not the public internet.
    "http://127.0.0.1/", "http://127.8.9.10:8010/metrics", "http://10.0.0.1/",
    "http://172.16.0.1/", "http://172.31.255.254/", "http://192.168.0.1/", "http://0.0.0.0/",
    "http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/", "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data/", "http://168.63.129.16/", "http://192.0.0.192/",
    "http://224.0.0.1/", "http://239.255.255.250:1900/", "http://255.255.255.255/",
    "http://240.0.0.1/", "http://198.18.0.1/", "http://192.0.2.1/", "http://203.0.113.9/",
    # IPv6, alone and with an IPv4 address inside.
    # IPv6 that is not given out, or stands for IPv4 elsewhere (RFC 7915), or for paper (RFC 9637).
    "http://[4000::1]/", "http://[5f00::1]/", "http://[1fff::1]/", "http://[3fff::1]/",
    "http://[::ffff:0:a00:1]/", "http://[fd20:ce::254]/", "http://good.example:0/",
    "http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fc00::1]/",
    "http://[fd00:ec2::254]/", "http://[ff02::1]/", "http://[fec0::1]/", "http://[2001:db8::1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:10.0.0.1]/", "http://[::127.0.0.1]/", "http://[::10.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::10.0.0.1]/",
    "http://[2002:7f00:1::]/", "http://[2002:a00:1::1]/", "http://[2001::7f00:1]/",
    "http://[100::1]/", "http://[fe80::1%25lo]/",
    # The same addresses as an address parser reads them.
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://017700000001/",
    "http://0177.0.0.1/", "http://127.1/", "http://127.0.1/", "http://0/", "http://127.0.0.1./",
    "http://10.0x1/", "http://00000127.0.0.1/", "http://127.0.0.0x1/",
    "http://\uff11\uff12\uff17.0.0.1/", "http://\u2460\u2461\u2466.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    # Names that lead there.
    "http://localhost/", "http://localhost./", "http://LOCALHOST:8010/", "http://inside.example/",
    "http://here.example./", "http://six.example/", "http://mixed.example/",
    "http://metadata.google.internal/", "http://mapped.example/", "http://zone.example/",
    "http://nowhere.example/", "http://many.example/",
    # Who is the host?
    "http://good.example@127.0.0.1/", "http://127.0.0.1@good.example/",
    "http://user:word@good.example/", "http://good.example%00@127.0.0.1/",
    "http://127.0.0.1#@good.example/", "http://127.0.0.1\\@good.example/",
    "http://good.example%2f@127.0.0.1/", "http://127.0.0.1%09/", "http://127.0.0.1%2523/",
    "http:///127.0.0.1/", "http://", "http://.../", "http://-a.example/", "http://a..example/",
    # Other doors.
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "ftp://good.example/", "dict://x:11211/",
    "javascript:alert(1)", "//127.0.0.1/", "/etc/passwd", "", "http://good.example:99999/",
)  # fmt: skip


async def names(host: str, port: int, /) -> list[str]:
    """The table above; what it lacks is asked of the machine (localhost)."""
    found = NAMES.get(host.lower())
    return await system_resolve(host, port) if found is None else found


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_ssrf_a_forbidden_place_is_never_dialled(url: str) -> None:
    dialled: list[httpx.URL] = []

    def dial(request: httpx.Request) -> httpx.Response:
        dialled.append(request.url)
        return httpx.Response(200)

    outward = Outward(resolve=names)
    with pytest.raises(OutwardError) as refused:
        await outward.target(url)
    assert str(refused.value)
    assert "\n" not in str(refused.value)
    async with outward.client(inner=httpx.MockTransport(dial)) as client:
        with pytest.raises((httpx.HTTPError, httpx.InvalidURL)):
            await client.post(url, content=b"x")
    assert dialled == []


def test_ssrf_there_are_more_than_sixty_forms() -> None:
    assert len(set(FORBIDDEN)) >= 60
    print(f"\nSSRF: {len(set(FORBIDDEN))} forms, dialled 0")


@pytest.mark.parametrize(
    ("url", "host", "port", "address"),
    [
        ("http://good.example/hook", "good.example", 80, "93.184.216.34"),
        ("https://good.example./hook", "good.example", 443, "93.184.216.34"),
        ("https://good6.example:8443/", "good6.example", 8443, NAMES["good6.example"][0]),
        ("http://93.184.216.34/", "93.184.216.34", 80, "93.184.216.34"),
        ("http://[64:ff9b::808:808]/", "64:ff9b::808:808", 80, "64:ff9b::808:808"),
    ],
)
async def test_what_is_public_is_reached_by_the_judged_address(
    url: str, host: str, port: int, address: str
) -> None:
    sent: list[httpx.Request] = []

    def dial(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(204)

    outward = Outward(resolve=names)
    assert await outward.target(url) == Target(
        host=host, port=port, address=ipaddress.ip_address(address)
    )
    async with outward.client(inner=httpx.MockTransport(dial)) as client:
        await client.post(url, content=b"x")
    assert sent[0].url.host == address
    assert sent[0].headers["host"] == httpx.URL(url).netloc.decode()
    assert sent[0].extensions["sni_hostname"] == host


@pytest.mark.parametrize(
    ("url", "allow", "passes"),
    [
        ("http://10.1.2.3/", ["10.1.0.0/16"], True),
        ("http://inside.example/", ["10.1.2.3/32"], True),
        ("http://mapped.example/", ["10.0.0.0/8"], True),
        ("http://10.2.2.3/", ["10.1.0.0/16"], False),
        ("http://127.0.0.1/", ["127.0.0.1/32"], True),
        ("http://[::1]/", ["127.0.0.0/8"], False),
        ("http://[::1]/", ["::1/128"], True),
        ("http://mixed.example/", ["192.168.1.0/24"], True),
        # Listed or not:
        ("http://169.254.169.254/", ["0.0.0.0/0"], False),
        ("http://[::ffff:169.254.169.254]/", ["::/0", "0.0.0.0/0"], False),
        ("http://[64:ff9b::a9fe:a9fe]/", ["::/0", "0.0.0.0/0"], False),
        ("http://[64:ff9b::a01:203]/", ["::/0"], False),
        ("http://[64:ff9b::a01:203]/", ["10.1.0.0/16"], True),
        ("http://224.0.0.1/", ["0.0.0.0/0"], False),
        ("http://0.0.0.0/", ["0.0.0.0/0"], False),
        ("http://[fe80::1]/", ["::/0"], False),
        ("http://100.100.100.200/", ["100.64.0.0/10"], False),
        ("http://127.1/", ["0.0.0.0/0"], False),
    ],
)
async def test_the_configuration_opens_private_networks_and_nothing_else(
    url: str, allow: Sequence[str], passes: bool
) -> None:
    outward = Outward(map(ipaddress.ip_network, allow), resolve=names)
    if passes:
        await outward.target(url)
        return
    with pytest.raises(OutwardError):
        await outward.target(url)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_one_is_judged_alike(inner: ipaddress.IPv4Address) -> None:
    low = int(inner)
    for outer in (0xFFFF << 32, 0x64FF9B << 96):
        wrapped = ipaddress.IPv6Address(outer | low)
        assert inner_addresses(wrapped) == (inner,)
        assert may_reach(wrapped) == may_reach(inner)
    if may_reach(inner):
        assert inner.is_global


# -- sockets


class _Answering(asyncio.DatagramProtocol):
    """A name server whose answer changes from question to question; TTL 0."""

    def __init__(self, addresses: Iterator[str]) -> None:
        self._addresses = addresses
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        self.asked += 1
        answer.answer.append(
            dns.rrset.from_text(query.question[0].name, 0, "IN", "A", next(self._addresses))
        )
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def rebinding(addresses: Iterator[str]) -> AsyncIterator[tuple[Outward, _Answering]]:
    """An Outward whose names are answered by such a server; 127.0.0.2 counts as allowed."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: _Answering(addresses), local_addr=("127.0.0.1", 0)
    )
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]

    async def resolve(host: str, _port: int, /) -> list[str]:
        try:
            return [str(one) for one in await resolver.resolve(host, "A")]
        except dns.exception.DNSException as error:
            raise OSError(str(error)) from error

    try:
        yield Outward([ipaddress.ip_network("127.0.0.2/32")], resolve=resolve), server
    finally:
        transport.close()


@asynccontextmanager
async def web(
    address: str, port: int, answer: bytes, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A web server that says one thing and keeps what it was asked."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, address, port, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


NO_CONTENT = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


async def test_ssrf_dns_rebinding_reaches_only_what_was_judged() -> None:
    """Allowed at the first question, forbidden at the second, and so on: 100 requests."""
    turns = itertools.cycle(["127.0.0.2", "127.0.0.1"])
    async with (
        rebinding(turns) as (outward, server),
        web("127.0.0.2", 0, NO_CONTENT) as (port, allowed),
        web("127.0.0.1", port, NO_CONTENT) as (_, victim),
        outward.client() as client,
    ):
        refused = 0
        for _ in range(100):
            try:
                await client.post(f"http://turning.example:{port}/hook", content=b"x")
            except httpx.ConnectError as error:
                cause = error.__cause__
                refused += isinstance(cause, OutwardError) and cause.why is Why.PLACE
    print(f"\nDNS rebinding: {server.asked} look-ups, {len(allowed)} reached the judged address,")
    print(f"{refused} refused, {len(victim)} reached the forbidden one")
    assert (server.asked, len(allowed), refused, len(victim)) == (100, 50, 50, 0)
    assert all(b"host: turning.example" in one.lower() for one in allowed)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_ssrf_no_redirect_is_followed(status: int) -> None:
    async with web("127.0.0.1", 0, NO_CONTENT) as (inside, victim):
        moved = (
            f"HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{inside}/\r\n"
            "content-length: 0\r\nconnection: close\r\n\r\n"
        )
        outward = Outward([ipaddress.ip_network("127.0.0.2/32")])
        async with (
            web("127.0.0.2", 0, moved.encode()) as (port, heard),
            outward.client() as client,
        ):
            answer = await client.post(f"http://127.0.0.2:{port}/", content=b"x")
    assert (answer.status_code, len(heard), len(victim)) == (status, 1, 0)


@asynccontextmanager
async def slow_web(*parts: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Says the parts, and the last one again and again until nobody listens; what it was asked."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            for part in itertools.chain(parts, itertools.repeat(parts[-1])):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.001 if len(part) > 1 else 0.02)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


OK_HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
ENDLESS: dict[str, tuple[tuple[bytes, ...], type[httpx.HTTPError]]] = {
    "a head that never ends": ((b"HTTP/1.1 200 OK\r\nx: ", b"a"), httpx.ReadTimeout),
    "a body that trickles": ((OK_HEAD, b"a"), httpx.ReadTimeout),
    "a body without end": ((OK_HEAD, b"a" * 65_536), httpx.ReadError),
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_an_answer_has_an_end(kind: str) -> None:
    """Each byte comes in time, and neither head nor body would ever be over."""
    parts, error = ENDLESS[kind]
    seconds = 0.3 if error is httpx.ReadTimeout else 60.0
    transport = OutwardTransport(Outward([LOOPBACK]), whole_seconds=seconds)
    async with (
        asyncio.timeout(30),
        slow_web(*parts) as (port, heard),
        httpx.AsyncClient(transport=transport) as client,
    ):
        with pytest.raises(error):
            await client.post(f"http://127.0.0.1:{port}/", content=b"x")
    assert len(heard) == 1


async def test_what_is_packed_is_neither_asked_for_nor_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n" + bomb
    async with (
        web("127.0.0.1", 0, answer) as (port, heard),
        Outward([LOOPBACK]).client() as client,
    ):
        told = await client.post(f"http://127.0.0.1:{port}/", content=b"x")
    assert told.content == bomb
    assert b"accept-encoding: identity\r\n" in heard[0].lower()


async def test_ssrf_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with web("127.0.0.1", 0, NO_CONTENT) as (proxy, heard):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        async with Outward([LOOPBACK]).client() as client:
            with pytest.raises(httpx.ConnectError):
                await client.post(f"http://127.0.0.1:{port}/", content=b"x")
    assert heard == []


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate of ``name`` with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize(
    ("asked", "passes"), [("hook.example", True), ("other.example", False), ("127.0.0.2", False)]
)
async def test_the_certificate_must_be_the_names(tmp_path: Path, asked: str, passes: bool) -> None:
    file = certificate(tmp_path, "hook.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client_side = ssl.create_default_context(cafile=file)
    async with (
        rebinding(itertools.repeat("127.0.0.2")) as (outward, _),
        web("127.0.0.2", 0, NO_CONTENT, tls=server) as (port, heard),
        outward.client(verify=client_side) as client,
    ):
        try:
            answer = await client.post(f"https://{asked}:{port}/", content=b"x")
            assert answer.status_code == 204
            said = ""
        except httpx.ConnectError as error:
            said = str(error).lower()
    assert ("certificate" in said) is not passes
    assert len(heard) == int(passes)
