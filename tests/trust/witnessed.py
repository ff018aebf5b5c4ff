"""Ledgers that were harmed, and schools that keep heads as real agents do."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from agents.commands import CommandFailed
from agents.ledger_heads import LedgerHeads
from controller.trust.book import Book
from controller.trust.chain import Told, hasher
from controller.trust.entries import Entry
from controller.trust.segment import segments
from controller.trust.verify import verify
from drivers.wire.commands import CommandState, Reply
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import Clock, SystemClock

NS = 10**9
BEGAN_NS = 1_795_000_000 * NS
ENTRY = Entry(act="maintenance.plan", actor="account:li", detail={"reason": "works"})


def written(folder: Path, count: int, segment_rows: int = 500_000) -> None:
    """Entries in a ledger, five a commit."""
    book = Book(folder, city="city", boot="b", segment_rows=segment_rows)
    for number in range(0, count, 5):
        book.append([Told(ENTRY, BEGAN_NS + number * NS, number)] * 5)
    book.close()


def opened(file: Path) -> sqlite3.Connection:
    """A segment whose triggers somebody dropped, as root can."""
    database = sqlite3.connect(file)
    triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        database.execute(f"DROP TRIGGER {name}")
    return database


def cut_off(folder: Path, first: int) -> None:
    """Entries from ``first`` on are gone."""
    for file in segments(folder):
        if int(file.stem) >= first:
            file.unlink()
            continue
        database = opened(file)
        gone = database.execute("DELETE FROM entries WHERE seq >= ?", (first,)).rowcount
        if gone:
            database.execute("DELETE FROM sealed")
        database.commit()
        database.close()


def rewritten(folder: Path, first: int) -> None:
    """Entry ``first`` says something else, and every hash behind it is made to fit."""
    previous: bytes | None = None
    for file in segments(folder):
        database = opened(file)
        about = dict(database.execute("SELECT key, value FROM about"))
        digest = hasher(about["algorithm"])
        if previous is not None:
            database.execute("UPDATE about SET value = ? WHERE key = 'previous'", (previous,))
        rows = database.execute(
            "SELECT seq, body, previous FROM entries WHERE seq >= ? ORDER BY seq", (first,)
        ).fetchall()
        for seq, body, before in rows:
            text = body
            if seq == first:
                told = json.loads(body)
                told["actor"] = "account:nobody"
                text = json.dumps(told, separators=(",", ":"))
            previous = before if previous is None else previous
            made = digest(previous + text.encode())
            database.execute(
                "UPDATE entries SET body = ?, previous = ?, hash = ? WHERE seq = ?",
                (text, previous, made, seq),
            )
            previous = made
        if rows:
            database.execute("UPDATE sealed SET seq = ?, hash = ?", (rows[-1][0], previous))
        database.commit()
        database.close()


def put_back(folder: Path, backup: Path) -> None:
    """Yesterday's backup lies there."""
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)


def looks_whole(folder: Path) -> bool:
    """What the chain by itself says."""
    return verify(folder).bad is None


class Schools:
    """See :class:`controller.agent_port.AskAgent`: agents without a network between."""

    def __init__(self, folder: Path, names: list[str], clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.kept = {
            name: LedgerHeads(folder / name, disk=OsDisk(), clock=self.clock) for name in names
        }
        self.away: set[str] = set()
        self.asked: list[tuple[int, str, str]] = []
        self.at_once = self.most_at_once = 0
        self.liar: Callable[[str, str], Reply] | None = None

    async def ask(
        self, school: str, verb: str, arguments: Mapping[str, object], *, deadline_seconds: float
    ) -> Reply:
        """See the protocol."""
        assert deadline_seconds > 0
        if school in self.away:
            return Reply(verb=verb, id="-", state=CommandState.FAILED, code=-2, message="away")
        self.asked.append((self.clock.monotonic_ns(), school, verb))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.liar is not None:
            return self.liar(school, verb)
        try:
            said = await self.kept[school].verbs[verb](json.loads(json.dumps(arguments)))
        except CommandFailed as failed:
            return Reply(
                verb=verb, id="1", state=CommandState.FAILED, code=failed.code, message=str(failed)
            )
        return Reply(verb=verb, id="1", state=CommandState.SUCCESSFUL, message=said)
