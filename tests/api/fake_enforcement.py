"""Repairs of the small city in memory: every state a screen must show."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from controller.api.action_services import NoApprovals
from controller.enforcement.figures import Figures
from controller.enforcement.model import (
    Course,
    CourseStep,
    GuardName,
    Held,
    Proposal,
    Standing,
    Stop,
)
from controller.trust.approval_model import (
    Action,
    ActionState,
    Asked,
    Person,
    Plan,
    PlanError,
    Step,
    StepError,
    Voice,
)
from tenone.trust.approval import Risk, plan_hash
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.scope import ScopePath
from tests.api.fake_city import EVIL

NS = 1_000_000_000
LINES = (
    "do: interface GigabitEthernet0/0/7",
    "do: negotiation auto",
    "undo: interface GigabitEthernet0/0/7",
    "undo: undo negotiation auto",
    "undo: speed 100",
    "keep: save",
    "if it does not help: display virtual-cable-test",
)
NO3 = ScopePath.parse("binhai/east/no3")
NO5 = ScopePath.parse("binhai/west/no5")
WAITING, EVILS, PROVED, UNDONE, RUNNING = "a-0001", "a-0002", "a-0003", "a-0004", "a-0005"
STANDING = Standing(
    modes=dict.fromkeys(Intent, Mode.PROPOSE) | {Intent.RESTORE_NEGOTIATION: Mode.AUTO},
    stops=(),
    changes_today=2,
    failures_today=1,
    under_way=1,
)


def action(now: float, **values: object) -> Action:
    """A restored negotiation of class 3-2 that waits, or what ``values`` make of it."""
    made = Action(
        id=WAITING,
        scope=NO3,
        school="no3",
        intent=Intent.RESTORE_NEGOTIATION.value,
        parameters={"switch": "acc-3", "port": "GigabitEthernet0/0/7", "link": "no3/c-3-2"},
        lines=LINES,
        plan=plan_hash(LINES).hex(),
        device_state="0" * 64,
        risk=Risk.ORDINARY,
        reason="3年2班 is slow",
        requester="account:li/1",
        requester_name="李明",
        retry="retry-0001",
        asked="",
        made_ns=int((now - 300) * NS),
        ends_ns=int((now + 3600) * NS),
        changed_ns=int((now - 300) * NS),
    )
    return replace(made, **values)  # type: ignore[arg-type]  # fields by name


def several(now: float) -> list[Action]:
    """One in each place of the page."""
    voice = Voice(account="account:wang/1", name="王伟", at_ns=int((now - 200) * NS))
    over = {"voices": (voice,), "changed_ns": int((now - 190) * NS)}
    return [
        action(now),
        action(
            now,
            id=EVILS,
            scope=ScopePath.parse("binhai/north/evil"),
            school="evil",
            intent=Intent.QUARANTINE.value,
            parameters={"switch": "sw", "port": EVIL},
            lines=(f"interface {EVIL}",),
            plan=plan_hash((f"interface {EVIL}",)).hex(),
            risk=Risk.HIGH,
            reason=EVIL,
            requester_name=EVIL,
        ),
        action(now, id=PROVED, state=ActionState.DONE, outcome="Proved after 3.1 s.", **over),
        action(now, id=UNDONE, state=ActionState.FAILED, outcome="Put back.", **over),
        action(now, id=RUNNING, state=ActionState.STARTED, **over),
    ]


def steps(now: float, *walk: RepairStep, **last: str) -> tuple[CourseStep, ...]:
    """A walk of a step a second."""
    made = [
        CourseStep(
            step=step, at=now + place, sentence=f"{step.name.title()}.", transcript=f"> {place}"
        )
        for place, step in enumerate(walk)
    ]
    return (*made[:-1], replace(made[-1], **last))  # type: ignore[arg-type]  # fields by name


class FakeEnforcement:
    """See :class:`controller.api.enforcement_services.Enforcement`."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.stops: list[Stop] = []
        self.figures = Figures()
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        held = Held(GuardName.CLASS_HOURS, "Class hours at no3 until 12:00.", {"until": "12:00"})
        self.kept: list[Proposal] = [
            Proposal(
                link="no3/c-3-2",
                incident="no3-000000000001",
                school="no3",
                scope=NO3,
                switch="acc-3",
                port="GigabitEthernet0/0/7",
                intent=Intent.RESTORE_NEGOTIATION,
                mode=Mode.PROPOSE,
                sentence={"en": "Let the port negotiate again.", "zh": "让端口重新协商。"},
                held=(held, Held(GuardName.STOPPED, "Stopped.")),
                action=WAITING,
                since=now - 600,
            ),
            Proposal(
                link="no5/uplink",
                incident="no5-000000000002",
                school="no5",
                scope=NO5,
                switch="core",
                port="XGE1",
                intent=None,
                mode=Mode.PROPOSE,
                sentence={"en": f"Carry a module {EVIL}.", "zh": "请带光模块。"},
                action=UNDONE,
                since=now - 900,
            ),
        ]
        at = now - 190
        proved = (RepairStep.BEGUN, RepairStep.APPLIED, RepairStep.GOOD, RepairStep.PROVED)
        broken = (RepairStep.BEGUN, RepairStep.APPLIED, RepairStep.UNDOING, RepairStep.UNDONE)
        self.courses = {
            PROVED: Course(
                action=PROVED,
                intent=Intent.RESTORE_NEGOTIATION.value,
                school="no3",
                link="no3/c-3-2",
                steps=steps(at, *proved, RepairStep.DONE, transcript=f"display this\n{EVIL}"),
                proved=at + 5,
                faulted=at - 20,
                judged=at - 18,
            ),
            UNDONE: Course(
                action=UNDONE,
                intent=Intent.RESTORE_NEGOTIATION.value,
                school="no3",
                link="no3/c-3-2",
                steps=steps(at, *broken, cable='{"pairs": [{"pair": "C", "state": "open"}]}'),
                faulted=at - 20,
                judged=at - 18,
            ),
        }

    def standing(self, scope: ScopePath) -> Standing:
        near = [one for one in self.stops if one.scope.covers(scope) or scope.covers(one.scope)]
        return replace(STANDING, stops=tuple(near))

    def proposals(self, scope: ScopePath) -> Sequence[Proposal]:
        return [one for one in self.kept if scope.covers(one.scope)]

    async def dry_run(
        self, school: str, intent: str, parameters: Mapping[str, str]
    ) -> tuple[Plan, Sequence[Held]]:
        self.asked.append((school, intent, parameters))
        if intent not in {one.value for one in Intent}:
            raise PlanError(f"There is no intent {intent!r}.")
        return Plan(lines=LINES, facts={}, risk=Risk.ORDINARY), self.kept[0].held

    async def course(self, action: str) -> Course | None:
        return self.courses.get(action)

    async def stop(self, scope: ScopePath, *, by: str, reason: str) -> Stop:
        made = Stop(scope=scope, by=by, at=self.now, reason=reason)
        self.stops.append(made)
        return made

    async def resume(self, scope: ScopePath, *, by: str) -> None:
        assert by
        self.stops = [one for one in self.stops if one.scope != scope]


