"""The last half hour of every scope, sampled: how many links stood how. Bounded by design."""

from collections import deque
from dataclasses import dataclass

from controller.views import City
from tenone.runtime.clock import Clock
from tenone.vocabulary.scope import ScopePath

SAMPLE_SECONDS = 15.0
SAMPLES = 120
"""120 x 15 s = 30 minutes; 2,700 schools cost about 20 MB."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Links inside a scope at ``at`` (epoch seconds)."""

    at: float
    good: int
    bad: int
    unknown: int


class Trend:
    """A ring of samples a scope: every school, district and city, and everything."""

    def __init__(self, clock: Clock, city: City) -> None:
        self._clock = clock
        self._city = city
        self._rings: dict[ScopePath, deque[Sample]] = {}

    async def run(self) -> None:
        """Sample for ever; one task of a Supervisor."""
        while True:
            self.sample()
            await self._clock.sleep(SAMPLE_SECONDS)

    def sample(self) -> None:
        """Take one sample of every scope that has a school; forget scopes that have none.

        A ring begins with the first link that is judged: after a start everything is unknown
        until the gateways have reported, and that says nothing about the links.
        """
        sums: dict[ScopePath, list[int]] = {}
        for school in self._city.schools(ScopePath()):
            counts = (
                sum(tally.good for tally in school.tallies),
                sum(tally.bad for tally in school.tallies),
                sum(tally.unknown for tally in school.tallies),
            )
            for depth in range(len(school.scope.parts) + 1):
                total = sums.setdefault(ScopePath(school.scope.parts[:depth]), [0, 0, 0])
                for place, count in enumerate(counts):
                    total[place] += count
        at = self._clock.wall_ns() / 1e9
        for scope in self._rings.keys() - sums.keys():
            del self._rings[scope]
        for scope, (good, bad, unknown) in sums.items():
            if good + bad or scope in self._rings:
                ring = self._rings.setdefault(scope, deque(maxlen=SAMPLES))
                ring.append(Sample(at, good, bad, unknown))

    def of(self, scope: ScopePath) -> list[Sample]:
        """Samples of one scope, oldest first; empty for a scope without schools."""
        return list(self._rings.get(scope, ()))
