"""Plans at the school, hands over what was approved: the :class:`Workshop` of the room of actions.

Lines are rendered by the school's agent, from the switch as it is; here is checked that what is
asked for can be asked for at all, and how many people it takes.
"""

import json
from collections.abc import Callable, Mapping
from typing import Protocol

from controller.agent_port import AskAgent
from controller.trust.approval_model import Executed, Plan, PlanError
from drivers.wire.commands import CommandState
from tenone.trust.approval import Refusal, Risk, SignedApproval
from tenone.vocabulary.intents import ALWAYS, MAY, MEANINGS, Intent

VERB = "Plan"
"""The agent's verb: ``{"intent": str, "parameters": {str: str}}``."""
DEADLINE_SECONDS = 60.0
"""A login takes under a second on most switches, and half a minute on some."""
MOST_FACT = 64 * 1024
CLOCK_SET = "synchronised"
"""What agents say of the gateway's clock: :class:`tenone.vocabulary.states.ClockQuality`."""
NO_CLOCK = (
    "nobody sets the clock of the gateway of {}, so it would refuse every approval: start NTP there"
)


class NothingToDoError(PlanError):
    """The port is set so already."""


class NoMeansError(PlanError):
    """The switch has no means for it: what else would help?"""


class Post(Protocol):
    """Hands a signed approval over: :class:`controller.trust.approval_post.ApprovalPost`."""

    async def execute(self, school: str, document: SignedApproval) -> Executed:
        """Wait for the agent's answer."""
        ...


class SwitchWorkshop:
    """See the module."""

    def __init__(self, agents: AskAgent, post: Callable[[], Post]) -> None:
        """``post``: made when it is first needed, for the city's keys are opened later."""
        self._agents = agents
        self._post = post

    async def plan(self, school: str, intent: str, parameters: Mapping[str, str]) -> Plan:
        """Ask the school's agent for the exact lines; raises :class:`PlanError`."""
        wanted = check_asked(intent, parameters)
        reply = await self._agents.ask(
            school,
            VERB,
            {"intent": wanted.value, "parameters": dict(parameters)},
            deadline_seconds=DEADLINE_SECONDS,
        )
        if reply.state is not CommandState.SUCCESSFUL:
            if reply.code == Refusal.SET_SO_ALREADY:
                raise NothingToDoError(reply.message)
            if reply.code == Refusal.CANNOT:
                raise NoMeansError(reply.message)
            raise PlanError(reply.message)
        return read_plan(school, wanted, reply.message)

    async def execute(self, school: str, document: SignedApproval) -> Executed:
        """Hand it to the school's agent and wait."""
        return await self._post().execute(school, document)


def check_asked(intent: str, parameters: Mapping[str, str]) -> Intent:
    """The intent, if it can be asked for with these parameters; raises :class:`PlanError`."""
    try:
        wanted = Intent(intent)
    except ValueError:
        known = ", ".join(one.value for one in Intent)
        raise PlanError(f"There is no intent {intent[:64]!r}: ask for one of {known}.") from None
    needed = MEANINGS[wanted].parameters | ALWAYS
    missing = sorted(name for name in needed if not parameters.get(name))
    if missing:
        raise PlanError(f"{wanted.value}: the parameter {missing[0]!r} is missing.")
    strange = sorted(parameters.keys() - needed - MAY)
    if strange:
        raise PlanError(f"{wanted.value} takes no parameter {strange[0][:64]!r}.")
    return wanted


def read_plan(school: str, intent: Intent, message: str) -> Plan:
    """An agent's answer as a plan; raises :class:`PlanError`."""
    try:
        said = json.loads(message)
        lines, facts, persons = said["lines"], said["facts"], said["persons"]
    except (ValueError, TypeError, KeyError):
        raise PlanError(
            f"The agent of {school} answered with a plan that cannot be read: "
            "is it of the same version as the controller?"
        ) from None
    if not _texts(lines) or not isinstance(facts, dict) or not _texts([*facts, *facts.values()]):
        raise PlanError(f"The agent of {school} answered with a plan that is none.")
    if not any(line.strip() for line in lines):
        raise PlanError(f"{intent.value}: the agent of {school} has nothing to send.")
    if sum(len(value) for value in facts.values()) > MOST_FACT:
        raise PlanError(f"The agent of {school} told more than {MOST_FACT} bytes of one port.")
    two = MEANINGS[intent].two_persons or persons != 1  # what is not understood takes more people
    return Plan(
        lines=tuple(lines),
        facts=dict(facts),
        risk=Risk.HIGH if two else Risk.ORDINARY,
        hindrance="" if said.get("clock", CLOCK_SET) == CLOCK_SET else NO_CLOCK.format(school),
    )


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)
