"""What a person may type for a port, and what each vendor prints for it."""

import re
from collections.abc import Iterable

from firmware_sims.switch.model import Port

_SPLIT = re.compile(r"((?:10|40|100)GE|[A-Z][A-Z-]*?)[ -]?(\d+(?:/\d+)*)", re.IGNORECASE)
SHORT = {
    "gigabitethernet": ("ge", "gi"),
    "xgigabitethernet": ("xge", "xgi"),
    "ten-gigabitethernet": ("xge", "te"),
    "tengigabitethernet": ("te",),
    "gei": ("gei",),
    "xgei": ("xgei",),
}
"""What ifName and brief tables may write for a type, beside its beginning."""


def split(text: str) -> tuple[str, str] | None:
    """Type in lower case and number of ``GigabitEthernet 0/1``, ``gi0/1`` or ``gei-0/1/1/1``."""
    found = _SPLIT.fullmatch(text.strip())
    return None if found is None else (found[1].lower(), found[2])


def find(text: str, ports: Iterable[Port], *, shorts: bool) -> Port | None:
    """The one port ``text`` means; ``shorts``: two-letter forms of the ifName are taken too."""
    wanted = split(text)
    if wanted is None:
        return None
    kind, number = wanted
    found = []
    for port in ports:
        own = split(port.descr)
        if own is None or own[1] != number:
            continue
        if own[0] == kind:
            return port
        if own[0].startswith(kind) or (shorts and kind in SHORT.get(own[0], ())):
            found.append(port)
    return found[0] if len(found) == 1 else None
