"""What the ledger knows of the city's vault: how new it was when somebody saw it. Blocking."""

import json
from pathlib import Path

from controller.trust.entries import Entry
from controller.trust.queries import Filter, found
from tenone.trust.vault_mark import Mark

SEEN = "secret.seen"
SET_BACK = "secret.set-back"
MOST = 10_000
"""Of entries that are looked through. Each is a change of the vault, or a month without one."""


def seen_entry(mark: Mark, actor: str) -> Entry:
    """That the vault was seen in this state."""
    return Entry(act=SEEN, actor=actor, subject=mark.vault, detail={"generation": mark.generation})


def known_mark(folder: Path, vault: str) -> tuple[Mark, int] | None:
    """The newest state of this vault that the ledger knows, and when it was told of it last.

    In nanoseconds of the epoch. None: it knows none. Raises LedgerError.
    """
    highest, at_ns = -1, 0
    for row in found(folder, Filter(act=SEEN), MOST):
        body = json.loads(row.body)
        if body["subject"] == vault:
            highest = max(highest, int(body["detail"]["generation"]))
            at_ns = max(at_ns, int(body["at_ns"]))
    return None if highest < 0 else (Mark(vault, highest), at_ns)
