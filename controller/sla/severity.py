"""How severe a bad link is: one table, by cause."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from controller.arrays import U8, U64, Flags
from tenone.vocabulary.states import Cause, Severity

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
SEVERITIES: Final[Mapping[Cause, tuple[Severity, Severity]]] = MappingProxyType(
    {
        # Cause: of a link of one place, of one that others share.
        Cause.POWER: (CRITICAL, CRITICAL),
        Cause.UPLINK: (INFO, INFO),  # the parent carries the severity
        Cause.CONFIGURATION: (WARNING, CRITICAL),
        Cause.LINK_DOWN: (CRITICAL, CRITICAL),  # nobody at the place can work
        Cause.SPEED: (WARNING, CRITICAL),
        Cause.DUPLEX: (WARNING, CRITICAL),
        Cause.ERRORS: (WARNING, CRITICAL),
        Cause.CONGESTION: (INFO, WARNING),
        Cause.LOSS: (WARNING, CRITICAL),
        Cause.DNS: (WARNING, WARNING),
        Cause.ENDPOINT: (INFO, INFO),
    }
)
"""How severe a cause is; a link is as severe as the worst of its causes."""


def severity(causes: U64, is_bad: Flags, shared: Flags) -> U8:
    """By :data:`SEVERITIES`; NONE where nothing is bad."""
    worst = np.full(len(causes), Severity.NONE, np.uint8)
    for cause, (own, for_all) in SEVERITIES.items():
        has = is_bad & (causes & np.uint64(1 << cause) != 0)
        if has.any():
            graded = np.where(shared, np.uint8(for_all), np.uint8(own))
            worst = np.where(has, np.maximum(worst, graded), worst)
    return worst
