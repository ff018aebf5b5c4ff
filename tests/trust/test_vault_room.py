"""The city's vault against the ledger: every change is known, an older whole file is told."""

import json
from pathlib import Path

import pytest

from controller.house import House
from controller.trust.book import FOLDER, Book
from controller.trust.chain import Told
from controller.trust.entries import Entry, LedgerError
from controller.trust.vault_marks import SEEN, SET_BACK, known_mark
from controller.trust.vault_room import AGAIN_NS, CLEAR, VaultRoom
from controller.trust.verify import rows_of
from tenone.config.own_files import make_own_key
from tenone.config.secret import VaultPlace
from tenone.config.vault import VaultConfig
from tenone.runtime.clock import ManualClock
from tenone.trust.envelope import KeyKey
from tenone.trust.files import write_whole
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault


class Writing:
    """A ledger that writes at once."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self._book = Book(folder / FOLDER, city="c", boot="b")
        self._clock = clock

    async def write(self, entry: Entry) -> None:
        self._book.append([Told(entry, self._clock.wall_ns(), self._clock.monotonic_ns())])

    def note(self, entry: Entry) -> None:
        raise NotImplementedError


class Refusing(Writing):
    """One that cannot be written."""

    async def write(self, entry: Entry) -> None:
        raise LedgerError(f"the audit ledger cannot be written (full): {entry.act}")


class Config:
    """All that the room reads of city.yaml."""

    def __init__(self, vault: VaultConfig | None) -> None:
        self.vault = vault


def room(
    folder: Path, clock: ManualClock, vault: VaultConfig | None, ledger: Writing | None = None
) -> VaultRoom:
    house = object.__new__(House)
    values = {
        "config": Config(vault),
        "clock": clock,
        "folder": folder,
        "ledger": ledger or Writing(folder, clock),
    }
    for name, value in values.items():
        object.__setattr__(house, name, value)
    return VaultRoom(house)


@pytest.fixture
def config(tmp_path: Path) -> VaultConfig:
    key = KeyKey.fresh()
    write_whole(tmp_path / "key", key.text.encode())
    Vault.create(tmp_path / "v", key)
    return VaultConfig.model_validate({"path": "v", "key": "file:key"}, context={"base": tmp_path})


def acts(folder: Path) -> list[str]:
    told = [json.loads(row.body)["act"] for row in rows_of(folder / FOLDER)]
    return [act for act in told if act.startswith("secret.")]


async def test_put_back(tmp_path: Path, config: VaultConfig) -> None:
    clock = ManualClock()
    one, place = room(tmp_path, clock, config), VaultPlace(config.path, config.key)
    await one.look()
    assert one.health().ready
    assert "run 'tenone secret seal'" in one.health().sentence
    old = config.path.read_bytes()
    vault = make_own_key(place)
    vault.put("a", Secret("x"), now=0)
    for _ in range(3):
        await one.look()
    assert acts(tmp_path) == [SEEN, SEEN], "only what is new"
    assert "own keys are sealed" in one.health().sentence
    config.path.write_bytes(old)
    for _ in range(3):
        await one.look()
    assert not one.health().ready
    assert "change 1, and change 3 is known" in one.health().sentence
    assert acts(tmp_path) == [SEEN, SEEN, SET_BACK]
    again = room(tmp_path, clock, config)
    await again.look()
    assert not again.health().ready, "a restart forgets nothing"
    place.open().advance(3)
    await again.look()
    assert again.health().ready
    known = known_mark(tmp_path / FOLDER, vault.id)
    assert known is not None
    assert known[0].generation == 4
    clock.advance(AGAIN_NS / 1e9)
    await again.look()
    assert acts(tmp_path)[-2:] == [SEEN, SEEN], "told again before the ledger gives it up"


async def test_troubles(tmp_path: Path, config: VaultConfig) -> None:
    clock = ManualClock()
    assert room(tmp_path, clock, None).health().sentence == CLEAR
    assert not room(tmp_path, clock, None).tasks()
    full = room(tmp_path, clock, config, Refusing(tmp_path, clock))
    await full.look()
    assert "cannot be written (full)" in full.health().sentence
    config.path.unlink()
    gone = room(tmp_path, clock, config)
    await gone.look()
    assert "tenone secret init" in gone.health().sentence
