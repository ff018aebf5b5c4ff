"""The copper between a switch's port and a class board, as a machine of states: a model of ours.

What each end offers makes the link and its speed. No I/O and no clock: whoever moves the bytes
(:mod:`tests.lab.wire`) asks :meth:`Copper.look` with what the port is set to.

What is modelled, and nothing more: two ends that negotiate agree on 1000 full; a broken pair
leaves the two pairs that 100BASE-TX needs, and none of what 1000BASE-T needs (IEEE 802.3 clauses
25 and 40); an end that is set by hand is met by the other at the same speed, at half duplex up to
100 Mb/s (clause 28, parallel detection); a negotiation that got stuck stays at 100 until the port
was down. Half duplex at 1000 does not exist. That a port forced to 1000 gets a link over sound
copper at all is kinder than real copper.
"""

from dataclasses import dataclass, field, replace

NEGOTIATION_SECONDS = 1.5
"""Without carrier after any change, and after the port was opened."""
SPEEDS = (10, 100, 1000)
GIGABIT = 1000
PARALLEL_UP_TO = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """What the switch's end is set to."""

    up: bool
    autoneg: bool
    speed: int = 0
    """Mb/s; counts only where ``autoneg`` is off."""
    full: bool = True
    """The same."""


@dataclass(frozen=True, slots=True)
class Cable:
    """How it stands with the copper and the board."""

    plugged: bool = True
    broken_pair: bool = False
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """What the two ends have; speeds in Mb/s."""

    speed: int
    full: bool
    board_full: bool = True

    @property
    def good(self) -> bool:
        """What a class was promised."""
        return self.speed >= GIGABIT and self.full and self.board_full


def agreed(setting: Setting, cable: Cable) -> Link | None:
    """What comes of it once both ends are through; None: no carrier."""
    if not (setting.up and cable.plugged):
        return None
    if setting.autoneg:
        return Link(100 if cable.broken_pair or cable.stuck else GIGABIT, full=True)
    if setting.speed not in SPEEDS:
        return None
    if setting.speed == GIGABIT and (cable.broken_pair or not setting.full):
        return None
    return Link(setting.speed, setting.full, board_full=setting.speed > PARALLEL_UP_TO)


@dataclass
class Copper:
    """One port's."""

    cable: Cable = Cable()
    _for: tuple[Setting, Cable] | None = field(default=None, init=False)
    _until: float = field(default=0.0, init=False)

    def look(self, now: float, setting: Setting) -> Link | None:
        """The link at ``now`` (seconds, any clock that does not go back)."""
        if not setting.up and self.cable.stuck:
            self.cable = replace(self.cable, stuck=False)
        counts = setting if not setting.autoneg else Setting(setting.up, autoneg=True)
        if self._for != (counts, self.cable):
            self._for = (counts, self.cable)
            self._until = now + NEGOTIATION_SECONDS
        return agreed(setting, self.cable) if now >= self._until else None
