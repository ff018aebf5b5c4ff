import json
from pathlib import Path

import pytest

from agents.quarantine import CURRENT, MAX_WAITING, OLDER, Quarantine
from drivers.devices.message import Reason
from tenone.journal.disk import OsDisk

NOW_NS = 1_790_000_000_123_456_789


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    return Quarantine(tmp_path / "q", disk=OsDisk())


def test_a_line_says_what_where_and_why(quarantine: Quarantine, tmp_path: Path) -> None:
    quarantine.add(Reason.JSON, "not JSON", "t1/board/b1/m", b"\xff\x00'\n" + b"x" * 400, NOW_NS)
    quarantine.write(quarantine.take_lines())
    assert read(tmp_path / "q" / CURRENT) == [
        {
            "time": 1790000000.123,
            "reason": "json",
            "why": "not JSON",
            "topic": "t1/board/b1/m",
            "count": 1,
            "bytes": 404,
            "head": "\\xff\x00'\n" + "x" * 196,
        }
    ]
    assert not quarantine.is_waiting


def test_alike_messages_share_a_line_and_are_all_counted(
    quarantine: Quarantine, tmp_path: Path
) -> None:
    for _ in range(10_000):
        quarantine.add(Reason.FLOOD, "too many", "t1/board/b1/m", b"x", NOW_NS)
    quarantine.add(Reason.TYPE, "no number", "t1/board/b1/m", b"x", NOW_NS)
    quarantine.write(quarantine.take_lines())
    assert [line["count"] for line in read(tmp_path / "q" / CURRENT)] == [10_000, 1]
    assert quarantine.counts == {Reason.FLOOD: 10_000, Reason.TYPE: 1}
    assert quarantine.total == 10_001


def test_many_different_topics_cost_bounded_memory(quarantine: Quarantine) -> None:
    for index in range(5 * MAX_WAITING):
        quarantine.add(Reason.TOPIC, "no topic", f"t1/{index}" + "/" * 60_000, b"", NOW_NS)
    lines = [json.loads(line) for line in quarantine.take_lines().splitlines()]
    assert len(lines) == MAX_WAITING + 1
    assert sum(line["count"] for line in lines) == 5 * MAX_WAITING
    assert max(len(line["topic"]) for line in lines) <= 200


def test_the_files_stay_within_the_bound_and_keep_the_newest(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, disk=OsDisk(), limit_bytes=20_000)
    for index in range(500):
        quarantine.add(Reason.TYPE, "why", f"t1/board/b{index}/m", b"x" * 200, NOW_NS)
        quarantine.write(quarantine.take_lines())
        sizes = [path.stat().st_size for path in tmp_path.iterdir()]
        assert sum(sizes) <= 20_000
    found = read(tmp_path / OLDER) + read(tmp_path / CURRENT)
    numbers = [int(str(line["topic"]).split("/")[2][1:]) for line in found]
    assert numbers == list(range(numbers[0], 500))
    assert len(numbers) > 20


def test_a_restart_goes_on_where_the_file_ends(tmp_path: Path) -> None:
    for index in range(60):
        quarantine = Quarantine(tmp_path, disk=OsDisk(), limit_bytes=8_000)
        quarantine.add(Reason.TYPE, "why", f"t1/board/b{index}/m", b"x" * 200, NOW_NS)
        quarantine.write(quarantine.take_lines())
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 8_000
    assert (tmp_path / OLDER).exists()
