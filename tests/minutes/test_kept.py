import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from controller.minutes.burning import REACH
from controller.minutes.count import CAUSES, Counts
from controller.minutes.kept import KEEP_NS, NOT_TAUGHT, KeptHours, blank, pack, unpack
from controller.minutes.tables import ClassMinuteHour
from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from tenone.calendar.intervals import HOUR_NS, MINUTE_NS

HOUR = 1_790_000_000_000_000_000 // HOUR_NS * HOUR_NS
SCHOOLS = ("no1", "no2")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecords]:
    records = SqlRecords(f"sqlite:///{tmp_path}/records.db")
    records.start()
    yield records
    records.close()


def minute(good: int, bad: int = 0) -> Counts:
    counts = Counts.zero(2)
    counts.good[0] = good
    counts.unknown[0] = 1
    counts.bad[0, 3] = bad
    return counts


TAUGHT = np.array([True, False])


def test_what_was_put_is_loaded_also_by_another_run(records: SqlRecords) -> None:
    kept = KeptHours(records, SCHOOLS)
    starts = [HOUR + 59 * MINUTE_NS, HOUR + HOUR_NS, HOUR + HOUR_NS + MINUTE_NS]
    kept.put([(start, minute(n, n), TAUGHT) for n, start in enumerate(starts[:2])])
    other = KeptHours(records, SCHOOLS)
    assert [start for start, _, _ in other.load(HOUR)] == starts[:2]
    other.put([(starts[2], minute(7, 2), TAUGHT)])
    found = list(KeptHours(records, SCHOOLS).load(HOUR))
    assert [start for start, _, _ in found] == starts
    assert [int(counts.good[0]) for _, counts, _ in found] == [0, 1, 7]
    assert [int(counts.bad[0, 3]) for _, counts, _ in found] == [0, 1, 2]
    assert all(taught.tolist() == [True, False] for _, _, taught in found)
    assert [start for start, _, _ in KeptHours(records, SCHOOLS).load(starts[2])] == starts[2:]


def test_a_school_that_is_no_more_is_left_out_and_old_hours_go(records: SqlRecords) -> None:
    kept = KeptHours(records, SCHOOLS)
    kept.put([(HOUR, minute(1), TAUGHT)])
    assert list(KeptHours(records, ("no2",)).load(0)) == []
    kept.prune(HOUR + KEEP_NS)
    assert len(list(kept.load(0))) == 1
    kept.prune(HOUR + KEEP_NS + 1)
    assert list(kept.load(0)) == []


def test_a_row_is_an_hour_of_counts() -> None:
    hour = blank()
    hour[5] = np.arange(2 + len(CAUSES))
    assert (unpack(pack(hour)) == hour).all()
    assert (blank()[:, 0] == NOT_TAUGHT).all()


def test_a_damaged_row_says_so() -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(b"no deflate")


def test_a_put_that_failed_over_a_full_hour_loses_nothing_of_the_hour_before(
    records: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptHours(records, SCHOOLS)
    starts = [HOUR + number * MINUTE_NS for number in range(58, 61)]
    kept.put([(starts[0], minute(1), TAUGHT)])
    unwritten = [(start, minute(2), TAUGHT) for start in starts[1:]]

    def full(_touched: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(kept, "_write", full)
        with pytest.raises(StoreError):
            kept.put(unwritten)
    kept.put(unwritten)
    assert [start for start, _, _ in KeptHours(records, SCHOOLS).load(HOUR)] == starts


def test_a_damaged_hour_keeps_no_controller_from_starting(
    records: SqlRecords, caplog: pytest.LogCaptureFixture
) -> None:
    kept = KeptHours(records, SCHOOLS)
    kept.put([(HOUR, minute(1), TAUGHT)])
    with records.unit() as unit:
        for number, data in enumerate((b"no deflate", zlib.compress(b"too short"))):
            start_ns = HOUR + (number + 1) * HOUR_NS
            unit.add(ClassMinuteHour(school="no1", hour_ns=start_ns, data=data))
    assert [start for start, _, _ in KeptHours(records, SCHOOLS).load(HOUR)] == [HOUR]
    assert caplog.text.count("is damaged") >= 2


def test_a_start_reads_no_more_than_a_window_reaches(records: SqlRecords) -> None:
    kept = KeptHours(records, ("no1",))
    taught = np.array([True])
    counts = Counts.zero(1)
    starts = [HOUR + number * MINUTE_NS for number in range(REACH + 3 * 60)]
    kept.put([(start, counts, taught) for start in starts])
    assert [start for start, _, _ in KeptHours(records, ("no1",)).load(0)] == starts[3 * 60 :]
