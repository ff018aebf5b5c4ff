"""All repairs of one school's agent, put together: who plans, who does, what is on disk.

``Repairs.verbs`` is what the city may ask for; :meth:`start` gives the tasks to a supervisor.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agents.commands import Code, CommandFailed
from agents.origin import Origin
from agents.pending import Pending, PendingBook
from agents.port_look import Eyes
from agents.ports import Keep
from agents.repair import SwitchRepairs
from agents.repair_proof import Boards, Prover
from agents.repair_steps import Steps
from agents.sessions import Sessions
from agents.workshop import RepairShop
from drivers.cli.console import Consoles
from drivers.cli.dialect import Dialect
from drivers.cli.dialects.registry import dialect as dialect_called
from tenone.config import School
from tenone.journal.disk import Disk
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.intents import Dialect as DialectName


class Repairs:
    """Of the switches that have a ``cli``. Raises ``OSError`` where the folder is out of use."""

    def __init__(
        self,
        school: School,
        *,
        consoles: Consoles,
        eyes: Eyes,
        origin: Origin,
        keep: Keep,
        disk: Disk,
        boards: Boards = lambda _: MappingProxyType({}),
        dialects: Callable[[DialectName], Dialect] = dialect_called,
    ) -> None:
        clock = origin.clock
        self.book = PendingBook(school.outbox.path, disk=disk)
        self.sessions = Sessions(school, consoles, clock=clock, disk=disk)
        self.steps = Steps(origin=origin, keep=keep)
        prover = Prover(eyes, clock=clock, boards=boards)
        self._of: Mapping[str, SwitchRepairs] = {
            one.name: SwitchRepairs(
                one.name,
                dialect=dialects(one.cli.dialect),
                sessions=self.sessions,
                book=self.book,
                prover=prover,
                steps=self.steps,
                clock=clock,
            )
            for one in school.switches
            if one.cli is not None
        }
        self.shop = RepairShop(
            school,
            sessions=self.sessions,
            eyes=eyes,
            book=self.book,
            doer=self,
            clock=clock,
            quality=origin.quality,
            dialects=dialects,
        )

    def start(self, tasks: Supervisor) -> None:
        """A task a switch, and one that ends idle sessions."""
        for name, one in self._of.items():
            tasks.start(f"repairs of {name}", one.run)
        tasks.start("sessions", self.sessions.run)

    async def execute(self, pending: Pending, /) -> str:
        """Begin, and wait for the end (:class:`agents.workshop.Doer`)."""
        one = self._of.get(pending.switch)
        if one is None:
            raise CommandFailed(Code.BAD_ARGUMENTS, f"there is no 'cli' for {pending.switch}")
        return await one.execute(pending)

    @property
    def trouble(self) -> str:
        """What is not at its end, and why; empty: nothing."""
        told = [self.book.damage, *(one.trouble for one in self._of.values())]
        return "; ".join(filter(None, told))

    async def close(self) -> None:
        """End the sessions; what is under way is taken up by the next start."""
        await self.sessions.close()
