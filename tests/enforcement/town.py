"""Two schools, the rooms of incidents, actions and repairs, and an agent that does as it is told.

Time is a manual clock's: nothing waits, and everything happens in a known order.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

from controller.asking import NOT_THERE, Asking
from controller.enforcement.model import Course, Proposal
from controller.enforcement.room import EnforcementRoom
from controller.incidents.model import Act, Subject
from controller.plan import CityPlan
from controller.repairs import repairs_room
from controller.store.protocols import Arrival
from controller.store.records import SqlRecords
from controller.topology.room import TopologyRoom
from controller.trust.approval_model import Action, Asked, Person
from controller.trust.approvals import ApprovalsRoom
from controller.trust.people.tables import AccountGrantRow, AccountRow
from drivers.wire.commands import CommandState, Reply
from tenone.blocks.layout import Layout
from tenone.config.city import City
from tenone.config.enforcement import Enforcement
from tenone.config.escalation import Escalation
from tenone.config.switch_cli import SwitchCli
from tenone.runtime.clock import ManualClock
from tenone.trust.approval import Approval, Refusal, SignedApproval
from tenone.vocabulary.repairs import REPAIRS, RepairStep
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.incidents.house import Town
from tests.trust.acting import WatchedLedger

NO1 = ScopePath.parse("binhai/east/no1")
LI = Person(account="account:li", name="Li", actor="account:li")
WANG = Person(account="account:wang", name="Wang", actor="account:wang")
S = RepairStep
GOOD = (S.BEGUN, S.APPLIED, S.GOOD, S.PROVED, S.DONE)
BAD = (S.BEGUN, S.APPLIED, S.UNDOING, S.UNDONE)
SLOW = {"speed_mbps": [100, 1000, 10_000]}
SHUT = {"admin": [2, 1, 1], "oper": [2, 1, 1]}
BOTH_SLOW = {"speed_mbps": [100, 100, 10_000]}
UPLINK_SLOW = {"speed_mbps": [1000, 1000, 1000]}
OPEN = json.dumps([{"pair": "C", "state": "open", "metres": 12.0}])


@cache
def fresh_records() -> bytes:
    """A database with all its tables: making them anew takes half of a test's time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.db"
        records = SqlRecords(f"sqlite:///{path}")
        records.start()
        records.close()
        return path.read_bytes()


