"""What a reader of one table hands over: a stream's rows and columns, ready for a block."""

from dataclasses import dataclass
from typing import Protocol

from drivers.snmp.errors import SnmpError
from tenone.blocks.columns import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One stream of one device at one moment. No rows: the device has none of this."""

    stream: str
    rows: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What one pass over some tables gave.

    A stream whose table failed is left out of ``readings`` and its error is in ``errors``: what
    was not answered is unknown, never empty.
    """

    readings: tuple[Reading, ...]
    errors: tuple[SnmpError, ...]
    uptime_ticks: int | None
    sent_ns: int
    """Monotonic time of the first request."""
    received_ns: int
    """Monotonic time of the last answer."""


class TableReader(Protocol):
    """Reads some tables of one device; raises :class:`SnmpError` when it answers nothing."""

    async def read(self) -> Readings:
        """Ask once."""
        ...
