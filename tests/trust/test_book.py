import json
import multiprocessing
import shutil
from pathlib import Path

import pytest

from controller.trust.book import DAY_NS, Book
from controller.trust.chain import Told
from controller.trust.entries import Entry, LedgerError
from controller.trust.segment import segments
from controller.trust.verify import rows_of, verify

AT_NS = 1_790_000_000_000_000_000


def told(days: float = 0, **detail: int) -> Told:
    return Told(Entry(act="a.b", actor="system", detail=detail), AT_NS + round(days * DAY_NS), 1)


def book(folder: Path, *, algorithm: str = "sha256", segment_rows: int = 1000) -> Book:
    return Book(folder, city="c", boot="b", algorithm=algorithm, segment_rows=segment_rows)


def append(folder: Path, count: int) -> None:
    made = book(folder, segment_rows=40)
    for number in range(count):
        made.append([told(n=number)])
    made.close()


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    """The service and commands of the shell."""
    append(tmp_path, 1)
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=append, args=(tmp_path, 60)) for _ in range(2)]
    for other in others:
        other.start()
    append(tmp_path, 60)
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0]
    verdict = verify(tmp_path)
    assert verdict.bad is None
    assert verdict.rows == 182


def test_a_change_of_the_hash_begins_a_segment(tmp_path: Path) -> None:
    for algorithm in ("sha256", "sm3", "sha256"):
        made = book(tmp_path, algorithm=algorithm)
        made.append([told(), told()])
        made.close()
    assert [int(file.stem) for file in segments(tmp_path)] == [1, 4, 6]
    verdict = verify(tmp_path)
    assert verdict.bad is None
    assert verdict.rows == 7


def test_a_month_begins_a_segment(tmp_path: Path) -> None:
    made = book(tmp_path)
    for days in (0, 1, 31, 32, 62):
        made.append([told(days)])
    made.close()
    assert [int(file.stem) for file in segments(tmp_path)] == [1, 4, 6]
    assert verify(tmp_path).bad is None


def test_a_crash_between_seal_and_next_segment(tmp_path: Path) -> None:
    made = book(tmp_path, segment_rows=2)
    made.append([told()])
    made.append([told()])
    made.close()
    segments(tmp_path)[-1].unlink()
    made = book(tmp_path, segment_rows=2)
    made.append([told(), told()])
    made.close()
    assert verify(tmp_path).bad is None
    assert [int(file.stem) for file in segments(tmp_path)] == [1, 3]


def test_old_segments_go_and_an_entry_tells(tmp_path: Path) -> None:
    made = book(tmp_path)
    for days in range(0, 400, 10):
        made.append([told(days, n=days)])
    anchored = made.head
    assert anchored is not None
    before = len(segments(tmp_path))
    assert made.retire(1, told(399)) > 0  # a shorter retention is none: 180 days stay
    ages = [json.loads(row.body)["at_ns"] for row in rows_of(tmp_path)]
    assert min(ages) <= AT_NS + 219 * DAY_NS
    assert len(segments(tmp_path)) < before
    assert made.retire(180, told(399)) == 0
    made.close()
    verdict = verify(tmp_path, [anchored])
    assert verdict.bad is None
    assert verdict.first > 1
    segments(tmp_path)[0].unlink()  # one more, and no entry tells of it
    bad = verify(tmp_path, [anchored]).bad
    assert bad is not None
    assert "no entry tells of it" in str(bad)


def test_every_kept_day_is_there_after_retiring(tmp_path: Path) -> None:
    made = book(tmp_path)
    for days in range(0, 400, 10):
        made.append([told(day, n=day) for day in range(days, days + 10)])
    made.retire(180, told(400))
    made.close()
    kept = {json.loads(row.body)["detail"].get("n") for row in rows_of(tmp_path)}
    assert set(range(220, 400)) <= kept


def test_a_clock_that_jumps_ahead_ages_nothing_out(tmp_path: Path) -> None:
    made = book(tmp_path)
    for days in range(0, 60, 10):
        made.append([told(days, n=days)])
    made.append([told(3000, n=3000)])
    assert made.retire(180, told(3000)) == 0
    made.append([told(61, n=61)])  # and back
    made.close()
    kept = [json.loads(row.body)["detail"].get("n") for row in rows_of(tmp_path)]
    assert kept[1:] == [0, 10, 20, 30, 40, 50, 3000, 61]
    assert verify(tmp_path).bad is None


def test_another_process_that_does_not_continue(tmp_path: Path) -> None:
    made = book(tmp_path / "a")
    made.append([told()])
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    made.append([told(n=1)])
    other = book(tmp_path / "b")
    other.append([told(n=2), told(n=3)])
    other.close()
    made.close()
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "b").rename(tmp_path / "a")
    with pytest.raises(LedgerError, match="gone or changed"):
        made.append([told(n=4)])
