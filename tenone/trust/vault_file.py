"""The vault's file: what is in it, and the bytes it is written as.

Three lines of text::

    tenone-vault 1
    {one canonical JSON object}
    SHA-256 of the first two lines, a space, the code made with the key over the same

So damage is told from another key, and with the key every changed byte is found. Names,
numbers and dates can be read without the key; no value can.
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field

from tenone.trust.envelope import Suite

MAGIC = b"tenone-vault 1\n"
MAX_BYTES = 16_000_000
MAX_SECRETS = 10_000
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
NAME_RULE = "use 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit"
_TRAILER = re.compile(rb"([0-9a-f]{64}) ([0-9a-f]{64})\n")


class VaultError(Exception):
    """The vault cannot be used as asked; one sentence, never a secret."""


@dataclass(frozen=True, slots=True)
class Version:
    """One value of a secret, sealed."""

    wrapped: bytes
    """Its data key, sealed by the key-encryption key."""
    sealed: bytes
    """The value, sealed by the data key."""
    made: int
    """When it was put in, seconds of the epoch."""


@dataclass(slots=True)
class Kept:
    """All of one secret. ``current`` and ``next`` are numbers of versions; 0: there is none."""

    current: int = 0
    next: int = 0
    newest: int = 0
    """The highest number ever given: no number is used twice."""
    versions: dict[int, Version] = field(default_factory=dict)


@dataclass(slots=True)
class Content:
    """All that a file says."""

    suite: Suite
    vault_id: bytes
    key_id: bytes
    secrets: dict[str, Kept] = field(default_factory=dict)
    generation: int = 0
    """Counts the changes: an older whole file has a lower one. 0: made before this was counted."""


def encode(content: Content) -> bytes:
    """Magic and JSON; the last line is put behind it by :func:`closed`."""
    counted = {"generation": content.generation} if content.generation else {}
    document = {
        **counted,
        "key": content.key_id.hex(),
        "secrets": {
            name: {
                "current": kept.current,
                "newest": kept.newest,
                "next": kept.next,
                "versions": {
                    str(number): {
                        "made": one.made,
                        "sealed": base64.b64encode(one.sealed).decode(),
                        "wrapped": base64.b64encode(one.wrapped).decode(),
                    }
                    for number, one in kept.versions.items()
                },
            }
            for name, kept in content.secrets.items()
        },
        "suite": content.suite.value,
        "vault": content.vault_id.hex(),
    }
    return MAGIC + json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def closed(body: bytes, code: bytes) -> bytes:
    """The whole file."""
    return body + f"{hashlib.sha256(body).hexdigest()} {code.hex()}\n".encode()


def opened(data: bytes) -> tuple[Content, bytes, bytes]:
    """Content, body and code of a file's bytes; raises :class:`VaultError`."""
    if not data.startswith(MAGIC):
        raise VaultError("it is no vault of this version of TenOne")
    place = data.rfind(b"\n", 0, len(data) - 1) + 1
    body, trailer = data[:place], _TRAILER.fullmatch(data[place:])
    if trailer is None or hashlib.sha256(body).hexdigest().encode() != trailer[1]:
        raise VaultError("it is damaged: bring it back from a backup")
    try:
        content = _content(json.loads(body[len(MAGIC) :]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        raise VaultError("it is whole but not in this version's form") from None
    if encode(content) != body:
        raise VaultError("it is whole but not in this version's form")
    return content, body, bytes.fromhex(trailer[2].decode())


def _content(document: dict[str, object]) -> Content:
    secrets = document["secrets"]
    if not isinstance(secrets, dict):
        raise TypeError
    content = Content(
        Suite(str(document["suite"])),
        bytes.fromhex(str(document["vault"])),
        bytes.fromhex(str(document["key"])),
        generation=int(str(document.get("generation", 0))),
    )
    for name, entry in secrets.items():
        if not NAME.fullmatch(name):
            raise ValueError
        versions = {
            int(number): Version(
                base64.b64decode(one["wrapped"], validate=True),
                base64.b64decode(one["sealed"], validate=True),
                int(one["made"]),
            )
            for number, one in entry["versions"].items()
        }
        kept = Kept(int(entry["current"]), int(entry["next"]), int(entry["newest"]), versions)
        marked = {kept.current, kept.next} - {0}
        if kept.current not in versions or not marked <= set(versions):
            raise ValueError
        content.secrets[name] = kept
    return content
