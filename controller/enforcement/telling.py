"""Says in incidents' timelines what was found, held back, begun and proved: each thing once."""

import logging
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from controller.enforcement.ports import Timeline
from controller.enforcement.sentences import HELD, NO_PLAN
from controller.store.protocols import NS, StoreError

log = logging.getLogger(__name__)

PATIENCE_NS = 300 * NS
"""An incident opens seconds after its link went bad, or never: a flap is none."""
REMEMBERED = 5000
MOST_WAITING = 20_000
MOST_ALIKE = 5
"""Of each of :data:`ALIKE` so many stand in one timeline: why something cannot be planned a school
words as it likes, each minute otherwise if it wants to."""
ALIKE = tuple(text[0].partition("{")[0] for text in (NO_PLAN, HELD))
"""How these sentences begin, in English."""


@dataclass(frozen=True, slots=True)
class _Line:
    link: str
    incident: str | None
    sentence: Mapping[str, str]
    at_ns: int


class Teller:
    """See the module."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._waiting: deque[_Line] = deque()
        self._queued: set[tuple[str, str]] = set()
        """Link and sentence of what waits."""
        self._said: OrderedDict[str, set[str]] = OrderedDict()

    def tell(
        self, link: str, sentence: Mapping[str, str], now_ns: int, *, incident: str | None = None
    ) -> None:
        """Have it said; ``now_ns``: monotonic."""
        if (link, sentence["en"]) not in self._queued:  # a standing fault says the same for ever
            self._queued.add((link, sentence["en"]))
            self._waiting.append(_Line(link, incident, sentence, now_ns))
            if len(self._waiting) > MOST_WAITING:
                self._taken()

    def _taken(self) -> _Line:
        line = self._waiting.popleft()
        self._queued.discard((line.link, line.sentence["en"]))
        return line

    def _again(self, line: _Line) -> None:
        self._queued.add((line.link, line.sentence["en"]))
        self._waiting.append(line)

    async def go_on(self, now_ns: int) -> None:
        """Say what can be said now; what the records refuse stays for the next time."""
        for _ in range(len(self._waiting)):
            line = self._taken()
            incident = line.incident or self._timeline.incident_of(line.link)
            if incident is None:
                if now_ns - line.at_ns < PATIENCE_NS:
                    self._again(line)
                continue
            try:
                await self._say(incident, line.sentence)
            except StoreError as error:
                log.warning("%s: %s", incident, error)
                self._again(line)
                return

    async def _say(self, incident: str, sentence: Mapping[str, str]) -> None:
        said = self._said.get(incident)
        if said is None:
            said = self._said[incident] = await self._timeline.said(incident)
            while len(self._said) > REMEMBERED:
                self._said.popitem(last=False)
        self._said.move_to_end(incident)
        if sentence["en"] in said or _enough(sentence["en"], said):
            return
        await self._timeline.say(incident, sentence["en"], sentence["zh"])
        said.add(sentence["en"])


def _enough(sentence: str, said: set[str]) -> bool:
    alike = next((one for one in ALIKE if sentence.startswith(one)), None)
    return alike is not None and sum(one.startswith(alike) for one in said) >= MOST_ALIKE
