"""Stands before every execution: guards, the red stop, and the book of what is under way.

The :class:`controller.trust.approval_ports.Watch` of the room of actions. What is admitted counts
from that moment on, in memory first and durably before anything is sent, so two that would exceed
a cap together are never both admitted.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from controller.enforcement.attempts import Attempt, Attempts, End
from controller.enforcement.guards import AT_REQUEST, PASSING, Target, Wanted, held
from controller.enforcement.model import Held, Stop
from controller.enforcement.records import RepairRecords
from controller.enforcement.surroundings import Surroundings
from controller.house import House
from controller.store.protocols import StoreError
from controller.trust.approval_model import Action, Asked, Executed, Person
from controller.trust.approval_own import SYSTEM
from controller.trust.approval_ports import Hold
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict

log = logging.getLogger(__name__)


class FaultedAt(NamedTuple):
    """Moments of a bad link, wall clock, ns."""

    since_ns: int
    judged_ns: int
    """When it was known to be bad."""
    fault_ns: int
    """Since when it is the same fault."""


MOST_HELD_BACK = 1000


class HeldBack:
    """The last actions that the gate refused; of more the oldest is forgotten.

    One that is forgotten ends by what its agent says, as if nobody had held it back.
    """

    def __init__(self, most: int = MOST_HELD_BACK) -> None:
        self._actions: dict[str, None] = {}
        self._most = most

    def __contains__(self, action: object) -> bool:
        return action in self._actions

    def add(self, action: str) -> None:
        """It was held back."""
        self._actions[action] = None
        while len(self._actions) > self._most:
            del self._actions[next(iter(self._actions))]

    def discard(self, action: str) -> None:
        """It has been seen to."""
        self._actions.pop(action, None)


class Gate:
    """See the module."""

    def __init__(self, house: House, around: Surroundings, records: RepairRecords) -> None:
        self._house = house
        self._around = around
        self._records = records
        self.attempts = Attempts()
        self.stops: dict[ScopePath, Stop] = {}
        self.running: set[str] = set()
        """Actions that were admitted and whose answer is awaited."""
        self.answered: dict[str, tuple[int, Executed]] = {}
        """Actions that are over by the agent's answer and not (yet) by its steps; monotonic."""
        self.held_back = HeldBack()
        """Actions that this gate refused."""
        self.faulted_at: Callable[[int], FaultedAt | None] = lambda _number: None
        """Of a link's number."""
        self.incident_of: Callable[[str], str | None] = lambda _link: None
        """The open one of a link. Never the one a request names: that may be another school's."""

    # -- asking the guards

    def wanted(
        self,
        intent: Intent,
        school: str,
        parameters: Mapping[str, str],
        *,
        automatic: bool,
        by: str = "",
    ) -> Wanted | None:
        """An action as guards see it; None: there is no such school."""
        scope = self._around.scope_of(school)
        if scope is None:
            return None
        target = Target(school, parameters.get("switch", ""), parameters.get("port", ""))
        return Wanted(
            intent=intent, scope=scope, targets=frozenset({target}), automatic=automatic, by=by
        )

    def held(
        self, wanted: Wanted, *, tried: bool = False, but: str | None = None, no_clock: str = ""
    ) -> list[Held]:
        """What holds it back now; ``but``: an action that is not counted against itself.

        ``no_clock``: what the school's gateway said of its clock.
        """
        (target,) = wanted.targets
        book = self.attempts
        if but is not None:
            book = Attempts(one for one in book.by_action.values() if one.action != but)
        facts = self._around.facts(
            wanted, target.switch, target.port, book, list(self.stops.values()), tried=tried
        )
        return held(wanted, replace(facts, no_clock=no_clock))

    # -- the room of actions' watch

    def refuses(self, person: Person, asked: Asked) -> str:
        """What no time will change is said at once; the controller asks its guards itself."""
        if person.account == SYSTEM or asked.intent not in set(Intent):
            return ""  # what is no intent is refused by the plan, with the list of those there are
        wanted = self.wanted(
            Intent(asked.intent),
            asked.school,
            asked.parameters,
            automatic=False,
            by=person.account,
        )
        if wanted is None:
            return f"There is no school {asked.school}."
        return _sentence([one for one in self.held(wanted) if one.guard in AT_REQUEST])

    async def admit(self, action: Action) -> Hold | None:
        """Right before it begins; StoreError."""
        if action.id in self.attempts.by_action:
            return Hold("It was begun before.")
        wanted = self._of(action)
        if wanted is None:
            return Hold("It is no longer known here.")
        number = self._link_of(action)
        reasons = self.held(wanted, tried=self._tried(wanted.intent, number))
        if reasons:
            passing = all(one.guard in PASSING for one in reasons)
            if not passing:
                self.held_back.add(action.id)
            return Hold(_sentence(reasons), passing=passing)
        if well := self._well(wanted, number):
            self.held_back.add(action.id)
            return Hold(well)
        attempt = self._attempt(action, wanted, number)
        self.attempts.add(attempt)
        self.running.add(action.id)
        try:
            await self._house.in_records(self._records.put, attempt)
        except StoreError:
            self.attempts.drop(action.id)
            self.running.discard(action.id)
            raise
        return None

    def withdraw(self, action: Action) -> str:
        """Right before it is sent."""
        wanted = self._of(action)
        if wanted is None or action.id not in self.attempts.by_action:
            return "It is no longer known here."
        said = _sentence(self.held(wanted, but=action.id))
        said = said or self._well(wanted, self._link_of(action))
        if said:
            self.held_back.add(action.id)
        return said

    def over(self, action: Action, done: Executed) -> None:
        """What the agent answered; its steps say how it ended."""
        self.running.discard(action.id)
        if action.id in self.attempts.by_action:
            self.answered[action.id] = (self._house.clock.monotonic_ns(), done)

    async def not_begun(self, action: Action) -> None:
        """It was admitted and then could not be written down: nothing was sent, nothing counts."""
        self.running.discard(action.id)
        self.attempts.drop(action.id)
        try:
            await self._house.in_records(self._records.forget, action.id)
        except StoreError as error:  # it is put there once more when it begins
            log.warning("action %s was not begun, and is still kept as begun: %s", action.id, error)

    # -- what is kept of it

    def _of(self, action: Action) -> Wanted | None:
        if action.intent not in set(Intent):
            return None
        automatic = action.requester == SYSTEM
        return self.wanted(
            Intent(action.intent),
            action.school,
            action.parameters,
            automatic=automatic,
            by=action.requester,
        )

    def _well(self, wanted: Wanted, number: int | None) -> str:
        """What nobody asked for is not done to a link that is good by now; empty: it is bad."""
        bad = number is not None and self._around.verdict(number) is Verdict.BAD
        if bad or not wanted.automatic:
            return ""
        return "The link is not bad any more, so nothing is changed."

    def _tried(self, intent: Intent, number: int | None) -> bool:
        """Whether this fault was met with a repair meanwhile that did not cure it."""
        causes = () if number is None else self._around.causes(number)
        if number is None or not causes or intent is Intent.CABLE_DIAGNOSIS:
            return False
        link, now_ns = self._around.link_plan(number).id, self._house.clock.wall_ns()
        faulted = self.faulted_at(number)
        since_ns = None if faulted is None else faulted.fault_ns
        return self.attempts.tried(link, int(causes[0]), now_ns, since_ns).was(intent)

    def _link_of(self, action: Action) -> int | None:
        """By the port that is touched, whatever link the request names."""
        switch, port = action.parameters.get("switch", ""), action.parameters.get("port", "")
        return self._around.link_at(action.school, switch, port) if port else None

    def _attempt(self, action: Action, wanted: Wanted, number: int | None) -> Attempt:
        faulted = None if number is None else self.faulted_at(number)
        causes = () if number is None else self._around.causes(number)
        link = None if number is None else self._around.link_plan(number).id
        return Attempt(
            action=action.id,
            school=action.school,
            district=wanted.scope.parts[1],
            intent=wanted.intent,
            switch=action.parameters.get("switch", ""),
            port=action.parameters.get("port", ""),
            link=link,
            cause=int(causes[0]) if causes else None,
            incident=None if link is None else self.incident_of(link),
            automatic=wanted.automatic,
            day=self._around.today,
            begun_ns=self._house.clock.wall_ns(),
            faulted_ns=None if faulted is None else faulted.since_ns,
            judged_ns=None if faulted is None else faulted.judged_ns,
        )

    def end(self, attempt: Attempt, end: End) -> None:
        """Note how it ended."""
        attempt.end = end
        attempt.ended_ns = self._house.clock.wall_ns()
        self.answered.pop(attempt.action, None)


def _sentence(reasons: list[Held]) -> str:
    return "; ".join(one.sentence for one in reasons)
