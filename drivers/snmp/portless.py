"""A device without ports that matter (a UPS, a wireless controller): is it there, who is it."""

from drivers.snmp import mib
from drivers.snmp.identity import read_system
from drivers.snmp.switch import Inventory, Sweep, SwitchReader


class PortlessReader(SwitchReader):
    """Asks only the system group. Readers of other tables use it as any :class:`SwitchReader`."""

    async def inventory(self) -> Inventory:
        """Who the device says it is."""
        with self._listening():
            budget = self.client.budget(self._inventory_seconds)
            sent_ns = self.client.clock.monotonic_ns()
            session = await self.session()
            system = await read_system(session, budget)
            rebooted = await self._heard(session, system.uptime_ticks, sent_ns, budget)
        self._boots = system.engine_boots if system.engine_boots is not None else self._boots
        return Inventory(
            rows=(),
            columns=(),
            uptime_ticks=system.uptime_ticks,
            sent_ns=sent_ns,
            received_ns=self.client.clock.monotonic_ns(),
            rebooted=rebooted,
            system=system,
            ports=(),
            neighbours=(),
        )

    async def state(self) -> Sweep:
        """Whether it answers."""
        with self._listening():
            budget = self.client.budget(self._sweep_seconds)
            sent_ns = self.client.clock.monotonic_ns()
            session = await self.session()
            (bind,) = await session.get([mib.SYS_UPTIME], budget)
            uptime = bind.value if isinstance(bind.value, int) else None
            rebooted = await self._heard(session, uptime, sent_ns, budget)
        return Sweep(
            rows=(),
            columns=(),
            uptime_ticks=uptime,
            sent_ns=sent_ns,
            received_ns=self.client.clock.monotonic_ns(),
            rebooted=rebooted,
        )

    async def counters(self) -> Sweep:
        """The same: there is nothing to count."""
        return await self.state()
