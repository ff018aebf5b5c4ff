"""What the engine knows of one subject that is, or was a moment ago, in trouble."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.incidents.model import MAX_ONSETS, SECOND_NS, Fact, Figure, Subject, Timing
from tenone.vocabulary.states import Cause, Severity, Verdict


@dataclass(slots=True, kw_only=True)
class Case:
    """One subject's trouble, from its first bad fact until it is long over."""

    subject: Subject
    verdict: Verdict = Verdict.UNKNOWN
    """What the newest fact says, unknown included."""
    bad: bool = False
    """What the newest fact that was not unknown said: unknown ends no trouble."""
    cause: Cause = Cause.LINK_DOWN
    severity: Severity = Severity.WARNING
    figures: dict[str, Figure] = field(default_factory=dict)
    proof: bytes = b""
    since_ns: int = 0
    """Since when it is bad."""
    good_ns: int | None = None
    """Since when it is good without a break; None while it is not."""
    onsets: list[int] = field(default_factory=list)
    incident: str | None = None
    owner: Subject | None = None
    """The dead parent behind which it lies."""
    released_ns: int = 0
    """When its last dead parent came back."""

    def take(self, fact: Fact) -> None:
        """Fold one fact in; the caller has put them in order."""
        if fact.verdict is Verdict.BAD:
            if not self.bad:
                self.bad = True
                self.since_ns = fact.at_ns
                self.onsets = [*self.onsets, fact.at_ns][-MAX_ONSETS:]
            self.cause = self.cause if fact.cause is None else fact.cause
            self.severity = fact.severity
            self.figures = dict(fact.figures)
            self.proof = fact.proof or self.proof
            self.good_ns = None
        elif fact.verdict is Verdict.GOOD:
            if self.bad or self.verdict is not Verdict.GOOD:
                self.good_ns = fact.at_ns
            self.bad = False
        else:
            self.good_ns = None
        self.verdict = fact.verdict

    def flaps(self, timing: Timing, now_ns: int | None = None) -> bool:
        """Whether it began too often, counted back from ``now_ns`` or its last beginning."""
        if len(self.onsets) < max(timing.flap_count, 1):
            return False
        last = self.onsets[-1] if now_ns is None else now_ns
        return _within(self.onsets, last, timing) >= timing.flap_count

    def quiet_ns(self, timing: Timing) -> int:
        """How long it has to be good before it counts as over."""
        calm = timing.flap_clear_seconds if self.flaps(timing) else timing.clear_seconds
        return round(calm * SECOND_NS)


def _within(onsets: Sequence[int], last_ns: int, timing: Timing) -> int:
    first_ns = last_ns - round(timing.flap_window_seconds * SECOND_NS)
    return sum(first_ns <= at <= last_ns for at in onsets)
