"""Who hears of an incident, and when: school, then district, then city (R20).

Pure: incident, policy and the time go in. Nothing that suppresses an alarm takes an escalation
away: what was alarmed goes on climbing whatever shadows it later, and what is held back by a
maintenance or a parent begins to climb when it is alarmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from controller.incidents.model import SECOND_NS, Incident
from tenone.config.escalation import Channel, Escalation, Level, SeverityName
from tenone.vocabulary.states import Severity

LEVELS = ("school", "district", "city")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One level's policy. Delays in ns since the alarm; a missing severity never gets there."""

    after: Mapping[Severity, int] = field(default_factory=dict)
    unresolved_after: Mapping[Severity, int] = field(default_factory=dict)
    quiet: tuple[int, int] | None = None
    """Minutes of the local day from when to when only critical messages go out."""
    channels: Sequence[Channel] = ()


def ladder(config: Escalation) -> tuple[Rung, ...]:
    """The policy as the configuration says it, from the level that hears first."""
    return tuple(_rung(level) for level in config.levels)


def _rung(level: Level) -> Rung:
    return Rung(
        after=_delays(level.after),
        unresolved_after=_delays(level.unresolved_after),
        quiet=level.quiet,
        channels=level.channels,
    )


def _delays(named: Mapping[SeverityName, float]) -> dict[Severity, int]:
    return {Severity[name.upper()]: round(value * SECOND_NS) for name, value in named.items()}


def due(incident: Incident, rungs: Sequence[Rung], now_ns: int) -> list[int]:
    """The levels that should hear of it now and have not, in order.

    A level above the first one due hears too, even where its own time is shorter than that of the
    one below. Evidence that is good for the moment keeps it from climbing, not from climbing later.
    """
    if not incident.is_open or incident.alarmed_ns is None or incident.clearing_ns is not None:
        return []
    if incident.level >= len(rungs) - 1:
        return []
    highest = incident.level
    for number, rung in enumerate(rungs):
        if number > highest and _reached(incident, rung, now_ns - incident.alarmed_ns):
            highest = number
    return list(range(incident.level + 1, highest + 1))


def _reached(incident: Incident, rung: Rung, waited_ns: int) -> bool:
    silent = rung.after.get(incident.severity)
    unsolved = rung.unresolved_after.get(incident.severity)
    unanswered = incident.acknowledged_ns is None
    return (silent is not None and unanswered and waited_ns >= silent) or (
        unsolved is not None and waited_ns >= unsolved
    )


def send_at_ns(severity: Severity, rung: Rung, now_ns: int, zone: ZoneInfo) -> int:
    """When a message may go out: now, or after the quiet hours if it is not critical."""
    if rung.quiet is None or severity is Severity.CRITICAL:
        return now_ns
    first, last = rung.quiet
    local = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    inside = first <= minute < last if first < last else minute >= first or minute < last
    if not inside or first == last:
        return now_ns
    end = local.replace(hour=last // 60, minute=last % 60, second=0, microsecond=0)
    if minute >= last:
        end += timedelta(days=1)
    return int(end.timestamp()) * SECOND_NS
