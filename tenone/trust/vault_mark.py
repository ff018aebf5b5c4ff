"""How new a vault was when it was last seen: so that an older whole one put back is noticed.

The city's ledger keeps such marks (``secret.seen``); a gateway keeps one in a file beside its
journal. Neither holds a secret.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from tenone.journal.disk import Disk
from tenone.trust.vault import Vault

FILE = "vault-seen.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """One vault's newest known state."""

    vault: str
    """Its id."""
    generation: int

    @classmethod
    def of(cls, vault: Vault) -> "Mark":
        """Of the vault as it is now."""
        return cls(vault.id, vault.generation)


def set_back(vault: Vault, known: Mark | None) -> str:
    """A sentence if the vault is older than it was once seen; else empty.

    Another vault under the same name is another story: none of its files opens.
    """
    if known is None or known.vault != vault.id or vault.generation >= known.generation:
        return ""
    return (
        f"the vault {vault.path} was put back to an older state (change {vault.generation}, and "
        f"change {known.generation} is known): secrets may have old values again; bring the newer "
        "file back, or look at every secret in it and run 'tenone secret accept'"
    )


def read_mark(folder: Path, disk: Disk) -> Mark | None:
    """What a gateway remembers; None: nothing, or a file that was damaged. Raises OSError."""
    try:
        found = json.loads(disk.read(folder / FILE))
        return Mark(str(found["vault"]), int(found["generation"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def keep_mark(folder: Path, mark: Mark, disk: Disk) -> None:
    """Remember, on disk when it returns. Raises OSError."""
    body = {"format": 1, "generation": mark.generation, "vault": mark.vault}
    disk.make_folder(folder)
    disk.replace(folder / FILE, json.dumps(body, sort_keys=True).encode() + b"\n")
