"""A non-blocking UDP socket on the event loop: datagrams in by callback, out without waiting."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable

RECEIVE_BURST = 128
"""Datagrams taken before other tasks get their turn."""
FEW = 24
"""A wake-up for fewer datagrams is not worth its price while many more are expected."""
PAUSE_SECONDS = 0.005
"""How long answers are then left to gather: as a network card does with its interrupts."""
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
BYTES_A_REPLY = 2_400
"""What the kernel charges the socket for a reply of up to 1,472 bytes."""
_MAX_DATAGRAM = 65_536

Address = tuple[str, int] | tuple[str, int, int, int]
OnDatagram = Callable[[bytes, Address], None]


class Endpoint:
    """An unconnected socket of one family; ``on_burst`` is called after each run of datagrams."""

    def __init__(
        self,
        family: socket.AddressFamily,
        on_datagram: OnDatagram,
        on_burst: Callable[[], None],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """``busy`` says whether so many answers are expected that they may gather a little."""
        self.errors = 0
        """Sends and receives the system refused after they had been accepted for later."""
        self._on_datagram = on_datagram
        self._on_burst = on_burst
        self._busy = busy
        self._closed = False
        self._pause: asyncio.TimerHandle | asyncio.Handle | None = None
        self._buffer = memoryview(bytearray(_MAX_DATAGRAM))
        self._blocked: deque[tuple[bytes, Address]] = deque()
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self._socket.bind(("::", 0) if family == socket.AF_INET6 else ("", 0))
        try:
            # Past the system's limit, which needs a privilege that is often not there.
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        except OSError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._loop.add_reader(self._socket, self._receive)

    @property
    def room(self) -> int:
        """How many replies the receive buffer holds."""
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // BYTES_A_REPLY

    def send(self, data: bytes, address: Address) -> None:
        """Send now, or as soon as the socket takes it; raises OSError if it refuses."""
        if self._blocked:
            self._blocked.append((data, address))
            return
        try:
            self._socket.sendto(data, address)
        except BlockingIOError:
            self._blocked.append((data, address))
            self._loop.add_writer(self._socket, self._unblock)

    def close(self) -> None:
        """Close the socket; what still waited to be sent is dropped."""
        self._closed = True
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._blocked.clear()
        self._socket.close()

    def _receive(self) -> None:
        """The loop says that there is something."""
        if self._drain() < FEW and self._busy() and not self._closed:
            self._loop.remove_reader(self._socket)
            self._pause = self._loop.call_later(PAUSE_SECONDS, self._after_pause)

    def _after_pause(self) -> None:
        """Take what has gathered; go on so while it is worth it."""
        taken = 0
        try:
            taken = self._drain()
        finally:
            # Whatever went wrong above, the socket must not stay unread.
            if self._closed:
                self._pause = None
            elif taken == RECEIVE_BURST:
                self._pause = self._loop.call_soon(self._after_pause)
            elif taken and self._busy():
                self._pause = self._loop.call_later(PAUSE_SECONDS, self._after_pause)
            else:
                self._pause = None
                self._loop.add_reader(self._socket, self._receive)

    def _drain(self) -> int:
        """Take the datagrams that are there, up to a burst; how many there were."""
        receive, buffer, take = self._socket.recvfrom_into, self._buffer, self._on_datagram
        taken = 0
        try:
            while taken < RECEIVE_BURST:
                try:
                    size, address = receive(buffer)
                except BlockingIOError:
                    break
                except OSError:
                    self.errors += 1
                    taken += 1
                    continue
                taken += 1
                take(bytes(buffer[:size]), address)
        finally:
            self._on_burst()
        return taken

    def _unblock(self) -> None:
        while self._blocked:
            try:
                self._socket.sendto(*self._blocked[0])
            except BlockingIOError:
                return
            except OSError:
                # Whoever waits for an answer to this one is told by its timeout.
                self.errors += 1
            self._blocked.popleft()
        self._loop.remove_writer(self._socket)


_SO_RCVBUFFORCE = 33
"""asm-generic/socket.h; the socket module does not name it."""
