"""What the engine knows of one subject that is, or was a moment ago, in trouble."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.incidents.model import MAX_ONSETS, SECOND_NS, Fact, Figure, Subject, Timing
from tenone.vocabulary.states import Cause, Severity, Verdict

ECHOES = frozenset({Cause.ERRORS, Cause.CONGESTION, Cause.LOSS, Cause.DNS, Cause.ENDPOINT})
STATES_OF_PORTS = frozenset({
    Cause.POWER, Cause.CONFIGURATION, Cause.LINK_DOWN, Cause.SPEED, Cause.DUPLEX,
})  # fmt: skip


def explains(now: Cause, was: Cause) -> bool:
    """Whether what is bad now says more than what the incident is called after.

    A parent that fails meanwhile is not the cause of what was bad before, and what is measured
    over the minutes behind (loss, errors ...) is only the echo of a link that was down.
    """
    return now is not Cause.UPLINK and not (now in ECHOES and was in STATES_OF_PORTS)


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
    blinked: bool = False
    """Its last trouble was over before anybody looked."""
    onsets: list[int] = field(default_factory=list)
    incident: str | None = None
    owner: Subject | None = None
    """The dead parent behind which it lies."""
    released_ns: int = 0
    """When its last dead parent came back."""

    def take(self, fact: Fact) -> None:
        """Fold one fact in; the caller has put them in order."""
        if fact.blinked:
            self.blink(fact)
        elif fact.verdict is Verdict.BAD:
            if not self.bad:
                self.bad, self.blinked = True, False
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
        if not (fact.blinked and self.bad):
            self.verdict = fact.verdict

    def blink(self, fact: Fact) -> None:
        """It was away and is back, between two looks that saw it well: a beginning like others."""
        self.onsets = [*self.onsets, fact.at_ns][-MAX_ONSETS:]
        if not self.bad:
            self.blinked = True
            self.since_ns = self.good_ns = fact.at_ns
            self.cause, self.severity = Cause.LINK_DOWN, Severity.WARNING
            self.figures = {}
            self.proof = fact.proof or self.proof

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
