"""What the ledger is told of a controller's start: which configuration, and what is new in it.

Keys are told, never values: a key's value is compared by its SHA-256 with that of the last start,
which lies in a file below the store. Lists of schools are compared school by school.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from controller.store.files import replace_file
from controller.trust.entries import Entry
from tenone.config.city import City

FILE = "ledger-config.json"
DEEPEST = 3
"""Keys are told so deep: ``trust.ledger.hash``, ``schools.no3.links``."""
MOST_SAID = 3000
"""Characters of changed keys that an entry takes."""


def start_entry(config: City, folder: Path, version: str) -> tuple[Entry, Mapping[str, str]]:
    """The entry, and what :func:`keep` has to keep once it is written."""
    digests = dict(_digests(config.model_dump(mode="json"), ""))
    whole = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()
    before = _kept(folder)
    changed = sorted(
        key for key in digests.keys() | before.keys() if digests.get(key) != before.get(key)
    )
    detail: dict[str, str | int | float | bool | None] = {"version": version, "config": whole}
    if before:
        said = " ".join(changed)
        detail["changed"] = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}..."
        detail["changed_count"] = len(changed)
    return Entry(act="controller.start", actor="system", detail=detail), digests


def keep(folder: Path, digests: Mapping[str, str]) -> None:
    """Remember, for the next start. Raises OSError."""
    replace_file(folder / FILE, json.dumps(digests, sort_keys=True).encode())


def _kept(folder: Path) -> dict[str, str]:
    try:
        body = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _digests(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Keys and the digests of what stands under them."""
    named = _by_name(value)
    if named is None or depth >= DEEPEST:
        text = json.dumps(value, sort_keys=True, ensure_ascii=True)
        yield path, hashlib.sha256(text.encode()).hexdigest()
        return
    for name, inner in named.items():
        yield from _digests(inner, f"{path}.{name}" if path else str(name), depth + 1)


def _by_name(value: Any) -> Mapping[str, Any] | None:
    """A group of keys, or a list whose members have names of their own."""
    if isinstance(value, dict):
        return value or None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return None
    names = [_name(one) for one in value]
    if not value or None in names or len(set(names)) != len(names):
        return None
    return {str(name): one for name, one in zip(names, value, strict=True)}


def _name(one: Mapping[str, Any]) -> str | None:
    inner = one.get("school")
    found = inner.get("id") if isinstance(inner, dict) else one.get("id")
    return found if isinstance(found, str) else None
