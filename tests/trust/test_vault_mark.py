"""An older whole vault that is put back is noticed by who remembers the newer one."""

from pathlib import Path

import pytest

from tenone.journal.disk import OsDisk
from tenone.trust.envelope import KeyKey
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault
from tenone.trust.vault_mark import FILE, Mark, keep_mark, read_mark, set_back


def test_every_change_counts(tmp_path: Path) -> None:
    key = KeyKey.fresh()
    vault = Vault.create(tmp_path / "v", key)
    seen = [vault.generation]
    for change in (
        lambda: vault.put("a", Secret("1"), now=0),
        lambda: vault.put("a", Secret("2"), now=0, following=True),
        lambda: vault.promote("a"),
        lambda: vault.rewrap(key),
        lambda: vault.remove("a"),
        lambda: vault.advance(40),
    ):
        change()
        seen.append(vault.generation)
    assert seen == [1, 2, 3, 4, 5, 6, 41]
    assert Vault.open(tmp_path / "v", key).generation == 41


def test_put_back(tmp_path: Path) -> None:
    key, path = KeyKey.fresh(), tmp_path / "v"
    vault = Vault.create(path, key)
    vault.put("a", Secret("old"), now=0)
    old = path.read_bytes()
    vault.put("a", Secret("new"), now=0)
    known = Mark.of(vault)
    assert set_back(vault, known) == ""
    assert set_back(vault, None) == ""
    path.write_bytes(old)
    found = Vault.open(path, key)
    assert "put back to an older state (change 2, and change 3 is known)" in set_back(found, known)
    assert set_back(Vault.create(tmp_path / "w", key), known) == "", "it is another vault"
    found.advance(known.generation)
    assert set_back(found, known) == ""


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"vault": 1}'])
def test_a_gateways_mark(tmp_path: Path, text: str) -> None:
    disk, folder = OsDisk(), tmp_path / "outbox"
    assert read_mark(folder, disk) is None
    keep_mark(folder, Mark("aa", 7), disk)
    assert read_mark(folder, disk) == Mark("aa", 7)
    (folder / FILE).write_text(text)
    assert read_mark(folder, disk) is None
