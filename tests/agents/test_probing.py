"""The agent's probing on real sockets of loopback: reflector, blocks, verb, clean end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agents.commands import Code, CommandFailed
from agents.origin import Origin
from agents.probing import Probing
from drivers.probe.reflector import Reflector
from tenone.config.probes import Probes
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.probes import ProbeOutcome
from tests.agents.conftest import Kept


@pytest.fixture
async def reflector() -> AsyncIterator[Reflector]:
    made = Reflector("127.0.0.1", 0)
    yield made
    made.close()


@pytest.fixture
def real() -> Origin:
    return Origin(school="no3", boot_id=bytes(16), clock=SystemClock())


async def test_a_reflector_is_probed_and_every_packet_kept(
    real: Origin, kept: Kept, reflector: Reflector
) -> None:
    probes = Probes.model_validate(
        {
            "window_seconds": 1,
            "targets": [
                {
                    "name": "core",
                    "kind": "core",
                    "host": "127.0.0.1",
                    "port": reflector.port,
                    "interval_seconds": 0.05,
                    "dscp": [46],
                }
            ],
        }
    )

    probing = Probing(probes, origin=real, keep=kept.keep)
    async with Supervisor(real.clock) as tasks:
        probing.start(tasks)
        said = await probing.verbs["Burst"]({"target": "core", "packets": 20})
        assert said == "core: 20 sent with DSCP 46, 0 lost"
        async with asyncio.timeout(20):
            while not kept.of("probe-samples"):  # noqa: ASYNC110 - what is kept has no event
                await asyncio.sleep(0.02)
    probing.close()
    assert kept.values("probe-burst", "probe_target") == ["core"]
    block = kept.of("probe-samples")[0]
    values = {column.metric.name: list(column) for column in block.columns}
    assert len(block.layout.rows) == 20
    answered = [n for n, one in enumerate(values["probe_outcome"]) if one == ProbeOutcome.ANSWERED]
    assert answered  # a busy machine leaves some out, and says so: no packet, no outcome
    assert set(values["probe_outcome"]) <= {ProbeOutcome.ANSWERED, None}
    for row in answered:
        away, held = values["probe_away_ns"][row], values["probe_held_ns"][row]
        assert isinstance(away, int)
        assert isinstance(held, int)
        assert 0 <= held <= away
        assert values["probe_dscp_there"][row] == 46
    assert {layout.stream for layout in probing.layouts} >= {
        draft.layout.stream for draft in kept.drafts
    }


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        ({}, Code.BAD_ARGUMENTS, "name the target"),
        ({"target": 7}, Code.BAD_ARGUMENTS, "name the target"),
        ({"target": "core", "packets": 2001}, Code.BAD_ARGUMENTS, "from 0 to 2000"),
        ({"target": "core", "packets": True}, Code.BAD_ARGUMENTS, "whole number"),
        ({"target": "core", "dscp": 64}, Code.BAD_ARGUMENTS, "from 0 to 63"),
        ({"target": "cor"}, Code.FAILED, "no probe target 'cor'"),
    ],
)
async def test_a_bad_burst_is_a_sentence(
    real: Origin, kept: Kept, arguments: dict[str, object], code: Code, why: str
) -> None:
    probes = Probes.model_validate({"targets": [{"name": "core", "host": "127.0.0.1"}]})
    probing = Probing(probes, origin=real, keep=kept.keep)
    with pytest.raises(CommandFailed, match=why) as caught:
        await probing.verbs["Burst"](arguments)
    assert caught.value.code is code
    probing.close()


def test_without_targets_there_is_no_verb(real: Origin, kept: Kept) -> None:
    probing = Probing(Probes(), origin=real, keep=kept.keep)
    assert (probing.verbs, probing.layouts) == ({}, [])
