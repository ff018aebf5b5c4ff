"""Raw blocks age out; what stays proves what a report rests on."""

from datetime import date, timedelta
from pathlib import Path

from controller.evidence.aged import Archive
from controller.evidence.desk import Asked, Desk, Made
from controller.evidence.verify import verify
from controller.store.protocols import DAY_NS, NS
from tests.evidence.world import DAY, MORNING_NS, World, random_morning

END_NS = MORNING_NS + 2700 * NS


def test_changes_stay_whole_and_all_others_by_hash(tmp_path: Path) -> None:
    world = World(tmp_path)
    archive = Archive(tmp_path / "stubs", world.rollups)
    world.store.before_removal = archive.keep
    blocks = random_morning(world, 4)
    world.commit(blocks)
    world.settle(END_NS + NS)
    asked = Asked(first=DAY, last=DAY, school="no1")

    def desk(oldest: str | None) -> Desk:
        return Desk(
            city="binhai", schools={"no1": world.school}, rollups=world.rollups, seals=world.seals,
            blocks=world.store, names={}, oldest_day=oldest, archive=archive,
        )  # fmt: skip

    report = desk("2026-01-01").sla(asked, Made(by="t", at_ns=1, version="1"))
    world.store._retention_days = 1
    later = world.state(END_NS + 5 * DAY_NS)
    world.commit([later])
    assert world.store.retain(END_NS + 5 * DAY_NS) >= 0
    assert world.store.usage().oldest_day == (DAY + timedelta(days=5)).isoformat()
    verdict = verify(desk(world.store.usage().oldest_day).evidence(asked, report))
    assert verdict.faults == []
    assert verdict.days_kept == 1
    assert 10 < verdict.blocks < len(blocks) / 2, "the others are hashes"
    assert verdict.sealed > verdict.blocks * 0.9, "by the trees that the checkpoints sign"
    note = next(note for note in verdict.notes if "stretches" in note)
    proved, _, of = note.partition(": ")[2].split(" ")[:3]
    assert int(proved) > 0.9 * int(of)
    assert archive.retain(DAY + timedelta(days=401)) >= 1
    world.close()


def test_a_damaged_file_is_left_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    archive = Archive(tmp_path / "stubs", world.rollups)
    world.commit([world.state(MORNING_NS)])
    (path,) = (tmp_path / "blocks" / "east").glob("*.blocks")
    archive.keep(path)
    archive.keep(path)
    first, last = date(2026, 1, 1), date(2027, 1, 1)
    assert len(list(archive.read("no1", first, last))) == 1
    (stubs,) = (tmp_path / "stubs" / "no1").iterdir()
    data = bytearray(stubs.read_bytes())
    data[60] ^= 1
    stubs.write_bytes(bytes(data))
    assert list(archive.read("no1", first, last)) == []
    assert list(archive.read("no9", first, last)) == []
    world.close()
