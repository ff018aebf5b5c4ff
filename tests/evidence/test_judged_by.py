"""Maintenance that is approved, ended or cancelled after a day was judged opens that day again."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from controller.evidence.desk import Desk
from controller.evidence.judged_by import JudgedBy
from controller.evidence.recorder import Recorder
from controller.evidence.room import EvidenceRoom
from controller.evidence.verify import verify
from controller.sla.availability import Maintenance
from controller.store.protocols import NS
from tenone.calendar.intervals import Span
from tests.evidence.test_verify import ASKED, END_NS, MADE
from tests.evidence.world import DAY, MORNING_NS, SPAN, World, random_morning

HOUR = 3600 * NS
OLD = date(2026, 1, 1)
LATER = DAY + timedelta(days=3)


class Office:
    """Who approves."""

    def __init__(self) -> None:
        self.windows: dict[str, list[Maintenance]] = {}

    def approve(self, link: str, start_ns: int, end_ns: int, by: str | None = "wang") -> None:
        self.windows.setdefault(link, []).append(
            Maintenance(start_ns=start_ns, end_ns=end_ns, approved_by=by)
        )

    def __call__(self, link: str) -> Sequence[Maintenance]:
        return self.windows.get(link, ())


@pytest.mark.parametrize(
    ("windows", "days"),
    [
        ([(MORNING_NS, MORNING_NS + HOUR)], {DAY}),
        ([(SPAN.start_ns - 1, SPAN.start_ns + 1)], {DAY - timedelta(days=1), DAY}),
        ([(MORNING_NS, SPAN.end_ns)], {DAY}),  # the end does not belong to it
        ([(MORNING_NS, 2**62)], {DAY + timedelta(days=n) for n in range(4)}),  # no day to come
        ([(0, SPAN.start_ns - 300 * 86_400 * NS)], set()),  # no day before the means
        ([(MORNING_NS, MORNING_NS)], set()),
    ],
)
def test_days_that_change(tmp_path: Path, windows: list[tuple[int, int]], days: set[date]) -> None:
    office, kept = Office(), JudgedBy(tmp_path / "works.json")
    assert not kept.open()
    for start, end in windows:
        office.approve("no1/up", start, end)
    found = kept.learn(["no1/c301", "no1/up"], office, OLD, LATER)
    assert found.get("no1/up", set()) == days
    assert "no1/c301" not in found
    assert kept.learn(["no1/c301", "no1/up"], office, OLD, LATER) == {}, "told once"


def test_what_is_not_approved_changes_nothing(tmp_path: Path) -> None:
    office, kept = Office(), JudgedBy(tmp_path / "works.json")
    office.approve("no1/up", MORNING_NS, SPAN.end_ns, by=None)
    assert kept.learn(["no1/up"], office, OLD, LATER) == {}


def test_it_outlives_a_restart_once_it_is_saved(tmp_path: Path) -> None:
    office, kept = Office(), JudgedBy(tmp_path / "works.json")
    office.approve("no1/up", MORNING_NS, MORNING_NS + HOUR)
    office.approve("no1/c301", MORNING_NS, MORNING_NS + HOUR)
    kept.learn(["no1/up", "no1/c301"], office, OLD, LATER)
    again = JudgedBy(tmp_path / "works.json")
    assert not again.open()
    assert again.learn(["no1/up"], office, OLD, LATER), "nobody judged yet: it is news again"
    kept.save()
    again = JudgedBy(tmp_path / "works.json")
    assert again.open()
    assert again.learn(["no1/up", "no1/c301"], office, OLD, LATER) == {}
    (work,) = again.of("no1/up")
    assert Span(work.start_ns, work.end_ns) == (MORNING_NS, MORNING_NS + HOUR)
    office.windows["no1/up"].clear()
    assert again.learn(["no1/up"], office, OLD, LATER) == {"no1/up": {DAY}}, "it was cancelled"


def test_a_file_that_cannot_be_read_is_news_of_everything(tmp_path: Path) -> None:
    for junk in (b"", b"{}", b'{"works": [{"links": ["a"]}]}', b"[1]"):
        (tmp_path / "works.json").write_bytes(junk)
        assert not JudgedBy(tmp_path / "works.json").open()


class _Room(EvidenceRoom):
    """The room's judging alone, over the roll-ups of a world."""

    def __init__(self, world: World, file: Path) -> None:
        self.schools = {"no1": world.school}
        self.rollups, self._days = world.rollups, world.recorder._days
        self._judged = {}
        self.judged_by = JudgedBy(file)
        self.judged_by.open()
        world.judge._works = self.judged_by.of
        self.world = world

    def round(self, now_ns: int) -> Recorder:
        self._judge_touched(self.world.recorder, self.world.judge, now_ns)
        return self.world.recorder


def test_a_judged_day_is_judged_again_and_its_bundle_verifies(world: World, tmp_path: Path) -> None:
    world.commit(random_morning(world, 1))
    world.settle(END_NS + NS)
    office, now_ns = Office(), SPAN.end_ns + 2 * 86_400 * NS
    room = _Room(world, tmp_path / "works.json")
    room.works = office
    room.round(now_ns)
    before = world.day("no1/c301")
    office.approve("no1/c301", MORNING_NS, MORNING_NS + 20 * 60 * NS)

    def desk() -> Desk:
        return Desk(
            city="binhai", schools=room.schools, rollups=world.rollups, seals=world.seals,
            blocks=world.store, names={}, works=room.judged_by.of, oldest_day="2026-01-01",
        )  # fmt: skip

    report = desk().sla(ASKED, MADE)
    assert verify(desk().evidence(ASKED, report)).faults == [], "approved, not judged by it yet"
    room.round(now_ns)
    after = world.day("no1/c301")
    assert after["judged_ns"] == after["service_ns"] - 20 * 60 * NS < before["judged_ns"]
    assert after["minutes_good"] < before["minutes_good"]
    assert after["means"] == before["means"], "traffic is not the promise: it stays"
    again = desk().sla(ASKED, MADE)
    assert again["inputs_sha256"] != report["inputs_sha256"]
    verdict = verify(desk().evidence(ASKED, again))
    assert verdict.equal, verdict.faults
    office.windows.clear()  # cancelled: the day is what it was
    room.round(now_ns)
    assert world.day("no1/c301") == before


def test_what_could_not_be_judged_is_judged_later(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit(random_morning(world, 1))
    world.settle(END_NS + NS)
    office, now_ns = Office(), SPAN.end_ns + 86_400 * NS
    room = _Room(world, tmp_path / "works.json")
    room.works = office
    room.round(now_ns)
    before = world.day("no1/up")
    office.approve("no1/up", MORNING_NS, MORNING_NS + HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(world.judge, "judge", _full)
        with pytest.raises(OSError, match="full"):
            room.round(now_ns)
    assert not JudgedBy(tmp_path / "works.json").open(), "nothing was judged by it yet"
    room.round(now_ns)
    assert world.day("no1/up")["judged_ns"] < before["judged_ns"]


def _full(*_: object) -> int:
    raise OSError("the disk is full")
