"""What a dialect is: an intent in; lines, checks, inverse and the switch's own way back out.

A dialect renders and reads text and does no I/O. It knows a port by :class:`PortSettings`, the
same for all vendors; an intent turns the settings of before into those of after
(:mod:`drivers.cli.plans`), and the dialect renders what differs. So the way back is the same
rendering with the two exchanged, and after a cut session it is rendered from whatever the switch
says it is now.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex


@dataclass(frozen=True, slots=True)
class Ask:
    """A question in the middle of a command, and what is typed then."""

    pattern: str
    """A regular expression."""
    answer: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is typed."""

    text: str
    asks: tuple[Ask, ...] = ()
    seconds: float = 10.0
    """How long the answer may take."""
    optional: bool = False
    """Where the switch refuses it, what it asks for is so already (or not to be had): go on."""
    pause: float = 0.0
    """Seconds to wait once it is answered: a link partner has to see that the port was shut."""


class PortMode(StrEnum):
    """What of VLANs the port carries."""

    ACCESS = "access"
    TRUNK = "trunk"
    HYBRID = "hybrid"
    ROUTED = "routed"
    UNSET = "unset"
    """Not said in the configuration, and what that means differs by series: Huawei VRP5 is hybrid
    there, or settles it with the other end. Behaves as access until it is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSettings:
    """What a switch's running configuration says about one port."""

    enabled: bool = True
    negotiation: bool = True
    speed_mbps: int | None = None
    """Forced; None where it is negotiated."""
    duplex: Duplex | None = None
    """Forced; None where it is negotiated."""
    mode: PortMode = PortMode.ACCESS
    access_vlan: int | None = None
    """None: the switch's default (1)."""
    poe: bool = True
    trust: bool = False
    """What is marked as urgent is believed and served first."""
    other: tuple[str, ...] = ()
    """Lines of the port's section that none of the above stands for, as they are."""


class CableState(StrEnum):
    """What a test says about one pair."""

    OK = "ok"
    OPEN = "open"
    SHORT = "short"
    CROSSTALK = "crosstalk"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Pair:
    """One of the four pairs of a cable."""

    name: str
    """``A`` to ``D``; ``cable`` where the switch does not tell them apart."""
    state: CableState
    metres: float | None = None
    """How far away the fault is, or how long the pair; None: not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one port (or, for saving, of the switch), whole: forth, proof, back.

    Every group starts and ends in the view a login begins in.
    """

    intent: Intent
    port: str
    """Empty where it concerns the switch."""
    before: PortSettings | None
    after: PortSettings | None
    """What the port is set to when ``apply`` is through (after a bounce: the same as before)."""
    prepare: tuple[Line, ...] = ()
    """Makes a way back on the switch itself; changes nothing that runs."""
    apply: tuple[Line, ...] = ()
    confirm: tuple[Line, ...] = ()
    """Tells the switch not to go back by itself. Read the port again behind it: where the switch
    was faster it has gone back, and not every switch says so."""
    undo: tuple[Line, ...] = ()
    """From wherever ``apply`` was cut, back to ``before``. Harmless when sent twice."""
    keep: tuple[Line, ...] = ()
    """Saves."""
    revert_seconds: float | None = None
    """After which the switch goes back by itself; None: it cannot."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What people approve, each line with what it is for."""
        groups = (
            ("prepare", self.prepare),
            ("do", self.apply),
            ("confirm", self.confirm),
            ("undo", self.undo),
            ("keep", self.keep),
        )
        return tuple(f"{name}: {line.text}" for name, group in groups for line in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What lines would do if a switch took them, as read from the lines alone."""

    ports: frozenset[str] = frozenset()
    """Every port they enter."""
    sets: tuple[tuple[str, str], ...] = ()
    """(attribute of :class:`PortSettings`, its new value as text), in order."""
    saves: bool = False
    strange: tuple[str, ...] = field(default=())
    """Lines that no rendering of this dialect makes."""


class Dialect(Protocol):
    """One vendor's command line. Methods that render raise :class:`CannotError`."""

    name: Name
    device_type: str
    """netmiko's name."""
    prompt: re.Pattern[str]
    """Matches the end of any answer: every view's prompt."""
    refusals: tuple[re.Pattern[str], ...]
    """What in an answer says that the line was not taken."""
    quiet: tuple[Line, ...]
    """Sent once after the login: no paging, no log lines in between."""
    leave: tuple[Line, ...]
    """From whatever view back to the one of the login; harmless there."""
    hinders: Mapping[Intent, re.Pattern[str]]
    """Lines of :attr:`PortSettings.other` (stripped) that would make an intent meaningless, or that
    its lines would overwrite so that there is no way back; matched from their start."""

    def check_port(self, port: str) -> str:
        """The name as it is typed; raises :class:`BadPortError` by the vendor's grammar."""
        ...

    def show_port(self, port: str) -> tuple[Line, ...]:
        """Asks for what :meth:`read_port` reads."""
        ...

    def read_port(self, port: str, answers: Sequence[str]) -> PortSettings:
        """Raises :class:`UnreadableError`."""
        ...

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """What makes ``after`` of ``before``; nothing where they are the same.

        A whole group, from the view of a login and back to it, in force at its end (committed, an
        undo by the switch itself cancelled): it is what is typed after a lost session, too.
        Setting an attribute to what it already is must do no harm.
        """
        ...

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        """All of it, with the vendor's own way back around it where it has one."""
        ...

    def save(self) -> tuple[Line, ...]:
        """Makes what runs what it starts with."""
        ...

    def show_configuration(self) -> tuple[Line, ...]:
        """Asks for the whole running configuration."""
        ...

    def test_cable(self, port: str) -> tuple[Line, ...]:
        """Raises :class:`CannotError` where the vendor has no such test."""
        ...

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """Raises :class:`UnreadableError`."""
        ...

    def meant(self, lines: Sequence[str]) -> Meant:
        """Read rendered lines back, by another way than they were made."""
        ...
