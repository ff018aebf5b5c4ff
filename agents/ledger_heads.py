"""What this school keeps of the city's audit ledger, so that the city cannot quietly change it.

Two files of lines of JSON, each with the CRC-32 of what stands before it: ``ledger-heads``, heads
in the order they were taken, and ``ledger-heads.refused``, those that contradict them. A head is
kept once fsync has returned. Numbers only rise; a head below, or the same number with another
hash, is refused and told. What people admit in the ledger itself (it was put back from a backup)
lets the numbers begin lower once, and stands in the file for as long as the file is kept.
"""

import json
import logging
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.commands import Code, CommandFailed, Verb
from tenone.journal.disk import Disk
from tenone.runtime.clock import Clock
from tenone.trust.witness import (
    KEEP_VERB,
    MOST_TOLD,
    TELL_VERB,
    Admission,
    HeadRefusal,
    HeadRefused,
    WitnessedHead,
    admission_of,
    head_of,
    told,
)

log = logging.getLogger(__name__)

FILE_NAME = "ledger-heads"
REFUSED_NAME = "ledger-heads.refused"
DAY_NS = 86_400 * 10**9
WHOLE_NS = 2 * DAY_NS
"""So long each head is kept; of older days the last one of each."""
MOST_WHOLE = 400
"""Heads of those two days: one every eight minutes."""
MOST_DAYS = 400
SLACK = 64
"""Lines that may be too many before the file is written anew."""
MOST_REFUSED = 200
FIRST_REFUSED, LAST_REFUSED = 50, 100
"""What stays of them when they are too many."""

Line = Mapping[str, Any]


class LedgerHeads:
    """Raises ``OSError`` where the folder cannot be used. Keeping blocks for one sync."""

    def __init__(self, folder: Path, *, disk: Disk, clock: Clock) -> None:
        self._disk = disk
        self._clock = clock
        self._path = folder / FILE_NAME
        self._refused_path = folder / REFUSED_NAME
        disk.make_folder(folder)
        self._lines = read_lines(disk, self._path)
        self._refused = read_lines(disk, self._refused_path)
        self._whole = not torn(disk, self._path)
        self._refused_whole = not torn(disk, self._refused_path)

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """What the city may ask."""
        return {KEEP_VERB: self._keep_verb, TELL_VERB: self._tell_verb}

    @property
    def newest(self) -> WitnessedHead | None:
        """The head that was kept last."""
        return head_of(self._lines[-1]) if self._lines else None

    @property
    def trouble(self) -> str:
        """What the city showed that cannot be, until it is admitted; empty: nothing."""
        return trouble_of(self._lines, self._refused)

    def keep(self, head: WitnessedHead, admission: Admission | None = None) -> str:
        """Keep a head durably, then return a sentence; raises HeadRefused."""
        newest = self.newest
        admitted = self._admits(head, newest, admission)
        if newest is not None and not admitted:
            try:
                _check(head, newest)
            except HeadRefused as refused:
                self._remember(head, newest, refused)
                raise
            if head.seq == newest.seq:
                return f"entry {head.seq} is kept already"
        line = {**head.as_json(), "kept_ns": self._clock.wall_ns()}
        if admitted and admission is not None:
            line["admission"] = admission.as_json()
            log.warning(
                "the city's ledger admits by entry %d that it is another one from entry %d on "
                "(%s, %s): heads are kept from there again",
                admission.entry, admission.first, admission.by, admission.reason,
            )  # fmt: skip
        try:
            self._put(line)
        except OSError as error:
            self._whole = False
            raise HeadRefused(
                HeadRefusal.NOT_KEPT, f"the head cannot be written down: {error.strerror}"
            ) from error
        return f"entry {head.seq} is kept"

    def heads(self, skip: int = 0, most: int = MOST_TOLD) -> tuple[list[Line], bool]:
        """The lines behind the newest ``skip``, newest first, and whether older ones follow."""
        end = max(0, len(self._lines) - skip)
        start = max(0, end - most)
        return list(reversed(self._lines[start:end])), start > 0

    @property
    def refused(self) -> Sequence[Line]:
        """The evidence, oldest first."""
        return tuple(self._refused)

    # -- inside

    async def _keep_verb(self, arguments: Mapping[str, object]) -> str:
        try:
            head = head_of(arguments.get("head"))
            said = arguments.get("admission")
            return self.keep(head, None if said is None else admission_of(said))
        except HeadRefused as refused:
            raise CommandFailed(refused.why, str(refused)) from refused

    async def _tell_verb(self, arguments: Mapping[str, object]) -> str:
        skip = arguments.get("skip", 0)
        if not isinstance(skip, int) or isinstance(skip, bool) or skip < 0:
            raise CommandFailed(Code.BAD_ARGUMENTS, "'skip' is how many of the newest are left out")
        lines, more = self.heads(skip)
        return told([head_of(one) for one in lines], more=more, refused=len(self._refused))

    def _admits(
        self, head: WitnessedHead, newest: WitnessedHead | None, admission: Admission | None
    ) -> bool:
        """Whether an admission that was not heard before lets the numbers begin lower."""
        if newest is None or admission is None or admission.at_ns <= self._admitted_ns():
            return False
        if admission.at_ns > self._clock.wall_ns() + DAY_NS:  # no later one would ever be heard
            return False
        return head.seq >= admission.entry

    def _admitted_ns(self) -> int:
        return admitted_ns(self._lines)

    def _remember(self, head: WitnessedHead, newest: WitnessedHead, refused: HeadRefused) -> None:
        """Keep the evidence, once; that it cannot be kept changes nothing."""
        log.error("%s", refused)
        known = {(one["ledger"], one["seq"], one["hash"]) for one in self._refused}
        if (head.ledger, head.seq, head.hash) in known:
            return
        line = {
            **head.as_json(),
            "refused_ns": self._clock.wall_ns(),
            "excused_before_ns": max(min(newest.at_ns, self._clock.wall_ns()), self._admitted_ns()),
            "code": int(refused.why),
            "sentence": str(refused),
            "kept_seq": newest.seq,
            "kept_hash": newest.hash,
        }
        self._refused.append(line)
        try:
            if self._refused_whole and len(self._refused) <= MOST_REFUSED:
                self._append(self._refused_path, line)
                return
            if len(self._refused) > MOST_REFUSED:
                self._refused = [*self._refused[:FIRST_REFUSED], *self._refused[-LAST_REFUSED:]]
            self._disk.replace(self._refused_path, b"".join(map(line_of, self._refused)))
            self._refused_whole = True
        except OSError as error:
            self._refused_whole = False
            log.error("a refused head cannot be kept as evidence: %s", error)  # noqa: TRY400 - the disk is to blame, not a line of code

    def _put(self, line: Line) -> None:
        lines = [*self._lines, line]
        kept = thinned(lines, line["kept_ns"])
        if self._whole and len(lines) <= len(kept) + SLACK:
            self._append(self._path, line)
            self._lines = lines
            return
        self._disk.replace(self._path, b"".join(map(line_of, kept)))
        self._lines = kept
        self._whole = True

    def _append(self, path: Path, line: Line) -> None:
        file = self._disk.append(path)
        try:
            file.write(line_of(line))
            file.sync()
        finally:
            file.close()


