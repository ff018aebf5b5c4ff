"""The wire's own record: when which port was what, by one monotonic clock of the machine."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """From this moment on the port was so, until its next one."""

    mono: float
    """CLOCK_MONOTONIC, seconds."""
    wall: float
    """Epoch seconds."""
    port: str
    good: bool
    speed: int | None
    """Mb/s; None: no carrier."""
    full: bool | None
    up: bool
    """The port is open."""
    autoneg: bool
    forced: int | None
    cable: tuple[str, ...]
    """What is wrong with the copper or the negotiation."""

    @property
    def setting(self) -> tuple[bool, bool, int | None]:
        """What the port is set to."""
        return self.up, self.autoneg, self.forced


class Truth:
    """Reads the record as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def moments(self, port: str | None = None) -> list[Moment]:
        """All so far, in order. A torn last line does not count."""
        text = self._path.read_text(encoding="ascii")
        return [
            _moment(json.loads(line))
            for line in text[: text.rfind("\n") + 1].splitlines()
            if port is None or f'"port": "{port}"' in line
        ]

    def now(self, port: str) -> Moment:
        """The last one."""
        return self.moments(port)[-1]

    def good_throughout(self, port: str, begin: float, end: float) -> bool:
        """Whether the link was good from ``begin`` to ``end`` (epoch seconds) without a gap."""
        good = False
        for moment in self.moments(port):
            if moment.wall > end:
                break
            good = moment.good and (good or moment.wall <= begin)
        return good

    def spoilt(self, port: str, after: float) -> Moment | None:
        """When a link that was good stopped being so, not before ``after`` (monotonic)."""
        return next((one for one in self.moments(port) if one.mono >= after and not one.good), None)


def _moment(line: dict[str, Any]) -> Moment:
    return Moment(**{**line, "cable": tuple(line["cable"])})
