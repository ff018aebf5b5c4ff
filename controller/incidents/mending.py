"""What TenOne itself darkens: held back while an action is under way, and told if it stays.

A bounce, a port that is shut or negotiates, a cable test: for seconds the link is dark and nobody
has to be called for it. Trouble that *begins* at what an action touches, while that action is under
way or the next look is still to come, is kept here and the engine goes on as if nobody had seen the
link. A good look ends it: nothing is told. What still stands when the action is over is told then,
with its real beginning. What was bad before stays bad, and what others touch is none of it.

Only the telling waits. Verdicts, class-minutes and availability are worked out from the evidence,
which knows nothing of repairs. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from controller.incidents.case import Case
from controller.incidents.model import SECOND_NS, Fact, Subject
from tenone.vocabulary.states import Cause, Verdict

MOST_HELD_NS = 600 * SECOND_NS
"""Nothing is held back for longer, however many actions follow each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """An action at a switch, as the engine needs it. Times are wall-clock ns."""

    action: str
    intent: str
    touched: frozenset[Subject]
    """The link of the port; the switch and all its links where it is the switch as a whole."""
    begun_ns: int
    ended_ns: int | None
    """None: no word of its end came yet."""
    longest_ns: int
    """So long it may be under way: one that never ends (its agent died) holds nothing back for
    ever."""
    settle_ns: int
    """What a port takes to negotiate and the state poll to see it, once it has ended."""
    cable: str = ""
    """What a cable test in it said, as the agent told it (JSON); empty: nothing."""

    @property
    def until_ns(self) -> int:
        """From then on everything is told."""
        last_ns = self.begun_ns + self.longest_ns
        return min(last_ns if self.ended_ns is None else self.ended_ns, last_ns) + self.settle_ns

    def holds(self, at_ns: int) -> bool:
        """Whether what begins at a moment may be its doing."""
        return self.begun_ns <= at_ns < self.until_ns

    def moved(self, by_ns: int) -> "Repair":
        """By another clock that is ``by_ns`` ahead."""
        ended_ns = None if self.ended_ns is None else self.ended_ns + by_ns
        return replace(self, begun_ns=self.begun_ns + by_ns, ended_ns=ended_ns)


@dataclass(slots=True, kw_only=True)
class _Held:
    first_ns: int
    """When it went dark."""
    last: Fact
    """What is wrong now, from the moment that it was."""
    unseen: Fact | None = None
    """Since then nobody sees it."""


class Mending:
    """The actions under way, and what is held back for each subject."""

    def __init__(self) -> None:
        self._by_subject: dict[Subject, list[Repair]] = {}
        self._endless: set[str] = set()
        self._held: dict[Subject, _Held] = {}

    def under_way(self, repairs: Iterable[Repair]) -> None:
        """These are, or were a moment ago."""
        self._by_subject, self._endless = {}, set()
        for one in repairs:
            if one.ended_ns is None:
                self._endless.add(one.action)
            for subject in one.touched:
                self._by_subject.setdefault(subject, []).append(one)

    def over(self, subject: Subject, at_ns: int) -> Repair | None:
        """The action that touches ``subject`` at a moment; of several the one that ends last."""
        mine = [one for one in self._by_subject.get(subject, ()) if one.holds(at_ns)]
        return max(mine, key=lambda one: (one.until_ns, one.action), default=None)

    def measured(self, subject: Subject) -> str:
        """The newest cable test among them; empty: none."""
        mine = [one for one in self._by_subject.get(subject, ()) if one.cable]
        newest = max(mine, key=lambda one: (one.begun_ns, one.action), default=None)
        return "" if newest is None else newest.cable

    def has_no_end(self, action: str) -> bool:
        """Whether no word of its end has come."""
        return action in self._endless

    def sift(self, fact: Fact, case: Case | None) -> Fact:
        """What is to be known of a fact now. ``case``: what is known of its subject."""
        held = self._held.get(fact.subject)
        if fact.verdict is Verdict.GOOD:
            if self._held.pop(fact.subject, None) or self.over(fact.subject, fact.at_ns):
                return replace(fact, blinked=False)
            return fact
        if fact.verdict is not Verdict.BAD:
            if held is not None:
                held.unseen = fact
            return fact
        if not _begins(fact, case):
            self._held.pop(fact.subject, None)
            return fact
        if held is not None:
            same = fact.cause is held.last.cause
            held.last = replace(fact, at_ns=held.last.at_ns) if same else fact
            held.unseen = None
        elif self.over(fact.subject, fact.at_ns) is not None:
            self._held[fact.subject] = _Held(first_ns=fact.at_ns, last=fact)
        else:
            return fact
        return Fact(subject=fact.subject, at_ns=fact.at_ns, verdict=Verdict.UNKNOWN)

    def released(self, now_ns: int, cases: Mapping[Subject, Case]) -> list[Fact]:
        """What stands although its action is over: to be known from now on, as it really was."""
        if not self._held:
            return []
        found: list[Fact] = []
        for subject in sorted(self._held):
            lasted_ns = now_ns - self._held[subject].first_ns
            if lasted_ns < MOST_HELD_NS and self.over(subject, now_ns) is not None:
                continue
            held, case = self._held.pop(subject), cases.get(subject)
            was_bad = case is not None and case.bad
            found.append(held.last if was_bad else replace(held.last, at_ns=held.first_ns))
            if held.unseen is not None:
                found.append(held.unseen)
        return found

    def dark(self) -> dict[Subject, Case]:
        """What is held back as if it were known: it hides its children as any other does."""
        return {
            subject: Case(
                subject=subject,
                verdict=Verdict.BAD,
                bad=True,
                cause=held.last.cause or Cause.LINK_DOWN,
                since_ns=held.first_ns,
            )
            for subject, held in self._held.items()
        }


def _begins(fact: Fact, case: Case | None) -> bool:
    """Whether it says anything that was not so before: new trouble, another cause, a graver one."""
    if case is None or not case.bad:
        return True
    other = fact.cause is not None and fact.cause is not case.cause
    return other or fact.severity > case.severity
