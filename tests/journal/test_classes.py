"""Heads and counts of a class; what its files hold is in test_journal.py."""

from collections.abc import Callable
from pathlib import Path

from tenone.blocks.block import FIRST_PREVIOUS, Draft
from tenone.journal.classes import ClassJournal
from tenone.journal.segment import Segment
from tenone.vocabulary.states import PriorityClass
from tests.journal.conftest import PowerCutDisk

FOLDER = Path("p1")


def test_head_and_kept_follow_files_and_base(
    power_cut_disk: Callable[..., PowerCutDisk], draft: Callable[[PriorityClass, int], Draft]
) -> None:
    disk = power_cut_disk()
    one = ClassJournal(PriorityClass.P1, FOLDER)
    previous = FIRST_PREVIOUS
    for first in (1, 4):
        segment = Segment.create(
            disk,
            FOLDER,
            journal_id=bytes(16),
            priority=PriorityClass.P1,
            seq=first,
            previous=previous,
        )
        one.segments.append(segment)
        assert (one.active, one.head) == (segment, first - 1)
        for seq in range(first, first + 3):
            made = draft(PriorityClass.P1, seq)
            block = made.seal(bytes(16), seq, previous)
            segment.append([block], [made.layout])
            previous = block.hash
    assert (one.head, one.kept) == (6, 6)
    one.base = 4
    assert (one.head, one.kept) == (6, 2)
