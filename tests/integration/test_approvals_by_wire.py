"""From an approval by the API, over a real broker, to an agent that checks it and executes once."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agents.approvals import KEYS_FILE, Approvals
from agents.used_approvals import FILE_NAME
from controller.service import Controller
from controller.trust.approval_model import Action, ActionState, Asked, Executed, Person, Plan
from controller.trust.approval_ports import NoWatch
from controller.trust.approval_post import ApprovalPost
from controller.trust.approvals import ApprovalsRoom, approvals_room
from controller.trust.people.records import AccountRecords
from drivers.wire.embedded import EmbeddedBroker
from tenone.config import load_city
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import SystemClock
from tenone.trust.approval import Approval, Refusal, Risk, SignedApproval
from tenone.trust.approval_keys import KeySet
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import ClockQuality
from tests.agents.test_used_approvals import opened_long_ago
from tests.controller.harness import SchoolAgent, until, write_city

CLOCK = SystemClock()
NO1 = ScopePath.parse("binhai/east/no1")
LI = Person(account="account:li", name="Li", actor="account:li")
WANG = Person(account="account:wang", name="Wang", actor="account:wang")


@dataclass
class Switches:
    """What the school's switches are; both workshops read it, the agent's changes it."""

    facts: dict[str, str] = field(default_factory=lambda: {"GE1 speed": "100"})
    executed: list[str] = field(default_factory=list)

    def lines(self, parameters: Mapping[str, str]) -> tuple[str, ...]:
        """What both sides render."""
        return (f"interface {parameters['port']}", " speed auto")


class AgentWorkshop:
    """The agent's side: no switch is touched, executions are counted."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def persons(self, _approval: Approval, /) -> int:
        """One is enough here."""
        return 1

    async def render(self, approval: Approval, /) -> Sequence[str]:
        """The lines."""
        return self._switches.lines(approval.parameters)

    async def state(self, _approval: Approval, /) -> Mapping[str, str]:
        """As they are now."""
        return self._switches.facts

    async def execute(self, approval: Approval, _lines: Sequence[str], /) -> str:
        """Count it."""
        self._switches.executed.append(approval.action)
        return "The port negotiates anew."


class CityWorkshop:
    """The city's side: plans, and sends what is granted ``times`` over."""

    def __init__(self, switches: Switches, post: ApprovalPost) -> None:
        self._switches = switches
        self._post = post
        self.times = 1
        self.edit = False

    async def plan(self, _school: str, _intent: str, parameters: Mapping[str, str], /) -> Plan:
        """The same lines."""
        lines = self._switches.lines(parameters)
        return Plan(lines=lines, facts=dict(self._switches.facts), risk=Risk.ORDINARY)

    async def execute(self, school: str, document: SignedApproval, /) -> Executed:
        """By the wire; the first answer counts."""
        if self.edit:
            text = document.text.replace('port "GE1"', 'port "GE2"')
            document = SignedApproval(text, document.signature)
        first = await self._post.execute(school, document)
        for _ in range(self.times - 1):
            again = await self._post.execute(school, document)
            assert not again.good
        return first


@dataclass
class Wire:
    """All of it, running."""

    room: ApprovalsRoom
    switches: Switches
    workshop: CityWorkshop
    folder: Path
    config: Path

    async def granted(self, retry: str) -> Action:
        """Li asks, Wang approves."""
        action = await self.asked(retry)
        return await self.room.approve(WANG, action, action.plan)

    async def asked(self, retry: str) -> Action:
        """Li asks."""
        asked = Asked(
            scope=NO1, school="no1", intent="port.renegotiate", parameters={"port": "GE1"},
            reason="slow", retry=retry,
        )  # fmt: skip
        return await self.room.request(LI, asked)

    async def rotate(self) -> None:
        """As a person does, by a process of its own beside the running controller."""
        words = ("-m", "tenone.cli", "approvals", "rotate", "-c", str(self.config))
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert process.returncode == 0
        assert b"key set" in said

    async def over(self, action: Action) -> Action:
        """What came of it."""
        async with asyncio.timeout(30):
            while True:
                found = await self.room.get(action.id)
                assert found is not None
                if found.state not in {ActionState.GRANTED, ActionState.STARTED}:
                    return found
                await asyncio.sleep(0.02)

    def agent(self, keys: KeySet) -> Approvals:
        """The agent's part, started (again)."""
        outbox = self.folder / "agent"
        outbox.mkdir(exist_ok=True)
        (outbox / KEYS_FILE).write_text(keys.text)
        if not (outbox / FILE_NAME).exists():
            opened_long_ago(outbox)
        return Approvals(
            outbox,
            city="binhai",
            school="no1",
            workshop=AgentWorkshop(self.switches),
            clock=CLOCK,
            disk=OsDisk(),
            quality=lambda: ClockQuality.SYNCHRONISED,
        )

    @asynccontextmanager
    async def school(self, port: int, keys: KeySet) -> AsyncIterator[None]:
        """The agent is connected."""
        verbs = self.agent(keys).verbs
        async with SchoolAgent(self.folder / "no1", port=port, verbs=verbs) as agent:
            await agent.keep_ports()
            await agent.drained()
            yield


