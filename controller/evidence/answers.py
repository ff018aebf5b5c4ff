"""What the API asks of sealed evidence, cut to a scope. Methods block: call them from a thread."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from controller.evidence.desk import Asked, Desk, Made, ReportError
from controller.evidence.room import EvidenceRoom
from controller.state.resolve import bindings_of
from tenone.vocabulary.scope import ScopePath

Json = dict[str, Any]
T = TypeVar("T")
DISTRICT, SCHOOL = 1, 2
"""Where in a scope path district and school stand."""


class Answers:
    """See :class:`controller.api.services.Reports`."""

    def __init__(
        self,
        room: EvidenceRoom,
        version: str,
        duplicates: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._room = room
        self._version = version
        self._duplicates = duplicates

    def sla(self, scope: ScopePath, first: date, last: date, by: str) -> Json:
        """The SLA report of a scope; ``LookupError`` with a sentence where there is none."""
        asked = _asked(scope, first, last)
        return _told(lambda: self._desk().sla(asked, self._made(by)))

    def inspection(self, scope: ScopePath, first: date, last: date, by: str, size: str) -> Json:
        """A school's inspection sheet; ``LookupError`` as above."""
        asked = _asked(scope, first, last)
        return _told(lambda: self._desk().inspection(asked, self._made(by), size))

    def indicators(self, scope: ScopePath, first: date, last: date) -> Sequence[Json]:
        """Indicators by day; ``LookupError`` as above."""
        return _told(lambda: self._desk().indicators(_asked(scope, first, last)))

    def quality(self, scope: ScopePath, first: date, last: date) -> Sequence[Json]:
        """Data quality by school; ``LookupError`` as above."""
        asked = _asked(scope, first, last)
        return _told(lambda: self._desk().quality(asked, self._duplicates()))

    def _made(self, by: str) -> Made:
        return Made(by=by, at_ns=self._room.house.clock.wall_ns(), version=self._version)

    def _desk(self) -> Desk:
        house, room = self._room.house, self._room
        ports = house.records.ports_of(house.clock.wall_ns())
        return Desk(
            city=house.plan.id,
            schools=room.schools,
            rollups=room.rollups,
            seals=room.seals,
            archive=room.archive,
            blocks=house.store,
            names={key: bindings_of(facts) for key, facts in ports.items()},
            works=room.judged_by.of,
            repairs=room.repairs,
            oldest_day=house.store.usage().oldest_day,
        )


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except ReportError as error:
        raise LookupError(str(error)) from error


def _asked(scope: ScopePath, first: date, last: date) -> Asked:
    parts = scope.parts
    return Asked(
        first=first,
        last=last,
        district=parts[DISTRICT] if len(parts) > DISTRICT else None,
        school=parts[SCHOOL] if len(parts) > SCHOOL else None,
    )
