"""The room of repairs: bad links in, proposals and requests out, and how each action went.

Some times a second it looks at what is bad, at what agents told of their actions, and at its
own verdicts of what they changed. It asks for nothing itself but through the room of actions, and
nothing begins but through :mod:`controller.enforcement.gate`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from controller.api.services import Health
from controller.enforcement.asking import Asker
from controller.enforcement.attempts import Attempts
from controller.enforcement.diagnosis import Finding, diagnose, instead
from controller.enforcement.faults import Fault, FaultBook
from controller.enforcement.figures import Figures
from controller.enforcement.gate import FaultedAt, Gate
from controller.enforcement.guards import Wanted
from controller.enforcement.model import Course, GuardName, Held, Proposal, Standing, Stop
from controller.enforcement.modes import agreed, mode_of
from controller.enforcement.ports import Approvals, Cabling, Timeline, Works
from controller.enforcement.progress import Progress
from controller.enforcement.records import RepairRecords
from controller.enforcement.sentences import HELD, both
from controller.enforcement.surroundings import Surroundings
from controller.enforcement.telling import Teller
from controller.house import House
from controller.store.protocols import NS, StoreError
from controller.trust.approval_model import Plan, PlanError
from controller.trust.approval_own import Own, standing_of
from tenone.vocabulary.intents import MEANINGS, Intent, Mode
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict

log = logging.getLogger(__name__)

STEP_SECONDS = 0.1
MOST_OF_TIME = 0.05
"""Where a whole city is bad a step takes long: then it is looked at less often."""
LOOK_NS = 5 * NS
"""How often a standing fault is looked at anew, while there are few."""
MOST_AT_ONCE = 50
"""Faults looked at in one step: of a city that is all bad, each comes round in its turn."""
CARE_SECONDS = 600.0
ONLY_PROPOSED = {Mode.APPROVE: Mode.PROPOSE, Mode.AUTO: Mode.PROPOSE}


class EnforcementRoom:
    """See the module; also :class:`controller.api.enforcement_services.Enforcement`."""

    name = "enforcement"

    def __init__(
        self,
        house: House,
        *,
        approvals: Approvals,
        timeline: Timeline,
        cabling: Cabling,
        works: Works,
    ) -> None:
        self._house = house
        self._clock = house.clock
        self._rules = house.config.enforcement
        self._approvals = approvals
        self._timeline = timeline
        self._records = RepairRecords(house.records.engine)
        self._around = Surroundings(house, self._rules, cabling, works)
        self.gate = Gate(house, self._around, self._records)
        self._faults = FaultBook(house.live.links, [one.id for one in house.live.numbering.links])
        self._teller = Teller(timeline)
        self.figures = Figures()
        self._progress = Progress(
            house,
            around=self._around,
            gate=self.gate,
            records=self._records,
            approvals=approvals,
            teller=self._teller,
            figures=self.figures,
            hold_ns=round(self._rules.hold_seconds * NS),
        )
        self.asker = Asker(house, self._rules, approvals, self._teller, self.gate)
        self._trouble = ""
        self._adopted = False
        self.gate.faulted_at = self._faulted_at
        self.gate.incident_of = timeline.incident_of
        approvals.own = Own(standing_of(self._rules))

    # -- a room

    def open(self) -> None:
        """See :class:`controller.house.Room`."""
        now_ns = self._clock.wall_ns()
        self.gate.stops = {stop.scope: stop for stop in self._records.stops()}
        self.gate.attempts = Attempts(self._records.attempts(now_ns))
        self._progress.restore()

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See :class:`controller.house.Room`."""
        return {
            "enforcement": self._run,
            "enforcement requests": self.asker.run,
            "enforcement care": self._care,
        }

    def health(self) -> Health:
        """See :class:`controller.house.Room`."""
        bad, under_way = len(self._faults.by_number), len(self.gate.attempts.pending())
        said = f"{bad} bad links, {under_way} actions under way, {len(self.gate.stops)} stops"
        return Health(name=self.name, ready=not self._trouble, sentence=self._trouble or said)

    def close(self) -> None:
        """See :class:`controller.house.Room`."""

    async def _run(self) -> None:
        while True:
            began_ns = self._clock.monotonic_ns()
            await self.step()
            took_seconds = (self._clock.monotonic_ns() - began_ns) / NS
            await self._clock.sleep(max(STEP_SECONDS, took_seconds / MOST_OF_TIME))

    async def _care(self) -> None:
        while True:
            now_ns = self._clock.wall_ns()
            self.gate.attempts.forget(now_ns, self._around.today)
            await self._house.in_records(self._records.prune, now_ns)
            await self._clock.sleep(CARE_SECONDS)

    # -- steps

    async def step(self) -> None:
        """Take in what happened, and do what is due."""
        now_ns = self._clock.monotonic_ns()
        try:
            if not self._adopted:
                await self._adopt()
            self._around.take()
            await self._progress.step(now_ns)
            if not self._rules.nothing:
                self._look_at_faults(now_ns)
            await self._teller.go_on(now_ns)
            self._trouble = ""
        except StoreError as error:
            if str(error) != self._trouble:
                log.error("enforcement: %s", error)  # noqa: TRY400 - the sentence is all there is to say
            self._trouble = str(error)

    async def _adopt(self) -> None:
        """What was asked for before a restart is not asked for again."""
        for action in await self._approvals.active(self._approvals.own.asker.account):
            self.asker.adopt(action)
        self._adopted = True

    def _look_at_faults(self, now_ns: int) -> None:
        settle_ns = round(self._rules.settle_seconds * NS)
        for fault in self._faults.update(self._clock.wall_ns(), now_ns, settle_ns):
            self.asker.cured(fault)
        self.asker.cured_meanwhile(self._is_good)
        for fault in self._faults.due(now_ns, MOST_AT_ONCE):
            fault.due_ns = now_ns + LOOK_NS
            self._consider(fault, now_ns)

    def _is_good(self, link: str) -> bool:
        number = self._house.live.numbering.link_number.get(link)
        return number is None or self._around.verdict(number) is Verdict.GOOD

    def _consider(self, fault: Fault, now_ns: int) -> None:
        """One fault: what would help, what holds it back, and whether it is asked for."""
        plan = self._around.link_plan(fault.number)
        scope = self._around.scope_of(plan.school)
        port = self._house.live.port_key(fault.number)
        causes = self._around.causes(fault.number)
        if scope is None or plan.switch is None or port is None or not causes:
            fault.proposal = None
            return
        fault.turned(causes[0], now_ns)
        if self._progress.busy(fault.link):
            if fault.proposal is not None:
                fault.proposal = replace(fault.proposal, action=fault.action)
            return
        finding = self._finding(fault, port)
        if finding.shadowed:
            fault.proposal = None
            return
        mode = Mode.PROPOSE
        reasons: Sequence[Held] = ()
        wanted = None
        if finding.intent is not None:
            mode = self._mode(finding, scope, plan.school, plan.switch)
            if mode is Mode.OFF:
                fault.proposal = None
                return
            wanted = self.gate.wanted(
                finding.intent,
                plan.school,
                {"switch": plan.switch, "port": port},
                automatic=mode is not Mode.PROPOSE,
            )
            reasons = [] if wanted is None else self.gate.held(wanted)
        fault.proposal = Proposal(
            link=fault.link,
            incident=self._timeline.incident_of(fault.link) or "",
            school=plan.school,
            scope=scope,
            switch=plan.switch,
            port=port,
            intent=finding.intent,
            mode=mode,
            sentence=finding.sentence,
            held=tuple(reasons),
            action=fault.action,
            since=fault.since_ns / NS,
        )
        self._act(fault, fault.proposal, wanted, now_ns)

    def _finding(self, fault: Fault, port: str) -> Finding:
        cause = fault.cause
        tried = self.gate.attempts.tried(
            fault.link, -1 if cause is None else int(cause), self._clock.wall_ns(), fault.fault_ns
        )
        facts = self._around.link_facts(
            fault.number,
            port,
            tried,
            shadow=self._timeline.shadow(fault.link),
            seen_open=bool(self._faults.seen_open[fault.number]),
        )
        return instead(diagnose(facts), facts, fault.set_so, fault.hindered)

    def _mode(self, finding: Finding, scope: ScopePath, school: str, switch: str) -> Mode:
        intent = finding.intent
        if intent is None:
            return Mode.PROPOSE
        cli = self._around.cli(school, switch)
        mode = agreed(mode_of(self._rules, scope, intent), intent, cli.automatic if cli else ())
        if finding.only_propose or (MEANINGS[intent].two_persons and mode is Mode.AUTO):
            return ONLY_PROPOSED.get(mode, mode)
        return mode

    def _act(self, fault: Fault, proposal: Proposal, wanted: Wanted | None, now_ns: int) -> None:
        if proposal.intent is None or wanted is None or proposal.mode is Mode.PROPOSE:
            self._teller.tell(fault.link, proposal.sentence, now_ns)
            return
        if proposal.held:
            lasting = [one for one in proposal.held if one.guard is not GuardName.CHAIN]
            if lasting:
                said = both(HELD, intent=proposal.intent.value, why=lasting[0].sentence)
                self._teller.tell(fault.link, said, now_ns)
            return
        self.asker.want(fault, proposal, now_ns)

    def _faulted_at(self, number: int) -> FaultedAt | None:
        fault = self._faults.by_number.get(number)
        if fault is None:
            return None
        return FaultedAt(fault.since_ns, fault.judged_ns, fault.fault_ns)

    # -- for the API

    def standing(self, scope: ScopePath) -> Standing:
        """See :class:`controller.api.enforcement_services.Enforcement`."""
        n = self._house.live.numbering
        inside = [
            (n.schools[one].id, n.scopes[one])
            for one in range(len(n.schools))
            if scope.covers(n.scopes[one])
        ]
        today = self._around.today
        day = [one for one in self.gate.attempts.by_action.values() if one.day == today]
        schools = {school for school, _ in inside}
        mine = [one for one in day if one.school in schools]
        return Standing(
            modes={intent: mode_of(self._rules, scope, intent) for intent in Intent},
            stops=tuple(
                stop
                for where, stop in sorted(self.gate.stops.items())
                if where.covers(scope) or scope.covers(where)
            ),
            changes_today=sum(one.intent is not Intent.SAVE_CONFIGURATION for one in mine),
            failures_today=sum(one.end is not None and one.end.failed for one in mine),
            under_way=sum(one.school in schools for one in self.gate.attempts.pending()),
        )

    def proposals(self, scope: ScopePath) -> Sequence[Proposal]:
        """See the protocol: the gravest first, then the oldest."""
        found = [
            fault
            for fault in self._faults.by_number.values()
            if fault.proposal is not None and scope.covers(fault.proposal.scope)
        ]
        found.sort(
            key=lambda fault: (-self._around.severity(fault.number), fault.since_ns, fault.link)
        )
        return [fault.proposal for fault in found if fault.proposal is not None]

    async def dry_run(
        self, school: str, intent: str, parameters: Mapping[str, str]
    ) -> tuple[Plan, Sequence[Held]]:
        """See the protocol."""
        if intent not in set(Intent):
            raise PlanError(f"There is no intent {intent[:64]!r}.")
        plan = await self._approvals.workshop.plan(school, intent, parameters)
        wanted = self.gate.wanted(Intent(intent), school, parameters, automatic=False)
        if wanted is None:
            raise LookupError(school)
        return plan, self.gate.held(wanted, no_clock=plan.hindrance)

    async def course(self, action: str) -> Course | None:
        """See the protocol."""
        return await self._house.in_records(self._records.course, action)

    async def stop(self, scope: ScopePath, *, by: str, reason: str) -> Stop:
        """See the protocol. It holds from this moment; StoreError: not beyond a restart."""
        stop = Stop(scope=scope, by=by, at=self._clock.wall_ns() / NS, reason=reason)
        self.gate.stops[scope] = stop
        await asyncio.shield(self._house.in_records(self._records.put_stop, stop))
        return stop

    async def resume(self, scope: ScopePath, *, by: str) -> None:
        """See the protocol."""
        if scope not in self.gate.stops:
            raise LookupError(f"nobody stopped {scope!s}")
        await self._house.in_records(self._records.end_stop, scope)
        log.info("%s took the stop of %s back", by, str(scope) or "the whole city")
        del self.gate.stops[scope]