def admitted_ns(lines: Iterable[Line]) -> int:
    """When the newest admission was made that stands among kept heads; 0: there is none."""
    return max((one["admission"]["at_ns"] for one in lines if "admission" in one), default=0)


def trouble_of(lines: Sequence[Line], refused: Sequence[Line]) -> str:
    """What was refused last and no admission has excused since; empty: nothing."""
    since = admitted_ns(lines)
    last = next((one for one in reversed(refused) if one["excused_before_ns"] >= since), None)
    return "" if last is None else str(last["sentence"])


def thinned(lines: Sequence[Line], now_ns: int) -> list[Line]:
    """What stays: all of two days, of earlier ones the last of each, and every admission.

    By how many there are too, so that no clock makes it too long or drops what is old by mistake.
    """
    young = now_ns - WHOLE_NS
    recent = [one for one in lines if one["kept_ns"] > young][-MOST_WHOLE:]
    ids = {id(one) for one in recent}
    days: dict[int, Line] = {}
    for one in lines:
        if id(one) not in ids:
            days[one["kept_ns"] // DAY_NS] = one
    ids |= {id(one) for one in list(days.values())[-MOST_DAYS:]}
    return [one for one in lines if id(one) in ids or "admission" in one]


def line_of(line: Line) -> bytes:
    """A line with its CRC-32 and its end."""
    text = json.dumps({key: one for key, one in line.items() if key != "crc"})
    crc = zlib.crc32(text.encode())
    return f'{text[:-1]}, "crc": "{crc:08x}"}}\n'.encode()


def read_lines(disk: Disk, path: Path) -> list[Line]:
    """The whole lines of a file; damaged ones are left out and said."""
    if path.name not in disk.names(path.parent):
        return []
    *whole, _ = disk.read(path).split(b"\n")
    found = list(_good(whole, path.name))
    if len(found) < len(whole):
        log.error("%d lines of %s are damaged and left out", len(whole) - len(found), path.name)
    return found


def torn(disk: Disk, path: Path) -> bool:
    """Whether it ends in the middle of a line: a cut came before its sync returned."""
    return path.name in disk.names(path.parent) and not (disk.read(path) or b"\n").endswith(b"\n")


def _good(lines: Iterable[bytes], name: str) -> Iterable[Line]:
    for line in lines:
        try:
            body = json.loads(line)
            if line_of(body) != line + b"\n":
                continue
            head_of(body)
            if "admission" in body:
                admission_of(body["admission"])
        except (ValueError, TypeError, AttributeError, RecursionError, HeadRefused):
            continue
        needed = "excused_before_ns" if name == REFUSED_NAME else "kept_ns"
        if type(body.get(needed)) is int:
            yield body


def _check(head: WitnessedHead, newest: WitnessedHead) -> None:
    """Raise HeadRefused for what cannot be of the ledger that was kept."""
    if head.ledger != newest.ledger:
        raise HeadRefused(
            HeadRefusal.OTHER_LEDGER,
            f"the city's audit ledger was begun anew: it is {head.ledger[:8]} with {head.seq} "
            f"entries, and this school keeps entry {newest.seq} of {newest.ledger[:8]}",
        )
    if head.seq < newest.seq:
        raise HeadRefused(
            HeadRefusal.LOWER,
            f"the city's audit ledger ends at entry {head.seq}, and this school keeps entry "
            f"{newest.seq}: it was cut off or put back",
        )
    if head.seq == newest.seq and head.hash != newest.hash:
        raise HeadRefused(
            HeadRefusal.OTHER_HASH,
            f"entry {head.seq} of the city's audit ledger is not the one that this school keeps: "
            "it was rewritten",
        )
