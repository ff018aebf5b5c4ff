"""Which trouble lies behind which: the dead parent that answers for its children. No I/O."""

from collections.abc import Callable, Mapping

from controller.incidents.case import Case
from controller.incidents.model import DEADLY, OUT, Kind, Subject
from controller.incidents.mute import Mutes, Witness
from controller.incidents.parents import Parents
from tenone.vocabulary.states import Cause


class Shadows:
    """Gives every bad case its owner, and takes it away again."""

    def __init__(self, parents: Parents) -> None:
        self._parents = parents
        self._mutes = Mutes(parents)
        self._cases: Mapping[Subject, Case] = {}
        self._now_ns = 0
        self._witness: Witness

    def cast(
        self,
        cases: Mapping[Subject, Case],
        dark: Mapping[Subject, Case],
        now_ns: int,
        witness: Witness,
        answers: Callable[[Case], bool],
    ) -> None:
        """``answers``: whether a dead one answers for its children.

        ``dark``: what an action of ours has darkened and nobody is told of. It hides what hangs on
        it as any dead parent does.
        """
        self._cases = {**cases, **dark} if dark else cases
        self._now_ns, self._witness = now_ns, witness
        dead = {
            case.subject: case.since_ns
            for case in cases.values()
            if case.bad and case.cause in DEADLY and answers(case)
        }
        dead |= {one: case.since_ns for one, case in dark.items() if case.cause in DEADLY}
        schools = {subject.school for subject in dead}
        for case in cases.values():
            # Nothing hangs on another school's things.
            owner = None
            if case.bad and case.subject.school in schools:
                owner = self._root(case.subject, dead)
            if case.owner is not None and owner is None:
                case.released_ns = now_ns
            case.owner = owner

    def _root(self, subject: Subject, dead: Mapping[Subject, int]) -> Subject | None:
        """The dead parent to blame, as far up as dead ones go; None: ``subject`` itself."""
        path = [subject]
        while (above := self._dead_above(path[-1], dead)) is not None:
            if above in path:  # each behind the other: one of them has to answer for both
                root = min(path[path.index(above) :])
                return None if root == subject else root
            path.append(above)
        return None if len(path) == 1 else path[-1]

    def _dead_above(self, subject: Subject, dead: Mapping[Subject, int]) -> Subject | None:
        """Of the first group that is dead as a whole, the one that died last: it cut the rest.

        Power stands above all: of a switch or gateway that is silent, and of what is bad by power.
        """
        failed = [one for one in self._parents.feeders(subject) if one in dead]
        if failed and self._fed(subject):
            return max(failed, key=lambda one: (dead[one], one))
        for group in self._parents.of(subject):
            if subject in group or not group or any(one not in dead for one in group):
                continue
            if not self._mutes.among(group, subject, self._cases, self._now_ns, self._witness):
                return max(group, key=lambda one: (dead[one], one))
        return None

    def _fed(self, subject: Subject) -> bool:
        case = self._cases.get(subject)
        by_power = case is not None and case.cause is Cause.POWER
        return by_power or subject.kind in {Kind.SWITCH, Kind.AGENT}

    # -- who may be to blame instead

    def answerable(self, case: Case) -> list[Subject]:
        """Whose fault the trouble may be instead: all parents; of what is dead, its power too."""
        found = self.above(case.subject)
        if case.cause in OUT:
            fed = (self._parents.feeders(one) for one in (case.subject, *found))
            found += dict.fromkeys(power for powers in fed for power in powers)
        return found

    def above(self, subject: Subject) -> list[Subject]:
        """Every parent of ``subject`` and theirs, nearest first."""
        found: list[Subject] = []
        rest = [subject]
        while rest:
            for group in self._parents.of(rest.pop(0)):
                new = [one for one in group if one != subject and one not in found]
                found += new
                rest += new
        return found
