"""The room of incidents as the configuration wants it, with all that belongs to it."""

from zoneinfo import ZoneInfo

from controller.house import House
from controller.incidents.desk import IncidentDesk
from controller.incidents.escalation import ladder
from controller.incidents.model import Timing
from controller.incidents.notices import NoticeRecords
from controller.incidents.room import IncidentRoom
from controller.incidents.telling import Escalations, Postman
from tenone.calendar.zone import CITY_ZONE


def incident_room(house: House) -> IncidentRoom:
    """Engine, records, escalation and outbox, composed."""
    rungs = ladder(house.config.escalation)
    room = IncidentRoom(
        house,
        timing=Timing(**house.config.incidents.model_dump()),
        told=Escalations(rungs, ZoneInfo(CITY_ZONE)),
    )
    room.postman = Postman(
        rungs=rungs,
        records=NoticeRecords(house.records.engine),
        finder=IncidentDesk(room, house.in_records),
        in_records=house.in_records,
        clock=house.clock,
    )
    return room
