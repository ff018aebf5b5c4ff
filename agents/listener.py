"""A bound UDP socket whose datagrams are handed on as they come, with turns for others."""

import asyncio
import socket
from collections.abc import Callable

from drivers.snmp.endpoint import Address
from tenone.config.hints import Listen

READS_A_TURN = 64
RECEIVE_BUFFER_BYTES = 1024 * 1024
_MAX_DATAGRAM = 65_535
PRIVILEGED = 1024


class ListenError(Exception):
    """An address that cannot be listened on; one sentence with what to do."""


class Listener:
    """Binds at once; raises :class:`ListenError`. ``take`` must not raise."""

    def __init__(
        self, listen: Listen, take: Callable[[bytes, Address], None], *, what: str
    ) -> None:
        self._take = take
        self._loop = asyncio.get_running_loop()
        v6 = ":" in listen.host
        self._socket = socket.socket(
            socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        )
        try:
            if v6:
                # "[::]" stands for all addresses, IPv4's among them.
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            self._socket.bind((listen.host, listen.port))
        except OSError as error:
            self._socket.close()
            remedy = (
                "give the agent CAP_NET_BIND_SERVICE, or a port from 1024 on and redirect to it"
                if isinstance(error, PermissionError) and listen.port < PRIVILEGED
                else "choose an address of this machine and a free port"
            )
            raise ListenError(
                f"{what} cannot listen on UDP {listen}: {error.strerror}; {remedy}"
            ) from error
        self._loop.add_reader(self._socket, self._read)

    def send(self, data: bytes, address: Address) -> None:
        """Send an answer; what cannot be sent now is lost, as UDP allows."""
        try:
            self._socket.sendto(data, address)
        except OSError:
            return

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        for _ in range(READS_A_TURN):
            try:
                data, address = self._socket.recvfrom(_MAX_DATAGRAM)
            except OSError:
                return  # nothing more, or an ICMP error about an earlier answer
            self._take(data, address)
