"""Escalation at work: which levels hear of an incident, and the task that delivers messages."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from controller.house import InThread
from controller.incidents.engine import Engine
from controller.incidents.escalation import LEVELS, Rung, due, send_at_ns
from controller.incidents.model import Act, Event, Incident
from controller.incidents.notices import (
    Notice,
    NoticeRecords,
    Sender,
    SendError,
    State,
    Teller,
    bare,
    outcome,
)
from controller.incidents.views import IncidentView
from controller.store.protocols import StoreError
from tenone.runtime.clock import Clock
from tenone.vocabulary.states import Severity

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Finder(Protocol):
    """Finds what a message is about."""

    async def find(self, incident: str) -> IncidentView | None:
        """The incident as it stands now."""
        ...


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


class Postman:
    """Delivers what waits in the outbox. Give :meth:`run` to a supervisor."""

    def __init__(
        self,
        *,
        rungs: Sequence[Rung],
        records: NoticeRecords,
        finder: Finder,
        in_records: InThread,
        clock: Clock,
        sender: Sender | None = None,
    ) -> None:
        self._rungs = rungs
        self._records = records
        self._finder = finder
        self._in_records = in_records
        self._clock = clock
        self.sender = sender or Sender(bare)
        self._failing: dict[str, str] = {}
        """By level and channel: why its last message did not go out."""

    @property
    def trouble(self) -> str:
        """What does not go out; empty where the last message of every channel did."""
        return "; ".join(self._failing.values())

    def speak(self, teller: Teller) -> None:
        """Use these words from now on."""
        self.sender.teller = teller

    async def run(self) -> None:
        """Look for ever."""
        try:
            while True:
                if not await self.deliver():
                    await self._clock.sleep(LOOK_SECONDS)
        finally:
            await self.sender.close()

    async def deliver(self) -> int:
        """Try everything that is due; how many were delivered."""
        now_ns = self._clock.wall_ns()
        try:
            waiting = await self._in_records(self._records.waiting, now_ns)
            done = [outcome(one, self._clock.wall_ns(), await self._try(one)) for one in waiting]
            if done:
                await self._in_records(self._records.mark, done)
        except StoreError as error:
            self._failing["records"] = str(error)
            return 0
        self._failing.pop("records", None)
        return sum(one["state"] == State.SENT for one in done)

    async def _try(self, notice: Notice) -> str:
        number, _, kind = notice.channel.partition(":")
        channels = self._rungs[notice.level].channels if notice.level < len(self._rungs) else ()
        channel = channels[int(number)] if int(number) < len(channels) else None
        view = await self._finder.find(notice.incident)
        if channel is None or channel.kind != kind or view is None:
            return ""  # the channel or the incident is no longer configured: nobody to tell
        which = f"{kind} of the {LEVELS[notice.level]}"
        try:
            await self.sender.send(channel, notice, view)
        except SendError as error:
            self._failing[which] = f"{which}: {error}"
            log.warning("notice %d of %s: %s", notice.row, notice.incident, error)
            return str(error)
        self._failing.pop(which, None)
        return ""
