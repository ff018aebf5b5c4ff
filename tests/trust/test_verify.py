"""Abuse case 26: whoever may write the file edits, removes, cuts off, puts in, exchanges."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.trust.book import Book
from controller.trust.chain import Head, Told, hasher
from controller.trust.entries import Entry
from controller.trust.segment import segments
from controller.trust.verify import What, rows_of, verify

ROWS = 400
SEGMENT_ROWS = 150
FIRSTS = [1, 162, 322]
"""Of the segments: one turns over before the next batch of 20."""
TAMPERING = random.Random(26)
Tamper = Callable[[sqlite3.Connection, int], None]


def told(number: int) -> Told:
    entry = Entry(act="test.write", actor="account:li", subject=f"s{number}", detail={"n": number})
    return Told(entry, 10**18 + number, number)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Head]]:
    """A ledger of three segments, and the heads anchored on the way."""
    folder = tmp_path_factory.mktemp("written") / "ledger"
    book = Book(folder, city="city", boot="b", segment_rows=SEGMENT_ROWS)
    anchored = [
        book.append([told(each) for each in range(number, number + 20)])
        for number in range(0, ROWS, 20)
    ]
    book.close()
    assert [int(file.stem) for file in segments(folder)] == FIRSTS
    return folder, anchored


def digest(database: sqlite3.Connection, seq: int) -> tuple[str, bytes, bytes]:
    found: tuple[str, bytes, bytes] = database.execute(
        "SELECT body, previous, hash FROM entries WHERE seq = ?", (seq,)
    ).fetchone()
    return found


def forged(database: sqlite3.Connection, seq: int) -> tuple[str, bytes, bytes]:
    """Entry ``seq`` with another actor and a hash that fits."""
    body, previous, _ = digest(database, seq)
    body = body.replace("account:li", "account:mo")
    return body, previous, hasher("sha256")(previous + body.encode())


def edit(database: sqlite3.Connection, seq: int) -> None:
    database.execute("UPDATE entries SET body = replace(body, 'li', 'mo') WHERE seq = ?", (seq,))


def edit_hash(database: sqlite3.Connection, seq: int) -> None:
    database.execute("UPDATE entries SET hash = zeroblob(32) WHERE seq = ?", (seq,))


def rewrite(database: sqlite3.Connection, seq: int) -> None:
    database.execute(
        "UPDATE entries SET body = ?, previous = ?, hash = ? WHERE seq = ?",
        (*forged(database, seq), seq),
    )


def delete(database: sqlite3.Connection, seq: int) -> None:
    database.execute("DELETE FROM entries WHERE seq = ?", (seq,))


def shift(database: sqlite3.Connection, seq: int, by: int) -> None:
    database.execute("UPDATE entries SET seq = -(seq + ?) WHERE seq >= ?", (by, seq))
    database.execute("UPDATE entries SET seq = -seq WHERE seq < 0")


def delete_and_renumber(database: sqlite3.Connection, seq: int) -> None:
    delete(database, seq)
    shift(database, seq, -1)


def put_in(database: sqlite3.Connection, seq: int) -> None:
    row = forged(database, seq)
    shift(database, seq, 1)
    database.execute(
        "INSERT INTO entries (seq, body, previous, hash) VALUES (?, ?, ?, ?)", (seq, *row)
    )


def reinsert(database: sqlite3.Connection, seq: int) -> None:
    """A copy of an earlier entry, once more."""
    (first,) = database.execute("SELECT min(seq) FROM entries").fetchone()
    row = digest(database, TAMPERING.randrange(first, seq))
    shift(database, seq, 1)
    database.execute(
        "INSERT INTO entries (seq, body, previous, hash) VALUES (?, ?, ?, ?)", (seq, *row)
    )


def exchange(database: sqlite3.Connection, seq: int) -> None:
    (last,) = database.execute("SELECT max(seq) FROM entries").fetchone()
    other = TAMPERING.randint(seq + 1, last)
    database.execute("UPDATE entries SET seq = -1 WHERE seq = ?", (seq,))
    database.execute("UPDATE entries SET seq = ? WHERE seq = ?", (seq, other))
    database.execute("UPDATE entries SET seq = ? WHERE seq = -1", (other,))


def cut_off(database: sqlite3.Connection, seq: int) -> None:
    database.execute("DELETE FROM entries WHERE seq >= ?", (seq,))


KINDS: dict[Tamper, set[What]] = {
    edit: {What.EDITED},
    edit_hash: {What.EDITED},
    rewrite: {What.EDITED, What.REPLACED},
    delete: {What.MISSING, What.TRUNCATED},
    delete_and_renumber: {What.MISSING, What.REORDERED},
    put_in: {What.INSERTED},
    reinsert: {What.INSERTED},
    exchange: {What.REORDERED, What.MISSING},
    cut_off: {What.MISSING, What.TRUNCATED},
}


def tamper(folder: Path, kind: Tamper, seq: int) -> None:
    """As root would: the triggers go first."""
    file = next(file for file in reversed(segments(folder)) if int(file.stem) <= seq)
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous = OFF")
    for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        database.execute(f"DROP TRIGGER {name}")
    kind(database, seq)
    database.commit()
    database.close()


def one_round(written: tuple[Path, list[Head]], place: Path, kind: Tamper, seq: int) -> None:
    folder, anchored = written
    shutil.copytree(folder, place)
    tamper(place, kind, seq)
    bad = verify(place, anchored).bad
    assert bad is not None, f"{kind.__name__} at {seq} was not found"
    assert bad.seq == seq, f"{kind.__name__} at {seq}: {bad}"
    assert bad.what in KINDS[kind], f"{kind.__name__} at {seq}: {bad}"
    shutil.rmtree(place)


def places(kind: Tamper) -> int:
    """Anywhere but where the kind makes no sense: nothing earlier to copy, nothing later."""
    while True:
        seq = TAMPERING.randint(2, ROWS)
        if kind is reinsert and seq in FIRSTS:
            continue
        if kind is exchange and seq + 1 in {*FIRSTS, ROWS + 2}:
            continue
        return seq


def test_a_whole_ledger(written: tuple[Path, list[Head]]) -> None:
    folder, anchored = written
    verdict = verify(folder, anchored)
    assert verdict.bad is None
    assert (verdict.rows, verdict.anchors) == (ROWS + 1, len(anchored))
    assert verdict.head == anchored[-1]
    assert [row.seq for row in rows_of(folder, after=160)] == list(range(161, ROWS + 2))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_tampering(written: tuple[Path, list[Head]], tmp_path: Path, kind: Tamper) -> None:
    for number in range(3):
        one_round(written, tmp_path / str(number), kind, places(kind))


@pytest.mark.slow
def test_tampering_300_rounds(written: tuple[Path, list[Head]], tmp_path: Path) -> None:
    kinds = list(KINDS)
    for number in range(300):
        kind = kinds[number % len(kinds)]
        one_round(written, tmp_path / str(number), kind, places(kind))
    print("300 rounds of tampering: found 300, first bad entry named 300")


def test_the_end_rewritten_is_found_between_two_anchors(
    written: tuple[Path, list[Head]], tmp_path: Path
) -> None:
    folder, anchored = written
    place = tmp_path / "ledger"
    shutil.copytree(folder, place)

    def rewrite_from(database: sqlite3.Connection, seq: int) -> None:
        previous: bytes | None = None
        for number in range(seq, ROWS + 2):
            body, before, _ = forged(database, number)
            before = before if previous is None else previous
            previous = hasher("sha256")(before + body.encode())
            database.execute(
                "UPDATE entries SET body = ?, previous = ?, hash = ? WHERE seq = ?",
                (body, before, previous, number),
            )

    tamper(place, rewrite_from, 350)
    assert verify(place).bad is None  # the chain alone cannot tell
    bad = verify(place, anchored).bad
    assert bad is not None
    assert (bad.what, bad.seq) == (What.REPLACED, 342)
    assert "342 to 361" in str(bad)


def test_segments_that_are_gone(written: tuple[Path, list[Head]], tmp_path: Path) -> None:
    folder, anchored = written
    for number, (gone, seq, what) in enumerate(
        [(0, 1, What.MISSING), (1, 162, What.MISSING), (2, 322, What.TRUNCATED)]
    ):
        place = tmp_path / str(number)
        shutil.copytree(folder, place)
        segments(place)[gone].unlink()
        bad = verify(place, anchored).bad
        assert bad is not None
        assert (bad.seq, bad.what) == (seq, what)


def test_a_ledger_begun_anew(written: tuple[Path, list[Head]], tmp_path: Path) -> None:
    folder, anchored = written
    others = [replace(head, ledger="0" * 32) for head in anchored]
    bad = verify(folder, others).bad
    assert bad is not None
    assert "begun anew" in str(bad)
    assert verify(tmp_path, anchored).bad is not None  # nothing at all


def test_one_segment(written: tuple[Path, list[Head]]) -> None:
    folder, anchored = written
    verdict = verify(segments(folder)[1], anchored[:16])
    assert verdict.bad is None
    assert verdict.first == 162
    assert "1 to 161" in verdict.notes[0]


@pytest.mark.parametrize("damage", ["no database", "", "short"])
def test_a_file_that_is_none(written: tuple[Path, list[Head]], tmp_path: Path, damage: str) -> None:
    place = tmp_path / "ledger"
    shutil.copytree(written[0], place)
    file = segments(place)[1]
    file.chmod(0o600)
    if damage == "short":
        file.write_bytes(file.read_bytes()[:8192])
    else:
        file.write_text(damage)
    bad = verify(place).bad
    assert bad is not None
    assert (bad.what, bad.seq) == (What.UNREADABLE, 162)
