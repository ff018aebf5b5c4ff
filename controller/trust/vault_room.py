"""The room of the city's vault: says whether it is there, sealed, and as new as the ledger knows.

An older whole file is a good one to whoever has only the file. The ledger has each change's
number (``secret.seen``), told by the command that made the change or, where that was cut off, by
this room.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from controller.api.services import Health
from controller.house import House
from controller.trust.book import FOLDER
from controller.trust.entries import Entry, LedgerError, Outcome
from controller.trust.vault_marks import SET_BACK, known_mark, seen_entry
from tenone.config.own_files import OWN_KEY
from tenone.config.secret import SecretError, VaultPlace
from tenone.trust.vault import Vault
from tenone.trust.vault_mark import Mark, set_back

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
AGAIN_NS = 30 * 86_400 * 10**9
"""So often the ledger hears of a vault that nobody changes: it gives old entries up."""
CLEAR = "no vault is configured: TenOne's own keys lie in files that its account alone may read"


class VaultRoom:
    """See :class:`controller.house.Room`."""

    name = "vault"

    def __init__(self, house: House) -> None:
        self._house = house
        config = house.config.vault
        self._place = None if config is None else VaultPlace(config.path, config.key)
        self._trouble = ""
        self._said = CLEAR if config is None else "it was not looked at yet"
        self._told: set[tuple[str, int]] = set()

    def open(self) -> None:
        """See the protocol."""

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {} if self._place is None else {"vault": self.run}

    def health(self) -> Health:
        """See the protocol."""
        return Health(name=self.name, ready=not self._trouble, sentence=self._trouble or self._said)

    def close(self) -> None:
        """See the protocol."""

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look()
            await self._house.clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Once."""
        trouble = ""
        try:
            trouble = await self._looked()
        except (LedgerError, SecretError) as error:
            trouble = str(error)
        if trouble and trouble != self._trouble:
            log.error("vault: %s", trouble)
        self._trouble = trouble

    async def _looked(self) -> str:
        if self._place is None:
            return ""
        vault = await asyncio.to_thread(self._place.open)
        folder = self._house.folder / FOLDER
        known = await asyncio.to_thread(known_mark, folder, vault.id) if folder.exists() else None
        mark = Mark.of(vault)
        behind = set_back(vault, known[0] if known else None)
        if behind and known:
            await self._tell_set_back(mark, known[0])
            return behind
        old = known is None or self._house.clock.wall_ns() - known[1] >= AGAIN_NS
        if old or (known is not None and known[0] != mark):
            await self._house.ledger.write(seen_entry(mark, "system"))
        self._said = _said(vault)
        return ""

    async def _tell_set_back(self, mark: Mark, known: Mark) -> None:
        if (mark.vault, mark.generation) in self._told:
            return
        detail = {"generation": mark.generation, "known": known.generation}
        await self._house.ledger.write(
            Entry(
                act=SET_BACK,
                actor="system",
                subject=mark.vault,
                outcome=Outcome.FAILED,
                detail=detail,
            )
        )
        self._told.add((mark.vault, mark.generation))


def _said(vault: Vault) -> str:
    if vault.has(OWN_KEY):
        return f"change {vault.generation}, as the ledger knows it; TenOne's own keys are sealed"
    return (
        "TenOne's own keys lie in files that its account alone may read: run 'tenone secret seal'"
    )
