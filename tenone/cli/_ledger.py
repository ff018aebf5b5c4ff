"""The audit ledger for commands of the shell, beside a running controller too."""

import time
from collections.abc import Mapping
from pathlib import Path

from controller.trust.book import FOLDER, Book, boot_id
from controller.trust.chain import Told
from controller.trust.entries import Entry
from tenone.cli._console import by_console
from tenone.config import City


def folder_of(city: City) -> Path:
    """Where a city's ledger lies."""
    return city.store.path / FOLDER


def ledgered(
    city: City,
    act: str,
    *,
    scope: str = "",
    subject: str = "",
    detail: Mapping[str, str | int | float | bool | None] | None = None,
) -> None:
    """Write down what a command of the shell is about to do; raises LedgerError."""
    book = Book(folder_of(city), city=city.id, boot=boot_id(), algorithm=city.trust.ledger.hash)
    entry = Entry(act=act, actor=by_console(), scope=scope, subject=subject, detail=detail or {})
    try:
        book.append([Told(entry, time.time_ns(), time.monotonic_ns())])
    finally:
        book.close()
