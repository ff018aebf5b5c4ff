"""The room of repairs with what it asks of other rooms: incidents, topology, actions, agents."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from controller.asking import Asking
from controller.enforcement.attempts import Attempt
from controller.enforcement.guards import Work
from controller.enforcement.reach import Cable, PortRef
from controller.enforcement.room import EnforcementRoom
from controller.enforcement.workshop import SwitchWorkshop
from controller.house import House
from controller.incidents import acts
from controller.incidents.mending import Repair
from controller.incidents.model import Act, Kind, Subject
from controller.incidents.room import IncidentRoom
from controller.store.protocols import NS
from controller.topology.room import TopologyRoom
from controller.topology.views import far_port
from controller.trust.approval_post import ApprovalPost
from controller.trust.approvals import ApprovalsRoom
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.scope import DeviceKind

WHO = "system"
ACCOUNT = "account:"
EMERGENCY = frozenset({DeviceKind.BASE})
"""What hears calls for help: the base stations of cards and wristbands."""
SHADOWS = {Kind.POWER: "power", Kind.SWITCH: "its switch does not answer"}
OTHER_SHADOW = "trouble above it"
LONGEST_NS = {Intent.CYCLE_POE: 210 * NS}
"""How long an action at a switch takes at the most, its hold apart: login, lines, proof, the way
back, a cable test. What takes longer is not expected to end, and hides nothing any more."""
OTHERS_LONGEST_NS = 120 * NS
NEGOTIATION_NS = 5 * NS
"""What a port takes to come up once it was told to (two to four seconds)."""


class IncidentTimeline:
    """See :class:`controller.enforcement.ports.Timeline`."""

    def __init__(self, house: House, incidents: IncidentRoom) -> None:
        self._house = house
        self._room = incidents

    def incident_of(self, link: str) -> str | None:
        """See the protocol."""
        case = self._room.engine.cases.get(Subject.link(link))
        found = None if case is None else self._room.engine.incidents.get(case.incident or "")
        return found.id if found is not None and found.is_open else None

    def shadow(self, link: str) -> str | None:
        """See the protocol."""
        case = self._room.engine.cases.get(Subject.link(link))
        if case is None or case.owner is None:
            return None
        return SHADOWS.get(case.owner.kind, OTHER_SHADOW)

    async def said(self, incident: str) -> set[str]:
        """See the protocol."""
        events = await self._house.in_records(self._room.records.timeline, incident)
        return {
            str(event.fields.get("text"))
            for event in events
            if event.act is Act.COMMENTED and event.who == WHO
        }

    async def say(self, incident: str, en: str, zh: str) -> None:
        """See the protocol. What cannot be written now, the room of incidents keeps for later."""
        found = self._room.engine.incidents.get(incident)
        if found is None:
            return
        now_ns = self._room.wall.now_ns()
        event = acts.comment(found, who=WHO, at_ns=now_ns, text=en, text_zh=zh)
        self._room.note(found, event)
        await self._room.keep()
        self._room.publish(found)


class PlannedWorks:
    """See :class:`controller.enforcement.ports.Works`."""

    def __init__(self, incidents: IncidentRoom) -> None:
        self._room = incidents

    def over(self, school: str, link: str | None, at_ns: int) -> Sequence[Work]:
        """See the protocol."""
        subject = Subject.agent(school) if link is None else Subject.link(link)
        scope = self._room.places.scope(school)
        return [
            Work(
                reason=window.reason,
                by=_account(window.asked_by),
                who=", ".join(dict.fromkeys(map(_name, (window.asked_by, window.approved_by)))),
            )
            for window in self._room.windows.all()
            if window.holds(at_ns) and window.covers(subject, scope)
        ]


def _account(said: str) -> str:
    """Of ``Li (account:li)`` the account, which the session wrote; what people typed is none."""
    actor = said.removesuffix(")").rpartition(" (")[2]
    return actor if actor.startswith(ACCOUNT) and actor != said else ""


def _name(said: str) -> str:
    return said.rpartition(" (")[0] or said


class LearntCabling:
    """See :class:`controller.enforcement.ports.Cabling`."""

    def __init__(self, topology: TopologyRoom) -> None:
        self._topology = topology

    def cables(self, school: str) -> Sequence[Cable]:
        """See the protocol."""
        net = self._topology.nets[school]
        found = []
        for edge in net.edges.values():
            heard = edge.heard
            far = net.directory.switch_of(heard)
            device = None if far else net.directory.device_of(heard)
            found.append(
                Cable(
                    near=PortRef(heard.switch, heard.port),
                    far=far,
                    far_port=None if far is None else far_port(net, far, heard.remote_port),
                    network=heard.is_network and device is None,
                    words=heard.words,
                )
            )
        return found

    def emergency(self, school: str) -> Mapping[PortRef, str]:
        """See the protocol."""
        net = self._topology.nets[school]
        found: dict[PortRef, str] = {}
        for edge in net.edges.values():
            device = net.directory.device_of(edge.heard)
            if device is not None and device.split("/")[1] in EMERGENCY:
                found[PortRef(edge.heard.switch, edge.heard.port)] = device
        return found


class UnderWay:
    """What actions touch, for the room of incidents: :data:`controller.incidents.room.Repairs`."""

    def __init__(
        self, house: House, attempts: Callable[[], Sequence[Attempt]], cabling: LearntCabling
    ) -> None:
        """``attempts``: those of today and all that have not ended."""
        self._house = house
        self._n = house.live.numbering
        self._attempts = attempts
        self._cabling = cabling
        self._hold_ns = round(house.config.enforcement.hold_seconds * NS)

    def __call__(self) -> Iterator[Repair]:
        """Those under way, and those that ended too shortly ago for the port to be seen again."""
        now_ns = self._house.clock.wall_ns()
        for one in self._attempts():
            number = self._n.school_number.get(one.school)
            if number is None:
                continue
            settle_ns = NEGOTIATION_NS + round(self._n.schools[number].stale_after_seconds * NS)
            if one.ended_ns is not None:
                if now_ns - one.ended_ns > 2 * settle_ns:
                    continue
                if self._seen_ns(one, now_ns) >= one.ended_ns + NEGOTIATION_NS:
                    settle_ns = NEGOTIATION_NS
            yield Repair(
                action=one.action,
                intent=one.intent.value,
                touched=frozenset(self._touched(one)),
                begun_ns=one.begun_ns,
                ended_ns=one.ended_ns,
                longest_ns=LONGEST_NS.get(one.intent, OTHERS_LONGEST_NS) + self._hold_ns,
                settle_ns=settle_ns,
                cable=one.cable,
            )

    def _seen_ns(self, one: Attempt, now_ns: int) -> int:
        """When its link was last read, wall clock."""
        number = self._n.link_number.get(one.link or "")
        if number is None:
            return 0
        read_ns = int(self._house.live.links.evidence_ns[number])
        return now_ns - (self._house.clock.monotonic_ns() - read_ns)

    def _touched(self, one: Attempt) -> Iterator[Subject]:
        """The link of the port, and a switch that hangs on it; or the switch with all its links."""
        if not one.port:
            yield Subject(one.school, Kind.SWITCH, one.switch)
            for link in self._n.links:
                if (link.school, link.switch) == (one.school, one.switch):
                    yield Subject.link(link.id)
            return
        if one.link is not None:
            yield Subject.link(one.link)
        port = PortRef(one.switch, one.port)
        for cable in self._cabling.cables(one.school):
            if cable.far is not None and cable.near == port:
                yield Subject(one.school, Kind.SWITCH, cable.far)


def repairs_room(
    house: House,
    *,
    approvals: ApprovalsRoom,
    incidents: IncidentRoom,
    topology: TopologyRoom,
    asking: Asking,
) -> EnforcementRoom:
    """The room, joined to the others: it plans, holds back and follows what the actions do."""
    cabling = LearntCabling(topology)
    room = EnforcementRoom(
        house,
        approvals=approvals,
        timeline=IncidentTimeline(house, incidents),
        cabling=cabling,
        works=PlannedWorks(incidents),
    )
    approvals.workshop = SwitchWorkshop(asking, lambda: ApprovalPost(asking, approvals.signer))
    approvals.watch = room.gate
    incidents.repairs = UnderWay(
        house, lambda: list(room.gate.attempts.by_action.values()), cabling
    )
    return room
