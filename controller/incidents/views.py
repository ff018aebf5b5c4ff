"""Incidents as screens and programs see them. Times are epoch seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.foreign import read_foreign
from controller.incidents.maintenance import Window
from controller.incidents.model import Event, Figure, Incident, Kind, State
from controller.store.protocols import NS
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity

Json = dict[str, object]
STATES = frozenset({
    "open", "acknowledged", "resolved", "alarmed", "shadowed", "maintenance", "under-repair",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmed:
    """Whom it hurts."""

    links: int = 0
    classes: int = 0
    named: Sequence[str] = ()
    """Names of the first classes, in the order of the numbering."""
    lessons: int | None = None
    """Lessons it met so far in each of these classes; None where no calendar says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """One incident with the names of its place."""

    id: str
    school: str
    school_name: str
    school_name_zh: str | None
    scope: ScopePath
    kind: Kind
    name: str
    """What people call the link; of a switch its name; of a gateway empty."""
    link: str | None
    tier: str | None
    cause: Cause
    severity: Severity
    state: State
    began: float
    opened: float
    alarmed: float | None
    clearing: float | None
    resolved: float | None
    resolved_by: str
    count: int
    owner: str | None
    shadowed: Sequence[str]
    maintenance: str | None
    acknowledged: float | None
    acknowledged_by: str
    assignee: str
    ticket: str
    level: int
    figures: Mapping[str, Figure]
    proofs: Sequence[str]
    harmed: Harmed
    version: int
    repair: str = ""
    """The action that is under way there; empty: none."""
    cable: str = ""
    """The newest cable test since it opened, JSON of the agent; empty: none."""

    @property
    def states(self) -> frozenset[str]:
        """Everything a list may be narrowed to."""
        found = {self.state.value}
        if self.state is State.OPEN:
            found |= {
                word
                for word, holds in (
                    ("acknowledged", self.acknowledged is not None),
                    ("alarmed", self.alarmed is not None),
                    ("shadowed", self.owner is not None),
                    ("maintenance", self.maintenance is not None),
                    ("under-repair", bool(self.repair)),
                )
                if holds
            }
        return frozenset(found)


def seconds(at_ns: int | None) -> float | None:
    """Epoch seconds of a moment."""
    return None if at_ns is None else at_ns / NS


def incident_json(view: IncidentView) -> Json:
    """The view as the API says it."""
    return {
        "id": view.id,
        "school": view.school,
        "school_name": view.school_name,
        "school_name_zh": view.school_name_zh,
        "scope": str(view.scope),
        "kind": view.kind.value,
        "name": view.name,
        "link": view.link,
        "tier": view.tier,
        "cause": view.cause.label,
        "severity": view.severity.label,
        "state": view.state.value,
        "states": sorted(view.states),
        "began": view.began,
        "opened": view.opened,
        "alarmed": view.alarmed,
        "clearing": view.clearing,
        "resolved": view.resolved,
        "resolved_by": view.resolved_by,
        "count": view.count,
        "owner": view.owner,
        "shadowed": list(view.shadowed),
        "maintenance": view.maintenance,
        "repair": view.repair or None,
        "cable": _pairs(view.cable),
        "acknowledged": view.acknowledged,
        "acknowledged_by": view.acknowledged_by,
        "assignee": view.assignee,
        "ticket": view.ticket,
        "level": view.level,
        "figures": dict(view.figures),
        "proofs": list(view.proofs),
        "harmed": {
            "links": view.harmed.links,
            "classes": view.harmed.classes,
            "named": list(view.harmed.named),
            "lessons": view.harmed.lessons,
        },
        "version": view.version,
    }


def _pairs(cable: str) -> list[object] | None:
    """A cable test as its agent wrote it; None where there is none, or it is none."""
    try:
        said = read_foreign(cable)
    except ValueError:
        return None
    return said if isinstance(said, list) else None


def event_json(event: Event) -> Json:
    """One line of a timeline."""
    return {
        "at": event.at_ns / NS,
        "act": event.act.value,
        "who": event.who,
        "fields": dict(event.fields),
    }


def window_json(window: Window) -> Json:
    """A maintenance window."""
    return {
        "id": window.id,
        "scope": str(window.scope),
        "link": window.link,
        "start": window.start_ns / NS,
        "end": window.end_ns / NS,
        "reason": window.reason,
        "asked_by": window.asked_by,
        "approved_by": window.approved_by,
        "made": window.made_ns / NS,
        "ended": seconds(window.ended_ns),
        "ended_by": window.ended_by,
    }


def view_of(
    incident: Incident,
    *,
    scope: ScopePath,
    names: tuple[str, str | None],
    name: str,
    tier: str | None,
    harmed: Harmed,
) -> IncidentView:
    """Put an incident and the names of its place together."""
    return IncidentView(
        id=incident.id,
        school=incident.subject.school,
        school_name=names[0],
        school_name_zh=names[1],
        scope=scope,
        kind=incident.subject.kind,
        name=name,
        link=incident.subject.link_id,
        tier=tier,
        cause=incident.cause,
        severity=incident.severity,
        state=incident.state,
        began=incident.began_ns / NS,
        opened=incident.opened_ns / NS,
        alarmed=seconds(incident.alarmed_ns),
        clearing=seconds(incident.clearing_ns),
        resolved=seconds(incident.resolved_ns),
        resolved_by=incident.resolved_by,
        count=incident.count,
        owner=incident.owner,
        shadowed=sorted(incident.shadowed),
        maintenance=incident.maintenance,
        acknowledged=seconds(incident.acknowledged_ns),
        acknowledged_by=incident.acknowledged_by,
        assignee=incident.assignee,
        ticket=incident.ticket,
        level=incident.level,
        figures=incident.figures,
        proofs=incident.proofs,
        harmed=harmed,
        version=incident.version,
        repair=incident.repair if incident.is_open else "",
        cable=incident.cable,
    )
