"""What the HTTP side asks of incidents, and the answer where there are none."""

from collections.abc import Sequence
from typing import Protocol

from controller.incidents.acts import ActError
from controller.incidents.maintenance import Window
from controller.incidents.model import Act, Event
from controller.incidents.notices import DestinationView
from controller.incidents.repairs import LevelTimes
from controller.incidents.views import IncidentView
from tenone.vocabulary.scope import ScopePath


class Incidents(Protocol):
    """Incidents and planned work. Whoever calls has looked at scope and role."""

    def views(self, scope: ScopePath) -> Sequence[IncidentView]:
        """What is open inside ``scope``, worst first."""
        ...

    def count(self, scope: ScopePath) -> int:
        """How many are open inside ``scope``."""
        ...

    def destinations(self) -> Sequence[DestinationView]:
        """How those fare that messages go to."""
        ...

    async def past(self, scope: ScopePath) -> Sequence[IncidentView]:
        """What was resolved inside ``scope``, newest first."""
        ...

    async def find(self, incident: str) -> IncidentView | None:
        """One incident, open or not."""
        ...

    async def timeline(self, incident: str) -> Sequence[Event]:
        """What happened to it, oldest first."""
        ...

    async def act(
        self, incident: str, act: Act, *, who: str, version: int | None, text: str, level: int
    ) -> IncidentView:
        """Do what a person asks; ``text`` is a comment, a reason, a name or a number.

        Raises :class:`ActError`, :class:`StaleError`, ``LookupError`` and ``StoreError``.
        """
        ...

    async def times(self, scope: ScopePath, days: int) -> Sequence[LevelTimes]:
        """How long the repairs of the last ``days`` took, by responsible level."""
        ...

    def windows(self, scope: ScopePath) -> Sequence[Window]:
        """Maintenance that concerns ``scope``, the next to begin last."""
        ...

    async def add_window(self, window: Window) -> Window:
        """Keep a new window; raises ``ActError`` and ``StoreError``."""
        ...

    async def end_window(self, window: str, *, who: str) -> Window:
        """End a window before its time; raises ``ActError``, ``LookupError``, ``StoreError``."""
        ...


class NoIncidents:
    """A controller without the room: nothing is open, nothing can be done."""

    def views(self, _scope: ScopePath) -> Sequence[IncidentView]:
        """See :class:`Incidents`."""
        return ()

    def count(self, _scope: ScopePath) -> int:
        """See :class:`Incidents`."""
        return 0

    def destinations(self) -> Sequence[DestinationView]:
        """See :class:`Incidents`."""
        return ()

    async def past(self, _scope: ScopePath) -> Sequence[IncidentView]:
        """See :class:`Incidents`."""
        return ()

    async def find(self, _incident: str) -> IncidentView | None:
        """See :class:`Incidents`."""
        return None

    async def timeline(self, _incident: str) -> Sequence[Event]:
        """See :class:`Incidents`."""
        return ()

    async def act(
        self, incident: str, act: Act, *, who: str, version: int | None, text: str, level: int
    ) -> IncidentView:
        """See :class:`Incidents`."""
        raise LookupError(incident, act, who, version, text, level)

    async def times(self, _scope: ScopePath, _days: int) -> Sequence[LevelTimes]:
        """See :class:`Incidents`."""
        return ()

    def windows(self, _scope: ScopePath) -> Sequence[Window]:
        """See :class:`Incidents`."""
        return ()

    async def add_window(self, window: Window) -> Window:
        """See :class:`Incidents`."""
        raise ActError(f"This controller keeps no incidents, so no window {window.id}.")

    async def end_window(self, window: str, *, who: str) -> Window:
        """See :class:`Incidents`."""
        raise LookupError(window, who)
