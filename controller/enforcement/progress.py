"""Follows what was begun to its end: the agent's steps, its answer, the controller's own proof."""

import logging

from controller.enforcement.attempts import END_OF, Attempt, End
from controller.enforcement.figures import Figures
from controller.enforcement.following import STREAM, told
from controller.enforcement.gate import Gate
from controller.enforcement.ports import Approvals
from controller.enforcement.proving import Proved, Watching
from controller.enforcement.records import RepairRecords, Told
from controller.enforcement.sentences import PROVED, STEPS, UNPROVED, both
from controller.enforcement.surroundings import Surroundings
from controller.enforcement.telling import Teller
from controller.house import House
from controller.store.protocols import NS, Arrival, StoreError
from controller.trust.approval_model import Executed
from controller.trust.entries import LedgerError
from tenone.vocabulary.intents import MEANINGS, Indicator
from tenone.vocabulary.repairs import RepairStep

log = logging.getLogger(__name__)

SILENCE_NS = 15 * NS
"""An answer without any step, so long after: nothing was done at the switch."""
LOST_NS = 6 * 3600 * NS
"""An action no word came of."""
ANSWER_NS = 150 * NS
"""An answer that has not come so long after the last step does not come."""
PROOF_NS = 90 * NS
"""After the agent called it cured, our own verdict follows within so long, or it is unproved."""


