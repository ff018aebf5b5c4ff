"""What was begun: counts of the day, what is under way, what was tried on a fault. In memory, pure.

:mod:`controller.enforcement.records` keeps it; a restart takes it up from there.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from controller.enforcement.diagnosis import Tried
from controller.enforcement.guards import Target
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.repairs import RepairStep

SECOND_NS = 1_000_000_000
AGAIN_NS = 86_400 * SECOND_NS
"""So long nothing is tried on the same fault by itself."""
BRISK_NS = 600 * SECOND_NS
"""What is longer under way takes nobody else's place: its agent may never tell its end."""


class End(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    UNPROVED = "unproved"
    """The school says it is cured, and the controller's own verdict did not become good."""
    UNDONE = "undone"
    STUCK = "stuck"
    REFUSED = "refused"
    """The school's agent refused, or was not reached: the switch was not touched."""
    LOST = "lost"
    """No word of it ever came."""

    @property
    def failed(self) -> bool:
        """People should look before more is done."""
        return self not in {End.DONE, End.REFUSED}


END_OF = {
    RepairStep.DONE: End.DONE,
    RepairStep.ENDED: End.DONE,
    RepairStep.UNDONE: End.UNDONE,
    RepairStep.STUCK: End.STUCK,
}


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One action that was begun."""

    action: str
    school: str
    district: str
    intent: Intent
    switch: str
    port: str
    link: str | None
    cause: int | None
    incident: str | None
    automatic: bool
    day: date
    begun_ns: int
    faulted_ns: int | None = None
    judged_ns: int | None = None
    proved_ns: int | None = None
    ended_ns: int | None = None
    end: End | None = None
    cable: str = ""
    heard: bool = field(default=False, compare=False)
    """The agent has told of a step."""

    @property
    def target(self) -> Target:
        """What it touches."""
        return Target(self.school, self.switch, self.port)


class Attempts:
    """Those of the last day and a half, and all that have not ended."""

    def __init__(self, kept: Iterable[Attempt] = ()) -> None:
        self.by_action = {one.action: one for one in kept}

    def add(self, attempt: Attempt) -> None:
        """One that begins now."""
        self.by_action[attempt.action] = attempt

    def drop(self, action: str) -> None:
        """One that could not be kept, so it does not begin."""
        self.by_action.pop(action, None)

    def under_way(self, district: str, school: str, now_ns: int) -> list[Target]:
        """What is being changed in a district: in ``school``, and elsewhere not for too long."""
        return [
            one.target
            for one in self.by_action.values()
            if one.ended_ns is None
            and one.district == district
            and (one.school == school or now_ns - one.begun_ns < BRISK_NS)
        ]

    def pending(self) -> list[Attempt]:
        """What has not ended."""
        return [one for one in self.by_action.values() if one.ended_ns is None]

    def changes(self, school: str, day: date) -> int:
        """Changes of a school on a day, whoever asked, failed ones too."""
        return sum(
            one.school == school and one.day == day and one.intent is not Intent.SAVE_CONFIGURATION
            for one in self.by_action.values()
        )

    def failures(self, district: str, day: date) -> Counter[str]:
        """Of a district on a day: school -> how many failed there."""
        return Counter(
            one.school
            for one in self.by_action.values()
            if one.district == district
            and one.day == day
            and one.end is not None
            and one.end.failed
        )

    def tried(self, link: str, cause: int, now_ns: int, since_ns: int | None = None) -> Tried:
        """What was tried on a fault within a day and did not cure it, whoever asked.

        A fault is the time in which the link is bad, whatever it is called meanwhile: an intent
        that was tried since ``since_ns`` is not tried again in it. After that time the same cause
        within a day is the same fault. What was proved by the controller's own verdict did cure:
        if the link turns bad once more, that is another fault, and the caps of the day bound how
        often.
        """
        mine = [
            one
            for one in self.by_action.values()
            if one.link == link and now_ns - one.begun_ns < AGAIN_NS and one.end is not End.REFUSED
        ]
        measured = [one for one in mine if one.cable]
        same = [
            one
            for one in mine
            if one.cause == cause and one.ended_ns is not None and one.proved_ns is None
        ]
        meanwhile = [
            one
            for one in mine
            if since_ns is not None
            and one.begun_ns >= since_ns
            and one.ended_ns is not None
            and one.proved_ns is None
        ]
        newest = max(measured, key=lambda one: one.begun_ns, default=None)
        return Tried(
            intents=frozenset(one.intent for one in same),
            meanwhile=frozenset(one.intent for one in meanwhile),
            stuck=any(one.end is End.STUCK for one in mine),
            cable="" if newest is None else newest.cable,
        )

    def forget(self, now_ns: int, today: date) -> None:
        """Let go of what counts no more."""
        for action, one in list(self.by_action.items()):
            old = now_ns - one.begun_ns >= AGAIN_NS and one.day != today
            if old and one.ended_ns is not None:
                del self.by_action[action]
