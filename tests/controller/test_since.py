"""Reading from a moment on: everything received then or later, of the streams asked for."""

from pathlib import Path

import pytest

from controller.store.blocks import SqliteBlockStore
from controller.store.since import read_since

from .conftest import NOON_NS, FakeJournal

SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A port block every second, a status each tenth, over two days' files of one district."""
    store = SqliteBlockStore(tmp_path, retention_days=30)
    store.start()
    journal = FakeJournal()
    moments = [NOON_NS + number * SECOND_NS for number in range(40)]
    moments += [NOON_NS + DAY_NS + number * SECOND_NS for number in range(40)]
    arrivals = []
    for number, moment in enumerate(moments):
        block = journal.status() if number % 10 == 9 else journal.ports()
        arrivals.append(journal.arrival(block, received_ns=moment))
    for arrival in arrivals:
        store.commit([arrival])
    store.close()
    return tmp_path


def received(folder: Path, from_ns: int, *streams: str) -> list[int]:
    return [
        (one.received_ns - NOON_NS) // SECOND_NS for one in read_since(folder, from_ns, streams)
    ]


@pytest.mark.parametrize("second", [-5, 0, 1, 17, 29, 39, 40, 86_400, 86_420, 86_439, 86_440])
def test_then_or_later(folder: Path, second: int) -> None:
    every = [*range(40), *range(86_400, 86_440)]
    found = received(folder, NOON_NS + second * SECOND_NS, "port-state", "switch-status")
    assert sorted(found) == [one for one in every if one >= second]


def test_only_the_streams_that_are_asked_for(folder: Path) -> None:
    blocks = read_since(folder, NOON_NS, ["switch-status"])
    streams = [one.layout.stream for one in blocks]
    assert streams == ["switch-status"] * 8


def test_a_file_without_tables_is_an_empty_one(folder: Path) -> None:
    (folder / "east" / "2099-01-01.blocks").touch()
    (folder / "west").mkdir()
    assert len(received(folder, NOON_NS + DAY_NS, "port-state")) == 36