class Progress:
    """See the module."""

    def __init__(
        self,
        house: House,
        *,
        around: Surroundings,
        gate: Gate,
        records: RepairRecords,
        approvals: Approvals,
        teller: Teller,
        figures: Figures,
        hold_ns: int,
    ) -> None:
        self._house = house
        self._around = around
        self._gate = gate
        self._records = records
        self._approvals = approvals
        self._teller = teller
        self._figures = figures
        self._hold_ns = hold_ns
        self._inbox = house.bus.blocks(STREAM)
        self._late: list[Arrival] = []
        """What came while nobody was here, or while the records could not be written."""
        self._unkept: dict[str, Attempt] = {}
        """What the records do not know yet: a disk that is full for a moment loses nothing."""
        self._watching: dict[str, Watching] = {}
        self._to_learn: dict[str, Executed] = {}

    def restore(self) -> None:
        """Read what came of unfinished actions; called in the records' thread."""
        pending = self._gate.attempts.pending()
        for attempt in pending:
            for block in self._house.store.read(
                from_ns=attempt.begun_ns, school=attempt.school, stream=STREAM
            ):
                self._late.append(
                    Arrival(
                        block=block.block,
                        layout=block.layout,
                        school=block.school,
                        district=block.district,
                        received_ns=block.received_ns,
                    )
                )
            self._gate.answered[attempt.action] = (
                self._house.clock.monotonic_ns(),
                Executed(good=False, answered=False, sentence="The controller was restarted."),
            )

    def busy(self, link: str) -> bool:
        """Whether something is being changed on a link, or its proof is awaited."""
        return any(
            one.link == link and (one.ended_ns is None or one.action in self._watching)
            for one in self._gate.attempts.by_action.values()
        )

    async def step(self, now_ns: int) -> None:
        """Take in steps, settle what is over, look at the proofs; StoreError."""
        self._late += self._inbox.take_now()
        while self._late:
            await self._take(self._late.pop(0), now_ns)
        self._settle(now_ns)
        self._prove(now_ns)
        await self._keep()
        await self._learn()

    async def _keep(self) -> None:
        while self._unkept:
            action, attempt = next(iter(self._unkept.items()))
            await self._house.in_records(self._records.put, attempt)
            self._unkept.pop(action)

    # -- the agent's steps

    async def _take(self, arrival: Arrival, now_ns: int) -> None:
        steps = list(told(arrival))
        try:
            new = await self._house.in_records(self._records.add_steps, arrival.school, steps)
        except StoreError:
            self._late.insert(0, arrival)
            raise
        for one in new:
            self._follow(one, arrival, now_ns)

    def _follow(self, one: Told, arrival: Arrival, now_ns: int) -> None:
        attempt = self._gate.attempts.by_action.get(one.action)
        if attempt is None:
            return
        attempt.heard = True
        attempt.cable = one.cable or attempt.cable
        if one.step is RepairStep.APPLIED and self._proves(attempt):
            read_ns = (arrival.monotonic_ns or now_ns) - max(arrival.age_ns, 0)
            self._watching[one.action] = Watching(applied_ns=read_ns, hold_ns=self._hold_ns)
        self._tell(attempt, both(STEPS[one.step], action=one.action, intent=attempt.intent.value))
        end = END_OF.get(one.step)
        if end is not None and attempt.end is not end:
            self._ended(attempt, end, one.sentence, now_ns)
        elif one.cable:
            self._unkept[attempt.action] = attempt

    def _proves(self, attempt: Attempt) -> bool:
        return attempt.link is not None and MEANINGS[attempt.intent].indicator is Indicator.LINK

    def _ended(self, attempt: Attempt, end: End, sentence: str, now_ns: int) -> None:
        first = attempt.ended_ns is None
        self._gate.end(attempt, end)
        if end is End.DONE and self._proves(attempt):
            watching = self._watching.setdefault(
                attempt.action, Watching(applied_ns=now_ns, hold_ns=self._hold_ns)
            )
            watching.until_ns = now_ns + PROOF_NS
        else:
            self._watching.pop(attempt.action, None)
            attempt.proved_ns = None
        self._unkept[attempt.action] = attempt
        if first:
            self._figures.ended(attempt.intent.value, end.value)
        self._to_learn[attempt.action] = Executed(good=end is End.DONE, sentence=sentence)

    # -- its answer, or none

    def _settle(self, now_ns: int) -> None:
        for action, (at_ns, done) in list(self._gate.answered.items()):
            attempt = self._gate.attempts.by_action.get(action)
            if attempt is None or attempt.ended_ns is not None:
                del self._gate.answered[action]
            elif action in self._gate.held_back:
                self._ended(attempt, End.REFUSED, done.sentence, now_ns)
            elif not attempt.heard and done.answered and now_ns - at_ns >= SILENCE_NS:
                end = End.DONE if done.good else End.REFUSED
                self._ended(attempt, end, done.sentence, now_ns)
            elif now_ns - at_ns >= LOST_NS:
                self._ended(attempt, End.LOST, "No word of it ever came.", now_ns)

    async def _learn(self) -> None:
        """What the room of actions calls unknown is known by the sealed steps."""
        for action, done in list(self._to_learn.items()):
            attempt = self._gate.attempts.by_action.get(action)
            ended_ns = None if attempt is None else attempt.ended_ns
            if action in self._gate.running and ended_ns is not None:
                if self._house.clock.wall_ns() - ended_ns < ANSWER_NS:
                    continue
                self._gate.running.discard(action)  # nobody waits for its answer any more
            try:
                await self._approvals.learn(action, done)
            except LedgerError as error:
                log.warning("enforcement: %s", error)
                return
            del self._to_learn[action]

    # -- the controller's own proof

    def _prove(self, now_ns: int) -> None:
        for action, watching in list(self._watching.items()):
            attempt = self._gate.attempts.by_action.get(action)
            number = None if attempt is None else self._around.number_of(attempt.link or "")
            if attempt is None or number is None:
                del self._watching[action]
                continue
            verdict, read_ns = self._around.verdict(number), self._around.evidence_ns(number)
            match watching.look(verdict, read_ns, now_ns):
                case Proved.YES if attempt.proved_ns is None:
                    attempt.proved_ns = self._house.clock.wall_ns()
                case Proved.TOO_LATE if attempt.proved_ns is None:
                    del self._watching[action]
                    attempt.end = End.UNPROVED
                    self._figures.ended(attempt.intent.value, End.UNPROVED.value)
                    self._tell(attempt, both(UNPROVED, action=action))
                    self._unkept[attempt.action] = attempt
            if attempt.proved_ns is not None and attempt.end is End.DONE:
                del self._watching[action]
                self._cured(attempt)

    def _cured(self, attempt: Attempt) -> None:
        proved_ns = attempt.proved_ns or 0
        faulted_ns = attempt.faulted_ns
        self._unkept[attempt.action] = attempt
        if faulted_ns is None:
            return
        seconds = (proved_ns - faulted_ns) / NS
        self._figures.proved(seconds)
        hold = f"{self._hold_ns / NS:g}"
        said = both(PROVED, action=attempt.action, hold=hold, seconds=f"{seconds:.1f}")
        self._tell(attempt, said)

    def _tell(self, attempt: Attempt, sentence: dict[str, str]) -> None:
        if attempt.link is not None:
            now_ns = self._house.clock.monotonic_ns()
            self._teller.tell(attempt.link, sentence, now_ns, incident=attempt.incident)
