"""Asks for what would help, through the room of actions: a plan, a request, and who approves it."""

import asyncio
import logging
from collections.abc import Callable

from controller.enforcement.faults import Fault
from controller.enforcement.gate import Gate
from controller.enforcement.model import Proposal
from controller.enforcement.ports import Approvals
from controller.enforcement.sentences import MENDED, NO_PLAN, both
from controller.enforcement.telling import Teller
from controller.enforcement.workshop import NoMeansError, NothingToDoError
from controller.house import House
from controller.incidents.room import new_id
from controller.store.protocols import NS, StoreError
from controller.trust.approval_model import (
    FINAL,
    Action,
    ActionState,
    Asked,
    PlanError,
    StepError,
)
from controller.trust.entries import LedgerError
from tenone.config.enforcement import Enforcement
from tenone.vocabulary.intents import Intent, Mode

log = logging.getLogger(__name__)

WORKERS = 8
"""Plans that are made at the same time; each waits for a switch's login."""
RETRY_NS = 60 * NS
"""After a plan could not be made, or was held back at the last moment."""
MOST_WHY = 300
"""Characters of a school's own sentence that stand in a timeline."""
BY_PEOPLE = frozenset({ActionState.REFUSED, ActionState.WITHDRAWN})


class Asker:
    """See the module."""

    def __init__(
        self, house: House, rules: Enforcement, approvals: Approvals, teller: Teller, gate: Gate
    ) -> None:
        self._house = house
        self._rules = rules
        self._approvals = approvals
        self._teller = teller
        self._gate = gate
        self._queue: asyncio.Queue[tuple[Fault, Proposal] | str] = asyncio.Queue()
        """What to ask for; or an action to take back."""
        self._adopted: dict[str, str] = {}
        """Link -> action of an earlier run that is not over."""
        self._unapproved: set[str] = set()
        """Asked for, and not approved by ourselves because the ledger or the records failed."""

    def adopt(self, action: Action) -> None:
        """An earlier run asked for it."""
        link = action.parameters.get("link")
        if link is not None:
            self._adopted[link] = action.id

    def want(self, fault: Fault, proposal: Proposal, now_ns: int) -> None:
        """Ask for it, unless it is asked for already, was declined, or failed a moment ago."""
        if fault.link in self._adopted:
            fault.action = self._adopted.pop(fault.link)
        if fault.asking or proposal.intent in fault.declined or now_ns < fault.not_before_ns:
            return
        fault.asking = True
        self._queue.put_nowait((fault, proposal))

    def cured(self, fault: Fault) -> None:
        """The link is good: what still waits for people is taken back."""
        action = self._adopted.pop(fault.link, fault.action)
        if action is not None:
            self._queue.put_nowait(action)

    def cured_meanwhile(self, good: Callable[[str], bool]) -> None:
        """Take back what an earlier run asked for, for links that were mended meanwhile."""
        for link in [link for link in self._adopted if good(link)]:
            self._queue.put_nowait(self._adopted.pop(link))

    async def run(self) -> None:
        """Work on the queue. For a supervisor."""
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._work(), name=f"enforcement requests {number}")

    async def _work(self) -> None:
        while True:
            await self.next()

    async def next(self) -> None:
        """Take one piece of work and do it."""
        piece = await self._queue.get()
        try:
            if isinstance(piece, str):
                await self._take_back(piece)
            else:
                await self._ask(*piece)
        except (StepError, LedgerError, StoreError) as error:
            log.warning("enforcement: %s", error)
            if not isinstance(piece, str):
                piece[0].not_before_ns = self._house.clock.monotonic_ns() + RETRY_NS
        finally:
            if not isinstance(piece, str):
                piece[0].asking = False

    @property
    def idle(self) -> bool:
        """Nothing waits."""
        return self._queue.empty()

    async def _take_back(self, action: str) -> None:
        known = await self._approvals.get(action)
        if known is not None and known.state is ActionState.WAITING:
            await self._approvals.withdraw(self._approvals.own.asker, known, MENDED)

    async def _ask(self, fault: Fault, proposal: Proposal) -> None:
        if await self._stands(fault, proposal):
            return
        intent = proposal.intent
        if intent is None:
            return
        now_ns = self._house.clock.monotonic_ns()
        try:
            action = await self._approvals.request(
                self._approvals.own.asker, self._asked(proposal, fault)
            )
        except NothingToDoError:
            if intent in fault.set_so:  # there was nothing else to ask for
                fault.not_before_ns = now_ns + RETRY_NS
            fault.set_so.add(intent)
            fault.due_ns = now_ns
            return
        except NoMeansError as error:
            fault.hindered[intent] = str(error)
            fault.due_ns = now_ns
            return
        except PlanError as error:
            fault.not_before_ns = now_ns + RETRY_NS
            self._teller.tell(
                fault.link, both(NO_PLAN, intent=intent.value, why=shortened(error)), now_ns
            )
            return
        fault.action = action.id
        if proposal.mode is Mode.AUTO:
            await self._approve(action)

    async def _approve(self, action: Action) -> None:
        """By the city's standing leave; LedgerError, StoreError: it is tried again later."""
        self._unapproved.add(action.id)
        try:
            await self._approvals.approve(self._approvals.own.approver, action, action.plan)
        except StepError:
            self._unapproved.discard(action.id)
            raise
        self._unapproved.discard(action.id)

    async def _stands(self, fault: Fault, proposal: Proposal) -> bool:
        """Whether something asked for before is not over, or a person said no.

        What failed is asked for again after a while; what follows from that at once.
        """
        action = fault.action
        known = None if action is None else await self._approvals.get(action)
        if action is None or known is None:
            return False
        if known.state not in FINAL:
            if known.state is ActionState.WAITING and action in self._unapproved:
                await self._approve(known)
            return True
        self._unapproved.discard(action)
        failed = known.state is ActionState.FAILED and known.intent == proposal.intent
        if action in self._gate.held_back or failed:
            self._gate.held_back.discard(action)
            fault.action = None
            left_ns = RETRY_NS - (self._house.clock.wall_ns() - known.changed_ns)
            fault.not_before_ns = self._house.clock.monotonic_ns() + left_ns
            return left_ns > 0
        if known.state in BY_PEOPLE and known.intent in set(Intent):
            fault.declined.add(Intent(known.intent))
        return proposal.intent in fault.declined

    def _asked(self, proposal: Proposal, fault: Fault) -> Asked:
        number = self._house.live.numbering.link_number[fault.link]
        parameters = {
            "switch": proposal.switch,
            "port": proposal.port,
            "link": proposal.link,
            "contract_mbps": str(self._house.live.numbering.links[number].contract_mbps),
            "hold_seconds": f"{self._rules.hold_seconds:g}",
        }
        if proposal.incident:
            parameters["incident"] = proposal.incident
        return Asked(
            scope=proposal.scope,
            school=proposal.school,
            intent="" if proposal.intent is None else proposal.intent.value,
            parameters=parameters,
            reason=f"{proposal.sentence['zh']} / {proposal.sentence['en']}",
            retry=new_id("r"),
        )


def shortened(error: PlanError) -> str:
    """Why, in the school's words, as far as a timeline has room for them."""
    said = str(error)
    return said if len(said) <= MOST_WHY else f"{said[:MOST_WHY]} ..."
