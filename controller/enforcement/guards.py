"""What holds an action back: one function a guard, of facts that are handed in. Pure.

All reasons are listed, not only the first: a person who mends one learns of the others at once. A
plan is asked about when it is wanted and again right before it is handed to the school.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from controller.enforcement.model import GuardName, Held, Stop
from controller.enforcement.reach import PortRef, Reach
from tenone.config.enforcement import Caps, Freeze
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.scope import ScopePath

ENDS_CUT = frozenset({Intent.QUARANTINE})
"""What leaves the port cut off: never allowed where others' traffic goes through."""
IN_CLASS = frozenset({Intent.EXAM_PRIORITY, Intent.SAVE_CONFIGURATION})
"""What class hours do not hold back: it stops no frame, and exams are in class hours."""
ON_EXAM_DAYS = frozenset({Intent.EXAM_PRIORITY})
PASSING = frozenset({GuardName.CHAIN, GuardName.CLASS_HOURS})
"""What is over by itself in minutes: a granted action waits for it while its approval lasts."""
AT_REQUEST = frozenset({
    GuardName.STOPPED, GuardName.MODE, GuardName.UNKNOWN_PORT, GuardName.UPLINK,
    GuardName.MANAGEMENT, GuardName.EMERGENCY, GuardName.NO_CLI,
})  # fmt: skip
"""What a person's request is refused for at once; the others may be over when it is approved."""


class Hours(StrEnum):
    """What the school's calendar says of this moment."""

    NO_CALENDAR = "no-calendar"
    FREE = "free"
    LESSON = "lesson"
    """A lesson, or the minutes before one in which a change would not end in time."""
    UNKNOWN = "unknown"
    """Nobody knows whether there is school today."""


