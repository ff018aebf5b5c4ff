"""Live sessions of accounts: people end their own, keepers those of whom they keep.

The ledger comes first, as for every other deed; the one session whoever asks is at is ended by
signing out, which never waits for the ledger.
"""

from collections.abc import Iterable, Sequence

from controller.api.sessions import Session
from controller.trust.people.desk import People
from controller.trust.people.model import (
    ACTOR,
    Account,
    ForbiddenError,
    RefusedError,
    UnknownAccountError,
    may_keep,
)

ACT = "session.end"
GONE = "That session is not there, or has ended."
OWN = "This is the session you are in: sign out instead."


class OpenSessions:
    """See the module. Raises PeopleError, LedgerError, StoreError."""

    def __init__(self, people: People) -> None:
        self._people = people

    # -- one's own

    def own(self, session: Session) -> Sequence[Session]:
        """The caller's live sessions, this one first, then last used first."""
        self._is_account(session)
        found = self._people.sessions.of(session.actor)
        return sorted(found, key=lambda one: one.key != session.key)

    async def end_own(self, session: Session, shown: str) -> None:
        """End one of the caller's others."""
        chosen = self._one(self.own(session), shown)
        if chosen.key == session.key:
            raise RefusedError(OWN)
        await self._end(session, [chosen])

    async def end_others(self, session: Session) -> int:
        """End all of the caller's but this one; how many those were."""
        return await self._end(
            session, [one for one in self.own(session) if one.key != session.key]
        )

    # -- of those one keeps

    async def of(self, keeper: Session, name: str) -> Sequence[Session]:
        """The live sessions of an account that ``keeper`` keeps."""
        return self._people.sessions.of((await self._kept(keeper, name)).actor)

    async def end(self, keeper: Session, name: str, shown: str) -> None:
        """End one of them."""
        chosen = self._one(await self.of(keeper, name), shown)
        if chosen.key == keeper.key:
            raise RefusedError(OWN)
        await self._end(keeper, [chosen])

    async def end_all(self, keeper: Session, name: str) -> int:
        """End all of them but the keeper's own present one; how many those were."""
        found = await self.of(keeper, name)
        return await self._end(keeper, [one for one in found if one.key != keeper.key])

    # -- inside

    async def _kept(self, keeper: Session, name: str) -> Account:
        known = await self._people.find(name)
        if not may_keep(keeper.grants, known.grants):
            raise ForbiddenError(
                "You keep accounts inside your own scope only, and this one reaches beyond it."
            )
        return known

    @staticmethod
    def _one(sessions: Iterable[Session], shown: str) -> Session:
        for one in sessions:
            if one.id == shown:
                return one
        raise UnknownAccountError(GONE)

    @staticmethod
    def _is_account(session: Session) -> None:
        if not session.actor.startswith(ACTOR):
            raise ForbiddenError("This session is not an account's.")

    async def _end(self, by: Session, chosen: Sequence[Session]) -> int:
        if not chosen:
            return 0
        people = self._people
        subject = chosen[0].actor.removeprefix(ACTOR)
        shown = " ".join(one.id for one in chosen[:20])
        await people.parts.told(ACT, by.actor, subject, sessions=len(chosen), ids=shown)
        for one in chosen:
            people.sessions.close(one)
        people.on_closed()
        return len(chosen)
