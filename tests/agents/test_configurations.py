"""Configurations looked after, on simulated switches."""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from agents.commands import CommandFailed
from agents.configuration_history import History
from agents.configurations import NIGHT_GAP_SECONDS, Configurations
from agents.origin import Origin
from agents.sessions import Sessions
from drivers.cli.care.text import lines_of
from tenone.blocks.block import Block, Draft
from tenone.config.compliance import load_compliance
from tenone.journal.disk import OsDisk
from tenone.trust.envelope import KeyKey
from tenone.vocabulary.intents import Dialect
from tests.agents.repair_bench import VENDORS, JumpingClock, SimSchool

T = TypeVar("T")


async def drive(clock: JumpingClock, work: Awaitable[T]) -> T:
    """The result of ``work``; time passes by that clock, but threads take their own."""
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(30):
        while not task.done():
            await asyncio.sleep(0.002)
            clock.jump()
    return task.result()


CHANGE: dict[Dialect, tuple[str, ...]] = {
    Dialect.HUAWEI_VRP5: ("system-view", "interface {}", "description by hand"),
    Dialect.HUAWEI_VRP8: ("system-view", "interface {}", "description by hand", "commit"),
    Dialect.COMWARE: ("system-view", "interface {}", "description by hand"),
    Dialect.RUIJIE: ("configure terminal", "interface {}", "description by hand"),
    Dialect.ZTE: ("configure terminal", "interface {}", "description by hand"),
    Dialect.CISCO_IOS: ("configure terminal", "interface {}", "description by hand"),
}


class Care:
    """One school's caretaker and what it told."""

    def __init__(self, folder: Path, dialect: Dialect) -> None:
        self.school = SimSchool(folder, dialect)
        self.told: list[Draft] = []
        clock = self.school.clock
        self.history = History(
            folder / "configurations", key=KeyKey(bytes(range(32))), disk=OsDisk()
        )
        self.care = Configurations(
            self.school.config,
            sessions=Sessions(self.school.config, self.school.consoles, clock=clock),
            history=self.history,
            rules=load_compliance().rules,
            origin=Origin(school="no1", boot_id=bytes(16), clock=clock),
            keep=self.keep,
        )

    async def keep(self, drafts: Sequence[Draft]) -> list[Block]:
        self.told += drafts
        return []

    def last(self) -> dict[str, object]:
        draft = self.told[-1]
        return {name: next(iter(column)) for name, column in columns(draft).items()}

    def change(self) -> None:
        self.school.type(*(line.format(self.school.port) for line in CHANGE[self.school.dialect]))


def columns(draft: Draft) -> dict[str, Sequence[object]]:
    return {column.metric.name: list(column) for column in draft.columns}


@pytest.mark.parametrize("dialect", VENDORS)
async def test_what_is_set_by_hand_is_drift_until_somebody_accepts_it(
    tmp_path: Path, dialect: Dialect
) -> None:
    one = Care(tmp_path, dialect)
    first = await drive(one.school.clock, one.care.fetch("core", why="first"))
    assert first.error == ""
    assert not first.drifted
    again = await drive(one.school.clock, one.care.fetch("core", why="nightly"))
    assert (again.drifted, len(one.history.versions("core"))) == (False, 1)
    one.change()
    found = await drive(one.school.clock, one.care.fetch("core", why="nightly"))
    assert found.drifted
    assert found.differences.endswith("+ description by hand")
    assert one.last()["config_hash"] != one.last()["config_accepted"]
    arguments = {"switch": "core", "hash": one.last()["config_hash"]}
    await drive(one.school.clock, one.care.accept(arguments))
    assert one.last()["config_hash"] == one.last()["config_accepted"]
    with pytest.raises(CommandFailed, match="changed again"):
        await drive(one.school.clock, one.care.accept({"switch": "core", "hash": "0" * 64}))


async def test_a_change_of_ours_is_no_drift(tmp_path: Path) -> None:
    one = Care(tmp_path, Dialect.COMWARE)
    await drive(one.school.clock, one.care.fetch("core", why="first"))
    one.change()
    port, other = one.school.port, one.school.switch.sockets[1].name
    found = await drive(one.school.clock, one.care.fetch("core", why="after a-1", ours=port))
    assert not found.drifted
    assert [version.why for version in one.history.versions("core")] == ["after a-1", "first"]
    one.school.type("system-view", f"interface {port}", "shutdown")
    one.school.type("system-view", f"interface {other}", "description by hand")
    found = await drive(one.school.clock, one.care.fetch("core", why="after a-2", ours=port))
    assert found.drifted, "somebody set another port"


async def test_rules_are_told_in_both_languages(tmp_path: Path) -> None:
    one = Care(tmp_path, Dialect.HUAWEI_VRP5)
    await drive(one.school.clock, one.care.fetch("core", why="first"))
    told = json.loads(str(one.last()["config_broken"]))
    assert {rule["rule"] for rule in told} >= {"clock-is-set"}
    assert all(rule["en"] and rule["zh"] for rule in told)


async def test_a_community_that_everybody_knows_is_found_and_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    community = "snmp-agent community read public"
    monkeypatch.setattr(
        "agents.configurations.lines_of", lambda name, text: (*lines_of(name, text), community)
    )
    one = Care(tmp_path, Dialect.HUAWEI_VRP5)
    await drive(one.school.clock, one.care.fetch("core", why="first"))
    told = json.loads(str(one.last()["config_broken"]))
    assert "no-default-community" in {rule["rule"] for rule in told}
    assert "public" not in json.dumps([rule["where"] for rule in told])
    assert one.history.hidden(community) in one.history.lines("core")


async def test_a_silent_switch_is_told_and_known_no_better(tmp_path: Path) -> None:
    one = Care(tmp_path, Dialect.COMWARE)
    one.school.wire.down_until = 10**6
    found = await drive(one.school.clock, one.care.fetch("core", why="first"))
    assert "does not answer" in found.error
    assert one.last()["config_hash"] is None
    with pytest.raises(CommandFailed, match="does not answer"):
        await drive(one.school.clock, one.care.fetch_now({"switch": "core"}))


@pytest.mark.parametrize("switch", ["bare", "nobody", "../core", 7, None])
async def test_only_switches_with_a_command_line(tmp_path: Path, switch: object) -> None:
    one = Care(tmp_path, Dialect.COMWARE)
    with pytest.raises(CommandFailed, match="core"):
        await one.care.fetch_now({"switch": switch})


async def test_the_night_asks_the_silent_ones_again(tmp_path: Path) -> None:
    one = Care(tmp_path, Dialect.COMWARE)
    clock = one.school.clock
    assert 0 < one.care.seconds_to_night() <= 86_400
    one.school.wire.down_until = clock.seconds + 1800
    await drive(clock, one.care._night())
    assert [columns(draft)["config_error"] == [""] for draft in one.told] == [False, True]
    assert clock.seconds > 3600 + NIGHT_GAP_SECONDS
