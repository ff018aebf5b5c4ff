from typing import Any

import pytest

from agents.boards import BoardTable, Outcome
from drivers.devices.board import BoardSample
from drivers.wire.topics import Channel
from tenone.blocks.columns import Value
from tenone.vocabulary.states import ClockQuality


def sample(serial: str = "b1", *, n: int = 1, boot: str = "k", **values: Any) -> BoardSample:
    return BoardSample(
        serial=serial,
        channel=Channel.MEASUREMENT,
        boot=boot,
        n=n,
        time_ms=1000 + n,
        clock_quality=ClockQuality.UNKNOWN,
        values=values,
    )


def status(online: int, serial: str = "b1") -> BoardSample:
    return BoardSample(
        serial=serial,
        channel=Channel.STATUS,
        boot=None,
        n=None,
        time_ms=0,
        clock_quality=ClockQuality.IMPLAUSIBLE,
        values={"online": online},
    )


def row(table: BoardTable, index: int = 0) -> dict[str, Value | None]:
    return {
        column.metric.name: list(column)[index]
        for column in table.columns()
        if list(column)[index] is not None
    }


def test_what_was_never_said_is_unknown() -> None:
    table = BoardTable(["b1", "b2"])
    assert row(table) == {}
    assert [column.rows for column in table.columns()] == [2] * len(table.layout.columns)


def test_a_row_keeps_the_last_word_on_each_column() -> None:
    table = BoardTable(["b1", "b2"])
    table.apply(sample(n=1, app="a", screen_on=1))
    table.apply(sample(n=2, app=None, cpu_ratio=0.5))
    table.apply(status(1))
    assert row(table) == {
        "online": 1,
        "screen_on": 1,
        "cpu_ratio": 0.5,
        "message_counter": 2,
        "device_time_ms": 1002,
    }
    assert row(table, 1) == {}


@pytest.mark.parametrize(
    ("sent", "outcomes"),
    [
        ([("k", 1), ("k", 1)], ["new", "duplicate"]),
        ([("k", 2), ("k", 1), ("k", 1)], ["new", "late", "duplicate"]),
        ([("k", 9), ("j", 0)], ["new", "new"]),
        ([("k", 0), ("k", 5), ("k", 0)], ["new", "new", "duplicate"]),
    ],
)
def test_folds_by_boot_and_counter(sent: list[tuple[str, int]], outcomes: list[str]) -> None:
    table = BoardTable(["b1"])
    assert [table.apply(sample(boot=boot, n=n, app=f"{boot}{n}")) for boot, n in sent] == outcomes
    assert table.outcomes.total() == len(sent)


def test_a_fold_changes_nothing() -> None:
    table = BoardTable(["b1"])
    table.apply(sample(n=5, app="new"))
    version = table.version
    assert table.apply(sample(n=4, app="old")) is Outcome.LATE
    assert table.apply(sample(n=5, app="new")) is Outcome.DUPLICATE
    assert table.version == version
    assert row(table)["app"] == "new"


def test_a_time_the_agent_made_up_is_not_the_devices() -> None:
    table = BoardTable(["b1"])
    said = sample()
    table.apply(
        BoardSample(
            serial="b1",
            channel=said.channel,
            boot="k",
            n=1,
            time_ms=99,
            clock_quality=ClockQuality.IMPLAUSIBLE,
        )
    )
    assert "device_time_ms" not in row(table)


def test_the_last_status_counts_and_presence_can_be_forgotten() -> None:
    table = BoardTable(["b1"])
    table.apply(status(1))
    table.apply(status(0))
    assert row(table) == {"online": 0}
    version = table.version
    table.forget_presence()
    assert row(table) == {}
    assert table.version > version
    version = table.version
    table.forget_presence()
    assert table.version == version