class Target(NamedTuple):
    """What is touched; ``port`` is empty where it is the switch as a whole."""

    school: str
    switch: str
    port: str

    @property
    def ref(self) -> PortRef:
        """Inside its school."""
        return PortRef(self.switch, self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An action somebody wants."""

    intent: Intent
    scope: ScopePath
    """Of the school."""
    targets: frozenset[Target]
    """Everything the plan touches."""
    automatic: bool
    """Nobody asked for it but the controller."""
    by: str = ""
    """The account that asks. Names are no proof of anything: two people may bear one."""

    @property
    def school(self) -> str:
        """Its slug."""
        return self.scope.parts[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Planned work that lies over the port now."""

    reason: str
    by: str
    """The account that entered the work; empty: none did."""
    who: str = ""
    """The people named, to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at this moment; of the school of :class:`Wanted` where not said otherwise."""

    stops: Sequence[Stop] = ()
    mode: Mode = Mode.PROPOSE
    """For this intent, here."""
    reach: Reach
    ports: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Switch -> the ports it shows; a switch that is missing has shown none."""
    allowed: frozenset[PortRef] = frozenset()
    """Uplinks, backbone links and ways that may be touched all the same."""
    offered: frozenset[Intent] | None = None
    """What school.yaml offers on the switch; None: it has no ``cli``."""
    agent_online: bool = True
    hours: Hours = Hours.NO_CALENDAR
    in_class: str = "never"
    dark: bool | None = None
    """Whether the port carries nothing now; None: unknown."""
    today: date
    """In the city's zone."""
    exam: str | None = None
    """The name of today's exam."""
    exam_freeze: bool = True
    freezes: Sequence[Freeze] = ()
    works: Sequence[Work] = ()
    caps: Caps = field(default_factory=Caps)
    changes_today: int = 0
    failures_today: int = 0
    """Of the school."""
    schools_failed_today: int = 0
    """Schools of the district in which something failed."""
    under_way: Sequence[Target] = ()
    """Of the district, whoever asked."""
    tried: bool = False
    no_clock: str = ""
    """Why the school's gateway takes no approval; known where it was just asked for a plan."""


Reasons = Iterator[Held]


def held(wanted: Wanted, facts: Facts) -> list[Held]:
    """Every reason not to do it now; empty: it may be done."""
    return [reason for guard in GUARDS.values() for reason in guard(wanted, facts)]


def _held(guard: GuardName, sentence: str, **values: str) -> Held:
    return Held(guard=guard, sentence=sentence, values=values)


def stopped(wanted: Wanted, facts: Facts) -> Reasons:
    """The red stop, here or above."""
    for stop in facts.stops:
        if stop.scope.covers(wanted.scope):
            where = str(stop.scope) or "everywhere"
            yield _held(
                GuardName.STOPPED,
                f"{stop.by} stopped all repairs in {where}: {stop.reason}",
                scope=str(stop.scope),
                by=stop.by,
                reason=stop.reason,
            )


def mode(wanted: Wanted, facts: Facts) -> Reasons:
    """Off is off for everybody; the controller asks only where it shall."""
    intent = wanted.intent.value
    if facts.mode is Mode.OFF:
        yield _held(GuardName.MODE, f"{intent} is off here (enforcement in city.yaml)", mode="off")
    elif wanted.automatic and facts.mode is Mode.PROPOSE:
        yield _held(
            GuardName.MODE, f"{intent} is only proposed here: people ask for it", mode="propose"
        )


def unknown_port(wanted: Wanted, facts: Facts) -> Reasons:
    """One school, one switch of it, one port that the switch shows."""
    for target in sorted(wanted.targets):
        if target.school != wanted.school:
            yield _held(
                GuardName.UNKNOWN_PORT,
                f"the plan touches {target.school} too, and is for {wanted.school} alone",
                switch=target.switch,
                port=target.port,
            )
        elif target.port and target.port not in facts.ports.get(target.switch, frozenset()):
            yield _held(
                GuardName.UNKNOWN_PORT,
                f"switch {target.switch} shows no port {target.port!r}",
                switch=target.switch,
                port=target.port,
            )
    if len({(one.school, one.switch) for one in wanted.targets}) > 1 or len(wanted.targets) > 1:
        names = ", ".join(str(one.ref) for one in sorted(wanted.targets))
        yield _held(GuardName.CAP, f"one plan touches one port, and this one touches {names}")


def uplink(wanted: Wanted, facts: Facts) -> Reasons:
    """Uplink and backbone links, by inventory."""
    for ref in _ports(wanted):
        link = facts.reach.uplinks.get(ref)
        if link is not None and not _allowed(ref, wanted, facts):
            yield _held(
                GuardName.UPLINK,
                f"{ref} carries {link}, on which others hang",
                switch=ref.switch,
                port=ref.port,
                link=link,
            )


def management(wanted: Wanted, facts: Facts) -> Reasons:
    """The ways to other switches, to the gateway and to the city, as the network says."""
    for ref in _ports(wanted):
        if _allowed(ref, wanted, facts):
            continue
        way = facts.reach.ways.get(ref)
        if way is not None:
            said = f"{ref} leads to {way}"
        elif ref in facts.reach.leaves or ref in facts.reach.uplinks:
            continue
        elif facts.reach.blind:
            said = f"nothing is bound to {ref}, and {facts.reach.blind}"
        elif ref.switch in facts.reach.vague:
            said = f"nothing is bound to {ref}, and another switch hangs on one such port"
        else:
            continue
        yield _held(GuardName.MANAGEMENT, said, switch=ref.switch, port=ref.port)


def emergency(wanted: Wanted, facts: Facts) -> Reasons:
    """What the school protects; no allowance lifts it."""
    for ref in _ports(wanted):
        device = facts.reach.emergency.get(ref)
        if device is not None or ref in facts.reach.protected:
            said = f"the emergency device {device}" if device else "school.yaml protects it"
            yield _held(GuardName.EMERGENCY, f"{ref}: {said}", switch=ref.switch, port=ref.port)


def class_hours(wanted: Wanted, facts: Facts) -> Reasons:
    """Never in class; or, where the city says so, only what carries nothing anyway."""
    if wanted.intent in IN_CLASS or facts.hours in {Hours.FREE, Hours.NO_CALENDAR}:
        return
    if facts.in_class == "dark" and facts.dark:
        return
    if facts.hours is Hours.UNKNOWN:
        said = "nobody knows whether there is school today: complete the calendar"
    elif facts.in_class == "dark":
        said = "it is class time, and the port carries something"
    else:
        said = "it is class time"
    yield _held(GuardName.CLASS_HOURS, said)


def exam(wanted: Wanted, facts: Facts) -> Reasons:
    """Exam days by the school's calendar."""
    if facts.exam_freeze and facts.exam is not None and wanted.intent not in ON_EXAM_DAYS:
        yield _held(GuardName.EXAM, f"today is {facts.exam or 'an exam day'}", exam=facts.exam)


def freeze(wanted: Wanted, facts: Facts) -> Reasons:
    """Days on which the city changes nothing."""
    for one in facts.freezes:
        where = ScopePath() if one.scope is None else ScopePath.parse(one.scope)
        if one.first <= facts.today <= one.last and where.covers(wanted.scope):
            yield _held(
                GuardName.FREEZE,
                f"nothing is changed until {one.last}: {one.why}",
                why=one.why,
                until=str(one.last),
            )


def maintenance(wanted: Wanted, facts: Facts) -> Reasons:
    """Somebody else works there by plan."""
    for work in facts.works:
        if wanted.automatic or not work.by or work.by != wanted.by:
            said = f"{work.who or work.by} work there: {work.reason}"
            yield _held(GuardName.MAINTENANCE, said, by=work.who or work.by, why=work.reason)


def cap(wanted: Wanted, facts: Facts) -> Reasons:
    """How much one school takes in a day, and a district at once."""
    if wanted.intent is not Intent.SAVE_CONFIGURATION:
        most = facts.caps.changes_a_day
        if facts.changes_today >= most:
            yield _held(
                GuardName.CAP,
                f"{facts.changes_today} changes were made in {wanted.school} today, at most {most}",
                most=str(most),
                done=str(facts.changes_today),
            )
    # Another school counts once: one whose agent never comes to an end holds one place, not all.
    schools = Counter(target.school for target in facts.under_way)
    count = schools[wanted.school] + len(schools.keys() - {wanted.school})
    most = facts.caps.at_once_in_a_district
    if count >= most:
        yield _held(
            GuardName.CAP,
            f"{count} actions are under way in the district, at most {most}",
            most=str(most),
            done=str(count),
        )


def chain(wanted: Wanted, facts: Facts) -> Reasons:
    """One at a time on a switch, and on what hangs above or below it."""
    for target in sorted(wanted.targets):
        related = facts.reach.related.get(target.switch, frozenset())
        for other in facts.under_way:
            if other.school != target.school:
                continue
            if other.switch == target.switch or other.switch in related:
                yield _held(
                    GuardName.CHAIN,
                    f"something is being changed at {other.switch}",
                    switch=other.switch,
                )
                break


def failures(wanted: Wanted, facts: Facts) -> Reasons:
    """After so many failures a person looks first.

    One school stops itself and nobody else: it takes as many schools to stop a district.
    """
    most = facts.caps.failures_a_day
    if wanted.automatic and facts.failures_today >= most:
        yield _held(
            GuardName.FAILURES,
            f"{facts.failures_today} repairs failed in {wanted.school} today, at most {most}",
            most=str(most),
            done=str(facts.failures_today),
            school=wanted.school,
        )
    elif wanted.automatic and facts.schools_failed_today >= most:
        count = facts.schools_failed_today
        yield _held(
            GuardName.FAILURES,
            f"repairs failed in {count} schools of the district today, at most {most}",
            most=str(most),
            schools=str(count),
        )


def again(wanted: Wanted, facts: Facts) -> Reasons:
    """No second attempt on the same fault by itself."""
    if wanted.automatic and facts.tried:
        yield _held(GuardName.AGAIN, "this fault was tried before")


def agent_away(wanted: Wanted, facts: Facts) -> Reasons:
    """Nobody there to do it."""
    if not facts.agent_online:
        yield _held(GuardName.AGENT_AWAY, f"the agent of {wanted.school} is not connected")


def no_cli(wanted: Wanted, facts: Facts) -> Reasons:
    """What the school has not given."""
    switch = min((one.switch for one in wanted.targets), default="")
    if facts.offered is None:
        yield _held(GuardName.NO_CLI, f"school.yaml has no 'cli' for {switch}", switch=switch)
    elif wanted.intent not in facts.offered:
        yield _held(
            GuardName.NO_CLI,
            f"school.yaml does not offer {wanted.intent.value} on {switch}",
            switch=switch,
        )


def clock(_: Wanted, facts: Facts) -> Reasons:
    """A gateway that does not know the time cannot tell when an approval ends."""
    if facts.no_clock:
        yield _held(GuardName.CLOCK, facts.no_clock)


def _ports(wanted: Wanted) -> Iterable[PortRef]:
    return [one.ref for one in sorted(wanted.targets) if one.port]


def _allowed(ref: PortRef, wanted: Wanted, facts: Facts) -> bool:
    return ref in facts.allowed and wanted.intent not in ENDS_CUT


GUARDS: Mapping[GuardName, Callable[[Wanted, Facts], Reasons]] = MappingProxyType({
    GuardName.STOPPED: stopped,
    GuardName.MODE: mode,
    GuardName.UNKNOWN_PORT: unknown_port,
    GuardName.UPLINK: uplink,
    GuardName.MANAGEMENT: management,
    GuardName.EMERGENCY: emergency,
    GuardName.CLASS_HOURS: class_hours,
    GuardName.EXAM: exam,
    GuardName.FREEZE: freeze,
    GuardName.MAINTENANCE: maintenance,
    GuardName.CAP: cap,
    GuardName.CHAIN: chain,
    GuardName.FAILURES: failures,
    GuardName.AGAIN: again,
    GuardName.AGENT_AWAY: agent_away,
    GuardName.NO_CLI: no_cli,
    GuardName.CLOCK: clock,
})  # fmt: skip
