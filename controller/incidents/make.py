"""The room of incidents as the configuration wants it, with all that belongs to it."""

from functools import cache
from zoneinfo import ZoneInfo

from controller.house import House
from controller.incidents.desk import IncidentDesk
from controller.incidents.duty import DutyRecords
from controller.incidents.errors import ErrorBook
from controller.incidents.escalation import ladder
from controller.incidents.hours import CalendarOf, Hours
from controller.incidents.model import Timing
from controller.incidents.notices import NoticeRecords, Sender, bare
from controller.incidents.office import Office
from controller.incidents.parents import Parents
from controller.incidents.post import Postman
from controller.incidents.room import IncidentRoom
from controller.incidents.telling import Escalations
from controller.incidents.tickets import TicketRecords
from controller.trust.outward import Outward
from tenone.calendar.school import SchoolCalendar
from tenone.calendar.zone import CITY_ZONE
from tenone.config.city import City
from tenone.vocabulary.scope import ScopePath


def office(house: House) -> Office:
    """Duty register and tickets."""
    plan = house.plan
    city = ScopePath.parse(plan.id)
    scopes: dict[ScopePath, int | None] = {city: None}
    scopes |= {city.child(district.id): None for district in plan.districts}
    schools = house.config.school_by_id
    scopes |= {plan.scope_of(one): schools[one.id].school.students for one in plan.schools}
    return Office(
        DutyRecords(house.records.engine),
        TicketRecords(house.records.engine),
        in_records=house.in_records,
        scopes=scopes,
    )


def _calendars(config: City) -> CalendarOf:
    """Each school's own calendar, looked up once."""
    schools = config.school_by_id

    @cache
    def calendar_of(school: str) -> SchoolCalendar | None:
        known = schools.get(school)
        return None if known is None else config.calendar_of(known)

    return calendar_of


def incident_room(house: House, parents: Parents | None = None) -> IncidentRoom:
    """Engine, records, escalation and outbox, composed; without ``parents``, the plan's."""
    rungs = ladder(house.config.escalation)
    room = IncidentRoom(
        house,
        timing=Timing(**house.config.incidents.model_dump()),
        parents=parents,
        told=Escalations(rungs, ZoneInfo(CITY_ZONE)),
        errors=ErrorBook(house.plan),
        hours=Hours(_calendars(house.config)),
    )
    room.postman = Postman(
        rungs=rungs,
        records=NoticeRecords(house.records.engine),
        finder=IncidentDesk(room, house.in_records),
        in_records=house.in_records,
        clock=house.clock,
        sender=Sender(bare, outward=Outward(house.config.trust.outward_allow)),
    )
    return room
