"""Planted secrets, and the search for them: as they are, in base64 (all three phases) and hex."""

import base64
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SLICE_BYTES = 1 << 22


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


@dataclass
class Planted:
    """The canaries, by what kind of secret each is."""

    by_name: dict[str, bytes] = field(default_factory=dict)

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
        wanted = {form: name for name, one in self.by_name.items() for form in forms(one)}
        pattern = re.compile(b"|".join(map(re.escape, wanted)))
        for match in pattern.finditer(data):
            yield wanted[match[0]]

    def search(self, folders: Iterable[Path], skip: Iterable[Path]) -> dict[str, set[str]]:
        """File -> names of canaries in it, of all files below ``folders``."""
        hits: dict[str, set[str]] = {}
        skipped = tuple(skip)
        for folder in folders:
            for file in folder.rglob("*"):
                if not file.is_file() or any(file.is_relative_to(one) for one in skipped):
                    continue
                names = self.found_in(file.read_bytes()) | self.found_in(str(file).encode())
                if names:
                    hits[str(file.relative_to(folder))] = names
        return hits
