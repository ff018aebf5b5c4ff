"""The controller's own proof: its verdict of the same link, good for the hold, on newer evidence.

The agent proves at the switch; this proves it by what everybody is shown. A single good reading is
no proof, and one that was read before the switch took the lines is none either. Pure.
"""

from dataclasses import dataclass
from enum import Enum

from tenone.vocabulary.states import Verdict


class Proved(Enum):
    """Where it stands."""

    NOT_YET = "not-yet"
    YES = "yes"
    TOO_LATE = "too-late"


@dataclass(slots=True, kw_only=True)
class Watching:
    """One link that was changed. Times are monotonic ns."""

    applied_ns: int
    """When the switch had taken the lines, as far as is known."""
    hold_ns: int
    good_ns: int | None = None
    """Since which reading it has been good."""
    until_ns: int | None = None
    """Once the agent says it is cured: when our own verdict has to have followed."""

    def look(self, verdict: Verdict, evidence_ns: int, now_ns: int) -> Proved:
        """What the verdict of now says."""
        if verdict is not Verdict.GOOD:
            self.good_ns = None
        elif evidence_ns > self.applied_ns:
            self.good_ns = evidence_ns if self.good_ns is None else self.good_ns
            if evidence_ns - self.good_ns >= self.hold_ns:
                return Proved.YES
        late = self.until_ns is not None and now_ns >= self.until_ns
        return Proved.TOO_LATE if late else Proved.NOT_YET
