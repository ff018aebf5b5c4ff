"""Steps as blocks: what travels, what is left out, and that a journal stops no way back."""

import json
from collections.abc import Sequence

import pytest

from agents.origin import Origin
from agents.repair_steps import MOST_TRANSCRIPT, Steps, cable_json, cable_words, shortened
from drivers.cli.dialect import CableState, Pair
from tenone.blocks.block import Block, Draft
from tenone.journal.journal import JournalError
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.repairs import REPAIRS, RepairStep
from tenone.vocabulary.sayings import Saying, joined, read_clauses, said
from tests.agents.conftest import Kept
from tests.agents.test_pending import PENDING

PAIRS = (
    Pair("A", CableState.OK, 30.0),
    Pair("B", CableState.OPEN, 12.0),
    Pair("C", CableState.SHORT),
)


async def test_a_block_a_step(clock: ManualClock, kept: Kept) -> None:
    steps = Steps(origin=Origin(school="no1", boot_id=bytes(16), clock=clock), keep=kept.keep)
    await steps.tell(PENDING, RepairStep.GOOD, "up", transcript="> x", cable="[]")
    (draft,) = kept.of("repairs")
    assert draft.layout.rows == ("a-1",)
    assert draft.layout.columns == REPAIRS
    assert draft.stamp.subject == "no1/gateway/repairs"
    assert [next(iter(column)) for column in draft.columns] == [
        "restore-negotiation",
        "core",
        "GE1/0/1",
        3,
        clock.wall_ns() // 1_000_000,
        "up",
        "[]",
        "> x",
        '[["words", {"text": "up"}]]',
    ]


async def test_a_journal_that_fails_is_told_of_a_beginning_and_not_of_a_way_back(
    clock: ManualClock,
) -> None:
    async def broken(_: Sequence[Draft]) -> list[Block]:
        raise JournalError("the disk is gone")

    steps = Steps(origin=Origin(school="no1", boot_id=bytes(16), clock=clock), keep=broken)
    with pytest.raises(JournalError):
        await steps.tell(PENDING, RepairStep.BEGUN, "")
    await steps.note(PENDING, RepairStep.UNDOING, "")


def test_of_a_long_transcript_beginning_and_end_are_kept() -> None:
    text = "a" * 20_000 + "z" * 20_000
    short = shortened(text)
    assert len(short) <= MOST_TRANSCRIPT
    assert (short[0], short[-1]) == ("a", "z")
    assert "characters left out" in short
    assert shortened("short") == "short"


def test_a_cable_in_json_and_in_words() -> None:
    assert json.loads(cable_json(PAIRS))[1] == {"pair": "B", "state": "open", "metres": 12.0}
    assert cable_words(PAIRS) == "the cable test says: pair B open at 12 m, pair C short"
    assert "no bad pair" in cable_words(PAIRS[:1])


async def test_clauses_travel_with_their_secrets_masked(clock: ManualClock, kept: Kept) -> None:
    steps = Steps(origin=Origin(school="no1", boot_id=bytes(16), clock=clock), keep=kept.keep)
    why = "core says: password cipher CANARY"
    sentence = joined(said(Saying.TAKEN), said(Saying.NOT_SAVED, why=why))
    await steps.tell(PENDING, RepairStep.DONE, sentence)
    (sent,) = kept.values("repairs", "repair_said")
    first, second = read_clauses(json.loads(str(sent)))
    assert (first.saying, second.saying) == (Saying.TAKEN, Saying.NOT_SAVED)
    assert "CANARY" not in str(sent)
    assert second.values["why"].startswith("core says: password cipher")
