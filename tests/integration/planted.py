"""Planted secrets, and the search for them: as they are, in base64 (all three phases) and hex."""

import base64
import hashlib
import re
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

MOST_INFLATED = 1 << 22
_PACKED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
"""How zlib's and gzip's streams begin (RFC 1950 2.2, RFC 1952 2.3)."""


def forms(secret: bytes) -> Iterator[bytes]:
    """How a secret may stand somewhere."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for phase in range(3):
        # What stays the same wherever the secret stands in what is encoded.
        encoded = base64.b64encode(bytes(phase) + secret)
        first, last = (0, 2, 3)[phase], -4 if (phase + len(secret)) % 3 else len(encoded)
        yield encoded[first:last]
        yield encoded[first:last].replace(b"+", b"-").replace(b"/", b"_")


def inflated(data: bytes) -> bytes:
    """All that is packed somewhere in ``data``: git's objects, rows of databases, pages of PDF."""
    found = []
    for match in _PACKED.finditer(data):
        try:
            opened = zlib.decompressobj(wbits=47).decompress(data[match.start() :], MOST_INFLATED)
        except zlib.error:
            continue  # two bytes that look like it
        found.append(opened)
    return b"\0".join(found)


@dataclass
class Planted:
    """The canaries, by what kind of secret each is."""

    by_name: dict[str, bytes] = field(default_factory=dict)
    _made: tuple[dict[str, bytes], dict[bytes, str], re.Pattern[bytes]] = field(
        default_factory=lambda: ({}, {}, re.compile(b"(?!)"))
    )
    """Whose pattern it is, what its matches mean, and the pattern."""

    def new(self, name: str) -> str:
        """A fresh one: long enough for any use, of letters and digits."""
        made = f"cnry{secrets.token_hex(10)}"
        self.by_name[name] = made.encode()
        return made

    def add(self, name: str, secret: str) -> None:
        """One that the product made itself."""
        assert len(secret) >= 8
        self.by_name[name] = secret.encode()

    def found_in(self, data: bytes) -> set[str]:
        """Names of those that ``data`` holds."""
        return set(self._pattern_names(data))

    def _pattern_names(self, data: bytes) -> Iterator[str]:
        wanted, pattern = self._pattern()
        for match in pattern.finditer(data):
            yield wanted[match[0]]

    def _pattern(self) -> tuple[dict[bytes, str], re.Pattern[bytes]]:
        """Forms begin alike: tried by their beginnings, a search is ten times as fast."""
        if self._made[0] != self.by_name:
            wanted = {form: name for name, one in self.by_name.items() for form in forms(one)}
            rests: dict[bytes, list[bytes]] = {}
            for form in wanted:
                rests.setdefault(form[:4], []).append(re.escape(form[4:]))
            parts = [re.escape(key) + b"(?:%s)" % b"|".join(rest) for key, rest in rests.items()]
            self._made = dict(self.by_name), wanted, re.compile(b"|".join(parts))
        return self._made[1:]

    def search(self, folders: Iterable[Path], skip: Iterable[Path]) -> dict[str, set[str]]:
        """File -> names of canaries in it, of all files below ``folders``."""
        hits: dict[str, set[str]] = {}
        skipped = tuple(skip)
        known: dict[bytes, set[str]] = {}
        for folder in folders:
            for file in folder.rglob("*"):
                if not file.is_file() or any(file.is_relative_to(one) for one in skipped):
                    continue
                data = file.read_bytes()
                digest = hashlib.sha256(data).digest()  # a backup is the same once more
                if digest not in known:
                    known[digest] = self.found_in(data) | self.found_in(inflated(data))
                names = known[digest] | self.found_in(str(file).encode())
                if names:
                    hits[str(file.relative_to(folder))] = names
        return hits
