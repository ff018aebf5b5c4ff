"""Changes at a simulated switch: proved and kept, put back, or brought to an end after a cut."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.commands import Code, CommandFailed
from agents.pending import Pending
from agents.port_look import PortSeen
from agents.repair_typist import Typist
from drivers.cli.dialect import Line, PortSettings
from drivers.cli.errors import UnreadableError
from tenone.journal.disk import OsDisk
from tenone.journal.journal import JournalError
from tenone.trust.approval import Refusal, Refused
from tenone.vocabulary.intents import Dialect
from tenone.vocabulary.repairs import RepairStep as S
from tenone.vocabulary.states import Duplex, OperStatus
from tests.agents.conftest import Kept
from tests.agents.repair_bench import (
    PASSWORD,
    Life,
    SimConsole,
    SimSchool,
    drive,
    sentences_of,
    steps_of,
)

pytestmark = pytest.mark.usefixtures("inline_threads")

DONE = [S.BEGUN, S.APPLIED, S.GOOD, S.PROVED, S.DONE]


@pytest.fixture
def sim(tmp_path: Path) -> SimSchool:
    return SimSchool(tmp_path, Dialect.HUAWEI_VRP5)


def force(sim: SimSchool, mbps: int = 100) -> None:
    """Somebody has forced the port."""
    port = sim.switch.port(sim.port)
    now = sim.switch.wiring.settings(port)
    forced = replace(now, auto=False, speed_mbps=mbps, duplex=Duplex.FULL)
    sim.switch.wiring.configure(port, forced)
    settle(sim)


def settle(sim: SimSchool) -> None:
    sim.clock.pass_on(10)
    sim.switch.tick()


async def once(sim: SimSchool, kept: Kept, intent: str, **parameters: str) -> str:
    """One action in one life of the agent."""
    life = Life(sim, OsDisk(), kept)
    try:
        return await drive(sim.clock, life.act(intent, port=sim.port, **parameters))
    finally:
        await life.close()


async def failing(sim: SimSchool, kept: Kept, intent: str, **parameters: str) -> str:
    with pytest.raises(CommandFailed) as failed:
        await once(sim, kept, intent, **parameters)
    assert failed.value.code is Code.FAILED
    return str(failed.value)


async def test_forced_to_100_is_restored_proved_and_saved(sim: SimSchool, kept: Kept) -> None:
    force(sim)
    began = sim.clock.seconds
    sentence = await once(sim, kept, "restore-negotiation")
    assert "still good after 5 s" in sentence
    assert steps_of(kept) == DONE
    port = sim.switch.port(sim.port)
    assert (port.oper, port.speed_mbps) == (OperStatus.UP, 1000)
    assert sim.switch.wiring.settings(port).negotiates
    assert sim.switch.store.startup == sim.switch.wiring.running()
    assert sim.clock.seconds - began < 12
    assert PASSWORD not in str([list(draft.columns) for draft in kept.of("repairs")])


async def test_stuck_negotiation_is_cured_by_a_bounce(sim: SimSchool, kept: Kept) -> None:
    sim.switch.set_wire(sim.port, {"stuck": {"speed_mbps": 100, "duplex": "full"}})
    settle(sim)
    await once(sim, kept, "bounce-port")
    assert steps_of(kept) == DONE


async def test_a_shut_port_is_opened(sim: SimSchool, kept: Kept) -> None:
    sim.switch.set_port(sim.port, {"admin": "down"})
    await once(sim, kept, "enable-port")
    assert steps_of(kept) == DONE


async def test_what_hangs_gets_its_power_taken(sim: SimSchool, kept: Kept) -> None:
    sim.switch.set_wire(sim.port, {"draws": True, "hung": True})
    settle(sim)
    await once(sim, kept, "cycle-poe")
    assert steps_of(kept) == DONE


async def test_a_bad_pair_is_put_back_and_said(sim: SimSchool, kept: Kept) -> None:
    """It negotiates 100M: a bounce does not cure it."""
    sim.switch.set_wire(sim.port, {"pairs": {"C": {"state": "open", "metres": 12}}})
    settle(sim)
    assert sim.switch.port(sim.port).speed_mbps == 100
    sentence = await failing(sim, kept, "bounce-port")
    assert "100 Mb/s" in sentence
    assert "as before" in sentence
    assert steps_of(kept) == [S.BEGUN, S.APPLIED, S.UNDOING, S.UNDONE]
    assert kept.values("repairs", "repair_cable")[-1] == ""  # it carries 100M: no test cuts it


async def test_a_dead_cable_is_measured_once_all_is_as_before(sim: SimSchool, kept: Kept) -> None:
    sim.switch.set_wire(sim.port, {"pairs": {"A": {"state": "open", "metres": 7}}})
    settle(sim)
    sentence = await failing(sim, kept, "bounce-port")
    assert "the cable test says: pair A open" in sentence
    cable = json.loads(str(kept.values("repairs", "repair_cable")[-1]))
    assert [one["pair"] for one in cable] == ["A", "B", "C", "D"]


async def test_the_cable_test_by_itself(sim: SimSchool, kept: Kept) -> None:
    sim.switch.set_wire(sim.port, {"pairs": {"C": {"state": "open", "metres": 12}}})
    settle(sim)
    assert "pair C open" in await once(sim, kept, "cable-diagnosis")
    assert steps_of(kept) == [S.BEGUN, S.DONE]


async def test_secrets_of_the_ports_section_are_not_told(
    sim: SimSchool, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = SimConsole._carry_out

    def carry_out(console: SimConsole, line: Line) -> str:
        canary = " ospf authentication-mode md5 1 cipher CANARY"
        return re.sub(r"(?m)^#$", f"{canary}\n#", whole(console, line))

    monkeypatch.setattr(SimConsole, "_carry_out", carry_out)
    force(sim)
    await once(sim, kept, "restore-negotiation")
    told = str([list(column) for draft in kept.of("repairs") for column in draft.columns])
    assert "md5 1 cipher <secret>" in told
    assert "CANARY" not in told


async def test_a_single_good_look_proves_nothing(sim: SimSchool, kept: Kept) -> None:
    """A switch that answers from its cache: good, and bad again in the hold."""
    sim.switch.set_wire(sim.port, {"pairs": {"C": {"state": "open", "metres": 12}}})
    settle(sim)

    def lie(ports: dict[str, PortSeen]) -> None:
        ports[sim.port] = replace(ports[sim.port], oper=OperStatus.UP, speed_mbps=1000)

    def truth(_: dict[str, PortSeen]) -> None:
        """As it is."""

    sim.eyes.lies = [truth, *[lie] * 12, truth]
    await failing(sim, kept, "bounce-port")
    assert S.GOOD in steps_of(kept)
    assert S.PROVED not in steps_of(kept)


async def test_worse_elsewhere_is_put_back(sim: SimSchool, kept: Kept) -> None:
    force(sim)

    def other(ports: dict[str, PortSeen]) -> None:
        ports[sim.uplink] = replace(ports[sim.uplink], oper=OperStatus.DOWN)

    sim.eyes.lies = [lambda _: None, other]
    assert "carried a link and went down" in await failing(sim, kept, "restore-negotiation")
    assert not sim.switch.wiring.settings(sim.switch.port(sim.port)).negotiates


async def test_quarantine_and_release_come_home(sim: SimSchool, kept: Kept) -> None:
    port = sim.switch.port(sim.port)
    before = sim.switch.wiring.settings(port)
    await once(sim, kept, "quarantine")
    assert sim.switch.wiring.settings(port).vlan == 99
    await once(sim, kept, "release")  # another life: it is remembered on disk
    assert sim.switch.wiring.settings(port).vlan == before.vlan


async def test_exam_priority_ends_by_itself_also_after_a_restart(
    sim: SimSchool, kept: Kept
) -> None:
    port = sim.switch.port(sim.port)
    before = sim.switch.wiring.settings(port)
    until_ms = sim.clock.wall_ns() // 1_000_000 + 3_600_000
    await once(sim, kept, "exam-priority", until_ms=str(until_ms))
    assert steps_of(kept)[-1] is S.DONE
    assert sim.switch.wiring.settings(port) != before
    life = Life(sim, OsDisk(), kept)
    await drive(sim.clock, life.act("save-configuration"))
    sim.wire.down_until = sim.clock.seconds + 3700  # offline when it is due
    await drive(sim.clock, window_over(sim, life), most_seconds=4000)
    await life.close()
    assert steps_of(kept)[-1] is S.ENDED
    assert sim.switch.wiring.settings(port) == before
    assert sim.switch.store.startup == sim.switch.wiring.running()  # saved in between, so again
    assert 3700 <= sim.clock.seconds - 11 < 3730


async def window_over(sim: SimSchool, life: Life) -> None:
    while life.repairs.book.windows("core"):
        await sim.clock.sleep(1)


async def test_a_command_that_is_given_up_does_not_stop_it(sim: SimSchool, kept: Kept) -> None:
    force(sim)
    life = Life(sim, OsDisk(), kept)

    async def given_up() -> None:
        asking = asyncio.ensure_future(life.act("restore-negotiation", port=sim.port))
        await sim.clock.sleep(2.0)
        assert life.repairs.book.of("core") is not None
        with pytest.raises(Refused) as refused:
            await life.act("bounce-port", port=sim.port)
        assert refused.value.why is Refusal.UNDER_WAY
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await life.ended()

    await drive(sim.clock, given_up())
    await life.close()
    assert steps_of(kept)[-1] is S.DONE


async def test_what_cannot_be_written_down_does_not_begin(
    sim: SimSchool, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    force(sim)
    life = Life(sim, OsDisk(), kept)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(life.repairs.book._disk, "replace", full)
    with pytest.raises(CommandFailed) as failed:
        await drive(sim.clock, life.act("restore-negotiation", port=sim.port))
    await life.close()
    assert failed.value.code is Refusal.NOT_KEPT
    assert all(line.startswith("display") for line in sim.wire.transcript)
    assert not sentences_of(kept)


@pytest.mark.parametrize("cured", [True, False])
async def test_an_end_that_cannot_be_told_yet_is_not_done_again(
    sim: SimSchool, kept: Kept, monkeypatch: pytest.MonkeyPatch, *, cured: bool
) -> None:
    """A broken journal: the switch is not typed at, saved or measured at every new try."""
    force(sim)
    if not cured:
        sim.switch.set_wire(sim.port, {"pairs": {"A": {"state": "open", "metres": 7}}})
        settle(sim)
    life = Life(sim, OsDisk(), kept)
    tell = life.repairs.steps.tell
    broken = [True]

    async def telling(deed: Any, step: S, sentence: str, **more: str) -> None:
        if step.final and broken[0]:
            raise JournalError("no space left on device")
        await tell(deed, step, sentence, **more)

    monkeypatch.setattr(life.repairs.steps, "tell", telling)

    async def act() -> int:
        asking = asyncio.ensure_future(life.act("restore-negotiation", port=sim.port))
        typed = -1
        for _ in range(4):
            await asyncio.wait([life.worker])
            with pytest.raises(JournalError):
                life.worker.result()
            typed = len(sim.wire.transcript) if typed < 0 else typed
            assert len(sim.wire.transcript) == typed
            life.worker = asyncio.ensure_future(life.repairs._of["core"].run())
        broken[0] = False
        await asyncio.wait([asking])
        assert (asking.exception() is None) is cured
        assert len(sim.wire.transcript) == typed
        return steps_of(kept).count(S.DONE if cured else S.UNDONE)

    assert await drive(sim.clock, act()) == 1
    await life.close()


async def test_what_somebody_sets_between_approval_and_execution_stays(
    sim: SimSchool, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that is not as it was approved is left alone, and not put back to what it was."""
    force(sim)
    life = Life(sim, OsDisk(), kept)
    put = life.repairs.book.put

    async def meanwhile(pending: Pending) -> None:
        force(sim, 10)
        await put(pending)

    monkeypatch.setattr(life.repairs.book, "put", meanwhile)
    with pytest.raises(CommandFailed, match="set otherwise since it was approved"):
        await drive(sim.clock, life.act("restore-negotiation", port=sim.port))
    await life.close()
    assert steps_of(kept) == [S.BEGUN, S.UNDONE]
    assert sim.switch.wiring.settings(sim.switch.port(sim.port)).speed_mbps == 10
    assert all(line.startswith("display") for line in sim.wire.transcript)


