"""What the room of actions needs of others: who plans and executes, and who holds back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from controller.trust.approval_model import Action, Asked, Executed, Person, Plan, PlanError
from tenone.trust.approval import SignedApproval


class Workshop(Protocol):
    """What plans and what executes; part 4 fills it."""

    async def plan(self, school: str, intent: str, parameters: Mapping[str, str], /) -> Plan:
        """Raises :class:`PlanError`."""
        ...

    async def execute(self, school: str, document: SignedApproval, /) -> Executed:
        """Hand the approval to the school's agent and wait for its answer."""
        ...


class NoWorkshop:
    """This version: there is nothing to ask for."""

    async def plan(self, _school: str, intent: str, _parameters: Mapping[str, str], /) -> Plan:
        """See :class:`Workshop`."""
        raise PlanError(f"This version offers no intents, so not {intent[:64]!r} either.")

    async def execute(self, _school: str, _document: SignedApproval, /) -> Executed:
        """See :class:`Workshop`."""
        return Executed(good=False, sentence="This version executes nothing.")


@dataclass(frozen=True, slots=True)
class Hold:
    """Why an action does not begin now."""

    sentence: str
    passing: bool = False
    """It is over by itself soon: a granted action waits for it while its approval lasts."""


class Watch(Protocol):
    """Who is asked before anything is asked for or begun, and told what came of it."""

    def refuses(self, person: Person, asked: Asked, /) -> str:
        """Why this is not even put before anybody; empty: it may be asked for."""
        ...

    async def admit(self, action: Action, /) -> Hold | None:
        """Right before it begins; None: it begins, and counts as under way. StoreError."""
        ...

    def withdraw(self, action: Action, /) -> str:
        """Right before it is sent: why it must not go out any more; empty: it goes."""
        ...

    async def not_begun(self, action: Action, /) -> None:
        """It was admitted, and could not be begun: it may be admitted again."""
        ...

    def over(self, action: Action, done: Executed, /) -> None:
        """What came of an action that was admitted."""
        ...


class NoWatch:
    """Nothing is held back."""

    def refuses(self, _person: Person, _asked: Asked, /) -> str:
        """See :class:`Watch`."""
        return ""

    async def admit(self, _action: Action, /) -> Hold | None:
        """See :class:`Watch`."""
        return None

    def withdraw(self, _action: Action, /) -> str:
        """See :class:`Watch`."""
        return ""

    async def not_begun(self, _action: Action, /) -> None:
        """See :class:`Watch`."""

    def over(self, _action: Action, _done: Executed, /) -> None:
        """See :class:`Watch`."""
