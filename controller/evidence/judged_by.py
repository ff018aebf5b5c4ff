"""By which maintenance days were judged: kept, so that a change of it opens those days again.

Maintenance may be approved, ended or widened after a day was judged. Days are judged by what is
kept here and never by what the incidents' room says at that moment; so a bundle that is written
between an approval and the next judgement still says what its figures were made by.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from controller.evidence.promises import Works
from controller.evidence.runs import Days
from controller.sla.availability import NOTHING, Maintenance, approved
from controller.store.files import replace_file
from tenone.calendar.intervals import Intervals
from tenone.calendar.zone import day_span

log = logging.getLogger(__name__)

FILE = "works.json"
RECORDS = "records"
"""Who approved it is in the records; here is only that somebody did."""


class JudgedBy:
    """Approved maintenance by link, as days are judged by it. One thread writes."""

    def __init__(self, file: Path, days: Days | None = None) -> None:
        self._file = file
        self._days = days or Days()
        self._known: dict[str, Intervals] = {}
        self._unsaved = False

    def open(self) -> bool:
        """Read what was kept; False where nothing was: then all maintenance is news."""
        try:
            body = json.loads(self._file.read_bytes())
            self._known = {
                str(link): Intervals.of((int(start), int(end)) for start, end in one["spans"])
                for one in body["works"]
                for link in one["links"]
            }
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning(
                "%s is unreadable (%s): days with maintenance are judged again", self._file, error
            )
            return False
        return True

    def of(self, link: str) -> Sequence[Maintenance]:
        """See :data:`controller.evidence.promises.Works`."""
        return tuple(
            Maintenance(start_ns=start, end_ns=end, approved_by=RECORDS)
            for start, end in self._known.get(link, NOTHING)
        )

    def learn(
        self, links: Iterable[str], works: Works, oldest: date, today: date
    ) -> dict[str, set[date]]:
        """Take over what is approved now; returns the days up to today it changed, by link.

        Before ``oldest`` the means of traffic are gone and days cannot be judged again: what was
        known of that time stays. A link that is no longer promised keeps what it had.
        """
        cut = day_span(oldest, self._days.zone).start_ns
        end = day_span(today, self._days.zone).end_ns
        changed: dict[str, set[date]] = {}
        for link in links:
            before, now = self._known.get(link, NOTHING), approved(works(link))
            if before == now:
                continue
            past = Intervals.of([(min(cut, 0), cut)])
            after = (before & past) | (now - past)
            difference = (before - after) | (after - before)
            if not difference:
                continue
            self._known[link] = after
            self._unsaved = True
            changed[link] = {
                day for span in difference.within(cut, end) for day in self._touched(*span)
            }
        return changed

    def save(self) -> None:
        """Keep it; call when the days that :meth:`learn` told have been judged. Raises OSError."""
        if not self._unsaved:
            return
        same: dict[Intervals, list[str]] = {}
        for link, time in self._known.items():
            if time:
                same.setdefault(time, []).append(link)
        body = [
            {"spans": [list(span) for span in time], "links": sorted(links)}
            for time, links in same.items()
        ]
        replace_file(self._file, json.dumps({"works": body}).encode())
        self._unsaved = False

    def _touched(self, start_ns: int, end_ns: int) -> Iterable[date]:
        first, last = self._days.of(start_ns), self._days.of(end_ns - 1)
        return (first + timedelta(days=n) for n in range((last - first).days + 1))


def by_school(changed: Mapping[str, set[date]]) -> dict[str, set[date]]:
    """The days of all links of a school."""
    found: dict[str, set[date]] = {}
    for link, days in changed.items():
        found.setdefault(link.partition("/")[0], set()).update(days)
    return found
