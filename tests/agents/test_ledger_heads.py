"""What a school keeps of the city's ledger: rising numbers, through every cut, and bounded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.commands import CommandFailed
from agents.ledger_heads import (
    DAY_NS,
    FILE_NAME,
    MOST_DAYS,
    MOST_REFUSED,
    REFUSED_NAME,
    SLACK,
    LedgerHeads,
    thinned,
)
from controller.trust.heads import heads_in
from tenone.journal.disk import OpenFile, OsDisk
from tenone.runtime.clock import ManualClock
from tenone.trust.witness import Admission, HeadRefusal, HeadRefused, WitnessedHead, heard

LEDGER, OTHER = "ab" * 16, "cd" * 16


def head(
    seq: int, text: str = "a", *, ledger: str = LEDGER, at_ns: int | None = None
) -> WitnessedHead:
    return WitnessedHead(
        ledger=ledger,
        seq=seq,
        hash=text * 64,
        at_ns=seq * 10**9 if at_ns is None else at_ns,
        city="binhai",
    )


def opened(folder: Path, clock: ManualClock | None = None) -> LedgerHeads:
    return LedgerHeads(folder, disk=OsDisk(), clock=clock or ManualClock())


def test_numbers_rise_and_stay(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    for seq in (1, 2, 7, 7):
        kept.keep(head(seq))
    again = opened(tmp_path)
    assert again.newest == head(7)
    assert [one["seq"] for one in again.heads()[0]] == [7, 2, 1]
    assert again.trouble == ""
    assert [one.seq for one in heads_in(tmp_path / FILE_NAME)] == [1, 2, 7]


@pytest.mark.parametrize(
    ("shown", "why", "word"),
    [
        (head(6), HeadRefusal.LOWER, "cut off or put back"),
        (head(0, "b"), HeadRefusal.LOWER, "cut off or put back"),
        (head(7, "b"), HeadRefusal.OTHER_HASH, "rewritten"),
        (head(9, ledger=OTHER), HeadRefusal.OTHER_LEDGER, "begun anew"),
    ],
)
def test_what_contradicts_is_refused_kept_and_told(
    tmp_path: Path, shown: WitnessedHead, why: HeadRefusal, word: str
) -> None:
    kept = opened(tmp_path)
    kept.keep(head(7))
    for _ in range(3):
        with pytest.raises(HeadRefused, match=word) as refused:
            kept.keep(shown)
        assert refused.value.why is why
    assert kept.newest == head(7)
    again = opened(tmp_path)
    assert word in again.trouble
    (evidence,) = again.refused
    assert (evidence["seq"], evidence["hash"], evidence["code"]) == (shown.seq, shown.hash, why)
    again.keep(head(8))
    assert word in again.trouble, "a later head excuses nothing"


def test_an_admission_excuses_once_and_stays(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.keep(head(100))
    with pytest.raises(HeadRefused):
        kept.keep(head(60, at_ns=200 * 10**9))
    admitted = Admission(
        at_ns=300 * 10**9, entry=61, first=61, by="console:root", reason="disk died"
    )
    kept.keep(head(61, "b", at_ns=301 * 10**9), admitted)
    assert kept.trouble == ""
    kept.keep(head(62, "b", at_ns=302 * 10**9), admitted)
    with pytest.raises(HeadRefused, match="cut off"):
        kept.keep(head(61, "b", at_ns=303 * 10**9), admitted)
    again = opened(tmp_path)
    assert "cut off" in again.trouble
    lines = [json.loads(line) for line in (tmp_path / FILE_NAME).read_text().splitlines()]
    assert [one.get("admission", {}).get("reason") for one in lines] == [None, "disk died", None]


def test_no_admission_of_before_helps(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.keep(head(10))
    first = Admission(at_ns=5 * 10**9, entry=20, first=1, by="x", reason="y")
    with pytest.raises(HeadRefused, match="cut off"):
        kept.keep(head(9), first)


def test_an_admission_of_the_far_future_bars_no_later_one(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.keep(head(100))
    ahead = Admission(at_ns=9 * 10**18, entry=61, first=61, by="x", reason="a clock years ahead")
    with pytest.raises(HeadRefused, match="cut off"):
        kept.keep(head(61, "b"), ahead)
    true = Admission(at_ns=301 * 10**9, entry=61, first=61, by="console:root", reason="disk died")
    kept.keep(head(61, "b"), true)
    assert kept.newest == head(61, "b")


class CutDisk(OsDisk):
    """Takes ``left`` bytes more, then the power goes."""

    def __init__(self) -> None:
        self.left = 10**9

    def append(self, path: Path) -> OpenFile:
        disk, file = self, super().append(path)

        class Cut:
            def write(self, data: bytes) -> None:
                taken = data[: disk.left]
                disk.left -= len(taken)
                file.write(taken)
                if len(taken) < len(data):
                    raise OSError(28, "No space left on device")

            sync, truncate, close = file.sync, file.truncate, file.close

        return Cut()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 260))
def test_a_cut_in_a_line_loses_that_line_alone(bytes_taken: int) -> None:
    import tempfile  # noqa: PLC0415 - a folder for each example

    with tempfile.TemporaryDirectory() as name:
        folder, disk = Path(name), CutDisk()
        kept = LedgerHeads(folder, disk=disk, clock=ManualClock())
        kept.keep(head(1))
        disk.left = bytes_taken
        acknowledged = 1
        try:
            kept.keep(head(2))
            acknowledged = 2
        except HeadRefused as refused:
            assert refused.why is HeadRefusal.NOT_KEPT  # noqa: PT017 - both ends are right
        again = opened(folder)
        assert again.newest is not None
        assert again.newest.seq >= acknowledged
        again.keep(head(3))
        assert opened(folder).newest == head(3)
        assert all(line.endswith("}") for line in (folder / FILE_NAME).read_text().splitlines())


@pytest.mark.parametrize(
    "harm",
    [lambda text: text.replace("a" * 64, "b" * 64), lambda text: "{" + text, lambda _: "0"],
)
def test_a_damaged_line_is_left_out(tmp_path: Path, harm: Callable[[str], str]) -> None:
    kept = opened(tmp_path)
    for seq in (1, 2, 3):
        kept.keep(head(seq))
    file = tmp_path / FILE_NAME
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], harm(lines[1]), lines[2], ""]))
    assert [one["seq"] for one in opened(tmp_path).heads()[0]] == [3, 1]


def test_years_of_heads_are_few_lines(tmp_path: Path) -> None:
    """A head every two hours for 500 days; the file is looked at as it grows."""
    lines: list[dict[str, object]] = []
    for number in range(500 * 12):
        lines.append({"seq": number, "kept_ns": number * DAY_NS // 12})
        if number % 500 == 0:
            lines = [dict(one) for one in thinned(lines, number * DAY_NS // 12)]
    lines = [dict(one) for one in thinned(lines, 500 * DAY_NS)]
    assert len(lines) <= MOST_DAYS + 25
    assert lines[0]["seq"] == (499 - MOST_DAYS) * 12 + 11
    clock = ManualClock()
    kept = opened(tmp_path, clock)
    for seq in range(SLACK * 9):
        kept.keep(head(seq))
    assert len((tmp_path / FILE_NAME).read_text().splitlines()) <= 400 + SLACK + 1


def test_a_clock_far_ahead_drops_no_days() -> None:
    lines = [{"seq": n, "kept_ns": n * DAY_NS} for n in range(300)]
    assert len(thinned([*lines, {"seq": 300, "kept_ns": 10**5 * DAY_NS}], 10**5 * DAY_NS)) == 301


def test_evidence_is_bounded(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.keep(head(1000))
    for seq in range(MOST_REFUSED + 50):
        with pytest.raises(HeadRefused):
            kept.keep(head(seq))
    again = opened(tmp_path)
    assert len(again.refused) <= MOST_REFUSED
    assert again.refused[0]["seq"] == 0
    assert again.refused[-1]["seq"] == MOST_REFUSED + 49
    assert (tmp_path / REFUSED_NAME).stat().st_size < 200_000


async def test_by_the_verbs(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    keep, tell = kept.verbs["Witness"], kept.verbs["Witnessed"]
    for seq in range(1, 301):
        await keep({"head": head(seq).as_json()})
    heads, more = heard(await tell({}))
    assert ([one.seq for one in heads], more) == (list(range(300, 50, -1)), True)
    heads, more = heard(await tell({"skip": 250}))
    assert ([one.seq for one in heads], more) == (list(range(50, 0, -1)), False)
    with pytest.raises(CommandFailed) as failed:
        await keep({"head": head(5).as_json()})
    assert failed.value.code is HeadRefusal.LOWER


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"head": None},
        {"head": {**head(1).as_json(), "seq": "1"}},
        {"head": {**head(1).as_json(), "seq": True}},
        {"head": {**head(1).as_json(), "seq": -1}},
        {"head": {**head(1).as_json(), "hash": "A" * 64}},
        {"head": {**head(1).as_json(), "ledger": "x"}},
        {"head": {**head(1).as_json(), "city": "../x"}},
        {"head": head(1).as_json(), "admission": {"at_ns": 1}},
        {"head": head(1).as_json(), "admission": 5},
    ],
)
async def test_what_is_malformed(tmp_path: Path, arguments: dict[str, object]) -> None:
    kept = opened(tmp_path)
    with pytest.raises(CommandFailed) as failed:
        await kept.verbs["Witness"](arguments)
    assert failed.value.code is HeadRefusal.MALFORMED
    assert kept.newest is None
