"""What TenOne may change on a switch: the intents, and what each of them means.

One table, read by configuration, guards, dialects, agents, API and pages. An intent names what is
wanted, never how: lines are rendered by the dialect of the switch, at the school.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Intent(StrEnum):
    """One thing that can be asked for."""

    RESTORE_NEGOTIATION = "restore-negotiation"
    """Let the port negotiate speed and duplex again, all its speeds offered."""
    BOUNCE_PORT = "bounce-port"
    """Shut the port and open it again, so that both ends negotiate anew."""
    ENABLE_PORT = "enable-port"
    """Open a port that is shut."""
    CYCLE_POE = "cycle-poe"
    """Take the power from what hangs on the port, and give it back."""
    EXAM_PRIORITY = "exam-priority"
    """Serve what is marked as urgent before the rest on this port, until a moment."""
    QUARANTINE = "quarantine"
    """Put the port into the VLAN where nothing is reached."""
    RELEASE = "release"
    """Take a quarantine back."""
    SAVE_CONFIGURATION = "save-configuration"
    """Let what runs be what the switch starts with."""
    CABLE_DIAGNOSIS = "cable-diagnosis"
    """Measure the pairs of the cable; shuts the link for seconds on most switches."""


class Dialect(StrEnum):
    """The command lines that are spoken."""

    HUAWEI_VRP5 = "huawei-vrp5"
    HUAWEI_VRP8 = "huawei-vrp8"
    COMWARE = "comware"
    RUIJIE = "ruijie"
    ZTE = "zte"
    CISCO_IOS = "cisco-ios"
    LINUX = "linux"


class Mode(StrEnum):
    """How far the controller goes by itself."""

    OFF = "off"
    """Nothing is proposed, nobody may ask for it."""
    PROPOSE = "propose"
    """It is said what would help; people ask for it and approve it."""
    APPROVE = "approve"
    """It is asked for by the controller; people approve it."""
    AUTO = "auto"
    """It is done, where the school agreed to that for the switch (``cli.automatic``)."""


class Indicator(StrEnum):
    """What must be good, and still good after the hold, before an action counts as proved."""

    LINK = "link"
    """The link's own: up, full duplex, at the speed of the contract."""
    CONFIGURATION = "configuration"
    """The switch itself says that it is set so, and the link is no worse than before."""
    NONE = "none"
    """It measures or saves; its answer is the proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an intent is."""

    parameters: frozenset[str]
    """Beside ``switch``. ``link`` and ``incident`` (ids) may always be named."""
    indicator: Indicator
    interrupts: bool
    """A link that is up goes down for a moment (or its traffic elsewhere)."""
    two_persons: bool
    """High risk: two people approve, and never the controller alone."""
    configures: bool
    """The configuration differs afterwards, so it is saved once proved."""
    inverse: Intent | None
    """By what people take it back; what is not proved is put back without any."""


PORT = frozenset({"port"})
MEANINGS: Mapping[Intent, Meaning] = MappingProxyType(
    {
        Intent.RESTORE_NEGOTIATION: Meaning(
            parameters=PORT,
            indicator=Indicator.LINK,
            interrupts=True,
            two_persons=False,
            configures=True,
            inverse=None,
        ),
        Intent.BOUNCE_PORT: Meaning(
            parameters=PORT,
            indicator=Indicator.LINK,
            interrupts=True,
            two_persons=False,
            configures=False,
            inverse=None,
        ),
        Intent.ENABLE_PORT: Meaning(
            parameters=PORT,
            indicator=Indicator.LINK,
            interrupts=False,
            two_persons=False,
            configures=True,
            inverse=None,
        ),
        Intent.CYCLE_POE: Meaning(
            parameters=PORT,
            indicator=Indicator.LINK,
            interrupts=True,
            two_persons=False,
            configures=False,
            inverse=None,
        ),
        Intent.EXAM_PRIORITY: Meaning(
            parameters=PORT | {"until_ms"},
            indicator=Indicator.CONFIGURATION,
            interrupts=False,
            two_persons=False,
            configures=False,  # it ends by itself: what the switch starts with stays as it was
            inverse=None,
        ),
        Intent.QUARANTINE: Meaning(
            parameters=PORT,
            indicator=Indicator.CONFIGURATION,
            interrupts=True,
            two_persons=True,
            configures=True,
            inverse=Intent.RELEASE,
        ),
        Intent.RELEASE: Meaning(
            parameters=PORT,
            indicator=Indicator.CONFIGURATION,
            interrupts=True,
            two_persons=False,
            configures=True,
            inverse=Intent.QUARANTINE,
        ),
        Intent.SAVE_CONFIGURATION: Meaning(
            parameters=frozenset(),
            indicator=Indicator.NONE,
            interrupts=False,
            two_persons=False,
            configures=False,
            inverse=None,
        ),
        Intent.CABLE_DIAGNOSIS: Meaning(
            parameters=PORT,
            indicator=Indicator.NONE,
            interrupts=True,
            two_persons=False,
            configures=False,
            inverse=None,
        ),
    }
)
ALWAYS = frozenset({"switch"})
MAY = frozenset({"link", "incident", "contract_mbps", "hold_seconds"})
"""``contract_mbps``: what the link's contract asks for, where school.yaml does not say (the city's
profile does). ``hold_seconds``: the city's ``enforcement.hold_seconds``."""
