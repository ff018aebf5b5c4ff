"""Approvals that this agent has used: on disk before anything is done, and never too many.

A file of lines, each with its CRC-32: ``floor <ms> <seen ms>`` and ``used <expires ms> <seen ms>
<nonce> <action>``. What ends before ``floor`` is refused without being looked up, whatever the
clock says; so entries can be dropped once they have ended, and the file stays small. Where the file
is missing or a line is damaged, nobody knows what was used: everything issued until then is refused
by the same floor, and what is approved afterwards is good again.
"""

import logging
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from tenone.journal.disk import Disk
from tenone.trust.approval import LIFE_MS, TOLERANCE_MS, Approval, Refusal, Refused

log = logging.getLogger(__name__)

FILE_NAME = "used-approvals"
MOST = 512
"""Approvals in force at once; a school has no use for a tenth of them."""
COMPACT_LINES = 2 * MOST


@dataclass(frozen=True, slots=True)
class _Used:
    action: str
    expires_ms: int


@dataclass(slots=True)
class _Kept:
    floor_ms: int = 0
    seen_ms: int = 0
    """The latest moment at which an approval was used: the clock never goes behind it."""
    used: dict[str, _Used] = field(default_factory=dict)
    """By nonce."""

    def actions(self) -> frozenset[str]:
        return frozenset(one.action for one in self.used.values())


class UsedApprovals:
    """Raises ``OSError`` where the folder cannot be used. Methods block for one sync.

    ``now_ms`` is None while the clock is not to be trusted; the floor of a lost file is then set
    when it is.
    """

    def __init__(self, folder: Path, *, disk: Disk, now_ms: int | None) -> None:
        self._disk = disk
        self._path = folder / FILE_NAME
        self._lines = 0
        self._whole = True
        """Whether what is on disk is known; not so after a failed write."""
        disk.make_folder(folder)
        self._kept, damage = self._read()
        self._lost = bool(damage)
        if damage:
            log.warning(
                "%s %s: approvals issued until now are refused, new ones are not", FILE_NAME, damage
            )
        if now_ms is not None:
            self._forget(now_ms)
        if not self._lost:  # a lost file stays as it is until the floor is known
            self._rewrite()

    def __len__(self) -> int:
        return len(self._kept.used)

    def look(self, approval: Approval, now_ms: int) -> None:
        """Raise :class:`Refused` if it was used, or nobody can say that it was not."""
        self._forget(now_ms)
        kept = self._kept
        if now_ms + TOLERANCE_MS < kept.seen_ms:
            raise Refused(
                Refusal.CLOCK,
                f"this clock is {(kept.seen_ms - now_ms) // 1000} s behind what it was: set it",
            )
        if approval.nonce in kept.used or approval.action in kept.actions():
            raise Refused(Refusal.USED, f"the approval of {approval.action} was used before")
        if approval.expires_ms <= kept.floor_ms:
            raise Refused(
                Refusal.USED,
                f"whether the approval of {approval.action} was used is no longer known: "
                "ask for a new one",
            )

    def use(self, approval: Approval, now_ms: int) -> None:
        """Note durably that it is used now; only then may it be acted on. :class:`Refused`."""
        self.look(approval, now_ms)
        self._drop_ended(now_ms)
        kept = self._kept
        if len(kept.used) >= MOST:
            raise Refused(Refusal.FULL, f"more than {MOST} approvals are in force: wait")
        # Known from here on: if the disk fails, it counts as used all the same.
        kept.used[approval.nonce] = _Used(approval.action, approval.expires_ms)
        kept.seen_ms = max(kept.seen_ms, now_ms)
        try:
            if not self._whole or self._lines >= COMPACT_LINES:
                self._rewrite()
            else:
                self._append(_used_line(approval.nonce, kept.used[approval.nonce], kept.seen_ms))
        except OSError as error:
            self._whole = False
            raise Refused(
                Refusal.NOT_KEPT,
                f"it cannot be written down that the approval is used: {error.strerror}",
            ) from error

    def _forget(self, now_ms: int) -> None:
        """Where the file was lost: refuse what may have stood in it."""
        if self._lost:
            self._lost = False
            self._whole = False  # written whole before the next one is used
            floor_ms = max(now_ms, self._kept.seen_ms) + LIFE_MS + TOLERANCE_MS
            self._kept.floor_ms = max(self._kept.floor_ms, floor_ms)

    def _drop_ended(self, now_ms: int) -> None:
        # In memory and for now; the file takes the floor over when it is next written whole, and
        # until then still has the entries.
        kept = self._kept
        ended = [one.expires_ms for one in kept.used.values() if one.expires_ms <= now_ms]
        kept.floor_ms = max(kept.floor_ms, *ended, 0)
        kept.used = {
            nonce: one for nonce, one in kept.used.items() if one.expires_ms > kept.floor_ms
        }

    def _append(self, line: bytes) -> None:
        file = self._disk.append(self._path)
        try:
            file.write(line)
            file.sync()
        finally:
            file.close()
        self._lines += 1

    def _rewrite(self) -> None:
        kept = self._kept
        lines = [_line("floor", kept.floor_ms, kept.seen_ms)]
        lines += [_used_line(nonce, one, kept.seen_ms) for nonce, one in kept.used.items()]
        self._disk.replace(self._path, b"".join(lines))
        self._lines = len(lines)
        self._whole = True

    def _read(self) -> tuple[_Kept, str]:
        """What the file says, and what is wrong with it; empty: nothing."""
        kept = _Kept()
        if FILE_NAME not in self._disk.names(self._path.parent):
            return kept, "is missing"
        *whole, torn = self._disk.read(self._path).split(b"\n")
        damage = "" if whole else "is empty"
        if whole and not whole[0].startswith(b"floor "):
            # Removed while the agent ran, and begun anew by the next line.
            damage = "has lost its beginning"
        for number, line in enumerate(whole, 1):
            try:
                _take(kept, line)
            except ValueError:
                damage = f"is damaged in line {number}"
        if torn:
            # The sync of this line never returned, so what it is about was never begun.
            log.info("%s ends in the middle of a line, which is left out", FILE_NAME)
        return kept, damage


def _take(kept: _Kept, line: bytes) -> None:
    """Take a line over; ``ValueError`` where it is damaged."""
    text, _, checksum = line.rpartition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        raise ValueError(line)
    match text.decode("ascii").split(" "):
        case ["floor", floor, seen]:
            kept.floor_ms = max(kept.floor_ms, int(floor))
        case ["used", expires, seen, nonce, action]:
            kept.used[nonce] = _Used(action, int(expires))
        case _:
            raise ValueError(line)
    kept.seen_ms = max(kept.seen_ms, int(seen))


def _used_line(nonce: str, one: _Used, seen_ms: int) -> bytes:
    return _line("used", one.expires_ms, seen_ms, nonce, one.action)


def _line(*words: object) -> bytes:
    text = " ".join(str(word) for word in words).encode("ascii")
    return text + b" %08x\n" % zlib.crc32(text)