async def test_priority_that_ends_while_the_next_action_is_checked_does_not_come_back(
    sim: SimSchool, kept: Kept
) -> None:
    force(sim)
    shown = f"display current-configuration interface {sim.port}"
    until_ms = sim.clock.wall_ns() // 1_000_000 + 60_000
    await once(sim, kept, "exam-priority", until_ms=str(until_ms))
    assert "trust" in sim.type(shown)
    life = Life(sim, OsDisk(), kept)

    async def both() -> None:
        left = until_ms / 1000 - sim.clock.wall_ns() / 1e9
        await sim.clock.sleep(left - 0.2)  # the plan is read before, the action begins after
        await asyncio.gather(life.act("restore-negotiation", port=sim.port), return_exceptions=True)
        await life.ended()
        await window_over(sim, life)

    await drive(sim.clock, both())
    await life.close()
    assert S.ENDED in steps_of(kept)
    assert "trust" not in sim.type(shown)


async def test_a_line_that_is_not_taken_is_undone(sim: SimSchool, kept: Kept) -> None:
    """The switch refuses in the middle; the lines before it are taken back."""
    force(sim)
    before = sim.switch.wiring.settings(sim.switch.port(sim.port))
    sim.wire.refuse = "negotiation auto"
    sentence = await failing(sim, kept, "restore-negotiation")
    assert "negotiation auto" in sentence
    assert steps_of(kept)[-1] is S.UNDONE
    assert sim.switch.wiring.settings(sim.switch.port(sim.port)) == before


