"""Requests, approvals and the one execution that may follow: the room of actions.

Whoever asks for a change is not whoever approves it, for high risk two people approve, what they
approve is the exact plan they saw, and it happens once: the records decide races
(:mod:`controller.trust.approval_records`), the signed document decides at the school
(:mod:`agents.approvals`). The ledger is written before every step; where it cannot be, the step is
not taken. What plans and what executes is a :class:`Workshop`; this version has none.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from controller.api.services import Health
from controller.house import House, Room
from controller.incidents.room import new_id
from controller.store.protocols import StoreError
from controller.trust.approval_model import (
    FINAL,
    Action,
    ActionState,
    Asked,
    Executed,
    Person,
    Plan,
    PlanError,
    Sealed,
    Step,
    StepError,
    Voice,
)
from controller.trust.approval_own import Own
from controller.trust.approval_ports import NoWatch, NoWorkshop, Watch, Workshop
from controller.trust.approval_records import ActionRecords
from controller.trust.approval_signer import ApprovalSigner
from controller.trust.entries import Entry, LedgerError, Outcome
from tenone.trust.approval import (
    MOST_LINES,
    MOST_TEXT,
    Refusal,
    Refused,
    SignedApproval,
    check_persons,
    check_time,
    plan_hash,
    state_hash,
)
from tenone.trust.files import KeyFileError
from tenone.vocabulary.scope import ScopePath

log = logging.getLogger(__name__)

SECOND_NS = 1_000_000_000
WAIT_NS = 24 * 3600 * SECOND_NS
"""A request waits a day for its approvals; then the devices are not what they were anyway."""
LOOK_SECONDS = 1.0
AT_ONCE = 16
NEWEST = 1000


class ApprovalsRoom:
    """See :class:`controller.house.Room`."""

    name = "approvals"

    def __init__(self, house: House) -> None:
        self._house = house
        self._records = ActionRecords(house.records.engine)
        self.workshop: Workshop = NoWorkshop()
        self.watch: Watch = NoWatch()
        self._signer: ApprovalSigner | None = None
        self._trouble = ""
        self._wake = asyncio.Event()
        self._outcomes: Counter[str] = Counter(dict.fromkeys((one.value for one in FINAL), 0))
        self._free = asyncio.Semaphore(AT_ONCE)

    # -- a room

    def open(self) -> None:
        """See :class:`controller.house.Room`."""
        try:
            self._signer = ApprovalSigner(
                self._house.folder / "trust", self._house.plan.id, self._house.files
            )
        except KeyFileError as error:
            raise StoreError(str(error)) from error
        for action, state in self._records.settle(self._house.clock.wall_ns(), orphans=True):
            self._outcomes[state.value] += 1
            log.info("action %s is %s", action, state.value)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See :class:`controller.house.Room`."""
        return {"approvals": self.run}

    def health(self) -> Health:
        """See :class:`controller.house.Room`."""
        return Health(name=self.name, ready=not self._trouble, sentence=self._trouble or "ready")

    def close(self) -> None:
        """See :class:`controller.house.Room`."""

    @property
    def signer(self) -> ApprovalSigner:
        """The city's approval keys; there since :meth:`open`."""
        if self._signer is None:
            raise StoreError("the approval keys are not open yet")
        return self._signer

    @property
    def own(self) -> Own:
        """The names that are no accounts."""
        return self._records.own

    @own.setter
    def own(self, own: Own) -> None:
        self._records.own = own

    def outcomes(self) -> Mapping[str, int]:
        """How many actions ended how since the start."""
        return self._outcomes

    # -- what people do

    async def get(self, action: str) -> Action | None:
        """One action; StoreError."""
        return await self._house.in_records(self._records.get, action)

    async def newest(self, scopes: Sequence[ScopePath]) -> list[Action]:
        """The newest actions inside these scopes; StoreError."""
        return await self._house.in_records(self._records.newest, scopes, NEWEST)

    async def request(self, person: Person, asked: Asked) -> Action:
        """Plan and let wait; PlanError, StepError, LedgerError, StoreError."""
        known = await self._house.in_records(
            self._records.same, person.account, asked.retry, asked.digest
        )
        if known is not None:
            return known
        refused = self.watch.refuses(person, asked)
        if refused:
            raise PlanError(refused)
        plan = await self.workshop.plan(asked.school, asked.intent, asked.parameters)
        if plan.hindrance:  # nobody's approval is used up for what cannot be done
            raise PlanError(f"{plan.hindrance[0].upper()}{plan.hindrance[1:]}.")
        _check_size(asked, plan)
        now_ns = self._house.clock.wall_ns()
        action = Action(
            id=new_id("a"),
            scope=asked.scope,
            school=asked.school,
            intent=asked.intent,
            parameters=dict(asked.parameters),
            lines=plan.lines,
            plan=plan_hash(plan.lines).hex(),
            device_state=state_hash(plan.facts).hex(),
            risk=plan.risk,
            reason=asked.reason,
            requester=person.account,
            requester_name=person.name,
            retry=asked.retry,
            asked=asked.digest,
            made_ns=now_ns,
            ends_ns=now_ns + WAIT_NS,
            changed_ns=now_ns,
        )
        await self._note("approval.request", person.actor, action)
        return await self._house.in_records(self._records.add, action)

    async def approve(self, person: Person, action: Action, plan: str) -> Action:
        """Approve the plan one looked at (its hash, hex); StepError, LedgerError, StoreError.

        Approving again is no error. The last approval it takes sets the execution going.
        """
        if self._moved(action):
            raise StepError(Step.OVER, f"The school {action.school} has moved: ask for it anew.")
        now_ns = self._house.clock.wall_ns()
        voice = Voice(account=person.account, name=person.name, at_ns=now_ns)
        await self._note("approval.grant", person.actor, action, seen=plan[:64])
        try:
            done = await self._house.in_records(
                self._records.approve, action.id, voice, plan=plan, seal=self._seal
            )
        except (StepError, StoreError) as error:
            await self._undone("approval.grant", person.actor, action, error)
            raise
        if done.state is ActionState.REFUSED:
            self._outcomes[done.state.value] += 1
            fallen = StepError(Step.OVER, done.outcome)
            await self._undone("approval.grant", person.actor, action, fallen)
            raise fallen
        if done.state is ActionState.GRANTED:
            self._wake.set()
        return done

    async def refuse(self, person: Person, action: Action, reason: str) -> Action:
        """End a waiting request; StepError, LedgerError, StoreError."""
        outcome = f"{person.name or person.account}: {reason}"
        await self._note("approval.refuse", person.actor, action)
        return await self._end(person, action, "approval.refuse", ActionState.REFUSED, outcome)

    async def withdraw(self, person: Person, action: Action, why: str = "") -> Action:
        """Take one's own waiting request back; StepError, LedgerError, StoreError."""
        await self._note("approval.withdraw", person.actor, action)
        return await self._end(
            person, action, "approval.withdraw", ActionState.WITHDRAWN, why, by=person.account
        )

    async def _end(  # noqa: PLR0917 - two callers above, and nobody else
        self,
        person: Person,
        action: Action,
        act: str,
        state: ActionState,
        outcome: str,
        by: str | None = None,
    ) -> Action:
        now_ns = self._house.clock.wall_ns()
        try:
            done = await self._house.in_records(
                self._records.end, action.id, state, at_ns=now_ns, outcome=outcome, by=by
            )
        except (StepError, StoreError) as error:
            await self._undone(act, person.actor, action, error)
            raise
        # A retry finds it ended before: it counts once.
        self._outcomes[state.value] += action.state is not state
        return done

    def _seal(self, action: Action, voices: Sequence[Voice]) -> Sealed:
        """Called in the records' thread, inside the transaction that grants."""
        approval, signed = self.signer.sign(
            school=action.school,
            action=action.id,
            risk=action.risk,
            intent=action.intent,
            parameters=dict(action.parameters),
            plan=bytes.fromhex(action.plan),
            state=bytes.fromhex(action.device_state),
            requester=action.requester,
            approvers=tuple(voice.account for voice in voices),
            now_ms=self._house.clock.wall_ns() // 1_000_000,
        )
        check_persons(approval)
        return Sealed(signed.text, signed.signature.hex(), approval.expires_ms * 1_000_000)

    # -- what follows

    async def run(self) -> None:
        """Begin what is granted, end what waited too long. For a supervisor."""
        orphans = True  # what a run that broke off had begun, nobody waits for any more
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                try:
                    now_ns = self._house.clock.wall_ns()
                    ended = await self._house.in_records(
                        self._records.settle, now_ns, orphans=orphans
                    )
                    orphans = False
                    self._outcomes.update(state.value for _, state in ended)
                    for action in await self._house.in_records(self._records.granted):
                        begun = await self._begin(action)
                        if begun is not None:
                            group.create_task(self._execute(begun), name=f"action {action}")
                    self._trouble = ""
                except (LedgerError, StoreError) as error:
                    self._say(str(error))
                await self._until_something()

    async def _until_something(self) -> None:
        waiting = asyncio.ensure_future(self._wake.wait())
        sleeping = asyncio.ensure_future(self._house.clock.sleep(LOOK_SECONDS))
        try:
            await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            sleeping.cancel()

    async def _begin(self, action: str) -> Action | None:
        known = await self.get(action)
        if known is None:
            return None
        hold = await self.watch.admit(known)
        if hold is not None:
            if not hold.passing:
                await self._held_back(known, hold.sentence)
            return None
        try:
            return await self._begin_admitted(action, known)
        except (LedgerError, StoreError):
            await self.watch.not_begun(known)
            raise

    async def _held_back(self, action: Action, sentence: str) -> None:
        """A guard says no to what people granted: it is over, and nothing was sent."""
        now_ns = self._house.clock.wall_ns()
        await self._note("approval.execute", "system", action, Outcome.REFUSED, said=sentence[:500])
        if await self._house.in_records(
            self._records.finish,
            action.id,
            ActionState.REFUSED,
            at_ns=now_ns,
            outcome=sentence,
            was=ActionState.GRANTED,
        ):
            self._outcomes[ActionState.REFUSED.value] += 1

    async def _begin_admitted(self, action: str, known: Action) -> Action | None:
        await self._note("approval.execute", "system", known)
        begun = await self._house.in_records(
            self._records.begin, action, self._house.clock.wall_ns()
        )
        if begun is not None and begun.state is ActionState.REFUSED:
            self._outcomes[begun.state.value] += 1
            fallen = StepError(Step.OVER, begun.outcome)
            await self._undone("approval.execute", "system", known, fallen)
        if begun is None or begun.state is ActionState.REFUSED:
            sentence = "it was not begun" if begun is None else begun.outcome
            self.watch.over(known, Executed(good=False, sentence=sentence))
            return None
        return begun

    async def _execute(self, action: Action) -> None:
        async with self._free:
            try:
                done = await self._handed_over(action)
            except Refused as refused:
                done = Executed(good=False, sentence=f"{str(refused).removesuffix('.')}.")
        self._outcomes[done.state.value] += 1
        self.watch.over(action, done)
        try:
            await self._house.in_records(
                self._records.finish,
                action.id,
                done.state,
                at_ns=self._house.clock.wall_ns(),
                outcome=done.sentence,
            )
            outcome = Outcome.DONE if done.good else Outcome.FAILED
            await self._note("approval.result", "system", action, outcome, said=done.sentence[:500])
        except (LedgerError, StoreError) as error:
            self._say(f"what came of action {action.id} could not be kept: {error}")

    async def _handed_over(self, action: Action) -> Executed:
        """Check once more what goes out; the agent checks it again."""
        document = SignedApproval(action.document or "", bytes.fromhex(action.signature or ""))
        approval = document.approval(self.signer.keys.pins)
        check_persons(approval)
        check_time(approval, self._house.clock.wall_ns() // 1_000_000)
        try:
            fallen = await self._house.in_records(self._records.fallen, action.id)
        except StoreError as error:
            raise Refused(Refusal.NOT_KEPT, f"nothing was sent: {error}") from error
        if self._moved(action):
            fallen = f"the school {action.school} has moved: ask for it anew"
        fallen = fallen or self.watch.withdraw(action)
        if fallen:  # it may have waited for its turn for minutes
            raise Refused(Refusal.PERSONS, fallen)
        return await self.workshop.execute(action.school, document)

    async def learn(self, action: str, done: Executed) -> bool:
        """The agent's sealed word about an action whose answer never came; StoreError, LedgerError.

        False: its outcome was known.
        """
        known = await self.get(action)
        if known is None or known.state is not ActionState.UNKNOWN:
            return False
        outcome = Outcome.DONE if done.good else Outcome.FAILED
        await self._note("approval.result", "system", known, outcome, said=done.sentence[:500])
        changed = await self._house.in_records(
            self._records.finish,
            action,
            done.state,
            at_ns=self._house.clock.wall_ns(),
            outcome=done.sentence,
            was=ActionState.UNKNOWN,
        )
        self._outcomes[done.state.value] += changed
        return changed

    async def active(self, requester: str) -> list[Action]:
        """What somebody asked for and is not over; StoreError."""
        return await self._house.in_records(self._records.active, requester)

    def _moved(self, action: Action) -> bool:
        """Whether the school is elsewhere, or nowhere, since: others decide about it there."""
        return self._house.city.scope_of_school(action.school) != action.scope

    # -- the ledger

    async def _note(
        self,
        act: str,
        actor: str,
        action: Action,
        outcome: Outcome = Outcome.DONE,
        **more: str,
    ) -> None:
        detail = {
            "intent": action.intent,
            "plan": action.plan,
            "risk": action.risk.value,
            "requester": action.requester,
        }
        entry = Entry(
            act=act,
            actor=actor,
            scope=str(action.scope),
            subject=action.id,
            outcome=outcome,
            detail=detail | more,
        )
        await self._house.ledger.write(entry)

    async def _undone(self, act: str, actor: str, action: Action, error: Exception) -> None:
        """The entry stands that somebody did it; say that it did not come to be."""
        outcome = Outcome.REFUSED if isinstance(error, StepError) else Outcome.FAILED
        try:
            await self._note(act, actor, action, outcome, said=str(error)[:500])
        except LedgerError as failed:
            self._say(str(failed))

    def _say(self, sentence: str) -> None:
        if sentence != self._trouble:
            log.error("approvals: %s", sentence)
        self._trouble = sentence


def _check_size(asked: Asked, plan: Plan) -> None:
    """What the agent would refuse for its size is not put before anybody; raises PlanError."""
    if len(plan.lines) > MOST_LINES:
        raise PlanError(f"The plan has {len(plan.lines)} lines, at most {MOST_LINES} can be sent.")
    octets = sum(len(json.dumps(text)) for pair in asked.parameters.items() for text in pair)
    if octets > MOST_TEXT // 2:
        raise PlanError(
            f"The parameters take {octets} bytes, at most {MOST_TEXT // 2} can be signed."
        )


def approvals_room(rooms: Iterable[Room]) -> ApprovalsRoom:
    """The one among a controller's rooms."""
    return next(room for room in rooms if isinstance(room, ApprovalsRoom))
