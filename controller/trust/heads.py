"""Heads of the ledger as anchors keep them: one line of JSON each."""

import json
from collections.abc import Iterable
from pathlib import Path

from controller.trust.chain import Head


class HeadsError(Exception):
    """A file of anchored heads that cannot be read; one sentence."""


def line_of(head: Head, at_ns: int, city: str) -> str:
    """A head as one line, without its end."""
    body = {
        "ledger": head.ledger,
        "seq": head.seq,
        "hash": head.hash.hex(),
        "at_ns": at_ns,
        "city": city,
    }
    return json.dumps(body, separators=(",", ":"))


def heads_of(lines: Iterable[str], name: str) -> list[Head]:
    """The heads in ``lines``; raises HeadsError that names the line."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_head(line))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise HeadsError(
                f"{name}, line {number}: this is no anchored head ({error!r}); "
                "each line is a JSON object with ledger, seq and hash"
            ) from None
    return found


def heads_in(file: Path) -> list[Head]:
    """The heads a file holds; raises HeadsError."""
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError as error:
        raise HeadsError(f"{file} cannot be read: {error.strerror}") from None
    return heads_of(text.split("\n"), str(file))


def _head(line: str) -> Head:
    body = json.loads(line)
    ledger, seq, digest = body["ledger"], body["seq"], bytes.fromhex(body["hash"])
    if not isinstance(ledger, str) or type(seq) is not int or seq < 0:
        raise ValueError("ledger and seq are not what they should be")
    at_ns = body.get("at_ns", 0)
    return Head(ledger, seq, digest, at_ns if type(at_ns) is int else 0)
