"""The incident engine: facts and the time go in, incidents and their events come out.

No I/O, no clock of its own, no order of arrival: what is handed over before an :meth:`advance` is
folded by the moment it is about, doubled facts change nothing, and an older fact than the newest
of its subject is counted in ``late`` and left out.

Rules (SLA.md, "Counters, clocks and identities", last lines):

* A subject has at most one open incident, with one cause: the first by priority of what is bad.
* Trouble opens after its hold, or at once when it has begun too often. Before a child is blamed,
  its parents are asked for: it waits until all of them were seen well since, or a bounded time.
* What lies behind a dead parent is shadowed: no incident of its own, no alarm. An incident that
  people were told of before stays, and goes on being escalated. When the parent is back, its
  children have a while to come back by themselves.
  A switch that answers nothing and still carries shadows nobody (:mod:`.mute`).
* Only evidence that is good for long enough closes; unknown closes nothing. Trouble that returns
  soon reopens the same incident; one that flaps has to be quiet for longer.
* A maintenance window keeps an incident from alarming while it lasts, and no longer.
* What begins where TenOne itself is changing something waits for the end of that (:mod:`.mending`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

from controller.incidents.case import Case, explains
from controller.incidents.maintenance import Windows
from controller.incidents.mending import Mending, Repair
from controller.incidents.model import (
    OUT,
    SECOND_NS,
    SLICE,
    Act,
    Event,
    Fact,
    Figure,
    Incident,
    Outcome,
    State,
    Subject,
    Timing,
    incident_id,
)
from controller.incidents.mute import Witness, nobody
from controller.incidents.parents import Parents
from controller.incidents.shadows import Shadows
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Severity, Verdict

MOST_PROOFS = 8


class Engine:
    """See the module. One owner; nothing blocks."""

    def __init__(
        self,
        parents: Parents,
        *,
        timing: Timing,
        windows: Windows,
        scope_of: Callable[[str], ScopePath],
    ) -> None:
        self.parents = parents
        self.windows = windows
        self.timing = timing
        self.incidents: dict[str, Incident] = {}
        """Open ones, and resolved ones that may yet be reopened."""
        self.cases: dict[Subject, Case] = {}
        self.late = 0
        self._scope_of = scope_of
        self._newest: dict[Subject, Fact] = {}
        self._now_ns = 0
        self.outcome = Outcome()
        self._witness: Witness = nobody
        self._shadows = Shadows(parents)
        self._mending = Mending()

    def restore(self, incidents: Iterable[Incident], cases: Iterable[Case]) -> None:
        """Take over what was known before a restart; nothing alarms by it."""
        self.incidents = {one.id: one for one in incidents}
        self.cases = {case.subject: case for case in cases}

    def advance(
        self,
        now_ns: int,
        facts: Iterable[Fact] = (),
        witness: Witness = nobody,
        repairs: Iterable[Repair] = (),
    ) -> Outcome:
        """Fold ``facts`` in and do what is due by ``now_ns``.

        ``repairs``: what TenOne itself does at switches, or has just done.
        """
        for _ in self.advancing(now_ns, facts, witness, repairs):
            pass
        return self.outcome

    def advancing(
        self,
        now_ns: int,
        facts: Iterable[Fact],
        witness: Witness,
        repairs: Iterable[Repair] = (),
    ) -> Iterator[None]:
        """The same in slices, between which people may act; :attr:`outcome` is then whole."""
        self.outcome = Outcome()
        self._witness = witness
        self._mending.under_way(repairs)
        ordered = sorted(facts, key=lambda fact: fact.rank)
        for second, some in groupby(ordered, key=lambda fact: fact.at_ns // SECOND_NS):
            for number, fact in enumerate(some, 1):
                self._take(fact)
                if number % SLICE == 0:
                    yield
            self._tick(min(second * SECOND_NS + SECOND_NS - 1, now_ns))
            yield
        self._tick(now_ns)

    def open(self) -> list[Incident]:
        """All that is open."""
        return [one for one in self.incidents.values() if one.is_open]

    # -- facts

    def _take(self, fact: Fact) -> None:
        newest = self._newest.get(fact.subject)
        if newest is not None and fact.at_ns < newest.at_ns:
            self.late += 1
            return
        if fact == newest:
            return
        self._newest[fact.subject] = fact
        self._fold(self._mending.sift(fact, self.cases.get(fact.subject)))

    def _fold(self, fact: Fact) -> None:
        case = self.cases.get(fact.subject)
        if case is None:
            if fact.verdict is not Verdict.BAD and not fact.blinked:
                return
            case = self.cases[fact.subject] = Case(subject=fact.subject)
        was_bad, was_good_ns = case.bad, case.good_ns
        case.take(fact)
        incident = self._incident(case)
        if incident is None or not incident.is_open:
            return
        if fact.blinked or (case.bad and not was_bad):
            incident.count += 1
            self._tell(incident, fact.at_ns, Act.RETURNED, count=incident.count)
        clearing = case.good_ns != was_good_ns and case.good_ns is not None
        if clearing and not fact.blinked:
            self._tell(incident, fact.at_ns, Act.CLEARING)
        incident.clearing_ns = None if case.blinked else case.good_ns
        self.outcome.changed.add(incident.id)
        if fact.verdict is Verdict.BAD:
            self._worsen(incident, case, fact.at_ns)

    def _worsen(self, incident: Incident, case: Case, at_ns: int) -> None:
        if not explains(case.cause, incident.cause):
            self._graver(incident, case.severity, at_ns)
            return
        if incident.cause is not case.cause:
            self._tell(incident, at_ns, Act.CAUSE, was=incident.cause.label, now=case.cause.label)
            incident.cause = case.cause
        incident.figures = dict(case.figures)
        self._prove(incident, case)
        self._graver(incident, case.severity, at_ns)

    def _graver(self, incident: Incident, severity: Severity, at_ns: int) -> None:
        if severity > incident.severity:
            incident.severity = severity
            self._tell(incident, at_ns, Act.SEVERITY, now=severity.label)

    # -- what is due

    def _tick(self, now_ns: int) -> None:
        """Time never goes back here, whatever the clock does."""
        now_ns = self._now_ns = max(self._now_ns, now_ns)
        for fact in self._mending.released(now_ns, self.cases):
            self._fold(fact)
        self._shadows.cast(self.cases, self._mending.dark(), now_ns, self._witness, self._answers)
        # Of thousands of cases most wait for nothing: only the others are put in order.
        waiting = [case for case in self.cases.values() if self._waits(case)]
        for case in sorted(waiting, key=lambda one: one.subject):
            if case.verdict is Verdict.BAD:
                self._raise(case, now_ns)
            elif case.verdict is Verdict.GOOD:
                self._blinks(case, now_ns)
                self._calm(case, now_ns)
        for case in [one for one in self.cases.values() if not one.bad]:
            self._forget(case, now_ns)
        opened = self.open()
        for incident in opened:
            self._mend(incident, now_ns)
        self._gather(now_ns, {one.subject: one for one in opened})
        planned = self.windows.any_at(now_ns)
        held = [
            one
            for one in opened
            if planned or one.maintenance is not None or one.alarmed_ns is None
        ]
        for incident in sorted(held, key=lambda one: one.id):
            self._window(incident, now_ns)
            self._alarm(incident, now_ns)

    def _waits(self, case: Case) -> bool:
        """Whether time alone can do something to it: open, close or forget."""
        incident = self._incident(case)
        is_open = incident is not None and incident.is_open
        if case.bad:
            return case.verdict is Verdict.BAD and case.owner is None and not is_open
        return case.verdict is Verdict.GOOD and (is_open or case.blinked)

    def _blinks(self, case: Case, now_ns: int) -> None:
        """Short breaks that no look has met: too many of them are one incident, one is none."""
        incident = self._incident(case)
        if not case.blinked or (incident is not None and incident.is_open):
            return
        if incident is not None and case.onsets[-1] <= (incident.resolved_ns or 0):
            return
        if case.flaps(self.timing, now_ns):
            if incident is None:
                self._open(case, now_ns)
            else:
                self._reopen(incident, case, now_ns, by_hand=False)

    def _answers(self, case: Case) -> bool:
        """Whether a dead parent answers for its children: it is seen to be dead, or it is open.

        One that went out of sight before it opened would hide them behind nothing.
        """
        incident = self._incident(case)
        return case.verdict is Verdict.BAD or (incident is not None and incident.is_open)

    def _raise(self, case: Case, now_ns: int) -> None:
        incident = self._incident(case)
        if case.owner is not None or (incident is not None and incident.is_open):
            return
        by_hand = incident is not None and bool(incident.resolved_by)
        if by_hand and incident is not None:
            start = incident.resolved_ns or 0
            hold = round(self.timing.verify_seconds * SECOND_NS)
        else:
            start = max(case.since_ns, case.released_ns)
            hold = self.timing.hold_ns(case.cause, case.severity)
            if case.released_ns > case.since_ns:
                hold = max(hold, round(self.timing.settle_seconds * SECOND_NS))
            elif case.flaps(self.timing, now_ns):
                hold = 0
        if now_ns - start < hold or not self._vouched(case, now_ns):
            return
        if incident is None:
            self._open(case, now_ns)
        else:
            self._reopen(incident, case, now_ns, by_hand=by_hand)

    def _vouched(self, case: Case, now_ns: int) -> bool:
        """Whether every parent was seen well since the trouble began, or the wait is over."""
        if now_ns - case.since_ns >= round(self.timing.recheck_seconds * SECOND_NS):
            return True
        return all(
            (seen := self._witness(parent)) is not None and seen >= case.since_ns
            for parent in self._shadows.answerable(case)
        )

    def waiting(self) -> set[Subject]:
        """Parents whose word some child still waits for: ask them now."""
        wait_ns = round(self.timing.recheck_seconds * SECOND_NS)
        hanging = {
            (self.parents.of(case.subject), case.cause in OUT): case
            for case in self.cases.values()
            if case.verdict is Verdict.BAD
            and case.incident is None
            and case.owner is None
            and self._now_ns - case.since_ns < wait_ns
        }
        return {parent for one in hanging.values() for parent in self._shadows.answerable(one)}

    def _open(self, case: Case, now_ns: int) -> None:
        began_ns = case.onsets[0] if case.onsets else case.since_ns
        incident = Incident(
            id=incident_id(case.subject, began_ns),
            subject=case.subject,
            cause=case.cause,
            severity=case.severity,
            began_ns=began_ns,
            opened_ns=now_ns,
            count=max(1, len(case.onsets)),
            figures=dict(case.figures),
        )
        case.incident = incident.id
        self.incidents[incident.id] = incident
        self._prove(incident, case)
        self._tell(
            incident, now_ns, Act.OPENED, cause=case.cause.label, severity=case.severity.label
        )

    def _reopen(self, incident: Incident, case: Case, now_ns: int, *, by_hand: bool) -> None:
        if not by_hand:
            incident.count += 1
        incident.state = State.OPEN
        incident.resolved_ns = None
        incident.resolved_by = ""
        incident.clearing_ns = None
        incident.version += 1
        again_ns = round(self.timing.flap_window_seconds * SECOND_NS)
        if incident.alarmed_ns is not None and now_ns - incident.alarmed_ns >= again_ns:
            incident.alarmed_ns = None
            incident.acknowledged_ns = None
            incident.acknowledged_by = ""
            incident.acknowledged_level = -1
            incident.level = -1
        self._tell(incident, now_ns, Act.REOPENED, count=incident.count, by_hand=int(by_hand))
        self._worsen(incident, case, now_ns)

    def _calm(self, case: Case, now_ns: int) -> None:
        incident = self._incident(case)
        if incident is None or not incident.is_open or case.good_ns is None:
            return
        over_ns = case.good_ns + case.quiet_ns(self.timing)
        if now_ns < over_ns:
            return
        incident.state = State.RESOLVED
        incident.resolved_ns = over_ns
        incident.resolved_by = ""
        incident.owner = None
        incident.shadowed = frozenset()
        incident.maintenance = None
        incident.repair = ""
        incident.version += 1
        self._tell(incident, over_ns, Act.RESOLVED, good_since=case.good_ns)

    def _forget(self, case: Case, now_ns: int) -> None:
        incident = self._incident(case)
        if incident is None:
            since = case.good_ns
            wait = round(self.timing.flap_window_seconds * SECOND_NS)  # it may have begun to flap
        elif incident.is_open:
            return
        else:
            since = incident.resolved_ns
            wait = round(self.timing.reopen_seconds * SECOND_NS)
        told = incident is not None and incident.id in self.outcome.changed
        if since is not None and now_ns - since >= wait and not told:
            del self.cases[case.subject]
            if incident is not None:
                del self.incidents[incident.id]

    def _gather(self, now_ns: int, by_subject: Mapping[Subject, Incident]) -> None:
        """Give every shadowed child to the open incident of its parent."""
        behind: dict[Subject, set[str]] = {}
        for case in self.cases.values():
            own = by_subject.get(case.subject)
            if own is not None:
                owner = None if case.owner is None else by_subject.get(case.owner)
                self._own(own, owner, now_ns)
            elif case.bad and case.owner is not None:
                behind.setdefault(case.owner, set()).add(str(case.subject))
            if case.bad and case.owner is not None and case.owner in by_subject:
                self._graver(by_subject[case.owner], case.severity, now_ns)
        for subject, incident in by_subject.items():
            children = frozenset(behind.get(subject, ()))
            if children != incident.shadowed:
                incident.shadowed = children
                self.outcome.changed.add(incident.id)

    def _own(self, incident: Incident, owner: Incident | None, now_ns: int) -> None:
        owner_id = None if owner is None else owner.id
        if incident.owner == owner_id:
            return
        incident.owner = owner_id
        if owner_id is None:
            self._tell(incident, now_ns, Act.RELEASED)
        else:
            self._tell(incident, now_ns, Act.SHADOWED, owner=owner_id)

    def _mend(self, incident: Incident, now_ns: int) -> None:
        cable = self._mending.measured(incident.subject)
        if cable and cable != incident.cable:
            incident.cable = cable
            self.outcome.changed.add(incident.id)
        repair = self._mending.over(incident.subject, now_ns)
        action = "" if repair is None else repair.action
        if incident.repair == action:
            return
        was, incident.repair = incident.repair, action
        if repair is not None:
            self._tell(incident, now_ns, Act.UNDER_REPAIR, action=action, intent=repair.intent)
        elif self._mending.has_no_end(was):
            self._tell(incident, now_ns, Act.REPAIR_OVERDUE, action=was)
        else:
            self._tell(incident, now_ns, Act.REPAIR_OVER, action=was)

    def _window(self, incident: Incident, now_ns: int) -> None:
        scope = self._scope_of(incident.subject.school)
        window = self.windows.over(incident.subject, scope, now_ns)
        window_id = None if window is None else window.id
        if incident.maintenance == window_id:
            return
        was, incident.maintenance = incident.maintenance, window_id
        if window_id is not None:
            self._tell(incident, now_ns, Act.WINDOWED, window=window_id)
        else:
            self._tell(incident, now_ns, Act.OUTLASTED, window=was)

    def _alarm(self, incident: Incident, now_ns: int) -> None:
        held = incident.owner is not None or incident.maintenance is not None
        case = self.cases.get(incident.subject)
        quiet = case is None or not (case.bad or case.blinked)
        if incident.alarmed_ns is not None or held or quiet:
            return
        incident.alarmed_ns = now_ns
        self._tell(incident, now_ns, Act.ALARMED, severity=incident.severity.label)

    # -- small things

    def _incident(self, case: Case) -> Incident | None:
        return None if case.incident is None else self.incidents.get(case.incident)

    def _prove(self, incident: Incident, case: Case) -> None:
        proof = case.proof.hex()
        if proof and proof not in incident.proofs:
            incident.proofs = (*incident.proofs, proof)[-MOST_PROOFS:]

    def _tell(self, incident: Incident, at_ns: int, act: Act, **fields: Figure) -> None:
        self.outcome.changed.add(incident.id)
        self.outcome.events.append(Event(incident=incident.id, at_ns=at_ns, act=act, fields=fields))
