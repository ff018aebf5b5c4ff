"""Links that are bad now, and how far each has come: settled, proposed, asked for, under way."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from controller.enforcement.model import Proposal
from controller.state.columns import Links
from controller.store.protocols import NS
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import AdminStatus, Cause, Verdict

SAME_NS = 600 * NS
"""A link that is bad again so shortly after it was good has the same fault."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One bad link, from the moment it is known to be until it is good."""

    number: int
    link: str
    since_ns: int
    """Wall clock: since when it is bad."""
    judged_ns: int
    """Wall clock: when that was known."""
    fault_ns: int
    """Wall clock: since when it is the same fault, which a moment's good or nobody's look does not
    end."""
    due_ns: int
    """Monotonic: when it is looked at next."""
    cause: Cause | None = None
    proposal: Proposal | None = None
    set_so: set[Intent] = field(default_factory=set)
    """What the switch said is set so already."""
    hindered: dict[Intent, str] = field(default_factory=dict)
    """What cannot be done at this port, in the school's own sentence."""
    action: str | None = None
    """One that was asked for and is not known to be over, or the last one."""
    asking: bool = False
    not_before_ns: int = 0
    """Monotonic: nothing is asked for before."""
    declined: set[Intent] = field(default_factory=set)
    """What a person said no to: it is not asked for any more."""

    def turned(self, cause: Cause | None, now_ns: int) -> None:
        """It is bad for another reason now: what the switch said of the old one may be so no more.

        What a person said no to, and what was tried, is so all the same: it is the same fault.
        """
        if cause is not self.cause:
            self.cause = cause
            self.set_so.clear()
            self.hindered.clear()
            self.proposal = None
            self.not_before_ns = now_ns


@dataclass(slots=True, kw_only=True)
class _Past:
    """A fault that is not seen any more, and may be over."""

    fault_ns: int
    declined: set[Intent]
    good_ns: int | None = None
    """Monotonic: since when it has been seen to be good."""


class FaultBook:
    """All bad links, by number."""

    def __init__(self, links: Links, names: Iterable[str]) -> None:
        self._links = links
        self._names = list(names)
        self.by_number: dict[int, Fault] = {}
        self.seen_open = np.zeros(len(self._names), np.bool_)
        """Links whose port was seen open since the start."""
        self._causes = np.zeros(len(self._names), np.uint64)
        self._past: dict[int, _Past] = {}

    def update(self, wall_ns: int, now_ns: int, settle_ns: int) -> list[Fault]:
        """Compare with live state; returns the faults that are over.

        One that is bad for other reasons now is looked at once those have settled: a port that
        negotiates is dark first and slow afterwards.
        """
        links = self._links
        self.seen_open |= links.admin == AdminStatus.UP
        bad = set(np.flatnonzero(links.verdict == Verdict.BAD).tolist())
        over = [fault for number, fault in self.by_number.items() if number not in bad]
        for fault in over:
            del self.by_number[fault.number]
            self._past[fault.number] = _Past(fault_ns=fault.fault_ns, declined=fault.declined)
        self._let_go(now_ns)
        for number in bad - self.by_number.keys():
            since_ns = min(int(links.since_ns[number]) or wall_ns, wall_ns)
            lasted = wall_ns - since_ns
            past = self._past.pop(number, None)
            self.by_number[number] = Fault(
                number=number,
                link=self._names[number],
                since_ns=since_ns,
                judged_ns=wall_ns,
                due_ns=now_ns + max(settle_ns - lasted, 0),
                fault_ns=since_ns if past is None else past.fault_ns,
                declined=set() if past is None else past.declined,
            )
            self._causes[number] = links.causes[number]
        others = (links.verdict == Verdict.BAD) & (links.causes != self._causes)
        for number in np.flatnonzero(others).tolist():
            fault = self.by_number[number]
            fault.due_ns = min(fault.due_ns, now_ns + settle_ns)
        self._causes[others] = links.causes[others]
        return over

    def _let_go(self, now_ns: int) -> None:
        """Forget what has been good for long enough: what is bad after that is another fault."""
        for number, past in list(self._past.items()):
            if self._links.verdict[number] == Verdict.GOOD:
                past.good_ns = now_ns if past.good_ns is None else past.good_ns
                if now_ns - past.good_ns >= SAME_NS:
                    del self._past[number]

    def due(self, now_ns: int, most: int) -> list[Fault]:
        """What is to be looked at, the longest due first."""
        due = [fault for fault in self.by_number.values() if fault.due_ns <= now_ns]
        return sorted(due, key=lambda fault: fault.due_ns)[:most]
