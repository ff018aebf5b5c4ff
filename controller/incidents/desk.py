"""What people ask of incidents: the API's port to the room."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from controller.house import InThread
from controller.incidents import acts
from controller.incidents.acts import ActError
from controller.incidents.maintenance import Window
from controller.incidents.model import Act, Event, Incident
from controller.incidents.notices import DestinationView
from controller.incidents.repairs import LevelTimes, by_level
from controller.incidents.room import IncidentRoom
from controller.incidents.views import IncidentView
from controller.store.protocols import NS, StoreError
from tenone.calendar.intervals import Intervals
from tenone.vocabulary.scope import ScopePath

DAY_NS = 86_400 * NS
PAST_NS = 400 * 86_400 * NS
"""How far back a list of resolved incidents goes; the records keep them longer."""
MOST_PAST = 5000
LATE_NS = 300 * NS
"""Work may be entered so long after it began, and no longer: it takes time out of the promise."""
LONGEST_NS = 90 * 86_400 * NS


class IncidentDesk:
    """See :class:`controller.api.incident_services.Incidents`."""

    def __init__(self, room: IncidentRoom, in_records: InThread) -> None:
        self._room = room
        self._in_records = in_records

    def views(self, scope: ScopePath) -> Sequence[IncidentView]:
        """See the protocol."""
        return sorted(self._room.views(scope), key=worst_first)

    def count(self, scope: ScopePath) -> int:
        """See the protocol."""
        places = self._room.places
        return sum(
            scope.covers(places.scope(one.subject.school)) for one in self._room.engine.open()
        )

    def destinations(self) -> Sequence[DestinationView]:
        """See the protocol."""
        return () if self._room.postman is None else self._room.postman.views()

    async def past(self, scope: ScopePath) -> Sequence[IncidentView]:
        """See the protocol."""
        places = self._room.places
        since_ns = self._room.wall.now_ns() - PAST_NS
        schools = places.schools_in(scope)
        if not schools:  # a room, or a district without schools: not everybody's
            return []
        kept = await self._in_records(self._room.records.past, schools, since_ns, MOST_PAST)
        return [places.view(incident) for incident in kept]

    async def find(self, incident: str) -> IncidentView | None:
        """See the protocol."""
        found = await self._one(incident)
        return None if found is None else self._room.places.view(found)

    async def timeline(self, incident: str) -> Sequence[Event]:
        """See the protocol."""
        return await self._in_records(self._room.records.timeline, incident)

    async def act(
        self, incident: str, act: Act, *, who: str, version: int | None, text: str, level: int
    ) -> IncidentView:
        """See the protocol."""
        found = self._room.engine.incidents.get(incident)
        if found is None:
            if await self._one(incident) is None:
                raise LookupError(incident)
            raise acts.StaleError(
                "This incident was resolved a while ago and is history: "
                "if the trouble is back, it has an incident of its own."
            )
        event = _do(
            found,
            act,
            who=who,
            at_ns=self._room.wall.now_ns(),
            version=version,
            text=text,
            level=level,
        )
        self._room.note(found, event)
        await self._room.keep()
        self._room.publish(found)
        if self._room.trouble:
            raise StoreError(self._room.trouble)
        return self._room.places.view(found)

    async def times(self, scope: ScopePath, days: int) -> Sequence[LevelTimes]:
        """See the protocol."""
        room = self._room
        since_ns = room.wall.now_ns() - days * DAY_NS
        schools = room.places.schools_in(scope)
        if not schools:
            return ()
        past = await self._in_records(room.records.past, schools, since_ns, MOST_PAST)

        def measured(incident: Incident) -> Intervals:
            end_ns = incident.resolved_ns or incident.opened_ns
            return room.places.hours.measured(incident.subject.school, incident.began_ns, end_ns)

        return by_level(past, measured)

    def windows(self, scope: ScopePath) -> Sequence[Window]:
        """See the protocol."""
        return [
            window
            for window in self._room.windows.all()
            if scope.covers(window.scope) or window.scope.covers(scope)
        ]

    async def add_window(self, window: Window) -> Window:
        """See the protocol."""
        now_ns = self._room.wall.now_ns()
        if window.end_ns <= window.start_ns:
            raise ActError("end: the work has to end after it starts.")
        if window.end_ns - window.start_ns > LONGEST_NS:
            raise ActError("end: a window lasts 90 days at most; enter the parts one by one.")
        if window.start_ns < now_ns - LATE_NS:
            raise ActError(
                "start: work cannot be planned for the past, since it takes that time out of "
                "the promise; start it now."
            )
        if not window.approved_by.strip():
            raise ActError("approved_by: name the person who approved the work.")
        await self._room.put_window(window)
        return window

    async def end_window(self, window: str, *, who: str) -> Window:
        """See the protocol."""
        found = self._room.windows.get(window)
        if found is None:
            raise LookupError(window)
        now_ns = self._room.wall.now_ns()
        if found.until_ns <= now_ns:
            raise acts.StaleError("This window is over already.")
        ended = replace(found, ended_ns=max(now_ns, found.start_ns), ended_by=who)
        await self._room.put_window(ended)
        return ended

    async def _one(self, incident: str) -> Incident | None:
        found = self._room.engine.incidents.get(incident)
        return found or await self._in_records(self._room.records.one, incident)


def worst_first(view: IncidentView) -> tuple[bool, bool, int, float, str]:
    """What is not held back, what nobody has taken, the gravest, the oldest."""
    held = view.owner is not None or view.maintenance is not None
    return held, view.acknowledged is not None, -view.severity, view.began, view.id


def _do(
    incident: Incident,
    act: Act,
    *,
    who: str,
    at_ns: int,
    version: int | None,
    text: str,
    level: int,
) -> Event:
    doing: dict[Act, Callable[[], Event]] = {
        Act.ACKNOWLEDGED: lambda: acts.acknowledge(
            incident, who=who, at_ns=at_ns, version=version, level=level
        ),
        Act.ASSIGNED: lambda: acts.assign(
            incident, who=who, at_ns=at_ns, version=version, assignee=text
        ),
        Act.COMMENTED: lambda: acts.comment(incident, who=who, at_ns=at_ns, text=text),
        Act.TICKETED: lambda: acts.give_ticket(
            incident, who=who, at_ns=at_ns, version=version, ticket=text
        ),
        Act.RESOLVED: lambda: acts.resolve(
            incident, who=who, at_ns=at_ns, version=version, reason=text
        ),
        Act.REOPENED: lambda: acts.reopen(
            incident, who=who, at_ns=at_ns, version=version, reason=text
        ),
    }
    if act not in doing:
        raise ActError(f"{act.value}: nobody does this by hand.")
    return doing[act]()
