import contextlib
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenone.blocks.block import Block, Draft
from tenone.journal.journal import GAP_LAYOUT, Journal, JournalError
from tenone.journal.records import RecordKind, encode
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import PriorityClass
from tests.journal.conftest import STREAMS, PowerCutDisk, PowerOff, make_draft

P0, P1, P2, P3 = PriorityClass
FOLDER = Path("outbox")
DraftMaker = Callable[[PriorityClass, int], Draft]


def open_journal(disk: object, limit: int = 1 << 30, segment: int = 4 << 20) -> Journal:
    return Journal.open(
        FOLDER,
        clock=ManualClock(),
        agent="no3",
        boot_id=bytes(16),
        limit_bytes=limit,
        disk=disk,  # type: ignore[arg-type]  # the simulated disk is structural
        segment_bytes=segment,
    )


def everything(journal: Journal, priority: PriorityClass) -> list[Block]:
    return journal.pending(priority, 0, 1 << 40)


def gaps(blocks: list[Block]) -> list[tuple[int, int, int, str]]:
    found = []
    for block in blocks:
        if block.layout_id == GAP_LAYOUT.id:
            first, last, count, reason, _ = (
                column.raw()[0] for column in block.columns(GAP_LAYOUT)
            )
            found.append((int(first), int(last), int(count), str(reason)))
    return found


def test_blocks_come_back_in_order_and_chained(tmp_path: Path, draft: DraftMaker) -> None:
    journal = Journal.open(
        tmp_path, clock=ManualClock(), agent="no3", boot_id=bytes(16), limit_bytes=1 << 30
    )
    sent = journal.append([draft(P1, mark) for mark in range(20)] + [draft(P0, 99)])
    journal.close()
    again = Journal.open(
        tmp_path, clock=ManualClock(), agent="no3", boot_id=bytes(16), limit_bytes=1 << 30
    )
    found = everything(again, P1)
    assert [block.data for block in found] == [block.data for block in sent[:20]]
    assert found[0].follows(None)
    assert all(after.follows(before) for before, after in pairwise(found))
    assert again.journal_id == journal.journal_id
    assert again.layout(found[0].layout_id).stream == "port-counters"
    assert everything(again, P0)[0].seq == 1
    assert again.newest["no3/switch/p1", "port-counters"].seq == 20
    again.close()


def test_a_receipt_frees_files_and_is_remembered(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk, segment=4096)
    for mark in range(40):
        journal.append([draft(P1, mark)])
    before = journal.kept_bytes
    journal.forget(P1, 30)
    assert journal.kept_bytes < before
    assert [block.seq for block in everything(journal, P1)] == list(range(31, 41))
    journal.forget(P1, 10)  # an older receipt arrives late
    assert journal.base(P1) == 30
    journal.forget(P1, 4000)  # a receipt of more than there is
    assert (journal.base(P1), journal.head(P1), journal.kept_blocks) == (40, 40, 0)
    journal.append([draft(P1, 41)])  # carries the note of the receipt to the disk
    again = open_journal(disk, segment=4096)
    assert (again.base(P1), again.head(P1)) == (40, 41)
    assert again.append([draft(P1, 42)])[0].follows(everything(again, P1)[0])


