import logging
from typing import Any, cast

import pytest

from controller.keeping import MAX_UNKEPT, Keeping
from controller.store.protocols import LinkChange, StoreError
from controller.store.records import SqlRecords
from controller.threads import Thread
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import Severity, Verdict


class Records:
    def __init__(self) -> None:
        self.changes: list[LinkChange] = []
        self.ports: list[tuple[str, str]] = []
        self.broken = ""

    def append_changes(self, changes: list[LinkChange]) -> None:
        if self.broken == "changes":
            raise StoreError("the disk is full")
        self.changes += changes

    def learn_ports(self, school: str, switch: str, *_: object) -> None:
        if self.broken == "ports":
            raise StoreError("the disk is full")
        self.ports.append((school, switch))


def change(link: str) -> LinkChange:
    codes: dict[str, Any] = dict.fromkeys(
        ("at_ns", "since_ns", "causes", "oper", "admin", "speed_mbps", "duplex"), 0
    )
    return LinkChange(
        link=link, verdict=Verdict.GOOD, severity=Severity.NONE, block_hash=b"", **codes
    )


@pytest.mark.parametrize("broken", ["changes", "ports"])
async def test_what_cannot_be_written_is_written_later_once(broken: str) -> None:
    records, thread = Records(), Thread("records")
    keeping = Keeping(cast("SqlRecords", records), thread, ManualClock())
    keeping.take([change("a/b")], [("a", "sw1", [])])
    records.broken = broken
    with pytest.raises(StoreError):
        await keeping.write()
    assert not keeping.health().ready
    assert keeping.health().sentence == "the disk is full"
    records.broken = ""
    keeping.take([change("c/d")], [("c", "sw1", [])])
    await keeping.write()
    assert keeping.health().ready
    assert [one.link for one in records.changes] == ["a/b", "c/d"]
    assert records.ports == [("a", "sw1"), ("c", "sw1")]
    thread.end()


async def test_of_a_switchs_inventories_only_the_newest_waits() -> None:
    records, thread = Records(), Thread("records")
    keeping = Keeping(cast("SqlRecords", records), thread, ManualClock())
    keeping.take([], [("a", "sw1", []), ("a", "sw2", [])])
    records.broken = "ports"
    for _ in range(3):
        with pytest.raises(StoreError):
            await keeping.write()
        keeping.take([], [("a", "sw1", [])])
    records.broken = ""
    await keeping.write()
    assert sorted(records.ports) == [("a", "sw1"), ("a", "sw2")]
    thread.end()


def test_beyond_the_bound_the_oldest_changes_go_loudly(caplog: pytest.LogCaptureFixture) -> None:
    thread = Thread("records")
    keeping = Keeping(cast("SqlRecords", Records()), thread, ManualClock())
    with caplog.at_level(logging.ERROR):
        keeping.take([change("a/b")] * (MAX_UNKEPT + 3))
    assert "3 changes of links are given up" in caplog.text
    thread.end()
