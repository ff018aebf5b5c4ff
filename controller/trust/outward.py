"""Requests that the controller makes to addresses somebody wrote down: webhooks, anchors, exports.

Whoever may write such an address must not reach through it what only the controller reaches
(server-side request forgery; TRUST.md 2.14, OWASP ASVS 5.0 1.3.6). Therefore, for each request:

- the name is resolved once, every address it has is judged, and the connection goes to an address
  that was judged: a second look-up with another answer (DNS rebinding) cannot happen;
- only addresses of the public internet pass, as the IANA special-purpose registries (RFC 6890) tell
  them; addresses that carry an IPv4 address inside are judged by it as well (IPv4-mapped RFC 4291
  2.5.5.2, NAT64 RFC 6052, 6to4 RFC 3056);
- networks of loopback and private use pass where the configuration lists them. Link-local addresses
  (the metadata services of clouds are there), multicast, broadcast, unspecified and reserved ones
  never pass, listed or not;
- a host must be written as a name or as an ordinary address: ``2130706433``, ``0x7f.1``, ``127.1``
  are refused before anybody could read them;
- no redirect is followed, no proxy of the environment is used, and the certificate must be the
  name's, not the address's;
- an answer has an end: in bytes, in seconds, and nothing of it is unpacked.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, cast

import httpx

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

TIMEOUT_SECONDS = 10.0
WHOLE_SECONDS = 30.0
"""A whole request with its answer; ``TIMEOUT_SECONDS`` begins anew with every byte of it."""
MOST_ANSWER = 2 * 1024 * 1024
"""Bytes of an answer."""
MOST_ADDRESSES = 32
"""A name with more addresses than that is refused: nobody needs them."""
MOST_PORT = 65_535
DEFAULT_PORTS = {"http": 80, "https": 443}

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""The last label of what an address parser, not a resolver, would read (WHATWG URL, 3.5)."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST6 = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out (IANA); Python calls the rest of it global as well."""
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/32",
        "3fff::/20",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        # Metadata and host services of clouds outside the link-local range.
        "100.100.100.200/32",
        "168.63.129.16/32",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
    )
)
"""What no configuration opens."""


class Why(StrEnum):
    """Why an address is refused."""

    SCHEME = "scheme"
    FORM = "form"
    NO_ADDRESS = "no-address"
    PLACE = "place"


class OutwardError(Exception):
    """A request that is not made. ``str()`` is one sentence that never holds the whole URL."""

    def __init__(self, why: Why, sentence: str) -> None:
        self.why = why
        super().__init__(sentence)


class Resolve(Protocol):
    """Finds the addresses of a name."""

    async def __call__(self, host: str, port: int, /) -> list[str]:
        """Addresses as text, in the order to try them; raises ``OSError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL's destination, judged: the name it is checked by and the address that is dialled."""

    host: str
    port: int
    address: Address


async def system_resolve(host: str, port: int) -> list[str]:
    """The machine's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def inner_addresses(address: Address) -> tuple[Address, ...]:
    """IPv4 addresses that an IPv6 address stands for; packets may end there."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found: list[Address] = []
    if address.ipv4_mapped is not None:
        found.append(address.ipv4_mapped)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    low = int(address) & 0xFFFF_FFFF
    if address in _NAT64 or (int(address) >> 32 == 0 and low > 1):  # ::a.b.c.d, RFC 4291 2.5.5.1
        found.append(ipaddress.IPv4Address(low))
    return tuple(found)


def may_reach(address: Address, allow: Iterable[Network] = ()) -> bool:
    """Whether a request may go to ``address``; ``allow`` opens loopback and private networks."""
    listed = tuple(allow)
    for one in (address, *inner_addresses(address)):
        if any(one in network for network in _NEVER if network.version == one.version):
            return False
        wrapped = isinstance(one, ipaddress.IPv6Address) and bool(inner_addresses(one))
        is_listed = any(one in network for network in listed if network.version == one.version)
        public = one.is_global and (one.version == 4 or one in _UNICAST6)  # noqa: PLR2004 - IPv4
        # What only wraps an IPv4 address is judged by that one.
        if not (is_listed or wrapped or (public and not one.is_multicast)):
            return False
    return True


