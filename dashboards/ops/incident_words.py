"""What pages and messages say of incidents, in one language, at one moment."""

from collections.abc import Callable

from controller.enforcement.diagnosis import read_cable
from controller.incidents.model import Event, Figure, Kind, State
from controller.incidents.views import IncidentView
from dashboards.ops import incident_phrases as p
from dashboards.ops.language import CHINESE, load
from dashboards.ops.phrases import ADVICE, COMMA
from dashboards.ops.repair_phrases import CABLE_STATES
from dashboards.ops.words import Words
from drivers.cli.dialect import CableState
from tenone.vocabulary.states import Cause, Severity, Tier

SYSTEM = "system"
"""Who writes into timelines where no person does."""


class IncidentWords:
    """Sentences about incidents; figures and moments are those of :class:`Words`."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._ = words.language.text

    def sentence(self, view: IncidentView) -> str:
        """What is wrong, since when, and what it most likely is."""
        return self._(_message(view), **self._values(view))

    def _values(self, view: IncidentView) -> dict[str, object]:
        return {
            "name": view.name,
            "school": self.school(view),
            "time": self.words.clock(view.began),
            "speed": self.words.speed(_whole(view.figures.get("speed_mbps"))),
            "contract": self.words.speed(_whole(view.figures.get("contract_mbps"))),
            "errors": view.figures.get("errors"),
            "section": view.figures.get("section"),
            "pair": self._pair(view),
        }

    def _pair(self, view: IncidentView) -> str:
        """What the cable test found first; empty where none was made."""
        measured, fault = read_cable(view.cable)
        if fault is None:
            return self._(p.NO_BAD_PAIR) if measured else ""
        values = {"pair": fault.pair, "state": self._(CABLE_STATES[CableState(fault.state)])}
        if fault.metres is None:
            return self._(p.PAIR, **values)
        return self._(p.PAIR_AT, metres=f"{fault.metres:g}", **values)

    def school(self, view: IncidentView) -> str:
        """What the school is called here."""
        chinese = view.school_name_zh if self.words.language.tag.startswith("zh") else None
        return chinese or view.school_name

    def advice(self, view: IncidentView) -> str:
        """What to do first."""
        if view.kind is Kind.CONFIGURATION:
            return self._(p.DRIFT_ADVICE)
        if _is_measured(view):
            _, fault = read_cable(view.cable)
            if fault is None:
                return self._(p.CABLE_WELL_ADVICE)
            message = p.CABLE_ADVICE if fault.metres is None else p.CABLE_AT_ADVICE
            return self._(message, pair=self._pair(view))
        return self._(ADVICE[view.cause])

    def hurts(self, view: IncidentView) -> str:
        """Whom it hurts."""
        harmed = view.harmed
        named = self._(COMMA).join(harmed.named)
        if harmed.classes > len(harmed.named):
            named = self._(p.HURTS_MORE, named=named)
        if harmed.classes:
            message = p.HURTS_ONE if harmed.classes == 1 else p.HURTS_CLASSES
            hurt = self._(message, classes=harmed.classes, named=named)
            if not harmed.lessons:
                return hurt
            said = p.ONE_LESSON if harmed.lessons == 1 else p.LESSONS
            return self._(said, hurt=hurt, n=harmed.lessons)
        if harmed.links > 1:
            return self._(p.HURTS_LINKS, links=harmed.links)
        return self._(p.HURTS_NOBODY)

    def standing(self, view: IncidentView) -> list[str]:
        """What else there is to say in a list: taken, planned, behind another, how often."""
        said = []
        if view.state is State.RESOLVED:
            said.append(self._(p.OVER, time=self.words.clock(view.resolved or view.opened)))
        elif view.clearing is not None:
            said.append(self._(p.CLEARING, time=self.words.clock(view.clearing)))
        if view.repair:
            said.append(self._(p.UNDER_REPAIR))
        if view.acknowledged is not None:
            said.append(self._(p.TAKEN, who=view.assignee or person(view.acknowledged_by)))
        if view.maintenance is not None:
            said.append(self._(p.IN_MAINTENANCE))
        if view.owner is not None:
            said.append(self._(p.BEHIND))
        if view.shadowed:
            said.append(self._(p.SHADOWS, n=len(view.shadowed)))
        if view.count > 1:
            said.append(self._(p.TIMES, n=view.count))
        return said

    def state(self, name: str) -> str:
        """One of the states a list is narrowed to."""
        return self._(p.STATES[name])

    def act(self, event: Event) -> str:
        """A line of the timeline."""
        fields: dict[str, object] = {"count": "", "level": "", "assignee": "–", "ticket": "–"}
        fields |= {name: value for name, value in event.fields.items() if value}
        level = fields["level"]
        if isinstance(level, str) and level in p.LEVELS:
            fields["level"] = self._(p.LEVELS[level])
        return self._(p.ACTS[event.act.value], **fields)

    def said(self, event: Event) -> str:
        """What a person wrote, if anything; what TenOne wrote, in the page's language."""
        chinese = event.fields.get("text_zh") if self.words.language.tag == CHINESE else None
        return str(chinese or event.fields.get("text") or event.fields.get("reason") or "")

    @staticmethod
    def person(who: str) -> str:
        """A name without the session that typed it."""
        return person(who)

    def figures(self, view: IncidentView) -> list[tuple[str, str]]:
        """The figures behind the sentence, named."""
        found = []
        for name, message in p.FIGURES.items():
            value = view.figures.get(name)
            if value is None:
                continue
            if name.endswith("_mbps"):
                text = self.words.speed(_whole(value))
            else:
                text = self._(p.YES) if name == "half" else str(value)
            found.append((self._(message), text))
        return found

    def refusal(self, status: int) -> str:
        """Why an act was not done; empty where it was."""
        return self._(p.REFUSALS[status]) if status in p.REFUSALS else ""


