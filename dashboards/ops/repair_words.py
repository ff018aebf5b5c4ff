"""What pages say of repairs, in one language, at one moment."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from controller.api.enforcement_schemas import cable_of
from controller.api.problems import Problem
from controller.enforcement.model import Course, CourseStep, Held, Proposal
from controller.trust.approval_model import FINAL, Action, ActionState
from dashboards.ops import repair_phrases as p
from dashboards.ops.incident_words import person
from dashboards.ops.phrases import COMMA
from dashboards.ops.words import Words
from drivers.cli.dialect import CableState
from tenone.trust.approval import Risk
from tenone.vocabulary.intents import MEANINGS, Indicator, Intent, Mode
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Clause

NS = 1_000_000_000
MINUTE = 60.0
SYSTEM, STANDING = "system:", "standing:"
STEP_MARKS = {
    RepairStep.BEGUN: "unverified",
    RepairStep.APPLIED: "unverified",
    RepairStep.GOOD: "unverified",
    RepairStep.PROVED: "ok",
    RepairStep.DONE: "ok",
    RepairStep.UNDOING: "warn",
    RepairStep.UNDONE: "warn",
    RepairStep.STUCK: "crit",
    RepairStep.ENDED: "ok",
}
STATE_MARKS = {
    ActionState.WAITING: "unverified",
    ActionState.GRANTED: "unverified",
    ActionState.STARTED: "unverified",
    ActionState.DONE: "ok",
    ActionState.FAILED: "warn",
}
MOST_PAIRS = 8
FIELDS = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of a course."""

    kind: str
    """Its mark."""
    at: float
    text: str
    after: str
    """How long after the fault; empty where that is not known."""
    sentence: str = ""
    """What the agent said of it."""
    english: bool = True
    """The sentence is the agent's own, whatever the page speaks."""
    transcript: str = ""
    pairs: Sequence[str] = ()
    """What a cable test said."""


