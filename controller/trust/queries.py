"""Entries of the audit ledger that somebody asks for, newest first. Blocking, read-only."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.trust.acts import CONSOLE
from controller.trust.chain import Row
from controller.trust.entries import LedgerError
from controller.trust.segment import Segment, SegmentError, segments

DAY_NS = 86_400 * 10**9
AT_ONCE = 500
"""Numbers in one question to SQLite."""
LARGEST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is asked for; None: any."""

    act: str | None = None
    """An act, or its first word alone: ``session`` for ``session.open`` and the like."""
    actor: str | None = None
    scopes: tuple[str, ...] = ()
    """Scope paths: what is about one of them or about something inside. Empty: any."""
    outcome: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    """Exclusive."""
    before: int | None = None
    """Only entries with a smaller number: the cursor."""


def found(folder: Path, asked: Filter, limit: int) -> list[Row]:
    """At most ``limit`` entries, newest first; raises LedgerError where they cannot be read.

    What does not fit its own hash is not shown as if it had been written.
    """
    rows: list[Row] = []
    where, values = _where(asked)
    try:
        for file in reversed(segments(folder)):
            if asked.before is not None and int(file.stem) >= asked.before:
                continue
            segment = Segment(file)
            try:
                newest = segment.newest_ns()
                if asked.since_ns is not None and (newest or 0) < asked.since_ns - DAY_NS:
                    break  # a clock may have been stepped back, but not by a day
                some = segment.select(where, values, limit - len(rows))
                for row in some:
                    if segment.digest(row.previous + row.body) != row.hash:
                        raise SegmentError(f"entry {row.seq} does not fit its hash")
                rows += some
            finally:
                segment.close()
            if len(rows) >= limit:
                break
    except SegmentError as error:
        raise LedgerError(f"the audit ledger cannot be read ({error})") from error
    return rows


def hash_of(folder: Path, seq: int) -> bytes | None:
    """The hash of entry ``seq``; None: there is no such entry any more, or not yet. LedgerError."""
    rows = found(folder, Filter(before=seq + 1), 1)
    return rows[0].hash if rows and rows[0].seq == seq else None


def hashes_of(folder: Path, numbers: Collection[int]) -> dict[int, bytes]:
    """The hashes of many entries; those that are not there, or do not fit theirs, are left out.

    Raises LedgerError where the ledger cannot be read.
    """
    wanted = sorted(numbers)
    hashes: dict[int, bytes] = {}
    try:
        for file, following in zip(files := segments(folder), [*files[1:], None], strict=True):
            end = LARGEST if following is None else int(following.stem)
            inside = [one for one in wanted if int(file.stem) <= one < end]
            if not inside:
                continue
            segment = Segment(file)
            try:
                for start in range(0, len(inside), AT_ONCE):
                    some = inside[start : start + AT_ONCE]
                    marks = ", ".join("?" * len(some))
                    for row in segment.select(f"seq IN ({marks})", some, len(some)):
                        if segment.digest(row.previous + row.body) == row.hash:
                            hashes[row.seq] = row.hash
            finally:
                segment.close()
    except SegmentError as error:
        raise LedgerError(f"the audit ledger cannot be read ({error})") from error
    return hashes


def as_json(row: Row) -> dict[str, object]:
    """An entry as programs get it: its body, and the hashes as hex."""
    body: dict[str, object] = json.loads(row.body)
    return body | {"previous": row.previous.hex(), "hash": row.hash.hex()}


def counted(rows: Iterator[Row], start_ns: int, end_ns: int) -> Mapping[str, Mapping[str, int]]:
    """How many entries of each act ended how, of those told from ``start_ns`` to ``end_ns``."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        body = json.loads(row.body)
        if start_ns <= body["at_ns"] < end_ns:
            by_outcome = counts.setdefault(body["act"], {})
            by_outcome[body["outcome"]] = by_outcome.get(body["outcome"], 0) + 1
    return {act: counts[act] for act in sorted(counts)}


def _where(asked: Filter) -> tuple[str, list[object]]:
    """The condition and its values; texts of others are values, never part of it."""
    parts: list[tuple[str, tuple[object, ...]]] = []
    if asked.before is not None:
        parts.append(("seq < ?", (asked.before,)))
    if asked.act is not None:
        parts.append(("act = ?" if "." in asked.act else "noun = ?", (asked.act,)))
    if asked.actor == CONSOLE:  # whoever it was, and as older entries spell it
        bounds = (CONSOLE, f"{CONSOLE}:", f"{CONSOLE};")
        parts.append(("(actor = ? OR (actor >= ? AND actor < ?))", bounds))
    elif asked.actor is not None:
        parts.append(("actor = ?", (asked.actor,)))
    if asked.scopes:
        inside = " OR ".join(["scope = ? OR (scope >= ? AND scope < ?)"] * len(asked.scopes))
        edges = tuple(text for one in asked.scopes for text in (one, f"{one}/", f"{one}0"))
        parts.append((f"({inside})", edges))
    if asked.outcome is not None:
        parts.append(("outcome = ?", (asked.outcome,)))
    if asked.since_ns is not None:
        parts.append(("at_ns >= ?", (asked.since_ns,)))
    if asked.until_ns is not None:
        parts.append(("at_ns < ?", (asked.until_ns,)))
    values = [value for _, some in parts for value in some]
    return " AND ".join(condition for condition, _ in parts) or "1", values
