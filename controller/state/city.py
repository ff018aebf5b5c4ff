"""Live state as views (:class:`controller.views.City`) and as changes for the live stream."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from heapq import nsmallest
from typing import TypeVar

import numpy as np

from controller import encode
from controller.plan import SwitchPlan
from controller.sla.verdict import causes_of
from controller.state.care_streams import BOARD_STALE_SECONDS, boards_silent
from controller.state.columns import NEVER
from controller.state.figures import labels_of, link_figures
from controller.state.live import LiveState
from controller.state.measured import measured_view
from controller.state.numbering import Numbering
from controller.state.plain import age_of, count_of, figure, yes_no
from controller.state.summary import NONE, Summary, summarise
from controller.store.protocols import NS, LinkChange
from controller.store.records import label
from controller.views import (
    AgentView,
    Binding,
    BoardView,
    Body,
    Change,
    Evidence,
    LinkFigures,
    LinkView,
    Overview,
    SchoolName,
    SchoolView,
    SwitchView,
)
from tenone.runtime.clock import Clock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import (
    AdminStatus,
    Duplex,
    EvidenceMethod,
    OperStatus,
    Severity,
    Verdict,
)

CHANGES_AT_ONCE = 1000
"""Of each kind told in one go; at a start all of a city change, and the loop must
breathe."""

UNTOLD = 0
"""An oper status that the switch does not say."""

V = TypeVar("V")
Listener = Callable[[Sequence[Change]], None]


class LiveCity:
    """See :class:`controller.views.City`. All methods belong to the event loop's thread."""

    def __init__(
        self, live: LiveState, clock: Clock, *, bindings: dict[str, Binding] | None = None
    ) -> None:
        """``bindings``: by link id, for ``valid_from``; without them the start counts."""
        self._live = live
        self._n: Numbering = live.numbering
        self._clock = clock
        self._started = clock.wall_ns() / NS
        self._bindings = bindings or {}
        self._labels = labels_of(self._n)
        self._listeners: list[Listener] = []
        self._unsent = np.zeros(len(self._n.links), np.bool_)
        self._boards_due: set[int] = set()
        self._schools_due: set[int] = set()
        """Whose change is still to be told, as links that are unsent."""
        self._school_since = np.full(len(self._n.schools), self._started)
        self._silent_boards = np.ones(len(self._n.boards), np.bool_)
        self._summary = self._summarise()

    # -- judging and telling

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every batch of changes."""
        self._listeners.append(listener)

    def judge(self) -> list[LinkChange]:
        """Judge all links now, tell the listeners, and return what the records should keep."""
        now_ns = self._clock.monotonic_ns()
        changed, records = self._live.judge(now_ns=now_ns, wall_ns=self._clock.wall_ns())
        self._unsent[changed] = True
        boards = self._boards_turned(now_ns)
        schools = set(np.unique(self._n.link_school[changed]).tolist())
        if schools or boards:
            self._date_schools()
        if self._listeners:
            self._tell(schools, boards)
        return records

    @property
    def behind(self) -> bool:
        """Whether changes are left to be told."""
        marks = self._live.marks
        waiting = self._boards_due or self._schools_due or marks.switches or marks.agents
        return bool(waiting) or bool(self._unsent.any())

    def _date_schools(self) -> None:
        """Sum up anew; a school's verdict that turned, turned now."""
        before, self._summary = self._summary, self._summarise()
        turned = before.verdict != self._summary.verdict
        self._school_since[turned] = self._clock.wall_ns() / NS

    def _summarise(self) -> Summary:
        online = (self._live.boards.online == 1) & ~self._silent_boards
        return summarise(self._n, self._live.links, online)

    def _boards_turned(self, now_ns: int) -> set[int]:
        """Boards that said something, fell silent or came back."""
        turned, self._live.marks.boards = self._live.marks.boards, set()
        silent = self._boards_silent(now_ns)
        turned.update(np.flatnonzero(silent != self._silent_boards).tolist())
        self._silent_boards = silent
        return turned

    def _boards_silent(self, now_ns: int) -> np.typing.NDArray[np.bool_]:
        return boards_silent(self._n, self._live.boards, self._live.agents, now_ns)

    def _tell(self, schools: set[int], boards: set[int]) -> None:
        live, n = self._live, self._n
        links = np.flatnonzero(self._unsent)[:CHANGES_AT_ONCE].tolist()
        self._unsent[links] = False
        self._boards_due |= boards
        due = {int(n.board_school[one]) for one in boards} | live.marks.agents
        self._schools_due |= schools | due
        told = _some(self._schools_due)
        changes = [
            *(self._link_change(one) for one in links),
            *(self._board_change(one) for one in _some(self._boards_due)),
            *(self._switch_change(one) for one in _some(live.marks.switches)),
            *(self._agent_change(one) for one in _some(live.marks.agents)),
            *(self._school_change(one) for one in told),
        ]
        if told:
            districts = {n.scopes[one].parts[1] for one in told}
            changes += self._overview_changes(n.city.child(one) for one in sorted(districts))
        if changes:
            for listener in self._listeners:
                listener(changes)

    # A body is made when somebody asks for it, which is once a second at most, and only then.

    def _link_change(self, number: int) -> Change:
        own = int(self._n.link_school[number]), self._n.links[number].id
        return self._change("link", *own, encode.link_json, partial(self._link, number))

    def _board_change(self, number: int) -> Change:
        own = int(self._n.board_school[number]), self._n.boards[number].id
        return self._change("board", *own, encode.board_json, partial(self._board, number))

    def _switch_change(self, number: int) -> Change:
        own = int(self._n.switch_school[number]), _switch_id(self._n.switches[number])
        return self._change("switch", *own, encode.switch_json, partial(self._switch, number))

    def _agent_change(self, number: int) -> Change:
        name = self._n.schools[number].id
        return self._change("agent", number, name, encode.agent_json, partial(self._agent, number))

    def _school_change(self, number: int) -> Change:
        name, view = self._n.schools[number].id, partial(self._school, number)
        return self._change("school", number, name, encode.school_json, view)

    def _change(
        self, kind: str, school: int, name: str, json: Callable[[V], Body], view: Callable[[int], V]
    ) -> Change:
        def body() -> Body:
            return json(view(self._clock.monotonic_ns()))

        return Change(scope=self._n.scopes[school], kind=kind, id=name, body=body)

    def _overview_changes(self, districts: Iterable[ScopePath]) -> list[Change]:
        def body(scope: ScopePath) -> Body:
            return encode.overview_json(self.overview(scope))

        scopes = (self._n.city, *districts)
        return [
            Change(scope=one, kind="overview", id=str(one), body=partial(body, one))
            for one in scopes
        ]

    # -- the City protocol

    def overview(self, scope: ScopePath) -> Overview:
        """See the protocol."""
        now_ns = self._clock.monotonic_ns()
        scope = self._n.city if scope.covers(self._n.city) else scope
        span = self._n.span(scope)
        schools = span.schools
        verdicts = self._summary.verdict[schools.start : schools.stop]
        online = self._live.agents.online[schools.start : schools.stop]
        boards = self._summary.boards_online[schools.start : schools.stop]
        name, name_zh = self._names(scope)
        return Overview(
            scope=scope,
            name=name,
            name_zh=name_zh,
            schools_total=len(schools),
            schools_reporting=int(online.sum()),
            schools_good=int((verdicts == Verdict.GOOD).sum()),
            schools_unverified=int(self._summary.unverified[schools.start : schools.stop].sum()),
            schools_bad=int((verdicts == Verdict.BAD).sum()),
            schools_unknown=int((verdicts == Verdict.UNKNOWN).sum()),
            tallies=self._summary.tallies(schools),
            boards_online=int(boards.sum()),
            boards_total=len(span.boards),
            data_age_seconds=self._data_age(schools, now_ns),
            made_at=self._clock.wall_ns() / NS,
        )

    def districts(self, scope: ScopePath) -> Sequence[Overview]:
        """See the protocol; a scope inside a district has that district cut to itself."""
        return [
            self.overview(district if scope.covers(district) else scope)
            for district in self._n.districts
            if scope.covers(district) or district.covers(scope)
        ]

    def schools(self, scope: ScopePath) -> Sequence[SchoolView]:
        """See the protocol."""
        now_ns = self._clock.monotonic_ns()
        views = [self._school(number, now_ns) for number in self._n.span(scope).schools]
        return sorted(views, key=_worst_first)

    def school_scopes(self, scope: ScopePath) -> Sequence[ScopePath]:
        """See the protocol."""
        schools = self._n.span(scope).schools
        return self._n.scopes[schools.start : schools.stop]

    def school_names(self, scope: ScopePath) -> Sequence[SchoolName]:
        """See the protocol."""
        plans = ((n, self._n.schools[n]) for n in self._n.span(scope).schools)
        return [SchoolName(one.id, self._n.scopes[n], one.name, one.name_zh) for n, one in plans]

    def agent_ages(self, scope: ScopePath) -> Mapping[str, float | None]:
        """See the protocol."""
        now_ns = self._clock.monotonic_ns()
        schools = self._n.span(scope).schools
        heard = self._live.agents.heard_ns[schools.start : schools.stop].tolist()
        return {
            self._n.schools[number].id: age_of(moment_ns, now_ns)
            for number, moment_ns in zip(schools, heard, strict=True)
        }

    def links(self, scope: ScopePath) -> Sequence[LinkView]:
        """See the protocol; the numbering is in that order already."""
        now_ns = self._clock.monotonic_ns()
        return [self._link(number, now_ns) for number in self._n.span(scope).links]

    def figures(self, scope: ScopePath, *, good: bool) -> LinkFigures:
        """See the protocol."""
        links, now_ns = self._n.span(scope).links, self._clock.monotonic_ns()
        return link_figures(self._live, self._labels, links, now_ns, good=good)

    def link(self, link_id: str) -> tuple[ScopePath, LinkView] | None:
        """See the protocol."""
        number = self._n.link_number.get(link_id)
        if number is None:
            return None
        scope = self._n.scopes[self._n.link_school[number]]
        return scope, self._link(number, self._clock.monotonic_ns())

    def switches(self, scope: ScopePath) -> Sequence[SwitchView]:
        """See the protocol."""
        now_ns = self._clock.monotonic_ns()
        return [self._switch(number, now_ns) for number in self._n.span(scope).switches]

    def boards(self, scope: ScopePath) -> Sequence[BoardView]:
        """See the protocol."""
        now_ns = self._clock.monotonic_ns()
        return [self._board(number, now_ns) for number in self._n.span(scope).boards]

    def scope_of_school(self, school: str) -> ScopePath | None:
        """See the protocol."""
        number = self._n.school_number.get(school)
        return None if number is None else self._n.scopes[number]

    # -- one row as a view

    def _link(self, number: int, now_ns: int) -> LinkView:
        links, plan = self._live.links, self._n.links[number]
        boards = self._n.boards_in.get((plan.school, plan.room), ()) if plan.room else ()
        since_ns = int(links.since_ns[number])
        # Many switches go on telling the nominal speed of a port that has no link.
        linked = links.oper[number] in {OperStatus.UP, UNTOLD}
        return LinkView(
            id=plan.id,
            school=plan.school,
            name=plan.name,
            tier=plan.tier,
            room=plan.room,
            contract_mbps=plan.contract_mbps,
            negotiated_mbps=int(links.speed_mbps[number]) or None if linked else None,
            duplex=_DUPLEX[links.duplex[number]] if linked else None,
            oper=_OPER[links.oper[number]],
            admin=_ADMIN[links.admin[number]],
            verdict=_VERDICTS[links.verdict[number]],
            severity=_SEVERITIES[links.severity[number]],
            causes=causes_of(int(links.causes[number])),
            since=since_ns / NS if since_ns else None,
            coverage=self._live.coverage(number),
            evidence=self._evidence(number, now_ns),
            binding=self._binding(number),
            stale=bool(links.stale[number]),
            verified=bool(links.verified[number]),
            boards=[self._board(board, now_ns) for board in boards],
            measured=measured_view(self._live.measures, links, number, now_ns),
        )

    def _evidence(self, number: int, now_ns: int) -> tuple[Evidence, ...]:
        """The port's word, and the newest packets that decided about loss."""
        moments = (
            (EvidenceMethod.NEGOTIATED, int(self._live.links.evidence_ns[number])),
            (EvidenceMethod.PROBED, int(self._live.measures.decided_ns[number])),
        )
        return tuple(
            Evidence(method=method, age_seconds=max(now_ns - moment_ns, 0) / NS)
            for method, moment_ns in moments
            if moment_ns != NEVER
        )

    def _binding(self, number: int) -> Binding | None:
        plan = self._n.links[number]
        if plan.switch is None or plan.port is None:
            return None
        known = self._bindings.get(plan.id)
        if known is not None and (known.switch, known.port) == (plan.switch, plan.port):
            return known
        return Binding(switch=plan.switch, port=plan.port, valid_from=self._started)

    def _board(self, number: int, now_ns: int) -> BoardView:
        boards, plan = self._live.boards, self._n.boards[number]
        age = age_of(int(boards.evidence_ns[number]), now_ns)
        agent = bool(self._live.agents.online[self._n.board_school[number]])
        stale = age is None or age > BOARD_STALE_SECONDS or not agent
        since_ns = int(boards.since_ns[number])
        rssi = figure(boards.rssi_dbm[number])
        return BoardView(
            id=plan.id,
            name=plan.name,
            room=plan.room,
            online=None if stale else yes_no(int(boards.online[number])),
            screen_on=yes_no(int(boards.screen_on[number])),
            app=boards.app[number],
            firmware=boards.firmware[number],
            cpu_ratio=figure(boards.cpu_ratio[number]),
            temperature_celsius=figure(boards.temperature_celsius[number]),
            rssi_dbm=None if rssi is None else int(rssi),
            since=since_ns / NS if since_ns else None,
            age_seconds=age,
            stale=stale,
        )

    def _switch(self, number: int, now_ns: int) -> SwitchView:
        switches, plan = self._live.switches, self._n.switches[number]
        ticks = int(switches.uptime_ticks[number])
        told = age_of(int(switches.uptime_ns[number]), now_ns)
        return SwitchView(
            id=_switch_id(plan),
            name=plan.name,
            reachable=yes_no(int(switches.reachable[number])),
            poll_error=switches.poll_error[number],
            descr=switches.descr[number],
            uptime_seconds=None if ticks < 0 or told is None else ticks / 100 + told,
            age_seconds=age_of(int(switches.heard_ns[number]), now_ns),
        )

    def _agent(self, number: int, now_ns: int) -> AgentView:
        agents = self._live.agents
        return AgentView(
            school=self._n.schools[number].id,
            online=bool(agents.online[number]),
            version=agents.version[number],
            last_report_age_seconds=age_of(int(agents.heard_ns[number]), now_ns),
            outbox_bytes=count_of(int(agents.outbox_bytes[number])),
            outbox_blocks=count_of(int(agents.outbox_blocks[number])),
            quarantined_total=count_of(int(agents.quarantined_total[number])),
        )

    def _school(self, number: int, now_ns: int) -> SchoolView:
        plan, summary = self._n.schools[number], self._summary
        only = range(number, number + 1)
        worst = int(summary.worst[number])
        return SchoolView(
            id=plan.id,
            name=plan.name,
            name_zh=plan.name_zh,
            district=plan.district,
            scope=self._n.scopes[number],
            verdict=_VERDICTS[summary.verdict[number]],
            severity=_SEVERITIES[summary.severity[number]],
            tallies=summary.tallies(only),
            worst=None if worst == NONE else self._link(worst, now_ns),
            agent=self._agent(number, now_ns),
            boards_online=int(summary.boards_online[number]),
            boards_total=len(self._n.span_of(only).boards),
            since=float(self._school_since[number]),
        )

    def _names(self, scope: ScopePath) -> tuple[str, str | None]:
        """What people call a scope, and its Chinese name where the first is not Chinese."""
        if scope == self._n.city:
            return self._n.plan.name, self._n.plan.name_zh
        number = self._n.school_number.get(scope.parts[-1])
        if number is not None and self._n.scopes[number] == scope:
            school = self._n.schools[number]
            return school.name, school.name_zh
        for district in self._n.plan.districts:
            if self._n.city.child(district.id) == scope:
                return district.name, district.name_zh
        return str(scope), None

    def _data_age(self, schools: range, now_ns: int) -> float | None:
        heard = self._live.agents.heard_ns[schools.start : schools.stop]
        return age_of(int(heard.max()), now_ns) if len(heard) else None


def _switch_id(plan: SwitchPlan) -> str:
    return f"{plan.school}/switch/{plan.name}"


def _some(waiting: set[int]) -> list[int]:
    """Take the first :data:`CHANGES_AT_ONCE` of those that wait."""
    found = nsmallest(CHANGES_AT_ONCE, waiting)
    waiting.difference_update(found)
    return found


_CODES = range(256)
_DUPLEX = [label(Duplex, code) for code in _CODES]
_OPER = [label(OperStatus, code) for code in _CODES]
_ADMIN = [label(AdminStatus, code) for code in _CODES]
_VERDICTS = [Verdict.BAD, Verdict.GOOD, Verdict.UNKNOWN]
"""By code; the last is -1."""
_SEVERITIES = list(Severity)
_ORDER = {Verdict.BAD: 0, Verdict.UNKNOWN: 1, Verdict.GOOD: 2}


def _worst_first(view: SchoolView) -> tuple[int, int, str]:
    return _ORDER[view.verdict], -view.severity, view.name
