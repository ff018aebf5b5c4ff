"""The page's server: uvicorn on loopback or over TLS, whose port answers plain HTTP in a sentence.

asyncio's own TLS server closes on a browser that was told ``http://`` without a word. Here the
first byte of a connection is looked at, and left where it is: 22 is a TLS handshake (RFC 8446 5.1),
a letter is somebody who speaks HTTP.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

from controller.trust.web import WebCertificate

DRAIN_HTTP_SECONDS = 2
HANDSHAKE_SECONDS = 10.0
MOST_HANDSHAKES = 256
"""Connections that have not shown yet what they are; more wait in the kernel's queue."""
TLS_HANDSHAKE = 0x16
SENTENCE = b"This port speaks HTTPS only: write https:// instead of http:// before the address.\n"
PLAIN_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(SENTENCE), SENTENCE)
)
MOST_PLAIN_BYTES = 65_536

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Leaves signals to the service, and TLS connections to :class:`TlsFront`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn: here it captures none."""
        yield

    def protocol(self) -> asyncio.Protocol:
        """What one connection speaks."""
        # uvicorn types the class as a bare Protocol; Server.startup calls it with these.
        made: Any = self.config.http_protocol_class
        spoken: asyncio.Protocol = made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return spoken


class TlsFront:
    """Accepts connections and hands those that speak TLS to ``protocol``."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        self._listening = listening
        self._context = context
        self._protocol = protocol
        self._places = asyncio.Semaphore(MOST_HANDSHAKES)

    async def run(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)  # noqa: FBT003 - the socket's own signature
        async with asyncio.TaskGroup() as handshakes:
            while True:
                await self._places.acquire()
                try:
                    one, _ = await loop.sock_accept(self._listening)
                except OSError as error:  # too many open files, or the peer is gone already
                    self._places.release()
                    log.warning("https: a connection could not be taken: %s", error)
                    await asyncio.sleep(0.1)
                    continue
                except asyncio.CancelledError:
                    self._places.release()
                    raise
                handshakes.create_task(self._meet(one), name="https handshake")

    async def _meet(self, one: socket.socket) -> None:
        handed_over = False
        try:
            one.setblocking(False)  # noqa: FBT003 - the socket's own signature
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                first = await _first_byte(one)
                if first == TLS_HANDSHAKE:
                    handed_over = True  # from here on asyncio closes it
                    await asyncio.get_running_loop().connect_accepted_socket(
                        self._protocol,
                        one,
                        ssl=self._context,
                        ssl_handshake_timeout=HANDSHAKE_SECONDS,
                    )
                elif first is not None and chr(first).isascii() and chr(first).isalpha():
                    await _say_sentence(one)
        except (OSError, TimeoutError) as error:  # a peer's doing; ssl.SSLError is an OSError
            log.debug("https: a connection ended before it began: %s", error)
        finally:
            self._places.release()
            if not handed_over:
                one.close()


async def _first_byte(one: socket.socket) -> int | None:
    """The first byte, still to be read by whoever comes next; None: it closed without."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(one, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(one)
    found = one.recv(1, socket.MSG_PEEK)
    return found[0] if found else None


async def _say_sentence(one: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_recv(one, MOST_PLAIN_BYTES)
    await loop.sock_sendall(one, PLAIN_ANSWER)
    one.shutdown(socket.SHUT_WR)
    taken = 0
    # Closed with bytes unread, the kernel would send a reset that overtakes the sentence.
    while taken < MOST_PLAIN_BYTES and (more := await loop.sock_recv(one, 4096)):
        taken += len(more)


@contextlib.asynccontextmanager
async def serve(
    app: FastAPI,
    listening: socket.socket,
    web: WebCertificate | None,
    before_end: Callable[[], None],
) -> AsyncIterator[None]:
    """Serve ``app`` until the end of the context; ``before_end`` lets go of open streams."""
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_HTTP_SECONDS,
        )
    )
    plain = [listening] if web is None else []
    with listening:
        serving = asyncio.create_task(server.serve(sockets=plain), name="http")
        fronts: list[asyncio.Task[None]] = []
        try:
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has a flag
                await asyncio.sleep(0.02)
            if web is not None:
                front = TlsFront(listening, web.context, server.protocol)
                fronts.append(asyncio.create_task(front.run(), name="https"))
            yield
        finally:
            for one in fronts:
                one.cancel()
            await asyncio.gather(*fronts, return_exceptions=True)
            before_end()
            server.should_exit = True
            await serving
