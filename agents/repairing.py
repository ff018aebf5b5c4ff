"""Repairs and the check of approvals, put together for one school's agent."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from agents.approvals import Approvals, keys_folder
from agents.boards import BoardTable
from agents.commands import Verb
from agents.configuration_history import HistoryError, open_history
from agents.configurations import Configurations
from agents.origin import Origin
from agents.port_look import Eyes
from agents.ports import Keep
from agents.repair_steps import Deed
from agents.repairs import Repairs
from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.console import Consoles
from tenone.config import School
from tenone.config.compliance import load_compliance
from tenone.journal.disk import Disk
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.states import ClockQuality

log = logging.getLogger(__name__)

Table = Callable[[], BoardTable | None]
MOST_WAITING = 100
"""Actions that have ended and whose switch is still to be asked; of more the oldest is left out."""


def make_repairs(
    school: School,
    *,
    consoles: Consoles | None,
    eyes: Eyes,
    origin: Origin,
    keep: Keep,
    disk: Disk,
    table: Table,
) -> Repairs | None:
    """None where no switch has a ``cli``. Raises ``OSError``."""
    if not any(one.cli is not None for one in school.switches):
        return None
    return Repairs(
        school,
        consoles=consoles or ChildConsoles(),
        eyes=eyes,
        origin=origin,
        keep=keep,
        disk=disk,
        boards=lambda room: boards_heard(school, table(), room),
    )


def verbs_of(
    repairs: Repairs | None, school: School, *, origin: Origin, disk: Disk
) -> Mapping[str, Verb]:
    """What the city may ask for: plans always, changes where its keys are pinned.

    Raises ``OSError``, :class:`tenone.trust.approval_keys.KeySetError`.
    """
    if repairs is None:
        return {}
    folder = keys_folder((school.uplink.identity, school.outbox.path), disk)
    if folder is None:
        log.warning(
            "there are no keys of the city for approvals, so no switch is changed: "
            "enrol this gateway (tenone enrol)"
        )
        return repairs.shop.verbs
    if origin.quality() is not ClockQuality.SYNCHRONISED:
        log.warning(
            "nobody sets this machine's clock, so every approval is refused until somebody does: "
            "start NTP (chrony, systemd-timesyncd)"
        )
    approvals = Approvals(
        folder,
        city=school.school.city,
        school=school.id,
        workshop=repairs.shop,
        clock=origin.clock,
        disk=disk,
        quality=origin.quality,
    )
    return {**repairs.shop.verbs, **approvals.verbs}


def boards_heard(school: School, table: BoardTable | None, room: str | None) -> Mapping[str, int]:
    """The class boards of a room that have been heard, and how often."""
    if table is None or room is None:
        return {}
    here = {one.serial for one in school.devices if one.room == room}
    return {serial: count for serial, count in table.heard().items() if serial in here}


def make_configurations(
    repairs: Repairs | None, school: School, *, origin: Origin, keep: Keep, disk: Disk
) -> Configurations | None:
    """The care for the switches' configurations, by the same sessions. :class:`ConfigError`.

    A history that cannot be kept is said and stops nothing else.
    """
    if repairs is None:
        return None
    rules = load_compliance(school.care.rules).rules
    try:
        history = open_history(school, disk)
    except HistoryError as error:
        log.error("configurations of switches are not kept: %s", error)  # noqa: TRY400 - the sentence says it all
        return None
    return Configurations(
        school, sessions=repairs.sessions, history=history, rules=rules, origin=origin, keep=keep
    )


class AfterChanges:
    """Has a switch's configuration fetched when an action there has ended.

    Give :meth:`run` to a supervisor and :meth:`heard` to :attr:`agents.repair_steps.Steps.heard`.
    """

    def __init__(self, care: Configurations, *, most: int = MOST_WAITING) -> None:
        self._care = care
        self._ended: asyncio.Queue[tuple[Deed, RepairStep]] = asyncio.Queue(most)

    def heard(self, deed: Deed, step: RepairStep) -> None:
        """A step was kept."""
        if not step.final:
            return
        if self._ended.full():  # a switch that does not answer holds the others up
            left, _ = self._ended.get_nowait()
            log.warning(
                "%s: its configuration is not fetched after %s, for too many wait: "
                "the next look there shows it",
                left.switch,
                left.action,
            )
        self._ended.put_nowait((deed, step))

    async def run(self) -> None:
        """One after the other; what was proved or has ended as it should is right."""
        while True:
            deed, step = await self._ended.get()
            right = step in {RepairStep.DONE, RepairStep.ENDED}
            ours = deed.port if right else None
            await self._care.fetch(deed.switch, why=f"after {deed.action}", ours=ours)