class RepairWords:
    """Sentences about repairs; moments and figures are those of :class:`Words`."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._ = words.language.text
        self.chinese = words.language.tag.startswith("zh")

    # -- what is asked for

    def intent(self, name: str) -> str:
        """What an intent does."""
        try:
            return self._(p.INTENTS[Intent(name)])
        except ValueError:
            return self._(p.OTHER_INTENT, intent=name)

    def mode(self, mode: Mode) -> str:
        """How far the controller goes."""
        return self._(p.MODES[mode])

    def help(self, proposal: Proposal) -> str:
        """Why this, in the page's language."""
        sentence = proposal.sentence
        return sentence.get("zh" if self.chinese else "en") or sentence.get("en", "")

    def parts(self, lines: Iterable[str]) -> list[tuple[str, list[str]]]:
        """The lines of a plan by what they are for, in the order they stand in.

        What nobody knows stands whole under no heading: what is approved is always all there.
        """
        found: list[tuple[str, list[str]]] = []
        for line in lines:
            name, colon, typed = line.partition(": ")
            known = bool(colon) and name in p.PARTS
            heading = self._(p.PARTS[name]) if known else ""
            if not found or found[-1][0] != heading:
                found.append((heading, []))
            found[-1][1].append(typed if known else line)
        return found

    def risk(self, risk: Risk) -> str:
        """How many people it takes, and who they may not be."""
        return self._(p.TWO_PERSONS if risk is Risk.HIGH else p.ONE_PERSON)

    def effect(self, name: str) -> str:
        """Whether the link goes down for it; empty where nobody knows."""
        try:
            interrupts = MEANINGS[Intent(name)].interrupts
        except ValueError:
            return ""
        return self._(p.INTERRUPTS if interrupts else p.CALM)

    def back(self, action: Action) -> str:
        """What puts it back."""
        try:
            intent = Intent(action.intent)
        except ValueError:
            return ""
        meaning = MEANINGS[intent]
        if meaning.indicator is Indicator.NONE:
            return self._(p.BACK_NOTHING)
        until = action.parameters.get("until_ms", "")
        if intent is Intent.EXAM_PRIORITY and until.isdecimal():
            return self._(p.BACK_WINDOW, time=self.clock_ms(until))
        said = self._(p.BACK_PROOF)
        if meaning.inverse is None:
            return said
        inverse = self._(p.BACK_INVERSE, intent=self.intent(meaning.inverse.value))
        return f"{said} {inverse}"

    def clock_ms(self, text: str) -> str:
        """A moment in ms since the epoch, as text; what is beyond all clocks as it stands."""
        try:
            return self.words.clock(int(text) / 1000)
        except (ValueError, OverflowError, OSError):
            return text

    # -- who, when, how it stands

    def who(self, account: str, name: str) -> str:
        """Who asked or approved: people by name, the controller by what it is."""
        if account.startswith(SYSTEM):
            return self._(p.BY_ENFORCEMENT)
        if account.startswith(STANDING):
            return self._(p.BY_RULES)
        return name or account

    @staticmethod
    def is_own(action: Action) -> bool:
        """Whether the controller asked for it: then the reason is its own, English."""
        return action.requester.startswith(SYSTEM)

    def outcome(self, action: Action) -> str:
        """What came of it, where the page knows that sentence; else as it was said."""
        known = p.OUTCOMES.get(action.outcome)
        return action.outcome if known is None else self._(known)

    @staticmethod
    def is_foreign(action: Action) -> bool:
        """Whether the outcome is the agent's own, English."""
        return action.outcome not in p.OUTCOMES

    @staticmethod
    def told(course: Course | None, outcome: str) -> bool:
        """Whether a step says the same as the outcome."""
        return course is not None and any(one.sentence == outcome for one in course.steps)

    @staticmethod
    def by(who: str) -> str:
        """A name without the session behind it."""
        return person(who)

    def approvers(self, action: Action) -> str:
        """Who approved so far."""
        return self._(COMMA).join(self.who(one.account, one.name) for one in action.voices)

    def left(self, action: Action) -> str:
        """Until when it waits."""
        return self._(p.UNTIL, time=self.words.clock(action.ends_ns / NS))

    def state(self, action: Action, course: Course | None) -> str:
        """How it stands, or what came of it."""
        last = final_step(course)
        if last is RepairStep.STUCK:
            return self._(p.STUCK)
        if last is RepairStep.UNDONE and action.state in FINAL:
            return self._(p.PUT_BACK)
        if action.state is ActionState.DONE and course is not None and _proved(course):
            return self._(p.PROVED)
        return self._(p.STATES[action.state])

    @staticmethod
    def mark(action: Action, course: Course | None) -> str:
        """Which mark an action wears."""
        if final_step(course) is RepairStep.STUCK:
            return "crit"
        return STATE_MARKS.get(action.state, "unknown")

    # -- what holds it back

    def guard(self, held: Held) -> str:
        """Why it is not done, in the page's language."""
        more = p.GUARDS_MORE.get(held.guard)
        values = {name: text for name, text in held.values.items() if text}
        values |= {"by": person(values["by"])} if "by" in values else {}
        if more is None or not set(FIELDS.findall(more)) <= set(values):
            return self._(p.GUARDS[held.guard])
        return self._(more, **values)

    def precisely(self, held: Held) -> str:
        """What the guard itself said; it speaks English alone."""
        return "" if self.chinese else held.sentence

    # -- how it went

    def course(self, course: Course) -> list[Moment]:
        """Fault, verdict, steps and proof, in the order they came."""
        found = [
            *self._known(course.faulted, "crit", p.FAULTED, course),
            *self._known(course.judged, "crit", p.JUDGED, course),
            *(self._step(one, course) for one in course.steps),
            *self._known(course.proved, "ok", p.HELD_GOOD, course),
        ]
        return sorted(found, key=lambda one: one.at)

    def _known(self, at: float | None, kind: str, message: str, course: Course) -> Iterator[Moment]:
        if at is not None:
            yield Moment(kind=kind, at=at, text=self._(message), after=self._after(at, course))

    def _step(self, one: CourseStep, course: Course) -> Moment:
        return Moment(
            kind=STEP_MARKS[one.step],
            at=one.at,
            text=self._(p.STEPS[one.step]),
            after=self._after(one.at, course),
            sentence=self._sentence(one),
            english=not one.clauses,
            transcript=one.transcript,
            pairs=self.pairs(one.cable),
        )

    def _sentence(self, one: CourseStep) -> str:
        clauses = [self._clause(clause) for clause in one.clauses]
        if not clauses:
            return one.sentence
        return reduce(lambda said, more: self._(p.AND_THEN, said=said, more=more), clauses)

    def _clause(self, clause: Clause) -> str:
        values = dict(clause.values)
        if "intent" in values:
            values["intent"] = self.intent(values["intent"])
        return self._(p.SAYINGS[clause.saying], **values)

    def _after(self, at: float, course: Course) -> str:
        if course.faulted is None or at <= course.faulted:
            return ""
        return self._(p.AFTER, seconds=self.took(at - course.faulted))

    def took(self, seconds: float) -> str:
        """``3.1 s``, ``12 min``."""
        if seconds < MINUTE * 2:
            return self._(p.SECONDS, n=f"{seconds:.1f}")
        return self._(p.MINUTES, n=round(seconds / MINUTE))

    def short(self, course: Course) -> list[str]:
        """The few moments a list shows: verdict, proof or the way back, each after the fault."""
        fault = course.faulted
        if fault is None:
            return []
        found = [] if course.judged is None else [(course.judged, p.SHORT_JUDGED)]
        found += [(one.at, p.SHORT[one.step]) for one in course.steps if one.step in p.SHORT]
        return [self._(said, seconds=self.took(max(0.0, at - fault))) for at, said in found]

    def pairs(self, cable: str) -> list[str]:
        """A cable test, pair by pair; what is not one says nothing."""
        read = cable_of(cable)
        listed = read.get("pairs") if isinstance(read, dict) else read
        if not isinstance(listed, list):
            return []
        return [
            self._pair(one) for one in itertools.islice(listed, MOST_PAIRS) if isinstance(one, dict)
        ]

    def _pair(self, one: dict[str, object]) -> str:
        try:
            state = CableState(str(one.get("state")))
        except ValueError:
            state = CableState.UNKNOWN
        name = str(one.get("name", one.get("pair", "")))[:16]
        metres = one.get("metres")
        values = {"name": name, "state": self._(p.CABLE_STATES[state])}
        whole = name == "cable"
        if not isinstance(metres, int | float):
            return self._(p.WHOLE_CABLE if whole else p.PAIR, **values)
        return self._(p.WHOLE_CABLE_AT if whole else p.PAIR_AT, metres=f"{metres:g}", **values)

    def refusal(self, problem: Problem | None) -> str:
        """Why something was not done; empty where it was."""
        if problem is None:
            return ""
        return self._(p.REFUSALS.get(problem.status, p.REFUSALS[409]))

    def headline(self, *, stopped: str, waiting: int, under_way: int, proposed: int) -> str:
        """The page in one sentence, the most pressing first."""
        if stopped:
            return self._(p.STOPPED, place=stopped)
        if waiting:
            return self._(p.WAITING_ONE) if waiting == 1 else self._(p.WAITING_MANY, n=waiting)
        if under_way:
            return self._(p.UNDER_WAY)
        return self._(p.PROPOSED, n=proposed) if proposed else self._(p.CALM_HEADLINE)


def final_step(course: Course | None) -> RepairStep | None:
    """The step that ended a course, if one did."""
    steps = () if course is None else course.steps
    return next((one.step for one in reversed(steps) if one.step.final), None)


def _proved(course: Course) -> bool:
    return any(one.step is RepairStep.PROVED for one in course.steps)
