"""Applies blocks to the columns and judges them. No I/O; time comes in as an argument.

Each stream has a handler of its own in a module beside this one; here is what they share: who a
block is about, where it stands in time, and the judgement.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from controller.arrays import Flags
from controller.sla.further import Parents, join
from controller.sla.verdict import Evidence, judge
from controller.state.care_streams import CareStreams, boards_connected
from controller.state.clauses import ClauseJudge, Clauses
from controller.state.columns import NO_PORT, UNSAID, Agents, Boards, Links, Ports, Switches
from controller.state.counters import Counters
from controller.state.history import SHOWN, History
from controller.state.marks import Marks
from controller.state.measures import Measures
from controller.state.numbering import SHARED, Numbering
from controller.state.parents import by_uplink
from controller.state.position import Position
from controller.state.power_streams import PowerStreams
from controller.state.probe_streams import ProbeStreams
from controller.state.switch_streams import SwitchStreams
from controller.store.protocols import NS, Arrival, LinkChange
from controller.store.records import PortFacts
from tenone.vocabulary.scope import DeviceId, IdentifierError
from tenone.vocabulary.states import Verdict

GRACE_NS = 60 * NS
"""After a start, silence is not yet news: agents first have to come back."""

Handler = Callable[[Arrival, DeviceId, Position], None]


class LiveState:
    """The columns of a city. One owner; nothing here blocks."""

    def __init__(self, numbering: Numbering, *, now_ns: int) -> None:
        """``now_ns``: monotonic, the moment the controller started."""
        n = numbering
        self.numbering = n
        self.ports = Ports()
        self.links = Links(len(n.links))
        self.switches = Switches(len(n.switches))
        self.agents = Agents(len(n.schools))
        self.boards = Boards(len(n.boards))
        self.measures = Measures(len(n.links), len(n.upses))
        self.parents: Parents = by_uplink(n)
        """Which links carry which; whoever knows the topology replaces it."""
        self.counters = Counters(self.links, self.ports, self.measures)
        self.marks = Marks()
        self._started_ns = now_ns
        self._judged_ns = now_ns
        self._history = History(n)
        self._of_switches = SwitchStreams(
            n,
            ports=self.ports,
            links=self.links,
            switches=self.switches,
            counters=self.counters,
            marks=self.marks,
        )
        self._clauses = ClauseJudge(
            [link.rules for link in n.links],
            np.array(
                [n.schools[one].counters_stale_after_seconds for one in n.link_school], np.float64
            ),
        )
        care = CareStreams(n, self.boards, self.agents, self.marks)
        power = PowerStreams(n, self.measures, self.marks)
        self.probes = ProbeStreams(n, self.measures, self.marks, self._clauses.loss_ratio)
        self._handlers: dict[str, Handler] = {
            "port-state": self._of_switches.port_state,
            "port-counters": self._of_switches.port_counters,
            "port-inventory": self._of_switches.port_inventory,
            "switch-status": self._of_switches.switch_status,
            "board-health": care.board_health,
            "agent-health": care.agent_health,
            "ups": power.ups,
            "probe-samples": self.probes.samples,
            "probe-burst": self.probes.burst,
            "dns-samples": self.probes.dns,
        }
        self._fill_links()

    def _fill_links(self) -> None:
        n, links = self.numbering, self.links
        for number, link in enumerate(n.links):
            links.contract_mbps[number] = link.contract_mbps
            links.shared[number] = link.tier in SHARED
            school = n.schools[n.link_school[number]]
            links.stale_after_seconds[number] = school.stale_after_seconds
            links.bound[number] = n.link_switch[number] >= 0 and bool(link.port)

    def restore(
        self,
        changes: Iterable[LinkChange],
        inventory: Iterable[tuple[tuple[str, str], Sequence[PortFacts]]] = (),
    ) -> None:
        """Take over what the records know from before the start."""
        self._history.restore(changes)
        for key, ports in inventory:
            self._of_switches.restore(key, ports)

    # -- agents

    def agent_born(self, school: str, version: str, *, now_ns: int) -> None:
        """NBIRTH: the agent is there."""
        number = self.numbering.school_number.get(school)
        if number is None:
            return
        self.agents.online[number] = True
        self.agents.heard_ns[number] = now_ns
        self.agents.version[number] = version or self.agents.version[number]
        self.marks.agents.add(number)
        self.marks.dirty = True

    def agent_died(self, school: str) -> None:
        """NDEATH: everything it said is stale from now on."""
        number = self.numbering.school_number.get(school)
        if number is None:
            return
        self.agents.online[number] = False
        self.marks.agents.add(number)
        self.marks.dirty = True

    def agent_heard(self, school: str, *, now_ns: int, offset_seconds: float) -> None:
        """Some message came from it; ``offset_seconds`` is our wall clock less its own."""
        number = self.numbering.school_number.get(school)
        if number is not None:
            self.agents.heard_ns[number] = now_ns
            self.agents.clock_offset_seconds[number] = offset_seconds

    # -- blocks

    def apply(self, arrival: Arrival) -> None:
        """Take a block in, unless something newer of the same kind is in already.

        Applying the same block again changes nothing.
        """
        handler = self._handlers.get(arrival.layout.stream)
        if handler is None:
            return
        try:
            subject = DeviceId.parse(arrival.block.stamp.subject)
        except IdentifierError:
            return  # kept and receipted; nothing here is about such a subject
        evidence_ns = arrival.monotonic_ns - max(arrival.age_ns, 0)
        self.marks.newest_ns = max(self.marks.newest_ns, evidence_ns)
        position = Position(arrival.block.journal_id, arrival.block.seq, evidence_ns)
        handler(arrival, subject, position)

    # -- judging

    def judge(self, *, now_ns: int, wall_ns: int) -> tuple[npt.NDArray[np.int64], list[LinkChange]]:
        """Judge every link; return those that look different now, and what to record of them."""
        links = self.links
        elapsed = max(now_ns - self._judged_ns, 0)
        links.unknown_ns[links.verdict == Verdict.UNKNOWN] += elapsed
        self._judged_ns = now_ns
        self.marks.dirty = False
        self.counters.settle()
        self.measures.board = boards_connected(self.numbering, self.boards, self.agents, now_ns)
        evidence = self._evidence(now_ns)
        of_ports = judge(evidence)
        heard = evidence.agent_heard & links.bound
        further = self._clauses.further(self.measures, now_ns)
        judged = join(of_ports, further, self.parents, heard=heard, shared=links.shared)
        verified = heard & (judged.verdict == Verdict.GOOD) & (further.loss == Verdict.GOOD)
        now = {
            "verdict": judged.verdict,
            "severity": judged.severity,
            "causes": judged.causes,
            "oper": evidence.oper,
            "admin": evidence.admin,
            "speed_mbps": evidence.speed_mbps,
            "duplex": evidence.duplex,
        }
        looks_new = (judged.stale != links.stale) | (verified != links.verified)
        links.verified = verified
        turned = (judged.verdict != links.verdict) | (links.since_ns == 0)
        looks_new |= turned
        for name in SHOWN:
            looks_new |= now[name] != getattr(links, name)
            setattr(links, name, now[name])
        links.stale = judged.stale
        self._history.date(links, turned, evidence.age_seconds, wall_ns)
        changes = self._history.changes(
            links,
            silence_counts=now_ns - self._started_ns >= GRACE_NS,
            block_of=self._of_switches.block_of,
        )
        return np.flatnonzero(looks_new), changes

    def _evidence(self, now_ns: int) -> Evidence:
        links, ports, n = self.links, self.ports, self.numbering
        port = links.port
        links.evidence_ns = ports.evidence_ns[port]
        # A link whose switch is not in the plan is not bound; its last row is then never asked.
        switch = n.link_switch
        if len(n.switches):
            has_layout = self.switches.has_layout[switch]
            reachable = self.switches.reachable[switch]
        else:
            has_layout = np.zeros(len(port), np.bool_)
            reachable = np.full(len(port), UNSAID, np.int8)
        return Evidence(
            bound=links.bound,
            seen=ports.seen[port],
            present=np.where(port == NO_PORT, ~has_layout, ports.present[port]),
            agent_heard=self._heard(now_ns),
            reachable=reachable,
            age_seconds=(now_ns - links.evidence_ns) / NS,
            stale_after_seconds=links.stale_after_seconds,
            admin=ports.admin[port],
            oper=ports.oper[port],
            speed_mbps=ports.speed_mbps[port],
            duplex=ports.duplex[port],
            contract_mbps=links.contract_mbps,
            shared=links.shared,
            virtual=links.virtual,
        )

    def _heard(self, now_ns: int) -> Flags:
        """Links whose agent speaks."""
        school = self.numbering.link_school
        silence = (now_ns - self.agents.heard_ns[school]) / NS
        heard: Flags = self.agents.online[school] & (silence <= self.links.stale_after_seconds)
        return heard

    def clauses(self, now_ns: int) -> Clauses:
        """Every link's clauses as of now (monotonic), for class-minutes.

        Nothing is known to be bad now of a link whose agent is silent, whatever its probes said
        last.
        """
        found = self._clauses.judge(self.measures, now_ns)
        heard = self._heard(now_ns) & self.links.bound
        return replace(found, bad=np.where(heard, found.bad, np.uint64(0)))

    def ports_shown(self, switch: int) -> frozenset[str]:
        """Keys of the ports a switch shows now."""
        return self._of_switches.shown(switch)

    def port_key(self, link: int) -> str | None:
        """Key of the port that carries a link; None where its switch shows no such port."""
        return self._of_switches.key_of(link)

    def port_meant(self, switch: int, text: str) -> str | None:
        """Key of the port of a switch that a text means now; None: no single one."""
        return self._of_switches.means(switch, text)

    def port_oper(self, switch: int, key: str) -> int:
        """``OperStatus`` of a port; 0 where nothing was said."""
        return self._of_switches.oper(switch, key)

    def coverage(self, number: int) -> float | None:
        """1 less the unknown share of the time since the controller started; None at first."""
        span = self._judged_ns - self._started_ns
        return None if span <= 0 else 1.0 - int(self.links.unknown_ns[number]) / span
