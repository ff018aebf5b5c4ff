"""Districts whose file refuses blocks: each waits by itself, the others go on. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from tenone.runtime.clock import Clock

PATIENCE = 3
"""So often a batch is held and tried again; then its blocks are left to their agents' resending."""
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


@dataclass(slots=True)
class _Trouble:
    sentence: str
    times: int = 0
    until_ns: int = 0


class Troubles:
    """Who is in trouble, why, and until when nothing is tried."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_district: dict[str, _Trouble] = {}

    @property
    def sentence(self) -> str:
        """For /readyz; empty when all is well."""
        return "; ".join(
            f"district {district}: {trouble.sentence}"
            for district, trouble in sorted(self._by_district.items())
        )

    def barred(self, district: str) -> bool:
        """Whether blocks of the district need not be tried yet."""
        trouble = self._by_district.get(district)
        return trouble is not None and self._clock.monotonic_ns() < trouble.until_ns

    def failed(self, districts: Iterable[str], sentence: str) -> bool:
        """Note a failure; whether the blocks should be held and tried once more at once."""
        hold = False
        for district in set(districts):
            trouble = self._by_district.setdefault(district, _Trouble(sentence))
            trouble.sentence = sentence
            trouble.times += 1
            if trouble.times <= PATIENCE:
                hold = True
                continue
            wait = min(FIRST_SECONDS * 2 ** (trouble.times - PATIENCE), LONGEST_SECONDS)
            trouble.until_ns = self._clock.monotonic_ns() + round(wait * 1e9)
        return hold

    def healed(self, districts: Iterable[str]) -> None:
        """Blocks of these were stored."""
        for district in set(districts):
            self._by_district.pop(district, None)
