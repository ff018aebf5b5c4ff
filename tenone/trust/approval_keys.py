"""Which keys a city signs approvals with, and how a school hears of the next ones. No I/O.

A school pins a key set when it is enrolled: the key in use and, if there is one, the key that will
follow. The city changes keys by a key set of a higher number, signed by a key that schools have
pinned: first the successor is announced (``next``), then it takes over (``current``), and the old
key is gone from the set. Older sets are refused, so an old key does not come back.

The canonical text, ASCII, every line ended by a line feed::

    tenone-approval-keys 1
    city <slug>
    number <1 or more>
    current <Ed25519 public key, hex>
    next <Ed25519 public key, hex>            (or no such line)
"""

import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tenone.blocks.seal import key_id
from tenone.trust.approval import Pins

_SHAPE = re.compile(
    r"tenone-approval-keys 1\n"
    r"city ([a-z0-9-]{1,32})\n"
    r"number ([1-9][0-9]{0,8})\n"
    r"current ([0-9a-f]{64})\n"
    r"(?:next ([0-9a-f]{64})\n)?"
)


class KeySetError(ValueError):
    """A key set that is malformed, not the city's, or older than what is pinned. One sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """What a school pins. Keys are raw Ed25519 public keys, 32 octets."""

    city: str
    number: int
    current: bytes
    next: bytes | None = None

    @property
    def pins(self) -> Pins:
        """What approvals are checked with."""
        return Pins(self.current, self.next)

    @property
    def text(self) -> str:
        """The canonical text; see the module."""
        lines = [
            "tenone-approval-keys 1",
            f"city {self.city}",
            f"number {self.number}",
            f"current {self.current.hex()}",
        ]
        if self.next is not None:
            lines.append(f"next {self.next.hex()}")
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "KeySet":
        """Read a canonical text; raises :class:`KeySetError`."""
        found = _SHAPE.fullmatch(text)
        if found is None:
            raise KeySetError("this is no set of approval keys")
        city, number, current, following = found.groups()
        if current == following:
            raise KeySetError("the next approval key is the current one")
        return cls(
            city=city,
            number=int(number),
            current=bytes.fromhex(current),
            next=None if following is None else bytes.fromhex(following),
        )


@dataclass(frozen=True, slots=True)
class SignedKeySet:
    """A key set as it travels, with the name of the key that signed it."""

    text: str
    by: str
    signature: bytes

    @classmethod
    def sign(cls, keys: KeySet, key: Ed25519PrivateKey) -> "SignedKeySet":
        """Sign with a key the schools have pinned."""
        name = key_id(key.public_key().public_bytes_raw())
        return cls(keys.text, name, key.sign(keys.text.encode("ascii")))

    def after(self, pinned: KeySet) -> KeySet:
        """The set to pin instead of ``pinned``; the same one again is no error. KeySetError."""
        public = pinned.pins.find(self.by)
        if public is None:
            raise KeySetError("the key set is signed by a key that is not pinned here")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(
                self.signature, self.text.encode("utf-8", "surrogatepass")
            )
        except (InvalidSignature, ValueError) as error:
            raise KeySetError("the signature does not fit the key set") from error
        keys = KeySet.parse(self.text)
        if keys.city != pinned.city:
            raise KeySetError(f"the key set is of the city {keys.city}, not {pinned.city}")
        if keys.number < pinned.number or (keys.number == pinned.number and keys != pinned):
            raise KeySetError(
                f"the key set has the number {keys.number}, and {pinned.number} is pinned"
            )
        return keys