class FakeApprovals(NoApprovals):
    """Actions in memory: the steps of people are noted and believed."""

    def __init__(self, now: float) -> None:
        self.actions = {one.id: one for one in several(now)}
        self.steps: list[tuple[str, str, str, str]] = []
        self.refuses: StepError | None = None

    async def get(self, action: str, /) -> Action | None:
        return self.actions.get(action)

    async def newest(self, scopes: Sequence[ScopePath], /) -> Sequence[Action]:
        inside = self.actions.values()
        return [one for one in inside if any(scope.covers(one.scope) for scope in scopes)]

    async def request(self, person: Person, asked: Asked, /) -> Action:
        if asked.reason == "odd":
            raise PlanError("The port is not there.")
        self.steps.append(("request", person.account, asked.intent, asked.retry))
        return self.actions[WAITING]

    async def approve(self, person: Person, action: Action, plan: str, /) -> Action:
        if plan != action.plan:
            raise StepError(Step.CHANGED, "The plan is another one.")
        return self._step("approve", person, action, plan)

    async def refuse(self, person: Person, action: Action, reason: str, /) -> Action:
        return self._step("refuse", person, action, reason)

    async def withdraw(self, person: Person, action: Action, /) -> Action:
        return self._step("withdraw", person, action, "")

    def _step(self, what: str, person: Person, action: Action, text: str) -> Action:
        if self.refuses is not None:
            raise self.refuses
        self.steps.append((what, person.account, action.id, text))
        return action
