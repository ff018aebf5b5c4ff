"""From a school's block to drift that people hear of, and back by accepting it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from controller.configurations.model import NotDoneError
from controller.configurations.room import ACCEPT_VERB, ConfigurationsRoom
from controller.incidents.model import Kind, Subject
from controller.service import Controller
from drivers.wire.embedded import EmbeddedBroker
from tenone.blocks.columns import Value
from tenone.blocks.layout import layout
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.configurations import CONFIGURATIONS
from tenone.vocabulary.scope import ScopePath
from tests.controller.harness import SchoolAgent, city_config

A, B = "a" * 64, "b" * 64


async def tell(agent: SchoolAgent, at_ms: int, found: str, accepted: str, switch: str) -> None:
    values: tuple[int | str, ...] = (
        at_ms,
        found,
        accepted,
        "@ interface GE1\n+ shutdown",
        "[]",
        "",
    )
    columns: dict[str, Sequence[Value | None]] = {
        name: [one] for name, one in zip(CONFIGURATIONS, values, strict=True)
    }
    made = layout("configurations", CONFIGURATIONS, [switch])
    await agent._keep(made, "no1/gateway/configurations", columns)


async def until(done: Callable[[], object], what: str) -> None:
    for _ in range(600):
        if done():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(what)


def drifted(room: ConfigurationsRoom) -> bool | None:
    found = room.find("no1", "sw1")
    assert found is not None
    return found.drifted


async def test_drift_is_known_told_and_accepted(tmp_path: Path) -> None:
    asked: list[Mapping[str, object]] = []

    async def accept(arguments: Mapping[str, object]) -> str:
        asked.append(arguments)
        await tell(agent, 3, B, B, "sw1")
        return "accepted"

    async with EmbeddedBroker() as broker:
        config = city_config(tmp_path / "city", broker_port=broker.port)
        agent = SchoolAgent(tmp_path / "agent", port=broker.port, verbs={ACCEPT_VERB: accept})
        async with Controller(config, clock=SystemClock()) as controller, agent:
            room = controller.configurations
            with pytest.raises(NotDoneError, match=r"does not know the verb|not connected"):
                await room.fetch("no1", "sw1")
            await tell(agent, 1, A, A, "nobody")
            await tell(agent, 1, A, A, "sw1")
            await until(lambda: room.find("no1", "sw1"), "the first word is there")
            assert [one.id for one in room.configurations(ScopePath())] == ["no1/sw1"]
            assert not room.configurations(ScopePath.parse("binhai/west"))
            await tell(agent, 2, B, A, "sw1")
            await until(lambda: drifted(room), "the drift is there")
            subject = Subject("no1", Kind.CONFIGURATION, "sw1")
            cases = controller.incidents.engine.cases
            await until(lambda: subject in cases and cases[subject].bad, "incidents know of it")
            assert cases[subject].figures == {"section": "interface GE1"}
            await until(lambda: agent.uplink.is_online, "online")
            assert await room.accept("no1", "sw1", B) == "accepted"
            assert asked == [{"switch": "sw1", "hash": B}]
            await until(lambda: not drifted(room), "it is accepted")
    async with Controller(config, clock=SystemClock()) as again:
        kept = again.configurations.find("no1", "sw1")
        assert kept is not None
        assert (kept.hash, kept.drifted) == (B, False)
