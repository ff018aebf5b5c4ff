"""Whether the gateway's vault is as new as it was once seen: an older whole one put back is told.

The newest state seen is kept beside the journal (:mod:`tenone.trust.vault_mark`). Whoever puts both
back to the same older state, as with the whole disk, is not found out.
"""

import asyncio
import logging

from tenone.config import School, SecretError
from tenone.config.secret import VaultPlace
from tenone.journal.disk import Disk
from tenone.runtime.clock import Clock
from tenone.trust.vault_mark import Mark, keep_mark, read_mark, set_back

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0


class VaultWatch:
    """Of one school's agent. Give :meth:`run` to a supervisor."""

    def __init__(self, school: School, *, clock: Clock, disk: Disk) -> None:
        config = school.vault
        self._place = None if config is None else VaultPlace(config.path, config.key)
        self._folder = school.outbox.path
        self._clock = clock
        self._disk = disk
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """What is wrong with the vault; empty: nothing."""
        return self._trouble

    async def run(self) -> None:
        """Look at once, then every minute."""
        while True:
            await asyncio.to_thread(self.look)
            await self._clock.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Once; blocks."""
        trouble = ""
        try:
            if self._place is not None:
                trouble = self._looked(self._place)
        except (OSError, SecretError) as error:
            trouble = str(error)
        if trouble and trouble != self._trouble:
            log.error("vault: %s", trouble)
        self._trouble = trouble

    def _looked(self, place: VaultPlace) -> str:
        vault = place.open()
        known, mark = read_mark(self._folder, self._disk), Mark.of(vault)
        behind = set_back(vault, known)
        if not behind and known != mark:
            keep_mark(self._folder, mark, self._disk)
        return behind
