from pathlib import Path

from controller.trust.book import Book
from controller.trust.chain import Told
from controller.trust.entries import Entry, Outcome
from tests.trust.personal_reads import ACT, reads_told


def test_reads_are_counted_by_reader_and_child(tmp_path: Path) -> None:
    book = Book(tmp_path, city="c", boot="b")
    entries = [
        Entry(act=ACT, actor="account:li", subject="p1"),
        Entry(act=ACT, actor="account:li", subject="p1"),
        Entry(act=ACT, actor="account:li", subject="p2", outcome=Outcome.REFUSED),
        Entry(act="session.open", actor="account:li", subject="p1"),
    ]
    book.append([Told(entry, 1, 1) for entry in entries])
    book.close()
    assert reads_told(tmp_path) == {("account:li", "p1"): 2}
    assert reads_told(tmp_path, "refused") == {("account:li", "p2"): 1}
