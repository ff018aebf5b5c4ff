"""Host keys of simulated switches: the same seed gives the same ed25519 key."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SSH_PORT = 22


class SimKey:
    """A host key anybody can compute from its seed: for simulators alone."""

    def __init__(self, seed: str) -> None:
        """``seed``: any text, such as the fleet's seed and the switch's name."""
        secret = hashlib.sha256(f"tenone simulated host key {seed}".encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(secret)

    @property
    def private(self) -> bytes:
        """OpenSSH's private key file."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())

    @property
    def public(self) -> str:
        """``ssh-ed25519 AAAA...``."""
        raw = self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return raw.decode()

    def known_hosts(self, host: str, port: int) -> str:
        """A line of a ``known_hosts`` file (sshd(8)) without its end."""
        name = host if port == SSH_PORT else f"[{host}]:{port}"
        return f"{name} {self.public}"