def host_of(url: httpx.URL) -> str:
    """The host to look up; raises :class:`OutwardError` for forms nobody writes in earnest."""
    if url.scheme not in DEFAULT_PORTS:
        raise OutwardError(Why.SCHEME, f"the scheme {url.scheme[:20]!r} is neither http nor https")
    if url.userinfo:
        raise OutwardError(Why.FORM, "the address holds a user name: leave out what is before '@'")
    host = url.raw_host.decode("ascii").strip("[]").removesuffix(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        if (
            len(host) > 253  # noqa: PLR2004 - RFC 1035 2.3.4, less the length octets
            or _LOOKS_NUMERIC.fullmatch(labels[-1])
            or not all(map(_LABEL.fullmatch, labels))
        ):
            raise OutwardError(
                Why.FORM,
                f"{host[:60]!r} is neither a host name nor an ordinary address such as 192.0.2.1",
            ) from None
    if "%" in host:
        raise OutwardError(Why.FORM, "the address names a network interface: leave out the '%'")
    return host


class Outward:
    """What may be reached, and the clients that reach it."""

    def __init__(self, allow: Iterable[Network] = (), *, resolve: Resolve = system_resolve) -> None:
        self._allow = tuple(allow)
        self._resolve = resolve

    async def target(self, url: httpx.URL | str) -> Target:
        """Look the host of ``url`` up once and judge it; raises :class:`OutwardError`."""
        try:
            url = httpx.URL(url)
        except (httpx.InvalidURL, ValueError, UnicodeError) as error:
            raise OutwardError(Why.FORM, f"this is no web address: {error}") from error
        host = host_of(url)
        port = DEFAULT_PORTS[url.scheme] if url.port is None else url.port
        if not 0 < port <= MOST_PORT:
            raise OutwardError(Why.FORM, f"{port} is no port: it is 1 to {MOST_PORT}")
        addresses = await self._addresses(host, port)
        for address in addresses:  # one bad one is enough: the name is not what it seems
            if not may_reach(address, self._allow):
                raise OutwardError(
                    Why.PLACE,
                    f"{host[:60]} is at {address}, which is not on the public internet: "
                    "list its network in trust.outward_allow if that is meant",
                )
        return Target(host=host, port=port, address=addresses[0])

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        try:
            texts = await self._resolve(host, port)
            found = [ipaddress.ip_address(text) for text in texts]
        except (OSError, ValueError, UnicodeError) as error:
            raise OutwardError(Why.NO_ADDRESS, f"{host[:60]} has no address: {error}") from error
        if not 1 <= len(found) <= MOST_ADDRESSES:
            raise OutwardError(
                Why.NO_ADDRESS, f"{host[:60]} has {len(found)} addresses, not 1 to {MOST_ADDRESSES}"
            )
        return found

    def client(
        self,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        verify: ssl.SSLContext | bool = True,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> httpx.AsyncClient:
        """A client all of whose requests are judged; ``inner`` is for tests.

        A refusal is raised as :class:`httpx.ConnectError`, the :class:`OutwardError` its cause.
        """
        return httpx.AsyncClient(
            transport=OutwardTransport(self, verify=verify, inner=inner),
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
        )


class OutwardTransport(httpx.AsyncBaseTransport):
    """Dials the judged address; Host header and certificate stay the name's."""

    def __init__(
        self,
        outward: Outward,
        *,
        verify: ssl.SSLContext | bool = True,
        inner: httpx.AsyncBaseTransport | None = None,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._outward = outward
        self._whole_seconds = whole_seconds
        # No connection is kept: one made for a name must not serve another at the same address.
        self._inner = inner or httpx.AsyncHTTPTransport(
            verify=verify, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        until = asyncio.get_running_loop().time() + self._whole_seconds
        try:
            async with asyncio.timeout_at(until):
                answer = await self._sent(request)
        except TimeoutError as error:
            raise _too_slow(request) from error
        # Unasked for, and a few bytes of it may be gigabytes.
        headers = [one for one in answer.headers.raw if one[0].lower() != b"content-encoding"]
        return httpx.Response(
            answer.status_code,
            headers=headers,
            stream=_Ending(answer.stream, request, until),
            extensions=answer.extensions,
        )

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            target = await self._outward.target(request.url)
        except OutwardError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        headers = request.headers.copy()  # Host was set from the name and stays
        headers["accept-encoding"] = "identity"
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=str(target.address)),
            headers=headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": target.host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._inner.aclose()


class _Ending(httpx.AsyncByteStream):
    """An answer's bytes, not more than :data:`MOST_ANSWER` and not after ``until``."""

    def __init__(
        self,
        inner: httpx.SyncByteStream | httpx.AsyncByteStream,
        request: httpx.Request,
        until: float,
    ) -> None:
        self._inner = cast("httpx.AsyncByteStream", inner)  # of an asynchronous transport
        self._request = request
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        parts = aiter(self._inner)
        while True:
            try:
                async with asyncio.timeout_at(self._until):
                    part = await anext(parts)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise _too_slow(self._request) from error
            taken += len(part)
            if taken > MOST_ANSWER:
                raise httpx.ReadError(
                    f"the answer has more than {MOST_ANSWER} bytes", request=self._request
                )
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def _too_slow(request: httpx.Request) -> httpx.ReadTimeout:
    return httpx.ReadTimeout("the answer takes too long", request=request)