@asynccontextmanager
async def wired(folder: Path, port: int) -> AsyncIterator[Wire]:
    file = write_city(folder / "city", broker_port=port, http_port=8010, schools=["no1"])
    async with Controller(load_city(file), clock=CLOCK) as controller:
        accounts = AccountRecords(controller.records.engine)
        for person, role in ((LI, Role.OPERATOR), (WANG, Role.APPROVER)):
            accounts.create(person.account.partition(":")[2], person.name,
                            [Grant(role, ScopePath())], 0.0)  # fmt: skip
        room = approvals_room(controller.rooms.values())
        switches = Switches()
        workshop = CityWorkshop(switches, ApprovalPost(controller.asking, room.signer))
        room.workshop = workshop
        room.watch = NoWatch()  # guards know no such intents
        yield Wire(room, switches, workshop, folder, file)


@pytest.mark.slow
async def test_abuse_24_over_the_wire(tmp_path: Path) -> None:
    """Good, replayed, edited, changed state, changed keys, an agent that is away."""
    with EmbeddedBroker() as broker:
        async with wired(tmp_path, broker.port) as wire:
            room, switches = wire.room, wire.switches
            pinned = room.signer.keys
            table: list[tuple[str, str, str, int]] = []

            async def show(what: str, retry: str, before: int) -> Action:
                done = await wire.over(await wire.granted(retry))
                count = len(switches.executed) - before
                table.append((what, done.state.value, done.outcome, count))
                return done

            away = await show("the agent is away", "retry-0000", 0)
            assert away.state is ActionState.FAILED
            async with wire.school(broker.port, pinned):
                await until(lambda: room is not None, 1, "running")
                good = await show("approved", "retry-0001", 0)
                assert good.state is ActionState.DONE
                wire.workshop.times = 3
                await show("sent three times", "retry-0002", 1)
                wire.workshop.times = 1
                wire.workshop.edit = True
                edited = await show("edited by one byte", "retry-0003", 2)
                assert edited.state is ActionState.FAILED
                wire.workshop.edit = False
                action = await wire.asked("retry-0004")
                switches.facts["GE1 speed"] = "1000"
                done = await wire.over(await room.approve(WANG, action, action.plan))
                table.append(("state changed", done.state.value, done.outcome, 0))
                assert "no longer as they were" in done.outcome
                action = await wire.asked("retry-across")
                await wire.rotate()
                done = await wire.over(await room.approve(WANG, action, action.plan))
                count = len(switches.executed) - 2
                table.append(("asked before, approved after", done.state.value, "", count))
                await show("first with the next key", "retry-0005", 3)
                await wire.rotate()
                await show("second rotation, told first", "retry-0006", 4)
            async with wire.school(broker.port, room.signer.keys):
                await show("agent restarted", "retry-0007", 5)
    print()
    for what, state, outcome, count in table:
        print(f"{what:28} {state:8} executions {count}  {outcome}")
    assert [count for *_, count in table] == [0, 1, 1, 0, 0, 1, 1, 1, 1]
    assert len(switches.executed) == len(set(switches.executed)) == 6


@pytest.mark.parametrize(
    ("code", "asked", "state"),
    [
        (0, 1, ActionState.DONE),
        (Refusal.OTHER_STATE, 1, ActionState.FAILED),
        (Refusal.USED, 2, ActionState.UNKNOWN),
        (Refusal.USED, 1, ActionState.FAILED),  # a new gateway's first minute: nothing was begun
        (-1, 2, ActionState.UNKNOWN),
        (-2, 1, ActionState.FAILED),
    ],
)
async def test_what_the_agents_word_makes_of_an_action(
    tmp_path: Path, code: int, asked: int, state: ActionState
) -> None:
    from controller.trust.approval_signer import ApprovalSigner  # noqa: PLC0415 - for this one
    from drivers.wire.commands import CommandState, Reply  # noqa: PLC0415 - for this one

    class Agents:
        async def ask(
            self,
            _school: str,
            verb: str,
            _arguments: Mapping[str, object],
            *,
            deadline_seconds: float,
        ) -> Reply:
            assert deadline_seconds > 1
            word = CommandState.SUCCESSFUL if code == 0 else CommandState.FAILED
            return Reply(verb=verb, id="x", state=word, code=code, message="Said.", asked=asked)

    post = ApprovalPost(Agents(), ApprovalSigner(tmp_path, "c"))
    assert (await post.execute("no1", SignedApproval("", b""))).state is state
