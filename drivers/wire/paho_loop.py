"""paho-mqtt on the event loop's own selector: no thread, no polling.

paho offers its socket, ``loop_read``, ``loop_write`` and ``loop_misc`` for foreign event loops;
:class:`Watch` drives them. :class:`BufferedClient` reads the socket in large pieces, where paho
asks the kernel for every packet's first byte, length bytes and rest one by one.
"""

import asyncio
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
PACKETS_A_WAKEUP = 256
"""Packets handled before other tasks get their turn."""
MISC_SECONDS = 1.0
"""How often keepalive is looked at."""


class BufferedClient(Client):
    """A paho client that reads ahead.

    ``_sock_recv`` is paho's own single place of reading. Should a later paho read elsewhere, this
    class does nothing and all still works, only slower.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ahead = b""
        self._position = 0

    @property
    def has_read_ahead(self) -> bool:
        """Whether bytes wait here that the selector does not know of."""
        if self._position < len(self._ahead):
            return True
        pending = getattr(self.socket(), "pending", None)  # TLS keeps decrypted bytes
        return pending is not None and pending() > 0

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        # paho leaves the socket open when the handshake fails. Whether the host's name is
        # checked is the context's business alone.
        context: ssl.SSLContext = self._ssl_context  # type: ignore[assignment] # asked for only when set
        wrapped = context.wrap_socket(
            tcp_sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        try:
            wrapped.settimeout(self.connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def ping(self) -> None:
        """Send a PINGREQ now."""
        self._send_pingreq()

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._position >= len(self._ahead):
            self._ahead = super()._sock_recv(max(bufsize, READ_BYTES))
            self._position = 0
        start = self._position
        self._position = min(start + bufsize, len(self._ahead))
        return self._ahead[start : self._position]


class Watch:
    """Drives one connected client from the event loop until its socket closes.

    ``failed`` is called with a sentence when the client can no longer make sense of what it reads.
    """

    def __init__(
        self,
        client: BufferedClient,
        loop: asyncio.AbstractEventLoop,
        failed: Callable[[str], None],
    ) -> None:
        self._client = client
        self._loop = loop
        self._failed = failed
        self._socket: Any = None
        self._writing = False
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._was_paused = False

    def pause(self) -> None:
        """Stop reading: the consumer is slower than the broker. TCP tells the broker."""
        if not self._paused and self._socket is not None:
            self._paused = self._was_paused = True
            self._loop.remove_reader(self._socket)

    def resume(self) -> None:
        """Read again."""
        if self._paused and self._socket is not None:
            self._paused = False
            self._loop.add_reader(self._socket, self._readable)
            self._loop.call_soon(self._readable)  # for what was read ahead

    async def open(self, work: Callable[[], MQTTErrorCode]) -> None:
        """Run ``work``, which opens the client's socket and blocks, off the loop; then watch it.

        When cancelled, the socket that ``work`` may still open is closed as soon as it appears,
        by the thread itself: the loop may be gone by then.
        """
        self._client.on_socket_register_write = self._want_write
        unwanted = threading.Event()

        def work_unless_unwanted() -> None:
            work()
            if unwanted.is_set():
                self._close_socket()

        opening = self._loop.run_in_executor(None, work_unless_unwanted)
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            unwanted.set()
            opening.add_done_callback(self._close_late)
            raise
        self._client.on_socket_close = self._on_close
        self._socket = self._client.socket()
        # Without this an acknowledgement waits up to 40 ms for the peer's delayed TCP ACK.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(self._socket, self._readable)
        self._timer = self._loop.call_later(MISC_SECONDS, self._misc)
        self._flush()

    def close(self) -> None:
        """Stop watching and close the socket."""
        self._forget()
        self._close_socket()

    def _close_socket(self) -> None:
        client = self._client
        # The client object may be collected later, when the loop is gone.
        client.on_socket_close = client.on_socket_register_write = None
        opened = client.socket()
        if opened is not None:
            opened.close()

    def _close_late(self, opening: "asyncio.Future[None]") -> None:
        if not opening.cancelled():
            opening.exception()
        self.close()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            if self._writing:
                self._loop.remove_writer(self._socket)
                self._writing = False
            self._socket = None

    def _on_close(self, _client: Client, _userdata: Any, _socket: Any) -> None:
        self._forget()

    def _want_write(self, _client: Client, _userdata: Any, _socket: Any) -> None:
        # Not yet watched: paho queues CONNECT from the opening thread, open() sends it.
        if self._socket is not None and not self._flushing and not self._writing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._socket is None:
            return
        self._guarded(self._client.loop_write)
        if self._socket is None:
            return
        if self._client.want_write() != self._writing:
            self._writing = not self._writing
            if self._writing:
                self._loop.add_writer(self._socket, self._flush)
            else:
                self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        for _ in range(PACKETS_A_WAKEUP):
            if self._socket is None or self._paused:
                return
            self._guarded(self._client.loop_read)
            if self._socket is None or not self._client.has_read_ahead:
                return
        self._loop.call_soon(self._readable)

    def _misc(self) -> None:
        self._timer = self._loop.call_later(MISC_SECONDS, self._misc)
        if self._was_paused:
            # The answer to a ping waits behind what we do not read, so paho must not judge the
            # broker by it; the broker still wants to hear from us.
            self._was_paused = self._paused
            self._client.ping()
        else:
            self._guarded(self._client.loop_misc)

    def _guarded(self, step: Callable[[], MQTTErrorCode]) -> None:
        # What paho raises on packets that break the standard depends on where they break it.
        try:
            step()
        except (ValueError, LookupError, struct.error, OSError, AttributeError) as error:
            log.warning("MQTT connection given up", exc_info=True)
            self.close()
            self._failed(f"the broker sent what MQTT 5 does not allow: {error!r}")
