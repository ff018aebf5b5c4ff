"""What a city and its schools say to each other about the audit ledger's newest entry. No I/O.

A school is a *witness*: it keeps number and hash of the newest entry, again and again, in a
building that whoever may write the city's ledger does not enter. Two verbs (docs/internals.md,
"Wire"):

- ``Witness``: ``{"head": {...}, "admission": {...}?}`` asks a school to keep a head;
- ``Witnessed``: ``{"skip": <n>?}`` asks what it keeps, newest first, without the newest n.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

KEEP_VERB, TELL_VERB = "Witness", "Witnessed"
MOST_TOLD = 250
"""Heads in one answer: 30 KB of a command's 256."""
LARGEST = 2**62
LONGEST_TEXT = 200
_LEDGER = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9-]{1,32}")


class HeadRefusal(IntEnum):
    """Why a school does not keep a head: the ``code`` of its reply."""

    MALFORMED = 60
    LOWER = 61
    """It has kept a later entry: the ledger was cut off or put back."""
    OTHER_HASH = 62
    """It has kept the same entry with another hash: the ledger was rewritten."""
    OTHER_LEDGER = 63
    """It has kept heads of another ledger: this one was begun anew."""
    NOT_KEPT = 64
    """It could not be written down durably."""


CONTRADICTIONS = frozenset({HeadRefusal.LOWER, HeadRefusal.OTHER_HASH, HeadRefusal.OTHER_LEDGER})


class HeadRefused(Exception):  # noqa: N818 - it is an answer to the one who asked
    """A head that is not kept; ``str()`` is one sentence."""

    def __init__(self, why: HeadRefusal, sentence: str) -> None:
        self.why = why
        super().__init__(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedHead:
    """Number and hash of a ledger's newest entry at a moment."""

    ledger: str
    """32 hex digits, drawn when the ledger was begun."""
    seq: int
    hash: str
    """64 hex digits."""
    at_ns: int
    """Nanoseconds since 1970 UTC by the city's clock, when it was the newest."""
    city: str = ""
    algorithm: str = "sha256"

    def as_json(self) -> dict[str, object]:
        """As it travels and is kept; also a line that ``tenone audit verify --anchors`` reads."""
        return {
            "ledger": self.ledger,
            "seq": self.seq,
            "hash": self.hash,
            "at_ns": self.at_ns,
            "city": self.city,
            "algorithm": self.algorithm,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """An entry of the ledger by which people admit that it is not what it was before."""

    at_ns: int
    """When, by the city's clock: what was witnessed before then is excused, later heads are not."""
    entry: int
    """Number of the entry that admits it."""
    first: int
    """Number of the first entry that is not what it was; earlier ones must still be."""
    by: str
    reason: str

    def as_json(self) -> dict[str, object]:
        """As it travels and is kept."""
        return {
            "at_ns": self.at_ns,
            "entry": self.entry,
            "first": self.first,
            "by": self.by[:LONGEST_TEXT],
            "reason": self.reason[:LONGEST_TEXT],
        }


def head_of(found: object) -> WitnessedHead:
    """A head from its JSON; raises HeadRefused."""
    values = _object(found, "head")
    return WitnessedHead(
        ledger=_text(values, "ledger", _LEDGER),
        seq=_number(values, "seq"),
        hash=_text(values, "hash", _HASH),
        at_ns=_number(values, "at_ns"),
        city=_text(values, "city", _NAME),
        algorithm=_text(values, "algorithm", _NAME),
    )


def admission_of(found: object) -> Admission:
    """An admission from its JSON; raises HeadRefused."""
    values = _object(found, "admission")
    return Admission(
        at_ns=_number(values, "at_ns"),
        entry=_number(values, "entry"),
        first=_number(values, "first"),
        by=_short(values, "by"),
        reason=_short(values, "reason"),
    )


def told(heads: Sequence[WitnessedHead], *, more: bool, refused: int) -> str:
    """A school's answer to ``Witnessed``: what it keeps, newest first."""
    rows = [[one.ledger, one.seq, one.hash, one.at_ns] for one in heads]
    return json.dumps({"heads": rows, "more": more, "refused": refused}, separators=(",", ":"))


def heard(message: str) -> tuple[list[WitnessedHead], bool]:
    """The heads of an answer, and whether older ones follow; raises HeadRefused."""
    try:
        body = json.loads(message)
        rows, more = body["heads"][: MOST_TOLD + 1], body["more"] is True
        found = [
            WitnessedHead(
                ledger=_text({"ledger": row[0]}, "ledger", _LEDGER),
                seq=_number({"seq": row[1]}, "seq"),
                hash=_text({"hash": row[2]}, "hash", _HASH),
                at_ns=_number({"at_ns": row[3]}, "at_ns"),
            )
            for row in rows
        ]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise HeadRefused(HeadRefusal.MALFORMED, f"this is no list of heads ({error!r})") from None
    if len(found) > MOST_TOLD:
        raise HeadRefused(HeadRefusal.MALFORMED, f"more than {MOST_TOLD} heads in one answer")
    return found, more


def _object(found: object, what: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise HeadRefused(HeadRefusal.MALFORMED, f"{what} is missing or no object")
    return found


def _text(values: Mapping[str, Any], key: str, form: re.Pattern[str]) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise HeadRefused(HeadRefusal.MALFORMED, f"{key} is not {form.pattern}")
    return value


def _short(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise HeadRefused(HeadRefusal.MALFORMED, f"{key} is missing or no text")
    return value[:LONGEST_TEXT]


def _number(values: Mapping[str, Any], key: str) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST:
        raise HeadRefused(HeadRefusal.MALFORMED, f"{key} is missing or no number")
    return value
