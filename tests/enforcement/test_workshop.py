"""What can be asked for, and what agents answer, good and bad."""

import json
from collections.abc import Mapping

import pytest

from controller.enforcement.workshop import (
    NoMeansError,
    NothingToDoError,
    SwitchWorkshop,
    check_asked,
    read_plan,
)
from controller.ingest.commands import NO_ANSWER
from controller.trust.approval_model import Executed, Plan, PlanError
from drivers.wire.commands import CommandState, Reply
from tenone.trust.approval import Refusal, Risk, SignedApproval
from tenone.vocabulary.intents import ALWAYS, MEANINGS, Intent

PLAN = {"lines": ["do: x"], "facts": {"port": "y"}, "persons": 1}


class Agents:
    """Answer what they are told to."""

    def __init__(self, message: str, code: int = 0) -> None:
        state = CommandState.FAILED if code else CommandState.SUCCESSFUL
        self.reply = Reply(verb="Plan", id="1", state=state, code=code, message=message)
        self.asked: list[tuple[str, str, Mapping[str, object]]] = []

    async def ask(
        self, school: str, verb: str, arguments: Mapping[str, object], *, deadline_seconds: float
    ) -> Reply:
        assert deadline_seconds > 0
        self.asked.append((school, verb, arguments))
        return self.reply


class Post:
    """Hands nothing over."""

    async def execute(self, school: str, _document: SignedApproval) -> Executed:
        return Executed(good=True, sentence=school)


async def planned(agents: Agents, intent: str = "bounce-port") -> Plan:
    workshop = SwitchWorkshop(agents, Post)
    return await workshop.plan("no1", intent, {"switch": "sw1", "port": "GE1"})


async def test_a_plan() -> None:
    agents = Agents(json.dumps(PLAN))
    plan = await planned(agents)
    assert (plan.lines, plan.facts, plan.risk) == (("do: x",), {"port": "y"}, Risk.ORDINARY)
    wanted = {"intent": "bounce-port", "parameters": {"switch": "sw1", "port": "GE1"}}
    assert agents.asked == [("no1", "Plan", wanted)]
    assert (await planned(agents, "quarantine")).risk is Risk.HIGH
    document = SignedApproval("x", b"")
    assert (await SwitchWorkshop(agents, Post).execute("no1", document)).sentence == "no1"


def test_a_gateway_whose_clock_nobody_sets_is_told_with_the_plan() -> None:
    """Approvals were asked for and given that no gateway would take."""
    for clock, hindered in (("synchronised", False), ("free_running", True), (7, True)):
        said = PLAN | {"clock": clock}
        plan = read_plan("no1", Intent.BOUNCE_PORT, json.dumps(said))
        assert bool(plan.hindrance) is hindered
        assert not hindered or "clock of the gateway of no1" in plan.hindrance


@pytest.mark.parametrize("persons", [2, 3, "1", None, 0])
def test_what_is_not_one_person_is_high_risk(persons: object) -> None:
    plan = read_plan("no1", Intent.BOUNCE_PORT, json.dumps(PLAN | {"persons": persons}))
    assert plan.risk is Risk.HIGH


@pytest.mark.parametrize(
    ("code", "error"),
    [(Refusal.SET_SO_ALREADY, NothingToDoError), (Refusal.CANNOT, NoMeansError),
     (Refusal.NOT_HERE, PlanError),
     (NO_ANSWER, PlanError)],
)  # fmt: skip
async def test_refusals(code: int, error: type[PlanError]) -> None:
    with pytest.raises(error, match="said so") as refused:
        await planned(Agents("said so", code))
    assert type(refused.value) is error


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no JSON",
        "[]",
        "7",
        "{}",
        json.dumps(PLAN | {"lines": "do: x"}),
        json.dumps(PLAN | {"lines": [1]}),
        json.dumps(PLAN | {"lines": []}),
        json.dumps(PLAN | {"lines": [" "]}),
        json.dumps(PLAN | {"facts": []}),
        json.dumps(PLAN | {"facts": {"port": 1}}),
        json.dumps(PLAN | {"facts": {"port": "x" * 70_000}}),
    ],
)
async def test_what_is_no_plan_is_a_sentence(message: str) -> None:
    with pytest.raises(PlanError, match="agent of no1"):
        await planned(Agents(message))


@pytest.mark.parametrize("intent", list(Intent))
def test_what_belongs_to_an_intent(intent: Intent) -> None:
    whole = dict.fromkeys(MEANINGS[intent].parameters | ALWAYS, "1")
    assert check_asked(intent.value, whole | {"link": "no1/c1", "incident": "i"}) is intent
    for name in whole:
        with pytest.raises(PlanError, match=f"{name!r} is missing"):
            check_asked(intent.value, {key: "1" for key in whole if key != name})
        with pytest.raises(PlanError, match=f"{name!r} is missing"):
            check_asked(intent.value, whole | {name: ""})
    with pytest.raises(PlanError, match="takes no parameter 'lines'"):
        check_asked(intent.value, whole | {"lines": "reboot"})
    with pytest.raises(PlanError, match="There is no intent"):
        check_asked(intent.value.upper(), whole)
