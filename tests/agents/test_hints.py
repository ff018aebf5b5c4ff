"""Storms, fairness, second looks; a hint makes a look and nothing else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from agents.hints import (
    AT_ONCE,
    GAP_SECONDS,
    LOOKS_A_SECOND,
    LOOKS_AT_ONCE,
    SECOND_LOOK_SECONDS,
    Hints,
)
from agents.poller import PollError
from drivers.snmp.endpoint import Address
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.hints import Hint, HintKind, Refusal
from tests.agents.conftest import Advance, settle

DOWN = Hint(HintKind.LINK_DOWN, "GE0/0/1")


@dataclass
class Looks:
    """Remembers who was looked at when; ``silent`` ones take five seconds to fail."""

    clock: ManualClock
    silent: set[str] = field(default_factory=set)
    seen: list[tuple[str, float]] = field(default_factory=list)
    running: Counter[str] = field(default_factory=Counter)

    async def look(self, switch: str) -> None:
        assert not self.running[switch], "two looks at one switch at once"
        self.seen.append((switch, self.clock.monotonic_ns() / 1e9))
        self.running[switch] += 1
        try:
            if switch in self.silent:
                await self.clock.sleep(5)
                raise PollError("silent")
        finally:
            self.running[switch] -= 1

    def times(self, switch: str) -> list[float]:
        return [when for who, when in self.seen if who == switch]


@pytest.fixture
def looks(clock: ManualClock) -> Looks:
    return Looks(clock)


@asynccontextmanager
async def listening(looks: Looks, **sources: str) -> AsyncIterator[Hints]:
    hints = Hints(
        clock=looks.clock,
        look=looks.look,
        sources={switch: [address] for switch, address in sources.items()},
    )
    task = asyncio.create_task(hints.run())
    await settle()
    yield hints
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def says(what: Hint | Refusal | None) -> object:
    def read(data: bytes, address: Address) -> Hint | Refusal | None:
        return what

    return read


def give(hints: Hints, source: str, what: Hint | Refusal | None = DOWN) -> None:
    hints.take(b"", (source, 5), says(what))  # type: ignore[arg-type] # it is a Read


async def test_a_hint_has_its_switch_looked_at_at_once_and_once_more(
    looks: Looks, advance: Advance
) -> None:
    async with listening(looks, core="10.0.0.1", floor="10.0.0.2") as hints:
        await advance(3)
        began = looks.clock.monotonic_ns() / 1e9
        give(hints, "10.0.0.1")
        await settle()
        assert looks.seen == [("core", began)]
        await advance(20)
    assert looks.times("core")[1] - began == pytest.approx(SECOND_LOOK_SECONDS, abs=0.6)
    assert len(looks.seen) == 2
    assert (hints.total, hints.polls, hints.refused, hints.reasons) == (1, 2, 0, "")


async def test_events_now_and_then_are_looked_at_at_once(looks: Looks, advance: Advance) -> None:
    async with listening(looks, core="10.0.0.1") as hints:
        for _ in range(5):
            now = looks.clock.monotonic_ns() / 1e9
            give(hints, "10.0.0.1")
            await settle()
            assert looks.seen[-1] == ("core", now)
            await advance(5)


@pytest.mark.parametrize("kind", [HintKind.INTRUDER, HintKind.OTHER])
async def test_what_a_look_cannot_confirm_is_only_counted(
    kind: HintKind, looks: Looks, advance: Advance
) -> None:
    async with listening(looks, core="10.0.0.1") as hints:
        give(hints, "10.0.0.1", Hint(kind))
        await advance(10)
    assert hints.total == 1
    assert not looks.seen


async def test_strangers_and_refusals_are_counted_with_reasons_and_cost_no_look(
    looks: Looks, advance: Advance
) -> None:
    async with listening(looks, core="10.0.0.1") as hints:
        for _ in range(3):
            give(hints, "10.9.9.9")
        give(hints, "10.0.0.1", Refusal.COMMUNITY)
        give(hints, "10.0.0.1", None)
        await advance(10)
    assert hints.reasons == "community=1 unknown-source=3"
    assert hints.refused == 4
    assert not looks.seen


async def test_ten_thousand_traps_cost_a_bounded_number_of_looks(
    looks: Looks, advance: Advance
) -> None:
    async with listening(looks, core="10.0.0.1", floor="10.0.0.2") as hints:
        for second in range(20):
            for _ in range(500):
                give(hints, "10.0.0.1")
            if second == 10:
                give(hints, "10.0.0.2")
            await advance(1)
        await advance(10)
    assert len(looks.times("core")) <= 20 / GAP_SECONDS + 2 + AT_ONCE
    assert len(looks.times("floor")) == 2, "the storm of another switch delays it by nothing"
    assert looks.times("floor")[0] - looks.times("core")[0] <= 11
    assert hints.total + hints.refused == 10_001
    assert hints.reasons.startswith("flood=")


async def test_the_last_hint_of_a_storm_is_followed_by_two_looks(
    looks: Looks, advance: Advance
) -> None:
    async with listening(looks, core="10.0.0.1") as hints:
        for _ in range(60):
            give(hints, "10.0.0.1")  # the last ones are not even read
        last = looks.clock.monotonic_ns() / 1e9
        await advance(10)
    assert hints.refused > 0
    assert [when >= last for when in looks.times("core")] == [True, True]
    assert looks.times("core")[-1] - last >= SECOND_LOOK_SECONDS


async def test_a_flood_that_was_never_believed_causes_nothing(
    looks: Looks, advance: Advance
) -> None:
    async with listening(looks, core="10.0.0.1") as hints:
        for _ in range(500):
            give(hints, "10.0.0.1", Refusal.COMMUNITY)
        await advance(10)
    assert not looks.seen
    assert hints.refused == 500


async def test_many_switches_at_once_share_the_looks_and_all_get_theirs(
    looks: Looks, advance: Advance
) -> None:
    names = {f"s{number}": f"10.0.1.{number}" for number in range(200)}
    async with listening(looks, **names) as hints:
        for address in names.values():
            give(hints, address)
        await settle()
        assert len(looks.seen) == LOOKS_AT_ONCE
        await advance(3)
        assert len(looks.seen) <= LOOKS_AT_ONCE + 3.5 * LOOKS_A_SECOND
        await advance(30)
    assert {len(looks.times(name)) for name in names} <= {1, 2}
    assert {name for name, _ in looks.seen} == set(names)


async def test_silent_switches_hold_up_no_other(looks: Looks, advance: Advance) -> None:
    names = {f"s{number}": f"10.0.1.{number}" for number in range(10)}
    looks.silent = set(names)
    async with listening(looks, core="10.0.0.1", **names) as hints:
        for address in names.values():
            give(hints, address)
        await settle()
        give(hints, "10.0.0.1")
        await settle()
        assert len(looks.times("core")) == 1
        await advance(30)
    assert all(len(looks.times(name)) == 2 for name in names)


async def test_switches_behind_one_address_are_all_looked_at(
    looks: Looks, advance: Advance
) -> None:
    async with listening(looks, a="127.0.0.1", b="127.0.0.1") as hints:
        give(hints, "::ffff:127.0.0.1")
        await settle()
        assert {name for name, _ in looks.seen} == {"a", "b"}
        hints.known("a", ["10.0.0.7"])
        await advance(10)
        give(hints, "10.0.0.7")
        await settle()
    assert looks.seen[-1][0] == "a"
