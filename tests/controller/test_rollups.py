"""Roll-ups: rows in place of rows, months by file, damage left out, retention."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from controller.store.protocols import StoreError
from controller.store.rollup_rows import OutageRow, QualityRow, RunRow
from controller.store.rollups import Rollups, month_days

DAY = date(2026, 9, 22)
NEXT = date(2026, 10, 1)


@pytest.fixture
def rollups(tmp_path: Path) -> Iterator[Rollups]:
    made = Rollups(tmp_path)
    made.start()
    yield made
    made.close()


def run(link: str, start: int, day: date = DAY) -> RunRow:
    return RunRow(
        link=link, day=day, start_ns=start, last_ns=start + 5, said=(1, 1, 2, 1000, 3), samples=2,
        first_hash=b"a" * 32, last_hash=b"b" * 32,
    )  # fmt: skip


def put(rollups: Rollups, day: date, **values: int) -> None:
    links = sorted(values)
    columns = {"good_ns": np.array([values[link] for link in links], np.int64)}
    rollups.put_days("east", day, links, columns)


def read(rollups: Rollups, first: date, last: date) -> list[tuple[int, dict[str, int]]]:
    return [
        (bucket.start, dict(zip(bucket.links, bucket.columns["good_ns"].tolist(), strict=True)))
        for bucket in rollups.days(first, last)
    ]


def test_rows_take_the_place_of_rows(rollups: Rollups) -> None:
    put(rollups, DAY, a=1, b=2)
    put(rollups, DAY, b=3, c=4)
    put(rollups, DAY, b=3, c=4)
    put(rollups, NEXT, a=9)
    wanted = [(DAY.toordinal(), {"a": 1, "b": 3, "c": 4}), (NEXT.toordinal(), {"a": 9})]
    assert read(rollups, DAY, NEXT) == wanted
    assert read(rollups, DAY, DAY) == wanted[:1]


def test_a_new_column_is_nothing_in_older_rows(rollups: Rollups) -> None:
    put(rollups, DAY, a=1)
    rollups.put_days("east", DAY, ["b"], {"down_ns": np.array([5], np.int64)})
    (bucket,) = rollups.days(DAY, DAY)
    assert bucket.columns["down_ns"].tolist() == [0, 5]
    assert bucket.columns["good_ns"].tolist() == [1, 0]


def test_runs_by_link_and_day_and_instead(rollups: Rollups) -> None:
    rollups.put_runs([run("a", 10), run("a", 20), run("b", 10), run("a", 99, NEXT)])
    rollups.put_runs([run("a", 20)])
    assert [(r.link, r.start_ns) for r in rollups.runs(DAY, NEXT, frozenset("a"))] == [
        ("a", 10), ("a", 20), ("a", 99),
    ]  # fmt: skip
    assert next(rollups.runs(DAY, DAY)) == run("a", 10)
    rollups.put_runs([run("a", 15)], instead=[("a", DAY)])
    assert [(r.link, r.start_ns) for r in rollups.runs(DAY, DAY)] == [("a", 15), ("b", 10)]


def test_outages_go_with_their_day(rollups: Rollups) -> None:
    one = OutageRow(link="a", day=DAY, start_ns=1, end_ns=5, cost_ns=4)
    columns = {"good_ns": np.zeros(1, np.int64)}
    rollups.put_days("east", DAY, ["a"], columns, [one])
    assert list(rollups.outages(DAY, DAY)) == [one]
    rollups.put_days("east", DAY, ["a"], columns)
    assert list(rollups.outages(DAY, DAY)) == []


def test_quality_adds_up(rollups: Rollups) -> None:
    row = QualityRow(
        day=DAY, school="no1", blocks=2, late=1, worst_age_ns=7, skew_ns=3, worst_skew_ns=-9
    )
    rollups.add_quality([row])
    rollups.add_quality([row])
    (found,) = rollups.quality(DAY, DAY)
    assert (found.blocks, found.late, found.skew_ns) == (4, 2, 6)
    assert (found.worst_age_ns, found.worst_skew_ns) == (7, -9)


def test_a_flipped_byte_is_left_out_and_counted(rollups: Rollups, tmp_path: Path) -> None:
    put(rollups, DAY, a=1)
    rollups.put_runs([run("a", 10)])
    rollups.close()
    with sqlite3.connect(tmp_path / "days-2026-09.db") as database:
        (data,) = database.execute("SELECT data FROM rows").fetchone()
        database.execute("UPDATE rows SET data = ?", (data[:-1] + bytes([data[-1] ^ 1]),))
        database.execute("UPDATE runs SET samples = samples + 1")
    database.close()
    assert read(rollups, DAY, DAY) == []
    assert list(rollups.runs(DAY, DAY)) == []
    assert rollups.damaged == 2


def test_months_past_their_time_go(rollups: Rollups, tmp_path: Path) -> None:
    put(rollups, DAY, a=1)
    values = {0: (["a"], {"ratio": np.zeros(1)})}
    rollups.put_means(300, "east", DAY, values)
    assert rollups.retain(date(2027, 11, 30)) == 0
    assert rollups.retain(date(2027, 12, 1)) == 1, "means go first"
    assert [path.name for path in tmp_path.glob("*.db")] == ["days-2026-09.db"]
    assert rollups.retain(date(2029, 11, 1)) == 1
    put(rollups, DAY, a=2)
    assert read(rollups, DAY, DAY) == [(DAY.toordinal(), {"a": 2})]


def test_durable_settings_and_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    rollups = Rollups(tmp_path)
    rollups.start()
    put(rollups, DAY, a=1)
    (database,) = rollups._open.values()
    assert database.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
    (tmp_path / "days-2026-10.db").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        put(rollups, NEXT, a=1)
    rollups.close()


@pytest.mark.parametrize(
    ("month", "last"), [("2026-02", 28), ("2024-02", 29), ("2026-12", 31), ("2026-09", 30)]
)
def test_months(month: str, last: int) -> None:
    first, final = month_days(month)
    assert (first.day, final.day) == (1, last)
