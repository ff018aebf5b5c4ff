"""Gathers what guards and diagnosis ask about: from live state, configuration, calendar, topology.

Belongs to the event loop's thread; nothing here blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from controller.enforcement.attempts import Attempts
from controller.enforcement.diagnosis import LinkFacts, Tried
from controller.enforcement.guards import Facts, Hours, Wanted
from controller.enforcement.model import Stop
from controller.enforcement.modes import mode_of
from controller.enforcement.ports import Cabling, Works
from controller.enforcement.reach import Bound, Network, PortRef, Reach, reach_of
from controller.house import House
from controller.plan import LinkPlan
from controller.sla.verdict import causes_of
from controller.state.values import rows_of
from controller.store.protocols import NS, Arrival
from tenone.calendar.school import DayKind
from tenone.calendar.zone import CITY_ZONE, local_date
from tenone.config.enforcement import Enforcement
from tenone.config.switch_cli import SwitchCli
from tenone.vocabulary.body import PoeStatus
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import AdminStatus, Cause, OperStatus, Verdict

LESSON_AHEAD_NS = 120 * NS
"""A change that begins so shortly before a lesson might not end before it."""
REACH_NS = 2 * NS
"""What is known of cables is worked out anew after so long."""
STREAMS = ("poe", "optics")
COPPER_MOST_MBPS = 2500
"""A contract above this is not kept by the copper of classrooms: its port is taken as fibre."""


@dataclass(frozen=True, slots=True)
class _Kept:
    at_ns: int
    reach: Reach


class Surroundings:
    """See the module."""

    def __init__(self, house: House, rules: Enforcement, cabling: Cabling, works: Works) -> None:
        self._house = house
        self._rules = rules
        self._cabling = cabling
        self._works = works
        self._zone = ZoneInfo(CITY_ZONE)
        self._n = house.live.numbering
        self._inbox = house.bus.blocks(*STREAMS)
        self._newest: dict[tuple[str, str], Arrival] = {}
        """(stream, subject) -> the newest block."""
        self._reaches: dict[str, _Kept] = {}
        self._bound: dict[str, list[int]] = {}
        for number, link in enumerate(self._n.links):
            self._bound.setdefault(link.school, []).append(number)
        self._switches: dict[str, list[int]] = {}
        for number, switch in enumerate(self._n.switches):
            self._switches.setdefault(switch.school, []).append(number)
        self._clis: dict[tuple[str, str], SwitchCli] = {
            (school.id, switch.name): switch.cli
            for school in house.config.schools
            for switch in school.switches
            if switch.cli is not None
        }

    def take(self) -> None:
        """Take in what came of power over Ethernet and of optics."""
        for arrival in self._inbox.take_now():
            self._newest[arrival.layout.stream, arrival.block.stamp.subject] = arrival

    @property
    def today(self) -> date:
        """In the city's zone."""
        return local_date(self._house.clock.wall_ns(), self._zone)

    # -- places

    def link_plan(self, number: int) -> LinkPlan:
        """A link by its number."""
        return self._n.links[number]

    def number_of(self, link: str) -> int | None:
        """A link's number."""
        return self._n.link_number.get(link)

    def link_at(self, school: str, switch: str, port: str) -> int | None:
        """The link that a port carries."""
        for number in self._bound.get(school, ()):
            plan = self._n.links[number]
            if plan.switch == switch and self._house.live.port_key(number) == port:
                return number
        return None

    def scope_of(self, school: str) -> ScopePath | None:
        """A school's scope."""
        number = self._n.school_number.get(school)
        return None if number is None else self._n.scopes[number]

    def cli(self, school: str, switch: str) -> SwitchCli | None:
        """How a switch is logged in to, by school.yaml."""
        return self._clis.get((school, switch))

    def verdict(self, number: int) -> Verdict:
        """The controller's own."""
        return Verdict(int(self._house.live.links.verdict[number]))

    def evidence_ns(self, number: int) -> int:
        """Monotonic: when that was read."""
        return int(self._house.live.links.evidence_ns[number])

    def causes(self, number: int) -> tuple[Cause, ...]:
        """By priority."""
        return causes_of(int(self._house.live.links.causes[number]))

    def severity(self, number: int) -> int:
        """How grave."""
        return int(self._house.live.links.severity[number])

    # -- diagnosis

    def link_facts(
        self, number: int, port: str, tried: Tried, *, shadow: str | None, seen_open: bool
    ) -> LinkFacts:
        """What is known of a bad link; ``port`` is its port's key."""
        plan, links = self._n.links[number], self._house.live.links
        admin, oper = int(links.admin[number]), int(links.oper[number])
        return LinkFacts(
            name=plan.name,
            room=plan.room,
            switch=plan.switch or "",
            port=port,
            contract_mbps=plan.contract_mbps,
            causes=self.causes(number),
            admin=AdminStatus(admin) if admin in set(AdminStatus) else None,
            oper=OperStatus(oper) if oper in set(OperStatus) else None,
            speed_mbps=int(links.speed_mbps[number]) or None,
            fibre=self._fibre(plan, port),
            poe=self._poe(plan, port),
            board_online=self._board(plan),
            shadow=shadow,
            meant=self._meant(plan, seen_open=seen_open),
            tried=tried,
        )

    def _fibre(self, plan: LinkPlan, port: str) -> bool:
        return plan.contract_mbps > COPPER_MOST_MBPS or self._row("optics", plan, port) is not None

    def _poe(self, plan: LinkPlan, port: str) -> PoeStatus | None:
        row = self._row("poe", plan, port)
        said = None if row is None else row.get("poe_status")
        return next((status for status in PoeStatus if status == said), None)

    def _row(self, stream: str, plan: LinkPlan, port: str) -> dict[str, object] | None:
        arrival = self._newest.get((stream, f"{plan.school}/switch/{plan.switch}"))
        if arrival is None:
            return None
        for key, row in zip(arrival.layout.rows, rows_of(arrival), strict=True):
            if key == port or key.startswith(f"{port}|"):
                return row
        return None

    def _board(self, plan: LinkPlan) -> bool | None:
        boards = self._n.boards_in.get((plan.school, plan.room or ""), ())
        said = [int(self._house.live.boards.online[one]) for one in boards]
        return None if not said or min(said) < 0 else min(said) == 1

    def _meant(self, plan: LinkPlan, *, seen_open: bool) -> str | None:
        if self._works.over(plan.school, plan.id, self._house.clock.wall_ns()):
            return "planned work"
        return None if seen_open else "never seen open"

    # -- guards

    def facts(
        self,
        wanted: Wanted,
        switch: str,
        port: str,
        attempts: Attempts,
        stops: Sequence[Stop],
        *,
        tried: bool = False,
    ) -> Facts:
        """All that guards ask about, as of now."""
        school, scope = wanted.school, wanted.scope
        now_ns = self._house.clock.wall_ns()
        cli = self.cli(school, switch)
        link = self.link_at(school, switch, port) if port else None
        number = self._n.school_number[school]
        district, today = scope.parts[1], self.today
        hours, exam = self._hours(number, now_ns)
        failures = attempts.failures(district, today)
        return Facts(
            stops=stops,
            mode=mode_of(self._rules, scope, wanted.intent),
            reach=self.reach(school),
            ports={
                self._n.switches[one].name: self._house.live.ports_shown(one)
                for one in self._switches.get(school, ())
            },
            allowed=self._allowed(school),
            offered=None if cli is None else frozenset(cli.intents),
            agent_online=bool(self._house.live.agents.online[number]),
            hours=hours,
            in_class=self._rules.in_class,
            dark=self._dark(school, switch, port),
            today=today,
            exam=exam,
            exam_freeze=self._rules.exam_freeze,
            freezes=self._rules.freezes,
            works=self._works.over(
                school, None if link is None else self._n.links[link].id, now_ns
            ),
            caps=self._rules.caps,
            changes_today=attempts.changes(school, today),
            failures_today=failures[school],
            schools_failed_today=len(failures),
            under_way=attempts.under_way(district, school, now_ns),
            tried=tried,
        )

    def _hours(self, school: int, now_ns: int) -> tuple[Hours, str | None]:
        calendar = self._n.schools[school].calendar
        if calendar is None:
            return Hours.NO_CALENDAR, None
        day = calendar.day(local_date(now_ns, calendar.zone))
        exam = (day.note or "exam") if day.kind is DayKind.EXAM else None
        if day.kind is DayKind.UNKNOWN:
            return Hours.UNKNOWN, exam
        lessons = calendar.service(now_ns, now_ns + LESSON_AHEAD_NS).lessons
        return (Hours.LESSON if lessons else Hours.FREE), exam

    def _dark(self, school: str, switch: str, port: str) -> bool | None:
        number = self._n.switch_number.get((school, switch))
        oper = 0 if number is None else self._house.live.port_oper(number, port)
        return None if not oper else oper != OperStatus.UP

    def _allowed(self, school: str) -> frozenset[PortRef]:
        found: set[PortRef] = set()
        for link in self._rules.allowed_links:
            number = self._n.link_number.get(link)
            if number is not None and self._n.links[number].school == school:
                at = self._port_of(number)
                if at is not None:
                    found.add(at)
        for switch, texts in self._listed(school, "allowed"):
            found |= {PortRef(switch, text) for text in texts}
        return frozenset(found)

    def _listed(self, school: str, key: str) -> list[tuple[str, set[str]]]:
        """Ports that school.yaml lists, by their keys; one that means none stays as written."""
        found = []
        for number in self._switches.get(school, ()):
            name = self._n.switches[number].name
            cli = self.cli(school, name)
            texts: tuple[str, ...] = () if cli is None else getattr(cli, key)
            found.append(
                (name, {self._house.live.port_meant(number, text) or text for text in texts})
            )
        return found

    def _port_of(self, number: int) -> PortRef | None:
        plan = self._n.links[number]
        if plan.switch is None or plan.port is None:
            return None
        return PortRef(plan.switch, self._house.live.port_key(number) or plan.port)

    def reach(self, school: str) -> Reach:
        """Which ports of a school carry others, as known now or two seconds ago."""
        now_ns = self._house.clock.monotonic_ns()
        kept = self._reaches.get(school)
        if kept is not None and now_ns - kept.at_ns < REACH_NS:
            return kept.reach
        bound = [
            Bound(at=at, link=self._n.links[number].id, tier=self._n.links[number].tier)
            for number in self._bound.get(school, ())
            if (at := self._port_of(number)) is not None
        ]
        reach = reach_of(
            Network(
                switches=frozenset(self._n.switches[one].name for one in self._switches[school])
                if school in self._switches
                else frozenset(),
                cables=tuple(self._cabling.cables(school)),
                bound=tuple(bound),
                protected=frozenset(
                    PortRef(switch, text)
                    for switch, texts in self._listed(school, "protected")
                    for text in texts
                ),
                emergency=self._cabling.emergency(school),
            )
        )
        self._reaches[school] = _Kept(now_ns, reach)
        return reach
