"""The ledger with all that hangs on it, as a configuration asks for it."""

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.store.protocols import StoreError
from controller.trust.entries import Entry
from controller.trust.heads import heads_in
from controller.trust.ledger_house import LedgerHouse
from controller.trust.verify import verify
from tenone.config import City, SecretError, load_city
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tests.config.conftest import CITY, SCHOOL


def config(folder: Path, trust: dict[str, Any]) -> City:
    city = {**copy.deepcopy(CITY), "schools": [copy.deepcopy(SCHOOL)], "trust": trust}
    (folder / "city.yaml").write_text(json.dumps(city))
    return load_city(folder / "city.yaml")


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not fact():  # noqa: ASYNC110 - as an outsider sees it
            await asyncio.sleep(0.01)


async def test_anchor_and_export_follow_the_ledger(tmp_path: Path) -> None:
    trust = {
        "ledger": {"hash": "sm3"},
        "anchors": [{"file": "heads.jsonl"}],
        "anchor_seconds": 1,
        "siem": {"file": "siem.jsonl"},
    }
    house = LedgerHouse(config(tmp_path, trust), SystemClock())
    async with Supervisor(SystemClock()) as tasks:
        await house.start(tasks)
        for name, work in house.tasks().items():
            tasks.start(name, work)
        await house.ledger.write(Entry(act="test.write", actor="system"))
        await until(lambda: house.figures().exported == 3)
        await until(lambda: house.anchoring.figures[0].seq == 3)
        figures = house.figures()
        assert (figures.writable, figures.entries, figures.refused) == (True, 3, 0)
        ((name, age, conflict),) = figures.anchors
        assert name == "file heads.jsonl"
        assert age is not None
        assert not conflict
        assert [word().ready for word in house.health()] == [True] * 4
        await house.stopping()
    await house.ledger.close()
    heads = heads_in(tmp_path / "heads.jsonl")
    verdict = verify(house.folder, heads)
    assert verdict.bad is None
    assert verdict.anchors == len(heads) >= 1
    exported = [json.loads(line) for line in (tmp_path / "siem.jsonl").read_text().splitlines()]
    assert [one["act"] for one in exported][:3] == [
        "ledger.begin",
        "controller.start",
        "test.write",
    ]


@pytest.mark.parametrize(
    "trust",
    [
        {"anchors": [{"url": "https://witness.example/", "ca": "no.pem"}]},
        {"siem": {"host": "10.0.0.1", "ca": "no.pem"}},
        {"siem": {"host": "10.0.0.1", "ca": "city.yaml"}},
    ],
)
async def test_a_ca_that_is_none(tmp_path: Path, trust: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="a 'ca' of the group trust"):
        LedgerHouse(config(tmp_path, trust), SystemClock())


async def test_a_token_that_is_not_there(tmp_path: Path) -> None:
    trust = {"anchors": [{"url": "https://witness.example/", "token": "env:NO_SUCH_TOKEN"}]}
    with pytest.raises(SecretError, match="NO_SUCH_TOKEN"):
        LedgerHouse(config(tmp_path, trust), SystemClock())


async def test_without_an_anchor_it_says_what_that_means(tmp_path: Path) -> None:
    house = LedgerHouse(config(tmp_path, {}), SystemClock())
    words = {word().name: word().sentence for word in house.health()}
    assert "rewrite its end unseen" in words["anchors"]
    assert words["ledger export"] == "none is configured"
