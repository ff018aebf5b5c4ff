"""Which journal a folder holds; the crash at any point is in test_journal.py."""

from collections.abc import Callable
from pathlib import Path

from tenone.journal.identity import ABOUT_FILE, SET_BACK_FILE, Identity, Order
from tests.journal.conftest import PowerCutDisk

FOLDER = Path("outbox")


def test_an_identity_is_what_was_written(power_cut_disk: Callable[..., PowerCutDisk]) -> None:
    disk = power_cut_disk()
    assert Identity.read(disk, FOLDER) is None
    for one in (Identity.new(), Identity.new(own_folder=True)):
        one.write(disk, FOLDER)
        assert Identity.read(disk, FOLDER) == one
    assert one.folder == one.journal_id.hex()


def test_an_order_stands_until_it_is_done(power_cut_disk: Callable[..., PowerCutDisk]) -> None:
    disk = power_cut_disk()
    assert Order.read(disk, FOLDER) is None
    order = Order(Identity.new(own_folder=True), "")
    order.write(disk, FOLDER)
    order.fresh.write(disk, FOLDER)
    disk.append(FOLDER / "p1" / "1.journal").write(b"old")
    assert Order.read(disk, FOLDER) == order
    order.done(disk, FOLDER)
    assert Order.read(disk, FOLDER) is None
    assert disk.names(FOLDER / "p1") == []
    assert disk.names(FOLDER) == [ABOUT_FILE]
    assert SET_BACK_FILE not in disk.names(FOLDER)
