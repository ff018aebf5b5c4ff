"""Ports of Linux from Python: what ethtool sets, whether they are open, taps and their carrier.

Numbers from the kernel's headers: linux/ethtool.h, linux/sockios.h, linux/if_tun.h, linux/sched.h.
"""

import ctypes
import errno
import fcntl
import os
import socket
import struct
from dataclasses import dataclass

SIOCETHTOOL = 0x8946
SIOCGIFFLAGS = 0x8913
ETHTOOL_GSET, ETHTOOL_SSET = 1, 2
TUNSETIFF, TUNSETCARRIER = 0x400454CA, 0x400454E2
IFF_UP, IFF_RUNNING = 0x1, 0x40
IFF_TAP, IFF_NO_PI = 0x2, 0x1000
CLONE_NEWNET = 0x40000000
NAME_BYTES = 16
UNKNOWN_SPEED = 0xFFFFFFFF
HALF, FULL, UNKNOWN_DUPLEX = 0, 1, 0xFF

_CMD = struct.Struct("=IIIHBBBBBBIIHBBIII")
"""struct ethtool_cmd; the fields by number below."""
_SPEED, _DUPLEX, _AUTONEG, _SPEED_HIGH = 3, 4, 8, 12


@dataclass(frozen=True, slots=True)
class Ethtool:
    """What ``ethtool`` shows of a port; speed in Mb/s, None where unknown."""

    autoneg: bool
    speed: int | None
    duplex: int
    """HALF, FULL or UNKNOWN_DUPLEX."""


class Ports:
    """The ports of the network namespace in which it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def close(self) -> None:
        self._socket.close()

    def _ethtool(self, name: str, body: bytes) -> list[int]:
        buffer = ctypes.create_string_buffer(body, _CMD.size)
        request = struct.pack("=16sQ16x", name.encode(), ctypes.addressof(buffer))
        fcntl.ioctl(self._socket, SIOCETHTOOL, request)
        return list(_CMD.unpack(buffer.raw))

    def _raw(self, name: str) -> list[int]:
        return self._ethtool(name, _CMD.pack(ETHTOOL_GSET, *[0] * 17))

    def ethtool(self, name: str) -> Ethtool:
        """What is set; raises OSError (ENODEV)."""
        fields = self._raw(name)
        speed = fields[_SPEED] | fields[_SPEED_HIGH] << 16
        return Ethtool(
            bool(fields[_AUTONEG]), None if speed == UNKNOWN_SPEED else speed, fields[_DUPLEX]
        )

    def show(self, name: str, speed: int | None, duplex: int) -> None:
        """Let the port show what was negotiated; all else stays as it is set."""
        fields = self._raw(name)
        number = UNKNOWN_SPEED if speed is None else speed
        fields[0], fields[_SPEED], fields[_SPEED_HIGH] = ETHTOOL_SSET, number & 0xFFFF, number >> 16
        fields[_DUPLEX] = duplex
        self._ethtool(name, _CMD.pack(*fields))

    def flags(self, name: str) -> int:
        """The interface's flags; raises OSError (ENODEV)."""
        answer = fcntl.ioctl(self._socket, SIOCGIFFLAGS, struct.pack("=16sH22x", name.encode(), 0))
        (found,) = struct.unpack_from("=H", answer, NAME_BYTES)
        return int(found)


class Tap:
    """One tap device, held: that is what gives it a carrier at all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(
            self._fd, TUNSETIFF, struct.pack("=16sH22x", name.encode(), IFF_TAP | IFF_NO_PI)
        )

    def fileno(self) -> int:
        return self._fd

    def carrier(self, *, on: bool) -> None:
        fcntl.ioctl(self._fd, TUNSETCARRIER, struct.pack("=i", on))

    def read(self) -> bytes | None:
        """A frame that the port sent; None: none (any more)."""
        try:
            return os.read(self._fd, 65536)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EIO, errno.EBADFD}:
                return None
            raise

    def write(self, frame: bytes) -> None:
        """A frame for the port; one that is shut takes none."""
        try:
            os.write(self._fd, frame)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EIO}:
                raise

    def close(self) -> None:
        os.close(self._fd)


def enter_network_of(pid: int) -> None:
    """Sockets and taps made from now on are in that process's network; raises OSError."""
    with open(f"/proc/{pid}/ns/net", "rb") as file:  # noqa: PTH123 - setns wants a descriptor
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), f"network of process {pid}")
