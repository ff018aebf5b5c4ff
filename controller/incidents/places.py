"""Names of what incidents are about, and whom each hurts."""

from collections.abc import Callable

from controller.incidents.hours import Hours
from controller.incidents.model import Incident, Kind, Subject
from controller.incidents.parents import Parents
from controller.incidents.views import Harmed, IncidentView, view_of
from controller.plan import CityPlan
from tenone.vocabulary.scope import DeviceKind, ScopePath
from tenone.vocabulary.states import Tier

MOST_NAMED = 6


class Places:
    """What the plan calls things."""

    def __init__(
        self,
        plan: CityPlan,
        parents: Parents,
        *,
        hours: Hours | None = None,
        now_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        self.hours = hours or Hours()
        self._now_ns = now_ns
        self._schools = {school.id: school for school in plan.schools}
        self._scopes = {school.id: plan.scope_of(school) for school in plan.schools}
        self._links = {link.id: link for link in plan.links}
        self._switches = {(switch.school, switch.name) for switch in plan.switches}
        self._upses = {
            (one.school, one.serial) for one in plan.devices if one.kind == DeviceKind.UPS
        }
        self._city = ScopePath.parse(plan.id)
        self._parents = parents

    def knows(self, subject: Subject) -> bool:
        """Whether the configuration still has it."""
        match subject.kind:
            case Kind.LINK:
                return subject.link_id in self._links
            case Kind.SWITCH | Kind.CONFIGURATION:
                return (subject.school, subject.name) in self._switches
            case Kind.AGENT:
                return subject.school in self._schools
            case Kind.POWER:
                return (subject.school, subject.name) in self._upses

    def scope(self, school: str) -> ScopePath:
        """Where a school lies; of one that is gone, the city."""
        return self._scopes.get(school, self._city)

    def district(self, school: str) -> str:
        """The district's slug; empty for a school that is gone."""
        known = self._schools.get(school)
        return "" if known is None else known.district

    def schools_in(self, scope: ScopePath) -> list[str]:
        """Ids of the schools inside ``scope``."""
        return [school for school, where in self._scopes.items() if scope.covers(where)]

    def contract_mbps(self, link_id: str) -> int | None:
        """What was promised."""
        link = self._links.get(link_id)
        return None if link is None else link.contract_mbps

    def harmed(self, incident: Incident) -> Harmed:
        """Every link behind it; a link alone hurts itself."""
        subject = incident.subject
        ids = self._parents.behind(subject)
        end_ns = incident.resolved_ns or self._now_ns()
        links = [self._links[one] for one in ids if one in self._links]
        classes = [link for link in links if link.tier is Tier.CLASS]
        return Harmed(
            links=len(links),
            classes=len(classes),
            named=tuple(link.name for link in classes[:MOST_NAMED]),
            lessons=self.hours.lessons(subject.school, incident.began_ns, end_ns),
        )

    def view(self, incident: Incident) -> IncidentView:
        """An incident with the names of its place."""
        subject = incident.subject
        school = self._schools.get(subject.school)
        link = self._links.get(subject.link_id or "")
        name = subject.name if link is None else link.name
        return view_of(
            incident,
            scope=self.scope(subject.school),
            names=(subject.school, None) if school is None else (school.name, school.name_zh),
            name="" if subject.kind is Kind.AGENT else name,
            tier=None if link is None else link.tier.value,
            harmed=self.harmed(incident),
        )
