"""The block store: once each, durable, self-describing, found again after a restart."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.store.blocks import SqliteBlockStore
from controller.store.dayfile import CHECKPOINT_ROWS, DayFile
from controller.store.protocols import DAY_NS, BaseNotice, ChainKey, StoreError
from controller.store.retention import day_of
from tenone.blocks.block import Block
from tenone.vocabulary.states import PriorityClass

from .conftest import NOON_NS, FakeJournal

P1 = PriorityClass.P1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteBlockStore]:
    store = SqliteBlockStore(tmp_path / "blocks")
    store.start()
    yield store
    store.close()


def reopened(store: SqliteBlockStore, *, clean: bool) -> SqliteBlockStore:
    """The store after a restart; not clean: as if the process had been killed."""
    if clean:
        store.close()
    else:
        for file in store._open.values():
            file.close()
        store._open.clear()
        store.close()
    again = SqliteBlockStore(store._folder)
    again.start()
    return again


def key(journal: FakeJournal, priority: PriorityClass = P1) -> ChainKey:
    return ChainKey(journal.journal_id, priority)


def test_what_is_committed_reads_back_bit_for_bit(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    blocks = [journal.ports(), journal.status(), journal.boards(["b1"], online=[1])]
    result = store.commit([journal.arrival(block, age_ns=5) for block in blocks])
    assert [a.block for a in result.stored] == blocks
    assert not result.failed
    found = list(store.read())
    assert [one.data for one in found] == [block.data for block in blocks]
    assert [one.layout.stream for one in found] == ["port-state", "switch-status", "board-health"]
    assert {(one.school, one.district, one.age_ns) for one in found} == {("no1", "east", 5)}
    assert found[0].block.hash == blocks[0].hash


def test_durable_settings(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    store.commit([journal.arrival(journal.ports())])
    database = store._open["east"]._database
    assert database.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("clean", [True, False])
def test_duplicates_fold_in_a_batch_between_batches_and_after_a_restart(
    store: SqliteBlockStore,
    clean: bool,
) -> None:
    journal = FakeJournal()
    first, second = journal.arrival(journal.ports()), journal.arrival(journal.ports())
    assert store.commit([first, first]).duplicates == 1
    result = store.commit([first, second])
    assert (len(result.stored), result.duplicates) == (1, 1)
    again = reopened(store, clean=clean)
    result = again.commit([second, first])
    assert (list(result.stored), result.duplicates, list(result.conflicts)) == ([], 2, [])
    assert result.through == {key(journal): 2}, "a duplicate is receipted again"
    assert len(list(again.read())) == 2
    again.close()


@pytest.mark.parametrize("clean", [True, False])
def test_duplicates_fold_against_earlier_days(
    store: SqliteBlockStore,
    clean: bool,
) -> None:
    journal = FakeJournal()
    old = journal.ports()
    store.commit([journal.arrival(old)])
    new = journal.ports(wall_ns=NOON_NS + DAY_NS)
    store.commit([journal.arrival(new)])
    again = reopened(store, clean=clean)
    late = journal.arrival(old, received_ns=NOON_NS + DAY_NS)
    assert again.commit([late]).duplicates == 1
    assert again.usage().files == 2
    assert again.through(key(journal)) == 2
    again.close()


def test_a_new_day_file_without_its_watermarks_is_no_loss(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    blocks = [journal.ports() for _ in range(3)]
    store.commit([journal.arrival(block) for block in blocks])
    store.close()
    # Killed after the next day's file was made and before its first checkpoint.
    DayFile(store._folder / "east" / f"{day_of(NOON_NS + DAY_NS)}.blocks").close()
    again = SqliteBlockStore(store._folder)
    again.start()
    arrivals = [journal.arrival(b, received_ns=NOON_NS + DAY_NS) for b in blocks]
    assert again.commit(arrivals).duplicates == 3
    fresh = journal.arrival(journal.ports(wall_ns=NOON_NS + DAY_NS))
    again.commit([fresh])
    once_more = reopened(again, clean=False)
    assert once_more.through(key(journal)) == 4
    assert once_more._open["east"].complete
    once_more.close()


def test_other_bytes_under_a_taken_number_are_a_conflict(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    clone = FakeJournal(journal_id=journal.journal_id)
    store.commit([journal.arrival(journal.ports())])
    copy = clone.arrival(clone.ports(speed_mbps=[100, 100, 100]))
    assert list(store.commit([copy]).conflicts) == [copy]
    fresh, rival = journal.arrival(journal.ports()), clone.arrival(clone.ports(oper=[2, 2, 2]))
    assert list(store.commit([fresh, rival]).conflicts) == [rival]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_journal_belongs_to_one_school(store: SqliteBlockStore, at_once: bool) -> None:
    owner = FakeJournal()
    thief = FakeJournal(school="no2", journal_id=owner.journal_id)
    owner.ports()
    mine = owner.arrival(owner.ports())
    theirs = thief.arrival(thief.ports())
    batches = [[mine, theirs]] if at_once else [[mine], [theirs]]
    results = [store.commit(batch) for batch in batches]
    assert [list(result.foreign) for result in results][-1] == [theirs]
    notice = BaseNotice(chain=key(owner), base=99, school="no2", district="east")
    assert store.commit([], [notice]).base_skipped == 0
    again = reopened(store, clean=False)
    assert list(again.commit([theirs]).foreign) == [theirs]
    assert [found.school for found in again.read()] == ["no1"]
    again.close()


def test_holes_gaps_and_bases(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    blocks = [journal.ports() for _ in range(5)]
    result = store.commit([journal.arrival(block) for block in (blocks[0], blocks[4])])
    assert result.through == {key(journal): 1}
    gap = journal.gap(2, 4, blocks[3].hash, P1)
    result = store.commit([journal.arrival(gap)])
    assert result.through == {key(journal): 6}
    assert list(result.breaks) == []
    result = store.commit([journal.arrival(blocks[2])])
    assert len(result.stored) == 1, "it came after all"
    again = reopened(store, clean=False)
    assert again.through(key(journal)) == 6
    notice = BaseNotice(chain=key(journal), base=9, school="no1", district="east")
    result = again.commit([], [notice])
    assert (result.base_skipped, result.through) == (3, {key(journal): 9})
    again.close()


def test_a_malformed_gap_block_excuses_nothing(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    journal.ports()
    odd = journal.gap(1, 2**40, b"", P1)
    result = store.commit([journal.arrival(odd)])
    assert result.through == {key(journal): 0}
    assert [b.seq for b in result.breaks] == [2]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_whole_chain_has_no_break_whatever_the_order(
    store: SqliteBlockStore,
    order: tuple[int, ...],
    restart: bool,
) -> None:
    journal = FakeJournal()
    arrivals = [journal.arrival(journal.ports()) for _ in range(3)]
    for index in order:
        assert list(store.commit([arrivals[index]]).breaks) == []
        if restart:
            store = reopened(store, clean=False)
    assert store.through(key(journal)) == 3
    store.close()


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_a_break_in_the_chain_is_told(
    store: SqliteBlockStore,
    late: bool,
    restart: bool,
) -> None:
    journal = FakeJournal()
    one = journal.arrival(journal.ports())
    journal.heads[P1] = (2, b"y" * 32)
    two = journal.arrival(journal.ports())
    three = journal.arrival(journal.ports())
    breaks = []
    for arrival in (three, two, one) if late else (one, two, three):
        result = store.commit([arrival])
        assert len(result.stored) == 1, "counted, not refused"
        breaks += [(b.seq, b.school) for b in result.breaks]
        if restart:
            store = reopened(store, clean=False)
    assert breaks == [(2, "no1")]
    store.close()


def test_checkpoints_bound_the_scan(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    blocks = [journal.status() for _ in range(CHECKPOINT_ROWS + 600)]
    for start in range(0, len(blocks), 503):
        store.commit([journal.arrival(block) for block in blocks[start : start + 503]])
    again = reopened(store, clean=False)
    file = again._open["east"]
    assert file.checkpoint >= CHECKPOINT_ROWS
    assert len(list(file.tail())) < CHECKPOINT_ROWS
    assert again.through(key(journal)) == len(blocks)
    again.close()


def test_districts_have_files_of_their_own_and_one_failing_keeps_the_other(
    store: SqliteBlockStore,
) -> None:
    east, west = FakeJournal(), FakeJournal(school="no9", district="west")
    store.commit([east.arrival(east.ports()), west.arrival(west.ports())])
    store._open["west"]._database.execute("DROP TABLE blocks")
    bad = west.arrival(west.ports())
    result = store.commit([east.arrival(east.ports()), bad])
    assert len(result.stored) == 1
    assert list(result.failed) == [bad]
    assert "no such table" in result.error
    assert result.through[key(west)] == 1, "no receipt for what failed"


def test_a_full_disk_keeps_nothing_half(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    store.commit([journal.arrival(journal.ports())])
    database = store._open["east"]._database
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count={pages}")
    many = [
        journal.arrival(journal.ports(ports=[f"GE{i}-{n}" for i in range(40)])) for n in range(80)
    ]
    result = store.commit(many)
    assert (len(result.stored), len(result.failed)) == (0, 80)
    assert "full" in result.error
    assert result.through == {key(journal): 1}
    database.execute("PRAGMA max_page_count=100000")
    result = store.commit(result.failed)
    assert len(result.stored) == 80
    again = reopened(store, clean=False)
    assert again.through(key(journal)) == 81
    assert len(list(again.read())) == 81
    again.close()


def test_read_by_time_school_and_stream(store: SqliteBlockStore) -> None:
    one, two = FakeJournal(), FakeJournal(school="no2")
    arrivals = []
    for minute in range(4):
        for journal in (one, two):
            at = NOON_NS + minute * 60 * 10**9
            arrivals += [
                journal.arrival(b, received_ns=at) for b in (journal.ports(), journal.status())
            ]
    store.commit(arrivals)

    def count(**filters: Any) -> int:
        return len(list(store.read(**filters)))

    assert count() == 16
    assert count(school="no2") == 8
    assert count(school="no3") == 0
    assert count(stream="port-state") == 8
    assert count(school="no1", stream="switch-status", from_ns=NOON_NS + 60 * 10**9) == 3
    assert count(to_ns=NOON_NS + 60 * 10**9) == 4
    received = [found.received_ns for found in store.read()]
    assert received == sorted(received)


def test_read_after_walks_on_over_days(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    for number in range(3):
        at = NOON_NS + number * DAY_NS
        store.commit([journal.arrival(journal.ports(), received_ns=at) for _ in range(5)])
    day, position = "", 0
    seen: list[int] = []
    while found := store.read_after("east", day, position, 2):
        day, position = found[-1].day, found[-1].position
        seen += [one.block.seq for one in found]
    assert seen == list(range(1, 16))


@pytest.mark.parametrize("column", ["data", "received_ns", "seq", "coding"])
def test_a_flipped_bit_is_found_by_the_row_crc(store: SqliteBlockStore, column: str) -> None:
    journal = FakeJournal()
    store.commit([journal.arrival(journal.ports()) for _ in range(3)])
    path = store._open["east"].path
    store.close()
    with sqlite3.connect(path) as database:
        select = f"SELECT {column} FROM blocks WHERE id = 2"  # noqa: S608 - a table of columns
        value = database.execute(select).fetchone()[0]
        damaged = bytes([value[0] ^ 1]) + value[1:] if column == "data" else value ^ 64
        update = f"UPDATE blocks SET {column} = ? WHERE id = 2"  # noqa: S608 - the same
        database.execute(update, (damaged,))
    database.close()
    again = SqliteBlockStore(store._folder)
    again.start()
    assert [found.position for found in again.read()] == [1, 3]
    assert again.usage().damaged_rows == 1
    again.close()


def test_retention_unlinks_days_and_bounds_the_disk(tmp_path: Path) -> None:
    store = SqliteBlockStore(tmp_path, retention_days=2)
    store.start()
    journal = FakeJournal()
    for day in range(5):
        at = NOON_NS + day * DAY_NS
        store.commit([journal.arrival(journal.ports(wall_ns=at), received_ns=at)])
    usage = store.usage()
    assert (usage.files, usage.oldest_day, usage.newest_day) == (2, "2026-09-25", "2026-09-26")
    assert usage.bytes > 0
    first = journal.made[0][0]
    late = journal.arrival(first, received_ns=NOON_NS + 4 * DAY_NS)
    assert store.commit([late]).duplicates == 1, "known beyond the days that are kept"
    again = reopened(store, clean=False)
    assert again.commit([late]).duplicates == 1
    again._limit_bytes = 1
    assert again.retain(NOON_NS + 4 * DAY_NS) == 1
    assert again.usage().files == 1, "today's file stays"
    again.close()


def test_a_wall_clock_that_steps_back_stays_in_the_newest_file(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    store.commit([journal.arrival(journal.ports())])
    store.commit([journal.arrival(journal.ports(), received_ns=NOON_NS - 3 * DAY_NS)])
    assert store.usage().files == 1
    again = reopened(store, clean=True)
    again.commit([journal.arrival(journal.ports(), received_ns=NOON_NS - 3 * DAY_NS)])
    assert again.usage().files == 1
    again.close()


def test_two_controllers_do_not_share_a_folder(store: SqliteBlockStore) -> None:
    with pytest.raises(StoreError, match="another controller"):
        SqliteBlockStore(store._folder).start()


def test_a_file_of_another_format_is_refused(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    store.commit([journal.arrival(journal.ports())])
    store._open["east"]._database.execute("UPDATE about SET value = 99 WHERE key = 'format'")
    store.close()
    again = SqliteBlockStore(store._folder)
    again.start()
    assert "format 99" in again.unread["east"]
    west = FakeJournal(school="no2", district="west")
    bad = journal.arrival(journal.ports())
    result = again.commit([bad, west.arrival(west.ports())])
    assert list(result.failed) == [bad], "one district's file holds up no other"
    assert "format 99" in result.error
    with sqlite3.connect(next((store._folder / "east").glob("*.blocks"))) as database:
        database.execute("UPDATE about SET value = 1 WHERE key = 'format'")
    database.close()
    assert not again.commit([bad]).failed, "mended while it runs"
    assert again.unread == {}
    assert again.through(key(journal)) == 2
    again.close()


def test_a_clock_that_jumps_ahead_ages_nothing_out(tmp_path: Path) -> None:
    store = SqliteBlockStore(tmp_path, retention_days=2)
    store.start()
    journal = FakeJournal()
    for day in range(2):
        at = NOON_NS + day * DAY_NS
        store.commit([journal.arrival(journal.ports(wall_ns=at), received_ns=at)])
    year = NOON_NS + 365 * DAY_NS
    assert store.retain(year) == 0
    late = journal.ports(wall_ns=NOON_NS + DAY_NS + 1)
    store.commit([journal.arrival(late, received_ns=year)])
    assert store.retain(year) == 0
    assert (store.usage().files, store.usage().newest_day) == (3, "2026-09-24")
    again = reopened(store, clean=False)
    again._retention_days = 2
    assert again.retain(year) == 0, "nor after a restart"
    again.close()


def test_what_has_to_stay_is_kept_before_a_file_goes(tmp_path: Path) -> None:
    store = SqliteBlockStore(tmp_path, retention_days=1)
    store.start()
    journal, asked = FakeJournal(), list[Path]()

    def keep(path: Path) -> None:
        asked.append(path)
        if len(asked) == 1:
            raise StoreError("the disk is full")

    store.before_removal = keep
    for day in range(4):
        at = NOON_NS + day * DAY_NS
        store.commit([journal.arrival(journal.ports(wall_ns=at), received_ns=at)])
    assert len(asked) >= 2
    assert asked[0] == asked[1], "tried again before it went"
    assert not asked[0].exists()
    store.close()


def test_reading_goes_on_beside_writing(store: SqliteBlockStore) -> None:
    journal = FakeJournal()
    store.commit([journal.arrival(journal.ports()) for _ in range(50)])
    reader = store.read()
    next(reader)
    done = threading.Event()

    def write() -> None:
        store.commit([journal.arrival(journal.ports()) for _ in range(50)])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert done.wait(20)
    thread.join()
    assert sum(1 for _ in reader) == 49, "a reader sees the moment it began"


_KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import FakeJournal
from controller.store.blocks import SqliteBlockStore
store = SqliteBlockStore(Path({folder!r}))
store.start()
journal = FakeJournal(journal_id=bytes(16))
while True:
    result = store.commit([journal.arrival(journal.ports()) for _ in range(7)])
    sys.stdout.write(f"{{max(result.through.values())}}\\n")
    sys.stdout.flush()
"""