def incident_mark(view: IncidentView) -> str:
    """Which mark an incident wears."""
    if view.state is State.RESOLVED:
        return "ok"
    if view.cause is Cause.AGENT_SILENT or view.cause is Cause.SWITCH_SILENT:
        return "crit" if view.alarmed is not None else "unknown"
    return "crit" if view.severity is Severity.CRITICAL else "warn"


def person(who: str) -> str:
    """``Li (operator 12ab34cd)`` is Li; what nobody did, TenOne did."""
    if who == SYSTEM:
        return "TenOne"
    return who.rpartition(" (")[0] or who


def teller(now: Callable[[], float]) -> Callable[[IncidentView, str], str]:
    """Puts an incident into words for messages; ``now`` is epoch seconds."""
    languages = load()

    def tell(view: IncidentView, language: str) -> str:
        said = IncidentWords(Words(languages[language], now()))
        lines = [
            f"{said.school(view)}: {said.sentence(view)}",
            said.hurts(view),
            said.advice(view),
            *said.standing(view),
        ]
        return "\n".join(lines)

    return tell


def _message(view: IncidentView) -> str:
    match view.kind:
        case Kind.AGENT:
            return p.AGENT_SILENT
        case Kind.SWITCH:
            return p.SWITCH_POWER if view.cause is Cause.POWER else p.SWITCH_SILENT
        case Kind.POWER:
            return p.POWER_FAILED
        case Kind.CONFIGURATION:
            return (
                p.CONFIGURATION_DRIFT_AT if view.figures.get("section") else p.CONFIGURATION_DRIFT
            )
        case Kind.LINK:
            return p.LINK_MEASURED[view.cause] if _is_measured(view) else _link_message(view)


def _link_message(view: IncidentView) -> str:
    uplink = view.tier == Tier.UPLINK.value
    speed, errors = view.figures.get("speed_mbps"), view.figures.get("errors")
    if uplink and view.cause is Cause.LINK_DOWN:
        return p.UPLINK_DOWN
    if view.cause is Cause.SPEED:
        if speed is None:
            return p.SPEED_UNSAID
        if uplink:
            return p.UPLINK_SLOW
        return p.SPEED_ERRORS if errors else p.LINK[Cause.SPEED]
    if view.cause is Cause.ERRORS and errors:
        return p.ERRORS_COUNTED
    return p.LINK.get(view.cause, p.OTHER)


def _is_measured(view: IncidentView) -> bool:
    """Whether a cable test says more than what is likely."""
    return view.cause in p.LINK_MEASURED and read_cable(view.cable)[0]


def _whole(value: Figure) -> int | None:
    return value if isinstance(value, int) else None
