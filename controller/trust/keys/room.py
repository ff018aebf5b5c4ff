"""The room of the keys: hands the desk out. What the console did is told by that of the people."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from controller.api.services import Health
from controller.house import House, Room
from controller.store.protocols import StoreError
from controller.trust.keys.desk import Keys
from controller.trust.keys.records import KeyRecords


class KeyRoom:
    """See :class:`controller.house.Room`."""

    name = "keys"

    def __init__(self, house: House) -> None:
        self._house = house
        self._desk: Keys | None = None

    @property
    def desk(self) -> Keys:
        """After :meth:`open`."""
        if self._desk is None:
            raise StoreError("the room of the keys is not open yet")
        return self._desk

    def open(self) -> None:
        """See the protocol."""
        house = self._house
        records = KeyRecords(house.records.engine)
        self._desk = Keys(records, house.in_records, house.clock, house.ledger)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {}

    def health(self) -> Health:
        """See the protocol."""
        return Health(name=self.name, ready=True, sentence="keys of programs are kept")

    def close(self) -> None:
        """See the protocol."""


def key_room(rooms: Iterable[Room]) -> KeyRoom:
    """The one among a controller's rooms."""
    return next(one for one in rooms if isinstance(one, KeyRoom))
