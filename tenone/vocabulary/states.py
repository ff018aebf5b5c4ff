"""Enumerations shared by wire, columns, API and screen.

The integer codes are what the columns of a block hold. Where a MIB defines the
code it is kept, so a captured value reads the same everywhere.
"""

from enum import IntEnum, StrEnum


class AdminStatus(IntEnum):
    """IF-MIB ifAdminStatus (RFC 2863)."""

    UP = 1
    DOWN = 2
    TESTING = 3

    @property
    def label(self) -> str:
        """The name used in the API: ``up``, ``down``, ``testing``."""
        return self.name.lower()


class OperStatus(IntEnum):
    """IF-MIB ifOperStatus (RFC 2863)."""

    UP = 1
    DOWN = 2
    TESTING = 3
    UNKNOWN = 4
    DORMANT = 5
    NOT_PRESENT = 6
    LOWER_LAYER_DOWN = 7

    @property
    def label(self) -> str:
        """The name used in the API, spelled as the MIB spells it."""
        return _OPER_LABELS[self]


_OPER_LABELS = {
    OperStatus.UP: "up",
    OperStatus.DOWN: "down",
    OperStatus.TESTING: "testing",
    OperStatus.UNKNOWN: "unknown",
    OperStatus.DORMANT: "dormant",
    OperStatus.NOT_PRESENT: "notPresent",
    OperStatus.LOWER_LAYER_DOWN: "lowerLayerDown",
}


class Duplex(IntEnum):
    """EtherLike-MIB dot3StatsDuplexStatus (RFC 3635)."""

    UNKNOWN = 1
    HALF = 2
    FULL = 3

    @property
    def label(self) -> str | None:
        """``half``, ``full`` or None: unknown is null on the outside, never a guess."""
        return None if self is Duplex.UNKNOWN else self.name.lower()


class Tier(StrEnum):
    """Which promise a link carries."""

    UPLINK = "uplink"
    CLASS = "class"
    BACKBONE = "backbone"
    WIFI = "wifi"


class Verdict(IntEnum):
    """Three-valued truth; the code is the Prometheus value of ``tenone_link_verdict``."""

    UNKNOWN = -1
    BAD = 0
    GOOD = 1

    @property
    def label(self) -> str:
        """``unknown``, ``bad`` or ``good``."""
        return self.name.lower()


class Severity(IntEnum):
    """How bad a bad verdict is; 0 means there is nothing bad to grade."""

    NONE = 0
    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def label(self) -> str | None:
        """``info``, ``warning``, ``critical``, or None."""
        return None if self is Severity.NONE else self.name.lower()


class EvidenceMethod(StrEnum):
    """How a verdict was come by. Negotiated alone is *unverified*."""

    NEGOTIATED = "negotiated"
    PROBED = "probed"
    TESTED = "tested"


class Cause(IntEnum):
    """Why a link is bad or unknown, in the fixed priority of SLA.md 12 (lower wins).

    The first eleven price a bad class-minute. From 32 on they say why nothing can
    be judged. The code is also the bit number in a cause mask.
    """

    POWER = 0
    UPLINK = 1
    CONFIGURATION = 2
    LINK_DOWN = 3
    SPEED = 4
    DUPLEX = 5
    ERRORS = 6
    CONGESTION = 7
    LOSS = 8
    DNS = 9
    ENDPOINT = 10
    AGENT_SILENT = 32
    SWITCH_SILENT = 33
    STALE = 34
    PORT_MISSING = 35
    SPEED_UNKNOWN = 36
    DUPLEX_UNKNOWN = 37
    OPER_UNKNOWN = 38
    NOT_BOUND = 39
    NEVER_SEEN = 40
    VIRTUAL_PORT = 41

    @property
    def label(self) -> str:
        """The name used in the API, such as ``link-down``."""
        return self.name.lower().replace("_", "-")


class PriorityClass(IntEnum):
    """BLOCKS.md: the four classes of journal and wire, most urgent first."""

    P0 = 0
    """SOS and fire."""
    P1 = 1
    """Links and events."""
    P2 = 2
    """Health."""
    P3 = 3
    """Environment."""


class DataGrade(IntEnum):
    """How sensitive a datum is (R27); a block never mixes grades."""

    PUBLIC = 0
    INTERNAL = 1
    PERSONAL = 2
    SENSITIVE_PERSONAL = 3


class Purpose(IntEnum):
    """What a datum was collected for; a block never mixes purposes."""

    SLA = 0
    DEVICE_CARE = 1
    ATTENDANCE = 2
    CAMPUS_SAFETY = 3
    PE_HEALTH = 4
    OPERATION = 5


class ClockQuality(IntEnum):
    """What is known of the wall clock that stamped a block."""

    UNKNOWN = 0
    SYNCHRONISED = 1
    FREE_RUNNING = 2
    IMPLAUSIBLE = 3
    """Further than 24 h from the receiver's clock, or before this software existed."""
