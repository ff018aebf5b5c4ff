"""How to hold a session with a switch: the part of a dialect that the line loop needs."""

import re
from dataclasses import dataclass
from typing import Self

from drivers.cli.dialect import Dialect, Line
from tenone.vocabulary.intents import Dialect as Name

_RAISES = {
    Name.HUAWEI_VRP5: "super",
    Name.HUAWEI_VRP8: "super",
    Name.COMWARE: "super",
    Name.RUIJIE: "enable",
    Name.ZTE: "enable",
    Name.CISCO_IOS: "enable",
}
"""What asks for the second password; a Linux host has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """Patterns and lines of one dialect."""

    device_type: str
    prompt: re.Pattern[str]
    refusals: tuple[re.Pattern[str], ...] = ()
    quiet: tuple[Line, ...] = ()
    leave: tuple[Line, ...] = ()
    raises: str | None = None
    """The command that asks for the second password."""

    @classmethod
    def of(cls, dialect: Dialect) -> Self:
        """Those of ``dialect``."""
        return cls(
            device_type=dialect.device_type,
            prompt=dialect.prompt,
            refusals=tuple(dialect.refusals),
            quiet=tuple(dialect.quiet),
            leave=tuple(dialect.leave),
            raises=_RAISES.get(dialect.name),
        )
