"""Whether a switch that answers nothing is dead, or only mute.

A switch whose SNMP is off (a changed community, a hung agent) stays silent for weeks and goes on
carrying. What really fails behind it must not be hidden that long as its child.
"""

from collections.abc import Callable, Iterable, Mapping

from controller.incidents.case import Case
from controller.incidents.model import SECOND_NS, Subject
from controller.incidents.parents import Parents
from tenone.vocabulary.states import Cause

Witness = Callable[[Subject], int | None]
"""When a subject was last seen well, wall-clock ns; None where nobody knows."""
ASK_NS = 10 * SECOND_NS
"""How often the links behind a silent switch are looked through."""


def nobody(_subject: Subject) -> int | None:
    """A witness who has seen nothing: every child waits its bounded time."""
    return None


class Mutes:
    """Remembers when something behind each silent switch was last seen well."""

    def __init__(self, parents: Parents) -> None:
        self._parents = parents
        self._seen: dict[Subject, tuple[int, int]] = {}

    def among(
        self,
        group: Iterable[Subject],
        child: Subject,
        cases: Mapping[Subject, Case],
        now_ns: int,
        witness: Witness,
    ) -> bool:
        """Whether one of ``group`` still carries, so that ``child`` fails by itself."""
        return any(self._is_mute(cases[one], cases[child], now_ns, witness) for one in group)

    def _is_mute(self, parent: Case, child: Case, now_ns: int, witness: Witness) -> bool:
        """Whether ``parent`` has carried since both it and ``child`` fell silent.

        What was seen well behind it after that was seen through it, or by a gateway that
        reports through it. A switch that died takes all behind it along at once.
        """
        if parent.cause is not Cause.SWITCH_SILENT:
            return False
        due_ns, seen_ns = self._seen.get(parent.subject, (0, 0))
        if now_ns >= due_ns:
            links = map(Subject.link, self._parents.behind(parent.subject))
            told = [at_ns for link in links if (at_ns := witness(link)) is not None]
            seen_ns = max(told, default=0)
            self._seen[parent.subject] = now_ns + ASK_NS, seen_ns
        return seen_ns > max(parent.since_ns, child.since_ns)
