"""What carries what, as far as the network itself has told: the plan's parents, and cables."""

from collections.abc import Mapping, Sequence

from controller.incidents.model import Kind, Subject
from controller.incidents.parents import Groups, Parents


class LearntParents:
    """A :class:`Parents`: switches hang on each other once :meth:`learn` has said so.

    Until then, and of a switch whose cables nobody knows, it says what ``plan`` says.
    """

    def __init__(self, plan: Parents) -> None:
        self._plan = plan
        self._groups: dict[Subject, Groups] = {}
        self._shadows: dict[Subject, Sequence[Subject]] = {}

    def learn(
        self,
        school: str,
        carriers: Mapping[str, Sequence[Sequence[str]]],
        shadows: Mapping[str, frozenset[str]],
    ) -> None:
        """Take a school's cables: switch -> groups of ``switch/<name>`` and ``link/<name>``.

        ``shadows``: switch -> names of the switches that are cut off when it is dead.
        """
        for switch, groups in carriers.items():
            subject = Subject(school, Kind.SWITCH, switch)
            self._groups[subject] = tuple(
                tuple(Subject.parse(f"{school}/{carrier}") for carrier in group) for group in groups
            )
            self._shadows[subject] = [
                Subject(school, Kind.SWITCH, name) for name in sorted(shadows.get(switch, ()))
            ]

    def of(self, subject: Subject) -> Groups:
        """See :class:`Parents`."""
        learnt = self._groups.get(subject, ())
        return learnt + tuple(one for one in self._plan.of(subject) if one not in learnt)

    def feeders(self, subject: Subject) -> Sequence[Subject]:
        """See :class:`Parents`."""
        return self._plan.feeders(subject)

    def behind(self, subject: Subject) -> Sequence[str]:
        """See :class:`Parents`."""
        found = list(self._plan.behind(subject))
        for other in self._shadows.get(subject, ()):
            found += [link for link in self._plan.behind(other) if link not in found]
        return found
