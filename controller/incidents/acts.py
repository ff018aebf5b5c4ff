"""What people do to an incident. Each act names the version it saw; of two, one gets a refusal."""

from controller.incidents.model import Act, Event, Figure, Incident, State

MOST_TEXT = 2000


class ActError(Exception):
    """An act that cannot be done; the message says why and what to do."""


class StaleError(ActError):
    """Somebody else changed the incident after this person had looked at it."""


def acknowledge(
    incident: Incident, *, who: str, at_ns: int, version: int | None, level: int
) -> Event:
    """Say that somebody has taken it: it is escalated for want of an answer no more.

    ``level``: whose session it is, 0 school, 1 district, 2 city.
    """
    _fresh(incident, version)
    _need_open(incident)
    if incident.acknowledged_ns is not None:
        raise StaleError(
            f"{incident.acknowledged_by} has acknowledged this incident already: "
            "comment on it, or assign it to yourself."
        )
    incident.acknowledged_ns = at_ns
    incident.acknowledged_by = who
    incident.acknowledged_level = level
    return _done(incident, Act.ACKNOWLEDGED, who, at_ns, level=level)


def assign(
    incident: Incident, *, who: str, at_ns: int, version: int | None, assignee: str
) -> Event:
    """Name who repairs it; an empty name takes the assignment back."""
    _fresh(incident, version)
    _need_open(incident)
    incident.assignee = assignee
    return _done(incident, Act.ASSIGNED, who, at_ns, assignee=assignee)


def comment(
    incident: Incident, *, who: str, at_ns: int, text: str, text_zh: str | None = None
) -> Event:
    """Add a line to the timeline; nothing that could collide. What TenOne writes has both."""
    if not text.strip():
        raise ActError("text: write what should be remembered.")
    both = {} if text_zh is None else {"text_zh": text_zh[:MOST_TEXT]}
    return _done(incident, Act.COMMENTED, who, at_ns, text=text[:MOST_TEXT], **both)


def give_ticket(
    incident: Incident, *, who: str, at_ns: int, version: int | None, ticket: str
) -> Event:
    """Note the number it has in another system."""
    _fresh(incident, version)
    incident.ticket = ticket
    return _done(incident, Act.TICKETED, who, at_ns, ticket=ticket)


def resolve(incident: Incident, *, who: str, at_ns: int, version: int | None, reason: str) -> Event:
    """Close it by hand; evidence that stays bad reopens it."""
    _fresh(incident, version)
    _need_open(incident)
    if not reason.strip():
        raise ActError("reason: write why it is over; it stays in the record.")
    incident.state = State.RESOLVED
    incident.resolved_ns = at_ns
    incident.resolved_by = who
    incident.owner = None
    incident.shadowed = frozenset()
    incident.maintenance = None
    return _done(incident, Act.RESOLVED, who, at_ns, reason=reason[:MOST_TEXT])


def reopen(incident: Incident, *, who: str, at_ns: int, version: int | None, reason: str) -> Event:
    """Open it again by hand; evidence that stays good closes it."""
    _fresh(incident, version)
    if incident.is_open:
        raise StaleError("This incident is open already.")
    incident.state = State.OPEN
    incident.resolved_ns = None
    incident.resolved_by = ""
    return _done(incident, Act.REOPENED, who, at_ns, reason=reason[:MOST_TEXT])


def _fresh(incident: Incident, version: int | None) -> None:
    if version is not None and version != incident.version:
        raise StaleError(
            "Somebody changed this incident while you were looking at it: "
            "load it again, see what they did, and repeat yours if it still makes sense."
        )


def _need_open(incident: Incident) -> None:
    if not incident.is_open:
        raise StaleError("This incident is resolved already: reopen it first, or leave it.")


def _done(incident: Incident, act: Act, who: str, at_ns: int, **fields: Figure) -> Event:
    incident.version += 1
    return Event(incident=incident.id, at_ns=at_ns, act=act, who=who, fields=fields)
