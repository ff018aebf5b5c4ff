"""What the agent's rooms ask of each other and of the drivers, as small protocols."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from tenone.blocks.block import Block, Draft
from tenone.blocks.columns import Column

Keep = Callable[[Sequence[Draft]], Awaitable[list[Block]]]
"""Returns the sealed blocks once they survive a power cut; raises ``JournalError``."""


class Sweep(Protocol):
    """One sweep of one switch, still in columns."""

    @property
    def rows(self) -> Sequence[str]:
        """Port keys, in the order of the columns' values."""
        ...

    @property
    def columns(self) -> Sequence[Column]:
        """In the order of the stream's layout."""
        ...

    @property
    def uptime_ticks(self) -> int | None:
        """The switch's sysUpTime in the exchange, 10 ms."""
        ...

    @property
    def sent_ns(self) -> int:
        """Monotonic time of the first request."""
        ...

    @property
    def received_ns(self) -> int:
        """Monotonic time of the last answer."""
        ...


class Identity(Protocol):
    """Who a switch says it is; None where it does not say."""

    @property
    def descr(self) -> str | None:
        """SNMPv2-MIB sysDescr."""
        ...

    @property
    def object_id(self) -> str | None:
        """SNMPv2-MIB sysObjectID, dotted."""
        ...

    @property
    def name(self) -> str | None:
        """SNMPv2-MIB sysName."""
        ...


class SwitchReader(Protocol):
    """One switch; every method raises :class:`drivers.snmp.errors.SnmpError` and nothing else."""

    async def system(self) -> Identity:
        """The system group."""
        ...

    async def inventory(self) -> Sweep:
        """``PORT_INVENTORY``; learns the rows the two others ask for."""
        ...

    async def state(self) -> Sweep:
        """``PORT_STATE`` of the known rows."""
        ...

    async def counters(self) -> Sweep:
        """``PORT_COUNTERS`` of the known rows."""
        ...
