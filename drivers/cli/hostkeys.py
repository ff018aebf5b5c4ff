"""Which SSH host key belongs to which switch: pinned once, out of band, and never learnt.

The file is an OpenSSH ``known_hosts`` (sshd(8)), so that ssh, paramiko and netmiko read it too.
A switch has one key here. What is pinned is checked against a fingerprint that came by another
way than the network (the switch's console, its label, the vendor's list): RFC 4251 section 4.1
warns of trusting the first key seen, and nothing here does.
"""

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from tenone.journal.disk import Disk, OsDisk

SSH_PORT = 22
KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)
"""Key types (not signature algorithms) that are pinned; DSA is not."""
MAX_BYTES = 8_000_000
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}")


class HostKeyError(Exception):
    """A host key that is not taken; one sentence. Nothing secret was sent."""

    code = "host-key-refused"


class HostKeyChangedError(HostKeyError):
    """The switch shows another key than the pinned one: somebody else may stand in its place."""

    code = "host-key-changed"


class HostKeyUnknownError(HostKeyError):
    """No key is pinned for the switch."""

    code = "host-key-unknown"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key as it goes over the wire (RFC 4253 section 6.6)."""

    kind: str
    """``ssh-ed25519`` and the like."""
    blob: bytes

    def __post_init__(self) -> None:
        """Refuse what is no key, or of a kind that is not taken; raises HostKeyError."""
        if self.kind not in KEY_TYPES:
            raise HostKeyError(f"host keys of the kind {self.kind!r:.40} are not pinned")
        name = self.kind.encode()
        if not self.blob.startswith(struct.pack(">I", len(name)) + name):
            raise HostKeyError(f"the bytes are no {self.kind} key")

    @classmethod
    def of(cls, blob: bytes) -> "HostKey":
        """The key with these bytes, whose kind they name themselves; raises HostKeyError."""
        if len(blob) < 4:  # noqa: PLR2004 - a length of four bytes leads
            raise HostKeyError("the bytes are no host key")
        (length,) = struct.unpack_from(">I", blob)
        return cls(blob[4 : 4 + min(length, 64)].decode("ascii", "replace"), blob)

    @property
    def fingerprint(self) -> str:
        """``SHA256:`` and base64 without padding, as ``ssh-keygen -l`` prints it."""
        return fingerprint(self.blob)


def fingerprint(blob: bytes) -> str:
    """The fingerprint of a key's bytes."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def place(host: str, port: int = SSH_PORT) -> str:
    """How known_hosts names a host: bare on port 22, else ``[host]:port``."""
    return host if port == SSH_PORT else f"[{host}]:{port}"


class HostKeyStore:
    """The pinned keys of one school's switches, in a known_hosts file."""

    def __init__(self, path: Path, *, disk: Disk | None = None) -> None:
        self.path = path
        self._disk = disk or OsDisk()

    def pinned(self, host: str, port: int = SSH_PORT) -> HostKey:
        """The key of a switch; raises :class:`HostKeyUnknownError`."""
        key = self._read().get(place(host, port))
        if key is None:
            raise HostKeyUnknownError(
                f"no SSH host key is pinned for {place(host, port)}: read its fingerprint at the "
                "switch's console and pin it"
            )
        return key

    def pin(self, host: str, port: int, offered: HostKey, expected: str) -> None:
        """Pin what the switch offers if it is what was read out of band; raises HostKeyError.

        A pin that stands is not replaced: :meth:`unpin` it first, knowingly.
        """
        if not _HOST.fullmatch(host):
            raise HostKeyError(f"{host!r:.80} is no host name or address")
        if not _FINGERPRINT.fullmatch(expected):
            raise HostKeyError(
                "a fingerprint is 'SHA256:' and 43 characters, as 'ssh-keygen -l' prints it"
            )
        if offered.fingerprint != expected:
            raise HostKeyChangedError(
                f"{place(host, port)} offers the key {offered.fingerprint}, not {expected}: "
                "nothing is pinned; look whether it is the right switch"
            )
        keys = self._read()
        standing = keys.get(place(host, port))
        if standing is not None and standing != offered:
            raise HostKeyError(
                f"{place(host, port)} is pinned to {standing.fingerprint} already: remove that pin "
                "first, if the switch was replaced"
            )
        self._write({**keys, place(host, port): offered})

    def unpin(self, host: str, port: int = SSH_PORT) -> None:
        """Forget a switch's key; raises :class:`HostKeyUnknownError`."""
        self.pinned(host, port)
        self._write({k: v for k, v in self._read().items() if k != place(host, port)})

    def check(self, host: str, port: int, offered: HostKey) -> None:
        """Raises :class:`HostKeyUnknownError` or :class:`HostKeyChangedError`."""
        pinned = self.pinned(host, port)
        if pinned != offered:
            raise changed(host, port, pinned, offered)

    def _read(self) -> dict[str, HostKey]:
        try:
            data = self._disk.read_range(self.path, 0, MAX_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise HostKeyError(
                f"the pinned host keys {self.path} cannot be read ({error.strerror or error})"
            ) from error
        keys: dict[str, HostKey] = {}
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split(" ")
            try:
                where, kind, text = fields
                key = HostKey(kind, base64.b64decode(text, validate=True))
            except (ValueError, binascii.Error, HostKeyError) as error:
                raise HostKeyError(
                    f"{self.path}:{number}: this is no pin as TenOne writes them (host, kind, "
                    "key): remove the line and pin the switch again"
                ) from error
            if where in keys:
                raise HostKeyError(f"{self.path}:{number}: {where:.80} is pinned twice: keep one")
            keys[where] = key
        return keys

    def _write(self, keys: dict[str, HostKey]) -> None:
        lines = [
            f"{where} {key.kind} {base64.b64encode(key.blob).decode()}\n"
            for where, key in sorted(keys.items())
        ]
        try:
            self._disk.replace(self.path, "".join(lines).encode())
        except OSError as error:
            raise HostKeyError(
                f"the pinned host keys {self.path} cannot be written ({error.strerror or error})"
            ) from error


def changed(host: str, port: int, pinned: HostKey, offered: HostKey) -> HostKeyChangedError:
    """The error for a switch that shows another key."""
    return HostKeyChangedError(
        f"{place(host, port)} shows the SSH host key {offered.fingerprint}, pinned is "
        f"{pinned.fingerprint}: nothing was sent; if the switch was replaced, pin its new key"
    )
