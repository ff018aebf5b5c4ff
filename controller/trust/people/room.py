"""The room of the people: opens their records, hears of what the command line did to them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from controller.api.services import Health
from controller.api.sessions import Sessions
from controller.house import House, Room
from controller.store.protocols import StoreError
from controller.trust.entries import LedgerError
from controller.trust.people.browsers import KEYS_FILE, BrowserKeys
from controller.trust.people.desk import People
from controller.trust.people.parts import Checker, Parts, Seal
from controller.trust.people.passwords import Hashing
from controller.trust.people.records import AccountRecords
from tenone.trust.files import KeyFileError

LOOK_SECONDS = 2.0
"""How long what ``tenone user`` did to an account may leave its open streams running."""


class PeopleRoom:
    """See :class:`controller.house.Room`."""

    name = "people"

    def __init__(self, house: House) -> None:
        self._house = house
        self._records = AccountRecords(house.records.engine)
        self._parts: Parts | None = None
        self._people: People | None = None
        self._trouble = ""

    def people(self, sessions: Sessions) -> People:
        """The desk; made once, after :meth:`open`."""
        if self._parts is None:
            raise StoreError("the room of the people is not open yet")
        if self._people is None:
            self._people = People(self._parts, sessions)
        return self._people

    def open(self) -> None:
        """See the protocol."""
        try:
            seal = Seal.beside(self._house.folder, self._house.files)
            browser_keys = BrowserKeys(self._house.folder / KEYS_FILE, self._house.files)
        except KeyFileError as error:
            raise StoreError(str(error)) from error
        self._parts = Parts(
            records=self._records,
            in_records=self._house.in_records,
            clock=self._house.clock,
            ledger=self._house.ledger,
            checker=Checker(Hashing()),
            seal=seal,
            browser_keys=browser_keys,
            city=self._house.config.id,
            second_roles=frozenset(self._house.config.auth.second_factor),
        )

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {"people": self._look}

    def health(self) -> Health:
        """See the protocol."""
        return Health(
            name="people", ready=not self._trouble, sentence=self._trouble or "accounts are kept"
        )

    def close(self) -> None:
        """See the protocol."""

    async def _look(self) -> None:
        """Tell the ledger what the command line did; let streams of ended sessions go."""
        seen = -1
        while True:
            try:
                revision = await self._house.in_records(self._records.revision)
                if revision != seen:
                    seen = revision
                    if self._people is not None:
                        self._people.on_closed()
                await self._tell()
                self._trouble = ""
            except (StoreError, LedgerError) as error:
                self._trouble = f"accounts: {error}"
            await self._house.clock.sleep(LOOK_SECONDS)

    async def _tell(self) -> None:
        for row, entry in await self._house.in_records(self._records.notes):
            await self._house.ledger.write(entry)
            await self._house.in_records(self._records.drop_note, row)


def people_room(rooms: Iterable[Room]) -> PeopleRoom:
    """The one of them that is it."""
    return next(room for room in rooms if isinstance(room, PeopleRoom))