@dataclass
class FakeAgent:
    """The agents of all schools: plans anything, and tells the steps it is given."""

    town: "RepairTown"
    online: bool = True
    steps: Sequence[RepairStep] = GOOD
    cures: Mapping[str, Any] | None = field(default_factory=dict)
    """What the ports are afterwards, other than as promised; None: as before."""
    cable: str = ""
    set_so: set[str] = field(default_factory=set)
    """Intents that the switch says are set so already."""
    cannot: set[str] = field(default_factory=set)
    """Intents that the switch has no means for."""
    clock: str = "synchronised"
    """What it says of its own."""
    hangs: asyncio.Event | None = None
    """The answer comes once this is set."""
    said: str = "Done."
    planned: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    acted: list[Approval] = field(default_factory=list)

    async def ask(
        self, school: str, verb: str, arguments: Mapping[str, Any], *, deadline_seconds: float
    ) -> Reply:
        """See :class:`controller.asking.Asking`."""
        assert deadline_seconds > 0
        if not self.online:
            said = f"The agent of {school} is not connected, so it cannot be asked."
            return self._reply(verb, said, NOT_THERE)
        if verb == "Plan":
            return self._plan(arguments["intent"], arguments["parameters"])
        document = SignedApproval(arguments["approval"], bytes.fromhex(arguments["signature"]))
        approval = document.approval(self.town.approvals.signer.keys.pins)
        self.acted.append(approval)
        self.tell(approval.action, self.steps, school, approval)
        if self.hangs is not None:
            await self.hangs.wait()
        done = bool(self.steps) and self.steps[-1] is S.DONE
        return self._reply("Act", self.said, 0 if done else 4)

    def _plan(self, intent: str, parameters: Mapping[str, str]) -> Reply:
        self.planned.append((intent, parameters))
        if intent in self.set_so:
            return self._reply("Plan", "it is set so already", Refusal.SET_SO_ALREADY)
        if intent in self.cannot:
            return self._reply("Plan", "it has no such test", Refusal.CANNOT)
        plan = {
            "lines": [f"do: {intent} {parameters.get('port', '')}"],
            "facts": {"port": "x"},
            "persons": 1,
            "clock": self.clock,
        }
        return self._reply("Plan", json.dumps(plan))

    @staticmethod
    def _reply(verb: str, message: str, code: int = 0) -> Reply:
        state = CommandState.FAILED if code else CommandState.SUCCESSFUL
        return Reply(verb=verb, id="1", state=state, code=code, message=message)

    def tell(
        self,
        action: str,
        steps: Sequence[RepairStep],
        school: str = "no1",
        approval: Approval | None = None,
    ) -> list[Arrival]:
        """The blocks of these steps, on the bus."""
        arrivals = []
        for step in steps:
            if step is S.APPLIED and self.cures is not None:
                self.town.columns = dict(self.cures)
            values: dict[str, list[Any]] = {
                "repair_intent": ["" if approval is None else approval.intent],
                "repair_switch": ["sw1"],
                "repair_port": ["GE1"],
                "repair_step": [int(step)],
                "repair_at_ms": [self.town.clock.wall_ns() // 1_000_000],
                "repair_sentence": [f"The agent says {step.name.lower()}."],
                "repair_cable": [self.cable if step in {S.UNDONE, S.DONE} else ""],
                "repair_transcript": [f"<sw1> {step.name}"],
                "repair_said": ['[["taken", {}]]'],
            }
            arrivals.append(self.town.block("repairs", REPAIRS, (action,), values, school))
        for arrival in arrivals:
            self.town.town.bus.block(arrival)
        return arrivals


class RepairTown:
    """``async with RepairTown(folder, mode="auto") as town:``."""

    def __init__(
        self,
        folder: Path,
        *,
        cli: Mapping[str, Any] | None = None,
        plan: CityPlan | None = None,
        **rules: Any,
    ) -> None:
        self.clock = ManualClock()
        (folder / "records.db").write_bytes(fresh_records())
        self.town = Town(folder, self.clock, Escalation(), plan)
        wanted = {"settle_seconds": 2.0, "hold_seconds": 2.0, **rules}
        said: dict[str, Any] = {
            "dialect": "linux",
            "username": "tenone",
            "password": "env:X",
            "automatic": ["restore-negotiation", "bounce-port", "enable-port", "cycle-poe"],
            **(cli or {}),
        }
        schools = [
            SimpleNamespace(
                id=one,
                switches=[
                    SimpleNamespace(name=switch.name, cli=SwitchCli.model_validate(said))
                    for switch in self.town.plan.switches
                    if switch.school == one
                ],
            )
            for one in ("no1", "no2")
        ]
        config = SimpleNamespace(
            **vars(self.town.house.config),
            enforcement=Enforcement.model_validate(wanted),
            schools=schools,
        )
        self.ledger = WatchedLedger()
        self.house = replace(self.town.house, config=cast("City", config), ledger=self.ledger)
        self.house.store.start()
        self.columns: dict[str, Any] = {}
        self.agent = FakeAgent(self)
        self.tasks: list[asyncio.Task[None]] = []
        self.approvals: ApprovalsRoom
        self.room: EnforcementRoom

    async def __aenter__(self) -> Self:
        self.account("li", Role.OPERATOR)
        self.account("wang", Role.APPROVER)
        self.town.born("no1", "no2")
        self.start()
        await self.run(4)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        self.house.store.close()
        self.town.close()

    def start(self) -> None:
        """The controller's rooms, as after a start."""
        self.approvals = ApprovalsRoom(self.house)
        self.approvals.open()
        self.room = repairs_room(
            self.house,
            approvals=self.approvals,
            incidents=self.town.room,
            topology=TopologyRoom(self.house),
            asking=cast("Asking", self.agent),
        )
        self.room.open()
        self.tasks = [
            asyncio.create_task(self.approvals.run()),
            asyncio.create_task(self.room.asker.run()),
        ]

    async def kill(self) -> None:
        """The controller ends wherever it is."""
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task
        self.tasks = []

    async def restart(self) -> None:
        """It is killed and started again."""
        await self.kill()
        self.start()

    # -- what happens

    async def run(self, seconds: float) -> None:
        """Time passes: a sweep every second, and everybody has his turns."""
        for _ in range(round(seconds)):
            self.town.ports(**self.columns)
            self.town.ports("no2", ports=("GE1",))
            await self.town.step(1.0)
            await self.settled()

    async def settled(self) -> None:
        """Everybody does what there is to do at this moment."""
        for _ in range(6):
            await self.room.step()
            for _ in range(20):
                await asyncio.sleep(0)

    def block(
        self,
        stream: str,
        columns: Sequence[str],
        rows: tuple[str, ...],
        values: Mapping[str, Sequence[Any]],
        school: str = "no1",
        subject: str = "gateway/repairs",
    ) -> Arrival:
        """A block of a school's agent, as it arrives."""
        journal = self.town.journals[school]
        made = journal.block(
            Layout(stream, tuple(columns), rows),
            f"{school}/{subject}",
            values,
            wall_ns=self.clock.wall_ns(),
        )
        now_ns = self.clock.monotonic_ns()
        return journal.arrival(made, received_ns=self.clock.wall_ns(), monotonic_ns=now_ns)

    def account(self, name: str, role: Role) -> None:
        """Somebody who may."""
        with self.town.records.unit() as work:
            work.add(AccountRow(
                name=name, display=name, enabled=True, second_step=0, provider="", subject="",
                failures=0, locked_until=0.0, version=1, created_at=0.0,
            ))  # fmt: skip
            work.add(AccountGrantRow(account=name, role=role, scope="binhai"))

    # -- what came of it

    async def actions(self) -> list[Action]:
        """All, the oldest first."""
        return list(reversed(await self.approvals.newest([ScopePath.parse("binhai")])))

    async def course(self) -> Course:
        """Of the newest action."""
        found = await self.room.course((await self.actions())[-1].id)
        assert found is not None
        return found

    def proposal(self, link: str = "no1/c301") -> Proposal | None:
        """Of a link."""
        return next((one for one in self.room.proposals(NO1) if one.link == link), None)

    def remarks(self, link: str = "no1/c301") -> list[str]:
        """What TenOne said in the timelines of a link's incidents, in English."""
        found = []
        for incident in self.town.room.engine.incidents.values():
            if incident.subject == Subject.link(link):
                for event in self.town.room.records.timeline(incident.id):
                    if event.act is Act.COMMENTED:
                        assert event.who == "system"
                        assert event.fields["text_zh"]
                        found.append(str(event.fields["text"]))
        return found

    async def ask(self, intent: str = "bounce-port", port: str = "GE1", **more: str) -> Action:
        """Li asks for something."""
        return await self.approvals.request(
            LI,
            Asked(
                scope=NO1,
                school="no1",
                intent=intent,
                parameters={"switch": "sw1", "port": port, **more},
                reason="slow",
                retry=f"retry-{self.clock.monotonic_ns()}-{intent}-{port}",
            ),
        )

    async def approve(self, action: Action) -> Action:
        """Wang approves."""
        return await self.approvals.approve(WANG, action, action.plan)
