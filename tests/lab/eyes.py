"""The lab's switch as the product's own SNMP reader sees it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from drivers.snmp.client import SnmpClient
from drivers.snmp.neighbour import Neighbour
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import Duplex, OperStatus
from tests.lab.daemons import COMMUNITY
from tests.lab.switch import DEADLINE_SECONDS, SwitchLab


@dataclass(frozen=True, slots=True)
class Seen:
    """One port."""

    admin: int | None
    """AdminStatus."""
    oper: int | None
    """OperStatus."""
    speed_mbps: int | None
    duplex: int | None
    """Duplex."""

    @property
    def good(self) -> bool:
        return self.oper == OperStatus.UP and self.duplex == Duplex.FULL and self.speed_mbps == 1000


class Eyes:
    """One reader; use as an asynchronous context manager."""

    def __init__(self, lab: SwitchLab, **more: object) -> None:
        self._client = SnmpClient(clock=SystemClock())
        known = {"community": COMMUNITY, **more}
        self._reader = SwitchReader(
            self._client,
            Target(host=lab.address, port=161, timeout_seconds=0.5, **known),  # type: ignore[arg-type]  # keyword names are checked by use
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.close()
        await self._client.__aexit__(None, None, None)

    async def ports(self) -> dict[str, Seen]:
        """What a poll says of each."""
        sweep = await self._reader.state()
        columns = {column.metric.name: list(column) for column in sweep.columns}
        wanted = (columns[name] for name in ("admin", "oper", "speed_mbps", "duplex"))
        return {row: Seen(*words) for row, *words in zip(sweep.rows, *wanted, strict=True)}

    async def neighbours(self) -> tuple[Neighbour, ...]:
        """What LLDP told the switch."""
        return (await self._reader.inventory()).neighbours

    async def until(self, holds: Callable[[dict[str, Seen]], bool], what: str) -> dict[str, Seen]:
        """Poll until it is so."""
        seen: dict[str, Seen] = {}
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not holds(seen := await self.ports()):  # noqa: ASYNC110 - a switch tells nobody by itself
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never seen: {what}; last: {seen}") from None
        return seen
