"""All rooms of a controller, made in the order they open, and what each is handed of the others."""

from typing import TypeVar

from controller.asking import Asking
from controller.configurations.room import ConfigurationsRoom
from controller.evidence.room import EvidenceRoom
from controller.house import House, Maker, Room
from controller.incidents.learnt import LearntParents
from controller.incidents.make import incident_room
from controller.incidents.parents import PlanParents
from controller.incidents.repairs import repairs_of
from controller.incidents.room import IncidentRoom
from controller.ingest.link import HostLink
from controller.minutes.room import MinutesRoom
from controller.proofs import ProofsRoom
from controller.repairs import repairs_room
from controller.topology.room import TopologyRoom
from controller.trust.approvals import ApprovalsRoom
from controller.trust.brokers import broker_room
from controller.trust.keys.room import KeyRoom
from controller.trust.machine_room import MachineRoom
from controller.trust.people.room import PeopleRoom
from controller.trust.vault_room import VaultRoom

R = TypeVar("R", bound=Room)

ROOMS: tuple[Maker, ...] = (
    ProofsRoom, MinutesRoom, EvidenceRoom, MachineRoom, ApprovalsRoom, PeopleRoom, KeyRoom,
    ConfigurationsRoom, VaultRoom,
)  # fmt: skip
"""The rooms beside ingest and live state that feed no other, in the order they open."""


def joined_rooms(house: House) -> list[Room]:
    """Rooms that feed each other: incidents are shadowed by what topology learns."""
    parents = LearntParents(PlanParents(house.plan))
    topology = TopologyRoom(house)
    topology.listen(parents.learn)
    return [topology, incident_room(house, parents)]


def all_rooms(house: House, asking: Asking, link: HostLink) -> list[Room]:
    """Made and joined, not open yet."""
    rooms = [*(make(house) for make in ROOMS), *joined_rooms(house)]
    rooms.append(broker_room(house, rooms, link))

    def one(kind: type[R]) -> R:
        return next(room for room in rooms if isinstance(room, kind))

    incidents, approvals = one(IncidentRoom), one(ApprovalsRoom)
    evidence, configurations = one(EvidenceRoom), one(ConfigurationsRoom)
    evidence.works = incidents.maintenance
    evidence.repairs = repairs_of(incidents.records)
    one(MinutesRoom).works = incidents.windows.approved
    configurations.agents = asking
    incidents.more = (configurations.facts,)
    one(MachineRoom).approval_keys = lambda: approvals.signer.keys.text
    topology = one(TopologyRoom)
    rooms.append(
        repairs_room(
            house, approvals=approvals, incidents=incidents, topology=topology, asking=asking
        )
    )
    return rooms
