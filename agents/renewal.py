"""The gateway's care for its own certificate: renewed at 2/3 of its life, unasked.

The request is a document signed with the present key, so it needs no client certificate on the
way; each certificate has a key of its own. What fails is tried again, ever less often; when less
than a third of the life is left the gateway's health says so.
"""

import asyncio
import base64
import logging
import random
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from agents.identity import Identity, IdentityError, next_key, read_identity, take_papers
from drivers.wire.door import DoorError
from tenone.runtime.clock import Clock
from tenone.trust.enrolment import NONCE_BYTES, Renewal, make_csr
from tenone.trust.sealed_files import SealedFiles

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3600.0
SPREAD_RATIO = 0.05
"""Renewals of one city come within this share of a life, not all at once."""
LOOK_SECONDS = 600.0
"""Clocks step: how long it sleeps at most before it looks at the time again."""
SHARE_OF_LIFE = 60
"""It tries at least so many times in the rest of a life, however short."""
CLOCK = "clock"
NS = 1_000_000_000


class Asked(Protocol):
    """How the controller is asked: :class:`drivers.wire.door.Door` makes one."""

    def __call__(self, trust: bytes, body: dict[str, object], /) -> dict[str, object]:
        """Post a renewal and return the answer; blocks; raises DoorError."""
        ...


class Renewer:
    """Give :meth:`run` to a supervisor."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        ask: Asked,
        controller: str,
        renewed: Callable[[], Awaitable[None]],
        random_source: random.Random | None = None,
        files: SealedFiles | None = None,
    ) -> None:
        self._folder = folder
        self._files = files or SealedFiles()
        self._clock = clock
        self._ask = ask
        self._controller = controller
        self._renewed = renewed
        self._random = random_source or random.Random()
        self.identity: Identity | None = None
        self.trouble = ""
        """Why the last renewal failed; empty: it did not."""
        self.renewals = 0

    @property
    def seconds_left(self) -> float | None:
        """How long the certificate is still valid; negative: it is not; None: there is none."""
        return None if self.identity is None else self.identity.end - self._now()

    @property
    def finding(self) -> str:
        """What somebody should look after; empty: nothing."""
        identity = self.identity
        if identity is None:
            return self.trouble
        now = self._now()
        if identity.end <= now:
            return (
                "the certificate has expired and cannot be renewed: enrol this gateway again with "
                "a new token"
            )
        if not identity.is_low(now):
            return ""
        days = (identity.end - now) / 86_400
        why = self.trouble or "it was not yet tried"
        return f"the certificate ends in {days:.1f} days and could not be renewed: {why}"

    async def run(self) -> None:
        """For ever: wait until it is due, renew it, and tell who connects with it."""
        pause, due = 0.0, 0.0
        planned: Identity | None = None
        while True:
            try:
                identity = await asyncio.to_thread(read_identity, self._folder, self._files)
            except IdentityError as error:
                self._fail(str(error))
                await self._clock.sleep(LOOK_SECONDS)
                continue
            self.identity = identity
            if planned is None or planned.certificate != identity.certificate:
                planned, pause = identity, 0.0
                due = identity.renew_after + self._spread(identity)
                self.trouble = ""
            wait = due - self._now()
            if wait > 0:
                await self._clock.sleep(min(wait, LOOK_SECONDS))
                continue
            if identity.end <= self._now():
                self._fail("the certificate has expired: enrol again with a new token")
                await self._clock.sleep(LOOK_SECONDS)  # `tenone enrol` may replace it any time
                continue
            if await self.renew(identity):
                continue
            pause = self._next_pause(pause, identity)
            await self._clock.sleep(pause * self._random.uniform(0.5, 1.0))

    async def renew(self, identity: Identity) -> bool:
        """Once; False with :attr:`trouble` where it failed."""
        try:
            fresh = await self._renew(identity)
        except (DoorError, IdentityError) as error:
            self._fail(str(error))
            return False
        self.identity, self.trouble = fresh, ""
        self.renewals += 1
        log.info("the certificate was renewed until %s", fresh.certificate.not_valid_after_utc)
        await self._renewed()
        return True

    async def _renew(self, identity: Identity) -> Identity:
        key = await asyncio.to_thread(next_key, self._folder, self._files)
        csr = make_csr(key, identity.machine.common_name)
        wall_ns = self._clock.wall_ns()
        try:
            papers = await self._post(identity, csr, wall_ns)
        except DoorError as error:
            said = error.said if isinstance(error.said, dict) else {}
            theirs = said.get("wall_ns")
            if error.code != CLOCK or not isinstance(theirs, int):
                raise
            # Our clock is wrong. The city's stands in: it is the city that checks freshness.
            log.warning("renewal: this clock is %.0f s off the city's", (wall_ns - theirs) / NS)
            papers = await self._post(identity, csr, theirs)
        return await asyncio.to_thread(
            take_papers,
            self._folder,
            papers,
            key,
            identity.machine.urn(identity.city),
            controller=self._controller,
            files=self._files,
        )

    async def _post(self, identity: Identity, csr: str, wall_ns: int) -> dict[str, object]:
        asked = Renewal(
            serial=identity.certificate.serial_number,
            csr=csr,
            wall_ns=wall_ns,
            nonce=secrets.token_bytes(NONCE_BYTES),
        )
        body: dict[str, object] = {
            "serial": f"{asked.serial:x}",
            "csr": asked.csr,
            "wall_ns": asked.wall_ns,
            "nonce": asked.nonce.hex(),
            "signature": base64.b64encode(asked.sign(identity.key)).decode("ascii"),
        }
        return await asyncio.to_thread(self._ask, identity.trust, body)

    def _next_pause(self, before: float, identity: Identity) -> float:
        """Doubling, but never so long that the rest of a short life is slept through."""
        longest = min(LONGEST_PAUSE_SECONDS, (identity.end - identity.start) / SHARE_OF_LIFE)
        return min(max(2 * before, min(FIRST_PAUSE_SECONDS, longest)), longest)

    def _spread(self, identity: Identity) -> float:
        return self._random.uniform(0, SPREAD_RATIO) * (identity.end - identity.start)

    def _fail(self, why: str) -> None:
        if why != self.trouble:
            log.warning("renewal: %s", why)
        self.trouble = why

    def _now(self) -> float:
        return self._clock.wall_ns() / NS
