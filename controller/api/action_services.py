"""What the HTTP side asks of actions and their approvals; and nothing where there are none."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from controller.trust.approval_model import Action, Asked, Person, PlanError, Step, StepError
from tenone.vocabulary.scope import ScopePath


class Approvals(Protocol):
    """Whoever calls has looked at scope and role. All may raise StoreError and LedgerError."""

    async def get(self, action: str, /) -> Action | None:
        """One action."""
        ...

    async def newest(self, scopes: Sequence[ScopePath], /) -> Sequence[Action]:
        """The newest actions inside these scopes."""
        ...

    async def request(self, person: Person, asked: Asked, /) -> Action:
        """Plan and let wait; PlanError, StepError."""
        ...

    async def approve(self, person: Person, action: Action, plan: str, /) -> Action:
        """Approve the plan that was looked at; StepError."""
        ...

    async def refuse(self, person: Person, action: Action, reason: str, /) -> Action:
        """End a waiting request; StepError."""
        ...

    async def withdraw(self, person: Person, action: Action, /) -> Action:
        """Take one's own back; StepError."""
        ...

    def outcomes(self) -> Mapping[str, int]:
        """How many actions ended how since the start, by state."""
        ...


class NoApprovals:
    """A controller without actions."""

    async def get(self, _action: str, /) -> Action | None:
        """See :class:`Approvals`."""
        return None

    async def newest(self, _scopes: Sequence[ScopePath], /) -> Sequence[Action]:
        """See :class:`Approvals`."""
        return ()

    async def request(self, _person: Person, _asked: Asked, /) -> Action:
        """See :class:`Approvals`."""
        raise PlanError("This controller has no actions.")

    async def approve(self, _person: Person, action: Action, _plan: str, /) -> Action:
        """See :class:`Approvals`."""
        raise StepError(Step.NO_SUCH, f"There is no action {action.id}.")

    async def refuse(self, _person: Person, action: Action, _reason: str, /) -> Action:
        """See :class:`Approvals`."""
        raise StepError(Step.NO_SUCH, f"There is no action {action.id}.")

    async def withdraw(self, _person: Person, action: Action, /) -> Action:
        """See :class:`Approvals`."""
        raise StepError(Step.NO_SUCH, f"There is no action {action.id}.")

    def outcomes(self) -> Mapping[str, int]:
        """See :class:`Approvals`."""
        return {}


def own_account(actor: str) -> str | None:
    """The account of an actor that is one; programs and one-time codes are nobody's."""
    return actor if actor.startswith("account:") else None
