"""What the agent's rooms ask of each other and of the drivers, as small protocols."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from drivers.snmp.faults import Finding
from tenone.blocks.block import Block, Draft
from tenone.blocks.columns import Column

Keep = Callable[[Sequence[Draft]], Awaitable[list[Block]]]
"""Returns the sealed blocks once they survive a power cut; raises ``JournalError``."""


class Sweep(Protocol):
    """One sweep of one switch, still in columns."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Port keys, in the order of the columns' values."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
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

    @property
    def rebooted(self) -> bool:
        """Whether the switch has started anew since the sweep before."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the switch got wrong in it."""
        ...

    @property
    def errors(self) -> tuple[str, ...]:
        """Why values are missing, a sentence each."""
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


class Inventory(Sweep, Protocol):
    """A sweep of ``PORT_INVENTORY``, and who the switch says it is."""

    @property
    def system(self) -> Identity:
        """The system group."""
        ...


class SwitchReader(Protocol):
    """One switch; every method raises :class:`drivers.snmp.errors.SnmpError` and nothing else."""

    async def inventory(self) -> Inventory:
        """``PORT_INVENTORY``; learns the rows the two others ask for."""
        ...

    async def state(self) -> Sweep:
        """``PORT_STATE`` of the known rows."""
        ...

    async def counters(self) -> Sweep:
        """``PORT_COUNTERS`` of the known rows."""
        ...
