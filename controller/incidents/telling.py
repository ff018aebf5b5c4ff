"""Escalation at work: which levels hear of an incident, and what is laid in the outbox."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from controller.incidents.engine import Engine
from controller.incidents.escalation import LEVELS, Rung, due, send_at_ns
from controller.incidents.model import Act, Event, Incident
from controller.incidents.notices import State
from tenone.vocabulary.states import Severity


class Escalations:
    """See :class:`controller.incidents.room.Told`; and the outbox beside it."""

    def __init__(self, rungs: Sequence[Rung], zone: ZoneInfo) -> None:
        self._rungs = rungs
        self._zone = zone

    def step(
        self, engine: Engine, events: Sequence[Event], now_ns: int
    ) -> tuple[list[Event], list[Mapping[str, object]]]:
        """Let incidents climb; levels that were told hear also that it is over or back."""
        told: list[Event] = []
        notices: list[Mapping[str, object]] = []
        climbing = [
            (one, levels) for one in engine.open() if (levels := due(one, self._rungs, now_ns))
        ]
        for incident, levels in sorted(climbing, key=lambda pair: pair[0].id):
            for level in levels:
                incident.level = level
                fields = {"level": LEVELS[level], "severity": incident.severity.label}
                told.append(
                    Event(incident=incident.id, at_ns=now_ns, act=Act.ESCALATED, fields=fields)
                )
                notices += self._notices(incident, level, Act.ESCALATED, now_ns)
        for event in events:
            found = engine.incidents.get(event.incident)
            if event.act is Act.RESOLVED and found is not None:
                for level in range(found.level + 1):
                    notices += self._notices(found, level, Act.RESOLVED, now_ns)
        return told, notices

    def _notices(
        self, incident: Incident, level: int, act: Act, now_ns: int
    ) -> list[Mapping[str, object]]:
        rung = self._rungs[level]
        severity = Severity.WARNING if act is Act.RESOLVED else incident.severity
        return [
            {
                "incident": incident.id,
                "level": level,
                "act": act.value,
                "channel": f"{number}:{channel.kind}",
                "made_ns": now_ns,
                "due_ns": send_at_ns(severity, rung, now_ns, self._zone),
                "state": State.WAITING,
                "attempts": 0,
                "sent_ns": None,
                "error": "",
            }
            for number, channel in enumerate(rung.channels)
        ]
