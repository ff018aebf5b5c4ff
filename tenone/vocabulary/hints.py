"""What a trap or a log line may say: a reason to look, never a fact."""

from dataclasses import dataclass
from enum import StrEnum


class HintKind(StrEnum):
    """What happened, according to the sender."""

    LINK_DOWN = "link-down"
    LINK_UP = "link-up"
    STARTED = "started"
    """The device has started, cold or warm."""
    POWER = "power"
    """A UPS says something about its power."""
    INTRUDER = "intruder"
    """Somebody asked the device with a wrong community or password."""
    OTHER = "other"
    """Nothing this version looks after."""

    @property
    def is_worth_a_look(self) -> bool:
        """Whether asking the device can confirm it."""
        return self not in {HintKind.INTRUDER, HintKind.OTHER}


@dataclass(frozen=True, slots=True)
class Hint:
    """One trap, inform or log line. ``port`` is what the sender calls it, for people's logs."""

    kind: HintKind
    port: str | None = None


class Refusal(StrEnum):
    """Why a datagram to a hint port was not believed."""

    UNKNOWN_SOURCE = "unknown-source"
    FLOOD = "flood"
    MALFORMED = "malformed"
    COMMUNITY = "community"
    USER = "user"
    PROOF = "proof"
    """A wrong password, or a level of security that the user does not have."""
    TIME = "time"
    """Outside the time window: a replay, or a clock at fault."""
    NO_NOTIFICATION = "no-notification"
    """A well-formed message that is neither trap nor inform."""
