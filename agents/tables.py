"""Several readers of tables as one: what one of them cannot read takes nothing from the others."""

from collections.abc import Sequence

from drivers.snmp.errors import SnmpError
from drivers.snmp.reading import Reading, Readings, TableReader


class Together:
    """A :class:`TableReader`; ``read`` raises only where none of its readers could read."""

    def __init__(self, readers: Sequence[TableReader]) -> None:
        self._readers = tuple(readers)

    async def read(self) -> Readings:
        """Ask one after the other: a switch is not asked for two tables at once."""
        found: list[Readings] = []
        failures: list[SnmpError] = []
        for reader in self._readers:
            try:
                found.append(await reader.read())
            except SnmpError as error:
                failures.append(error)
        if not found:
            raise failures[0]
        readings: list[Reading] = [reading for one in found for reading in one.readings]
        return Readings(
            readings=tuple(readings),
            errors=(*failures, *(error for one in found for error in one.errors)),
            uptime_ticks=found[-1].uptime_ticks,
            sent_ns=found[0].sent_ns,
            received_ns=found[-1].received_ns,
        )