def test_the_bound_takes_the_oldest_of_the_lowest_class_and_leaves_a_gap_record(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    journal = open_journal(power_cut_disk(), limit=64 * 1024, segment=4096)
    journal.append([draft(P0, mark) for mark in range(5)])
    for mark in range(60):
        journal.append([draft(P3, mark)])
    for mark in range(60):
        journal.append([draft(P1, mark)])
    assert journal.kept_bytes <= 64 * 1024
    assert journal.base(P0) == 0
    low = everything(journal, P3)
    told = gaps(low)
    assert told
    assert min(first for first, *_ in told) == 1
    assert all(reason == "disk-bound" for *_, reason in told)
    others = gaps(everything(journal, P1))
    assert sum(count for _, _, count, _ in told + others) == journal.evicted_blocks
    # Every number of the class is either still here or inside a told range.
    here = {block.seq for block in low}
    covered = {seq for first, last, *_ in told for seq in range(first, last + 1)}
    assert here | covered == set(range(1, journal.head(P3) + 1))
    assert len(everything(journal, P0)) == 5


def test_a_gap_record_names_the_hash_the_chain_goes_on_from(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    journal = open_journal(power_cut_disk(), limit=32 * 1024, segment=4096)
    kept: dict[int, Block] = {}
    for mark in range(300):
        for block in journal.append([draft(P3, mark)]):
            kept[block.seq] = block
    record = next(block for block in everything(journal, P3) if block.layout_id == GAP_LAYOUT.id)
    columns = record.columns(GAP_LAYOUT)
    last = int(columns[1].raw()[0])
    assert columns[4].raw()[0] == kept[last].hash.hex()


def test_a_full_disk_gives_up_the_lowest_class_and_goes_on(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk(capacity=200_000)
    journal = open_journal(disk, limit=1 << 30, segment=8192)
    journal.append([draft(P1, 1)])
    for mark in range(1000):
        journal.append([draft(P3, mark)])
    assert journal.evicted_blocks > 0
    assert [block.seq for block in everything(journal, P1)] == [1]
    low = everything(journal, P3)
    assert sum(count for _, _, count, _ in gaps(low)) <= journal.evicted_blocks
    assert low[-1].stamp.wall_ns == 999
    again = open_journal(disk, limit=1 << 30, segment=8192)
    assert [block.data for block in everything(again, P3)] == [block.data for block in low]


def test_a_disk_with_no_room_at_all_is_one_clear_error_and_uses_no_number(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk)
    journal.append([draft(P1, 1)])
    disk.capacity = 0  # type: ignore[attr-defined]  # the fixture hides the class
    with pytest.raises(JournalError, match="disk is full"):
        journal.append([draft(P1, 2), draft(P2, 3)])
    disk.capacity = 1 << 30  # type: ignore[attr-defined]  # the same
    after = journal.append([draft(P1, 4), draft(P2, 5)])
    assert after[0].seq == everything(journal, P1)[-1].seq
    assert all(later.seq == earlier.seq + 1 for earlier, later in pairwise(everything(journal, P1)))


def test_a_failed_sync_promises_nothing_more(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk)
    disk.fail_sync = True  # type: ignore[attr-defined]  # the fixture hides the class
    with pytest.raises(JournalError, match="restart the agent"):
        journal.append([draft(P1, 1)])
    disk.fail_sync = False  # type: ignore[attr-defined]  # the same
    with pytest.raises(JournalError, match="restart the agent"):
        journal.append([draft(P1, 2)])


def test_damage_in_the_middle_costs_what_it_hit_and_is_told_once(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk)
    sent = [journal.append([draft(P1, mark)])[0] for mark in range(10)]
    path = next(path for path in disk.live if path.parent.name == "p1")  # type: ignore[attr-defined]  # the fixture hides the class
    data = disk.live[path]  # type: ignore[attr-defined]  # the same
    data[data.find(sent[4].data) + 150] ^= 1
    for _ in range(3):
        journal = open_journal(disk)
        found = everything(journal, P1)
        assert [block.seq for block in found if block.seq <= 10] == [1, 2, 3, 4, 6, 7, 8, 9, 10]
        assert gaps(found) == [(5, 5, 1, "damaged")]


@pytest.mark.parametrize("room", [0, 1, 69, 70, 71, 90])
def test_a_file_that_cannot_be_started_costs_nothing(
    power_cut_disk: Callable[..., PowerCutDisk], draft: DraftMaker, room: int
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk, segment=4096)
    journal.append([draft(P3, 1000 + mark) for mark in range(100)])
    disk.new_file_room = room
    sent = [journal.append([draft(P1, mark)])[0] for mark in range(40)]
    journal.forget(P1, 30)
    disk.new_file_room = None
    sent += [journal.append([draft(P1, mark)])[0] for mark in range(40, 80)]
    assert journal.evicted_blocks == 0
    for one in (journal, open_journal(disk, segment=4096)):
        assert [block.data for block in everything(one, P1)] == [block.data for block in sent[30:]]


def test_a_damaged_first_file_is_told(
    power_cut_disk: Callable[..., PowerCutDisk], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk, segment=4096)
    sent = [journal.append([draft(P1, mark)])[0] for mark in range(12)]
    data = disk.live[min(path for path in disk.live if path.parent.name == "p1")]
    hit = [block.seq for block in sent if data.find(block.data) >= 0]
    for seq in hit:
        data[data.find(sent[seq - 1].data) + 150] ^= 1
    assert 0 < len(hit) < len(sent)
    for _ in range(2):
        found = everything(open_journal(disk, segment=4096), P1)
        assert gaps(found) == [(1, len(hit), len(hit), "damaged")]
        assert [block.seq for block in found][:-1] == list(range(len(hit) + 1, len(sent) + 1))


def test_blocks_whose_layout_is_damaged_are_told_and_their_numbers_not_used_again(
    power_cut_disk: Callable[..., PowerCutDisk], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk)
    journal.append([draft(P1, mark) for mark in range(5)])
    data = next(data for path, data in disk.live.items() if path.parent.name == "p1")
    data[data.find(STREAMS[P1].document) + 5] ^= 1
    for _ in range(2):
        found = everything(open_journal(disk), P1)
        assert [block.seq for block in found] == [6]
        assert gaps(found) == [(1, 5, 5, "damaged")]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("journal.json", lambda _: b"{}"),
        ("journal.json", lambda _: b""),
        ("1.journal", lambda _: encode(RecordKind.LAYOUT, b'{"format": 9}')),
        ("1.journal", lambda _: encode(RecordKind.BLOCK, b"T1BK\x09" + bytes(300))),
    ],
)
def test_what_another_version_wrote_is_one_clear_sentence(
    power_cut_disk: Callable[..., PowerCutDisk],
    draft: DraftMaker,
    name: str,
    change: Callable[[bytes], bytes],
) -> None:
    disk = power_cut_disk()
    open_journal(disk).append([draft(P1, 1)])
    path = next(path for path in disk.live if path.name.endswith(name))
    disk.live[path] = bytearray(change(bytes(disk.live[path])))
    with pytest.raises(JournalError, match="run the version that wrote it"):
        open_journal(disk)


def test_another_journals_file_is_refused(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    open_journal(disk).append([draft(P1, 1)])
    disk.remove(FOLDER / "journal.json")  # type: ignore[attr-defined]  # the fixture hides the class
    with pytest.raises(JournalError, match="another journal"):
        open_journal(disk)


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(5, 60))
def test_what_was_kept_survives_every_power_cut(seed: int, steps: int) -> None:
    chance = random.Random(seed)
    disk = PowerCutDisk(seed)
    journal = open_journal(disk, segment=4096)
    kept: dict[PriorityClass, dict[int, bytes]] = {one: {} for one in PriorityClass}
    told = dict.fromkeys(PriorityClass, 0)
    for step in range(steps):
        choice = chance.random()
        priority = chance.choice(list(PriorityClass))
        if choice < 0.6:
            drafts = [
                make_draft(chance.choice(list(PriorityClass)), step)
                for _ in range(chance.randint(1, 4))
            ]
            for block in journal.append(drafts):
                kept[block.priority][block.seq] = block.data
        elif choice < 0.8 and kept[priority]:
            told[priority] = max(told[priority], chance.randint(0, max(kept[priority])))
            journal.forget(priority, told[priority])
        else:
            disk.cut()
            journal = open_journal(disk, segment=4096)
        for one in PriorityClass:
            have = {block.seq: block.data for block in everything(journal, one)}
            wanted = {seq: data for seq, data in kept[one].items() if seq > told[one]}
            assert wanted.items() <= have.items()
            assert all(kept[one].get(seq, data) == data for seq, data in have.items())


def test_what_cannot_be_sent_is_told_once(
    power_cut_disk: Callable[..., PowerCutDisk], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    journal = open_journal(disk)
    sent = journal.append([draft(P1, mark) for mark in range(5)])
    for seq in (2, 2, 99):
        journal.give_up(P1, seq)
    journal = open_journal(disk)
    journal.give_up(P1, 2)
    found = everything(journal, P1)
    assert [block.seq for block in found] == [1, 2, 3, 4, 5, 6]
    assert gaps(found) == [(2, 2, 1, "unsendable")]
    assert found[-1].columns(GAP_LAYOUT)[4].raw()[0] == sent[1].hash.hex()
    journal.forget(P1, 6)
    journal.give_up(P1, 2)
    assert everything(journal, P1) == []


def test_a_folder_that_was_set_back_goes_on_as_a_new_journal(
    power_cut_disk: Callable[..., PowerCutDisk], draft: DraftMaker
) -> None:
    """Its next numbers are taken at the city; what is unreceipted must not be lost with them."""
    disk = power_cut_disk()
    journal = open_journal(disk, segment=4096)
    journal.append([draft(P1, mark) for mark in range(30)] + [draft(P3, 99)])
    journal.forget(P1, 10)
    journal.set_back(P1, 50)
    assert "is a copy or was restored" in journal.broken
    with pytest.raises(JournalError, match="is a copy"):
        journal.append([draft(P1, 31)])
    old = journal.journal_id
    for turn in range(2):
        journal = open_journal(disk, segment=4096)
        assert journal.journal_id != old
        assert not journal.broken
        found = everything(journal, P1)
        assert [block.seq for block in found] == list(range(1, 21 + turn))
        assert [block.stamp.wall_ns for block in found][:20] == list(range(10, 30))
        assert found[0].follows(None)
        assert [block.stamp.wall_ns for block in everything(journal, P3)] == [99]
        assert journal.base(P1) == 0
        journal.append([draft(P1, 100 + turn)])
    journal.set_back(P1, 80)
    assert open_journal(disk).journal_id not in {old, journal.journal_id}
    assert len([path for path in disk.live if path.suffix == ".journal"]) == 4


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), writes=st.integers(0, 40))
def test_beginning_anew_survives_a_power_cut_at_any_write(seed: int, writes: int) -> None:
    disk = PowerCutDisk(seed)
    journal = open_journal(disk, segment=4096)
    journal.append([make_draft(P1, mark) for mark in range(30)])
    journal.set_back(P1, 50)
    old = journal.journal_id
    disk.cut()
    disk.writes_left = writes
    with contextlib.suppress(JournalError, PowerOff):
        open_journal(disk, segment=4096)
    disk.writes_left = None
    disk.cut()
    journal = open_journal(disk, segment=4096)
    assert journal.journal_id != old
    assert [block.stamp.wall_ns for block in everything(journal, P1)] == list(range(30))
    assert "set-back.json" not in disk.names(FOLDER)