def test_kill_9_keeps_every_acknowledged_block(tmp_path: Path) -> None:
    code = _KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(40)]
        child.kill()
        lines += child.stdout.read().splitlines(keepends=True)
    promised = max(int(line) for line in lines if line.endswith("\n"))
    store = SqliteBlockStore(tmp_path)
    store.start()
    through = store.through(ChainKey(bytes(16), P1))
    seqs = [found.block.seq for found in store.read()]
    assert through >= promised >= 40 * 7
    assert seqs == list(range(1, through + 1)), "once each"
    store.close()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_order_of_resends_batches_and_restarts_stores_each_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    store = SqliteBlockStore(tmp_path_factory.mktemp("blocks"))
    store.start()
    journal = FakeJournal()
    blocks: list[Block] = [journal.ports() for _ in range(12)]
    sent: set[int] = set()
    stored = 0
    for _ in range(data.draw(st.integers(1, 8))):
        batch = data.draw(st.lists(st.sampled_from(range(12)), max_size=8))
        day = data.draw(st.integers(0, 2)) * DAY_NS
        arrivals = [journal.arrival(blocks[index], received_ns=NOON_NS + day) for index in batch]
        result = store.commit(arrivals)
        stored += len(result.stored)
        sent |= set(batch)
        assert len(result.stored) + result.duplicates == len(batch)
        assert list(result.breaks) == []
        action = data.draw(st.sampled_from(["go on", "restart", "kill"]))
        if action != "go on":
            store = reopened(store, clean=action == "restart")
    assert stored == len(sent)
    assert sorted(found.block.seq for found in store.read()) == sorted(n + 1 for n in sent)
    expected = 0
    while expected in sent:
        expected += 1
    assert store.through(key(journal)) == expected
    store.close()
