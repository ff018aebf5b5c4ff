"""Planned work: windows that a named person approved, and what they take out of the promise."""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.incidents.model import Subject
from controller.sla.availability import Maintenance
from tenone.vocabulary.scope import ScopePath


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window, half open. ``link`` narrows it to one link; else it is about all of ``scope``.

    ``ended_ns``: when somebody ended or cancelled it before its time.
    """

    id: str
    scope: ScopePath
    link: str | None
    start_ns: int
    end_ns: int
    reason: str
    asked_by: str
    approved_by: str
    made_ns: int
    ended_ns: int | None = None
    ended_by: str = ""

    @property
    def until_ns(self) -> int:
        """When it really ends."""
        return self.end_ns if self.ended_ns is None else min(self.end_ns, self.ended_ns)

    def holds(self, at_ns: int) -> bool:
        """Whether the moment lies inside."""
        return self.start_ns <= at_ns < self.until_ns

    def covers(self, subject: Subject, scope: ScopePath) -> bool:
        """Whether the work is about ``subject``, which lies at ``scope``."""
        if self.link is not None:
            return subject.link_id == self.link
        return self.scope.covers(scope)


class Windows:
    """All windows that may still matter; finds the one a subject lies in."""

    def __init__(self, windows: Iterable[Window] = ()) -> None:
        self._by_id = {window.id: window for window in windows}

    def put(self, window: Window) -> None:
        """Add or replace."""
        self._by_id[window.id] = window

    def get(self, window_id: str) -> Window | None:
        """One by its id."""
        return self._by_id.get(window_id)

    def all(self) -> list[Window]:
        """All, the next to begin last."""
        return sorted(self._by_id.values(), key=lambda window: (window.start_ns, window.id))

    def approved(self) -> list[Window]:
        """Those that take time out of the promise."""
        return [window for window in self._by_id.values() if window.approved_by]

    def any_at(self, at_ns: int) -> bool:
        """Whether any work is going on."""
        return any(window.holds(at_ns) for window in self._by_id.values())

    def over(self, subject: Subject, scope: ScopePath, at_ns: int) -> Window | None:
        """The window ``subject`` lies in; of several the one that lasts longest."""
        found = [
            window
            for window in self._by_id.values()
            if window.holds(at_ns) and window.covers(subject, scope)
        ]
        return max(found, key=lambda window: (window.until_ns, window.id), default=None)

    def of_link(self, link_id: str, scope: ScopePath) -> list[Maintenance]:
        """The approved work on a link, as availability reads it (SLA.md, definition 1)."""
        subject = Subject.link(link_id)
        return [
            Maintenance(
                start_ns=window.start_ns, end_ns=window.until_ns, approved_by=window.approved_by
            )
            for window in self.all()
            if window.approved_by and window.covers(subject, scope)
        ]
