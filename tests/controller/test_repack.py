"""Repacking: the same blocks to the last byte, in less room, whatever happens on the way."""

import sqlite3
from pathlib import Path

import pytest

from controller.store import repack as module
from controller.store.blocks import SqliteBlockStore
from controller.store.dayfile import encode_delta
from controller.store.protocols import DAY_NS, ChainKey, StoreError
from controller.store.repack import closed, repack
from tenone.vocabulary.states import PriorityClass

from .conftest import NOON_NS, FakeJournal

P1 = PriorityClass.P1


@pytest.fixture
def store(tmp_path: Path) -> SqliteBlockStore:
    store = SqliteBlockStore(tmp_path)
    store.start()
    journal = FakeJournal()
    ports = [f"GE0/0/{number}" for number in range(48)]
    for number in range(200):
        wall_ns = NOON_NS + number * 10**10
        store.commit([journal.arrival(journal.ports(ports=ports, wall_ns=wall_ns))])
    store.commit([journal.arrival(journal.gap(300, 300, b"", P1))])
    store.commit([journal.arrival(journal.ports(wall_ns=NOON_NS + DAY_NS))])
    return store


def test_every_block_comes_back_and_the_file_is_smaller(store: SqliteBlockStore) -> None:
    before = [(one.data, one.position, one.age_ns) for one in store.read()]
    (path,) = closed(store._folder)
    done = repack(path)
    assert done.after_bytes < 0.7 * done.before_bytes
    assert [(one.data, one.position, one.age_ns) for one in store.read()] == before
    assert list(closed(store._folder)) == []
    key = ChainKey(next(iter(store.chains())).journal_id, P1)
    chain = store.chains()[key]
    assert store._find(chain, key, 7) == before[6][0], "duplicates are still compared"
    assert store.usage().damaged_rows == 0
    store.close()
    again = SqliteBlockStore(store._folder)
    again.start()
    assert again.through(key) == store.through(key)
    again.close()


def test_a_damaged_row_stays_as_it_is(store: SqliteBlockStore) -> None:
    (path,) = closed(store._folder)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE blocks SET received_ns = received_ns + 1 WHERE id = 5")
    database.close()
    repack(path)
    assert [one.position for one in store.read()][:5] == [1, 2, 3, 4, 6]
    store.close()


def test_what_breaks_half_way_leaves_the_file_as_it_was(
    store: SqliteBlockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = closed(store._folder)
    before = [one.data for one in store.read()]
    count = 0

    def encode(data: bytes, dictionary: bytes) -> bytes:
        nonlocal count
        count += 1
        if count == 50:
            raise ValueError("power")
        return whole(data, dictionary)

    whole = encode_delta
    monkeypatch.setattr(module, "encode_delta", encode)
    with pytest.raises(StoreError, match="could not be repacked"):
        repack(path)
    assert [one.data for one in store.read()] == before
    assert list(closed(store._folder)) == [path], "and is tried again"
    store.close()