@pytest.mark.parametrize("readable_at", [1, 99])
async def test_a_port_that_cannot_be_read_after_the_proof_is_read_again(
    sim: SimSchool, kept: Kept, monkeypatch: pytest.MonkeyPatch, readable_at: int
) -> None:
    """Else the task dies, and whoever asked waits for an answer that never comes."""
    force(sim)
    life = Life(sim, OsDisk(), kept)
    read, unread = Typist.read, 0

    async def reading(typist: Typist, port: str) -> PortSettings:
        nonlocal unread
        if S.PROVED in steps_of(kept) and unread < readable_at:
            unread += 1
            raise UnreadableError("core shows a port nobody understands")
        return await read(typist, port)

    monkeypatch.setattr(Typist, "read", reading)
    asking = life.act("restore-negotiation", port=sim.port)
    if readable_at == 1:
        await drive(sim.clock, asking)
        assert steps_of(kept) == DONE
    else:
        with pytest.raises(CommandFailed, match="a person has to look"):
            await drive(sim.clock, asking)
        assert steps_of(kept)[-1] is S.STUCK
    assert not life.worker.done()
    await life.close()


async def test_what_is_proved_in_another_session_is_set_for_good_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the first session confirmed it nobody knows, and a second confirmation is refused."""
    sim, kept = SimSchool(tmp_path, Dialect.COMWARE), Kept()
    force(sim)
    life = Life(sim, OsDisk(), kept)
    again: list[bool] = []
    repairs = life.repairs._of["core"]
    keep = repairs._keep

    async def keeping(*given: Any, **more: Any) -> Any:
        again.append(more["again"])
        return await keep(*given, **more)

    monkeypatch.setattr(repairs, "_keep", keeping)
    asking = asyncio.ensure_future(life.act("restore-negotiation", port=sim.port))

    async def cut() -> None:
        while S.APPLIED not in steps_of(kept):
            await sim.clock.sleep(0.1)
        sim.wire.arm(0, taken=False)
        await asyncio.wait([asking])

    await drive(sim.clock, cut())
    await life.close()
    assert again == [True]
    assert asking.exception() is None
    assert sim.switch.port(sim.port).speed_mbps == 1000
