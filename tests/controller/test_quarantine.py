"""The quarantine keeps what did not fit, bounded, and counts all of it."""

from pathlib import Path

import pytest

from controller.store.protocols import StoreError
from controller.store.quarantine import MAX_KEPT_BYTES, Quarantine, Refused


def refused(number: int, *, data: bytes = b"x", reason: str = "malformed") -> Refused:
    return Refused(at_ns=number, reason=reason, school="no1", topic="t", sentence="why", data=data)


def test_kept_counted_and_found_after_a_restart(tmp_path: Path) -> None:
    one = Quarantine(tmp_path / "sub" / "q.db")
    one.start()
    one.put([refused(1), refused(2, reason="conflict", data=b"bytes")])
    one.close()
    two = Quarantine(tmp_path / "sub" / "q.db")
    two.start()
    assert two.totals == {"malformed": 1, "conflict": 1}
    assert two.newest() == [refused(2, reason="conflict", data=b"bytes"), refused(1)]
    two.close()


def test_beyond_its_bounds_the_oldest_go_and_the_totals_stay(tmp_path: Path) -> None:
    box = Quarantine(tmp_path / "q.db", limit_rows=3)
    box.start()
    box.put([refused(number) for number in range(5)])
    assert [one.at_ns for one in box.newest()] == [4, 3, 2]
    assert box.totals == {"malformed": 5}
    box.close()
    small = Quarantine(tmp_path / "small.db", limit_bytes=60)
    small.start()
    small.put([refused(number, data=bytes(range(40))) for number in range(3)])
    assert [one.at_ns for one in small.newest()] == [2]
    small.put([refused(9, data=b"y" * (MAX_KEPT_BYTES + 1))])
    assert len(small.newest()[0].data) == MAX_KEPT_BYTES
    small.close()


def test_what_cannot_be_opened_or_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="cannot be opened"):
        Quarantine(tmp_path / "file" / "q.db").start()
    box = Quarantine(tmp_path / "q.db")
    with pytest.raises(StoreError, match="not open"):
        box.put([refused(1)])
    assert box.newest() == []
    box.start()
    assert box._database is not None
    box._database.execute("DROP TABLE refused")
    with pytest.raises(StoreError, match="cannot be written"):
        box.put([refused(1)])
    assert box.totals == {}
    box.close()
