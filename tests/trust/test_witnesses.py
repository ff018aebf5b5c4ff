"""Heads against a ledger that was cut off, rewritten, put back: found, and from which entry on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.trust.book import Book
from controller.trust.chain import Head, Told
from controller.trust.entries import Entry, LedgerError
from controller.trust.queries import hashes_of
from controller.trust.segment import segments
from controller.trust.witnesses import (
    ADMIT,
    Compared,
    compare,
    heads_by_school,
    ledger_now,
    lines_of,
    sentence_of,
    span,
    unexcused,
)
from tenone.trust.witness import WitnessedHead
from tests.trust.witnessed import NS, cut_off, looks_whole, put_back, rewritten, written

COUNT, BEGAN = 60, 1_795_000_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of three segments: entries 1 to 25, to 50, to 60."""
    place = tmp_path_factory.mktemp("whole") / "ledger"
    written(place, COUNT - 1, segment_rows=25)
    return place


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "ledger")


def seen(folder: Path, *numbers: int) -> list[WitnessedHead]:
    now, hashes = ledger_now(folder), hashes_of(folder, numbers)
    return [
        WitnessedHead(ledger=now.ledger, seq=one, hash=hashes[one].hex(), at_ns=one * NS)
        for one in numbers
    ]


def admitted(folder: Path, first: int, at_ns: int) -> None:
    book = Book(folder, city="city", boot="b", segment_rows=25)
    entry = Entry(act=ADMIT, actor="console:li", detail={"first": first, "reason": "disk died"})
    book.append([Told(entry, at_ns, 1)])
    book.close()


def test_an_untouched_one_fits(folder: Path) -> None:
    found = compare(seen(folder, 1, 25, 26, 40, 60), ledger_now(folder))
    assert found.misfits == ()
    assert [one.seq for one in found.fits] == [60]
    assert sentence_of({"no1": found}, ledger_now(folder)) == ""


@pytest.mark.parametrize(
    ("harm", "bad", "numbers", "wanted"),
    [
        (cut_off, 42, (10, 30, 40, 50, 60), (41, 50)),
        (cut_off, 26, (10, 25, 26, 60), (26, 26)),
        (cut_off, 51, (10, 60), (11, 60)),
        (rewritten, 31, (10, 30, 40, 60), (31, 40)),
        (rewritten, 1, (10, 60), (1, 10)),
        (rewritten, 60, (59, 60), (60, 60)),
    ],
)
def test_what_no_chain_shows(
    folder: Path,
    harm: Callable[[Path, int], None],
    bad: int,
    numbers: tuple[int, ...],
    wanted: tuple[int, int],
) -> None:
    heads = seen(folder, *numbers)
    harm(folder, bad)
    assert looks_whole(folder)
    now = ledger_now(folder)
    found = compare(heads, now)
    assert span([found], now) == wanted
    assert wanted[0] <= bad <= wanted[1]
    assert "not what it was" in sentence_of({"no1": found}, now)


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from([cut_off, rewritten]),
    st.integers(2, COUNT),
    st.sets(st.integers(1, COUNT), min_size=1, max_size=8),
)
def test_any_harm_before_a_head_is_found(
    whole: Path, harm: Callable[[Path, int], None], bad: int, numbers: set[int]
) -> None:
    import tempfile  # noqa: PLC0415 - a folder for each example

    with tempfile.TemporaryDirectory() as name:
        folder = shutil.copytree(whole, Path(name) / "ledger")
        heads = seen(folder, *numbers)
        harm(folder, bad)
        assert looks_whole(folder)
        now = ledger_now(folder)
        found = compare(heads, now)
        assert bool(found.misfits) == (max(numbers) >= bad)
        if found.misfits:
            low, high = span([found], now)
            assert low <= bad <= high


def test_several_schools_narrow_it_down(folder: Path) -> None:
    heads = {"no1": seen(folder, 10, 50), "no2": seen(folder, 33, 60), "no3": seen(folder, 36)}
    rewritten(folder, 35)
    now = ledger_now(folder)
    schools = {name: compare(some, now) for name, some in heads.items()}
    assert span(schools.values(), now) == (34, 36)
    said = sentence_of(schools, now)
    assert "3 of 3 schools (no1, no2, no3)" in said
    assert "one of the entries 34 to 36" in said


def test_a_backup_put_back_and_admitted(folder: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(folder, backup)
    cut_off(backup, 41)
    heads = seen(folder, 20, 40, 55, 60)
    put_back(folder, backup)
    now = ledger_now(folder)
    assert [one.seq for one in compare(heads, now).misfits] == [55, 60]
    admitted(folder, 41, BEGAN * NS)
    now = ledger_now(folder)
    found = compare(heads, now)
    assert (found.misfits, found.excused) == ((), 2)
    later = [WitnessedHead(ledger=now.ledger, seq=50, hash="0" * 64, at_ns=BEGAN * NS + 1)]
    assert compare(later, now).misfits, "what is seen after it is not excused"
    earlier = [WitnessedHead(ledger=now.ledger, seq=30, hash="0" * 64, at_ns=1)]
    assert compare(earlier, now).misfits, "entries before it must be what they were"
    as_anchors = [Head(one.ledger, one.seq, bytes.fromhex(one.hash), one.at_ns) for one in heads]
    must, excused = unexcused(as_anchors, now)
    assert ([one.seq for one in must], [one.seq for one in excused]) == ([20, 40], [55, 60])


def test_another_ledger(folder: Path, tmp_path: Path) -> None:
    heads = seen(folder, 20)
    other = tmp_path / "other"
    written(other, 30)
    now = ledger_now(other)
    found = compare(heads, now)
    assert "begun anew" in sentence_of({"no1": found}, now)
    admitted(other, 1, BEGAN * NS)
    assert compare(heads, ledger_now(other)).misfits == ()


def test_an_edit_that_fits_no_hash_is_a_misfit(folder: Path) -> None:
    heads = seen(folder, 30)
    rewritten(folder, 30)
    now = ledger_now(folder)
    assert compare(heads, now).misfits == tuple(heads)


def test_entries_given_up_prove_nothing(folder: Path) -> None:
    heads = seen(folder, 10, 60)
    segments(folder)[0].unlink()
    found = compare(heads, ledger_now(folder))
    assert (found.misfits, found.aged) == ((), 1)


def test_no_ledger_there(tmp_path: Path) -> None:
    with pytest.raises(LedgerError):
        ledger_now(tmp_path)


def test_the_file_of_what_schools_said(folder: Path) -> None:
    head = seen(folder, 20)[0]
    schools = {"no1": Compared(fits=(head,)), "no2": Compared(misfits=(head,))}
    data = lines_of(schools, "city")
    back = heads_by_school(data + b'{"torn')
    assert {name: [one.seq for one in some] for name, some in back.items()} == {
        "no1": [20],
        "no2": [20],
    }
