"""What the API asks of the room of repairs; see :mod:`controller.enforcement`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from controller.enforcement.figures import Figures
from controller.enforcement.model import Course, Held, Proposal, Standing, Stop
from controller.trust.approval_model import Plan, PlanError
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.scope import ScopePath


class Enforcement(Protocol):
    """The port."""

    figures: Figures
    """What is counted since the start."""

    def standing(self, scope: ScopePath) -> Standing:
        """Modes, stops and figures of a scope."""
        ...

    def proposals(self, scope: ScopePath) -> Sequence[Proposal]:
        """What would help, worst first."""
        ...

    async def dry_run(
        self, school: str, intent: str, parameters: Mapping[str, str]
    ) -> tuple[Plan, Sequence[Held]]:
        """The exact lines, and what would hold them back now; nothing is kept. PlanError."""
        ...

    async def course(self, action: str) -> Course | None:
        """How an action went; StoreError."""
        ...

    async def stop(self, scope: ScopePath, *, by: str, reason: str) -> Stop:
        """Nothing more is begun there, by nobody; what is under way ends. StoreError."""
        ...

    async def resume(self, scope: ScopePath, *, by: str) -> None:
        """Take the stop of exactly this scope back; LookupError, StoreError."""
        ...


class NoEnforcement:
    """A controller without the room (tests of single parts)."""

    def __init__(self) -> None:
        self.figures = Figures()

    def standing(self, _scope: ScopePath) -> Standing:
        """See :class:`Enforcement`."""
        return Standing(
            modes=dict.fromkeys(Intent, Mode.OFF),
            stops=(),
            changes_today=0,
            failures_today=0,
            under_way=0,
        )

    def proposals(self, _scope: ScopePath) -> Sequence[Proposal]:
        """See :class:`Enforcement`."""
        return ()

    async def dry_run(
        self, school: str, _intent: str, _parameters: Mapping[str, str]
    ) -> tuple[Plan, Sequence[Held]]:
        """See :class:`Enforcement`."""
        raise PlanError(f"This controller repairs nothing at {school}.")

    async def course(self, _action: str) -> Course | None:
        """See :class:`Enforcement`."""
        return None

    async def stop(self, scope: ScopePath, *, by: str, reason: str) -> Stop:
        """See :class:`Enforcement`."""
        return Stop(scope=scope, by=by, at=0.0, reason=reason)

    async def resume(self, scope: ScopePath, *, by: str) -> None:
        """See :class:`Enforcement`."""
        raise LookupError(f"{scope} {by}")
