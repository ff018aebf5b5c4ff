"""The stream ``chassis``: model, serial number and revisions of each member; read hourly."""

from drivers.snmp.identity import Chassis, System, read_system
from drivers.snmp.reading import Reading, Readings
from drivers.snmp.switch import SwitchReader
from tenone.blocks.columns import Column
from tenone.vocabulary.body import CHASSIS

STREAM = "chassis"
BUDGET_SECONDS = 30.0


class ChassisReader:
    """Reads who a device is; a stack has a row a member.

    A device without ENTITY-MIB has one row, ``chassis``, with what its maker's objects or its
    description say. ``read`` raises :class:`SnmpError` when the device answers nothing.
    """

    def __init__(self, switch: SwitchReader, *, budget_seconds: float = BUDGET_SECONDS) -> None:
        self._switch = switch
        self._budget_seconds = budget_seconds

    async def read(self) -> Readings:
        """Ask once."""
        client = self._switch.client
        sent_ns = client.clock.monotonic_ns()
        session = await self._switch.session()
        system = await read_system(session, client.budget(self._budget_seconds))
        return Readings(
            readings=(reading(system),),
            errors=(),
            uptime_ticks=system.uptime_ticks,
            sent_ns=sent_ns,
            received_ns=client.clock.monotonic_ns(),
        )


def reading(system: System) -> Reading:
    """A row a chassis that says anything of itself; what the device as a whole says fills gaps."""
    parts = [one for one in system.chassis if one.model or one.serial or one.software]
    if not parts:
        parts = [_alone(system)] if system.model or system.serial or system.version else []
    rows = [_row(one, system, alone=len(parts) == 1) for one in parts]
    return Reading(
        stream=STREAM,
        rows=tuple(f"chassis {one.index}" if one.index else "chassis" for one in parts),
        columns=tuple(
            Column.of(name, [row[place] for row in rows]) for place, name in enumerate(CHASSIS)
        ),
    )


def _row(one: Chassis, system: System, *, alone: bool) -> tuple[str | int | None, ...]:
    return (
        one.name,
        one.model or (system.model if alone else None),
        one.serial or (system.serial if alone else None),
        one.hardware,
        one.firmware,
        one.software or (system.version if alone else None),
        one.position,
    )


def _alone(system: System) -> Chassis:
    return Chassis(
        index=0,
        name=system.name,
        model=system.model,
        serial=system.serial,
        hardware=None,
        firmware=None,
        software=system.version,
        position=None,
    )
