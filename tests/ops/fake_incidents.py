"""Incidents of the small city in memory, every kind that a screen must show."""

from collections.abc import Sequence
from dataclasses import replace

from controller.incidents.acts import ActError, StaleError
from controller.incidents.maintenance import Window
from controller.incidents.model import Act, Event, Figure, Kind, State
from controller.incidents.notices import DestinationView
from controller.incidents.repairs import LevelTimes
from controller.incidents.views import Harmed, IncidentView
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity
from tests.api.fake_city import EVIL

NS = 1_000_000_000


def view(now: float, **values: object) -> IncidentView:
    """A slow class of no3, or what ``values`` make of it."""
    made = IncidentView(
        id="no3-000000000001",
        school="no3",
        school_name="第三小学",
        school_name_zh=None,
        scope=ScopePath.parse("binhai/east/no3"),
        kind=Kind.LINK,
        name="3年2班",
        link="no3/c-3-2",
        tier="class",
        cause=Cause.SPEED,
        severity=Severity.WARNING,
        state=State.OPEN,
        began=now - 600,
        opened=now - 590,
        alarmed=now - 590,
        clearing=None,
        resolved=None,
        resolved_by="",
        count=1,
        owner=None,
        shadowed=(),
        maintenance=None,
        acknowledged=None,
        acknowledged_by="",
        assignee="",
        ticket="",
        level=0,
        figures={"speed_mbps": 100, "contract_mbps": 1000, "errors": 41},
        proofs=("ab" * 32,),
        harmed=Harmed(links=1, classes=1, named=("3年2班",), lessons=2),
        version=1,
    )
    return replace(made, **values)  # type: ignore[arg-type]  # fields by name


def several(now: float) -> list[IncidentView]:
    """Worst first, as the room hands them over."""
    west = ScopePath.parse("binhai/west/no5")
    return [
        view(
            now,
            id="no5-000000000002",
            school="no5",
            school_name="第五小学",
            scope=west,
            name="Uplink",
            link="no5/uplink",
            tier="uplink",
            cause=Cause.LINK_DOWN,
            severity=Severity.CRITICAL,
            shadowed=("no5/link/c-1-1", "no5/switch/acc-3"),
            harmed=Harmed(links=19, classes=18, named=("1年1班", "1年2班")),
            figures={"contract_mbps": 10_000},
        ),
        view(
            now,
            id="no6-000000000003",
            school="no6",
            school_name="第六中学",
            scope=ScopePath.parse("binhai/west/no6"),
            kind=Kind.AGENT,
            name="",
            link=None,
            tier=None,
            cause=Cause.AGENT_SILENT,
            severity=Severity.CRITICAL,
            proofs=(),
            figures={},
            harmed=Harmed(links=19, classes=18, named=("1年1班",)),
        ),
        view(now, count=3),
        view(
            now,
            id="no3-000000000004",
            name="3年4班",
            acknowledged=now - 60,
            acknowledged_by="王伟 (operator 12ab34cd)",
            assignee="李明",
            ticket="T-17",
            figures={"speed_mbps": 100, "contract_mbps": 1000},
        ),
        view(
            now,
            id="evil-000000000005",
            school="evil",
            school_name=EVIL,
            scope=ScopePath.parse("binhai/north/evil"),
            name=EVIL,
            link="evil/c-1-1",
            maintenance="m-1",
            alarmed=None,
            cause=Cause.CONFIGURATION,
        ),
    ]


class FakeIncidents:
    """See :class:`controller.api.incident_services.Incidents`."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.open = several(now)
        self.over = [
            view(now, id="no3-000000000009", state=State.RESOLVED, resolved=now - 30, name="1年1班")
        ]
        self.acted: list[tuple[str, Act, str, int | None, str]] = []

    def views(self, scope: ScopePath) -> Sequence[IncidentView]:
        return [one for one in self.open if scope.covers(one.scope)]

    def count(self, scope: ScopePath) -> int:
        return len(self.views(scope))

    async def past(self, scope: ScopePath) -> Sequence[IncidentView]:
        return [one for one in self.over if scope.covers(one.scope)]

    async def find(self, incident: str) -> IncidentView | None:
        return next((one for one in (*self.open, *self.over) if one.id == incident), None)

    async def timeline(self, incident: str) -> Sequence[Event]:
        def event(ago: float, act: Act, who: str = "", **fields: Figure) -> Event:
            at_ns = round((self.now - ago) * NS)
            return Event(incident=incident, at_ns=at_ns, act=act, who=who, fields=fields)

        return [
            event(590, Act.OPENED, cause="speed", severity="warning"),
            event(590, Act.ALARMED, severity="warning"),
            event(590, Act.ESCALATED, level="school", severity="warning"),
            event(300, Act.CLEARING),
            event(280, Act.RETURNED, count=2),
            event(60, Act.COMMENTED, "王伟 (operator 12ab34cd)", text=f"new cord {EVIL}"),
            event(50, Act.ASSIGNED, "王伟 (operator 12ab34cd)", assignee="李明"),
        ]

    async def act(
        self, incident: str, act: Act, *, who: str, version: int | None, text: str, level: int
    ) -> IncidentView:
        found = await self.find(incident)
        assert found is not None
        assert level >= 0
        if version is not None and version != found.version:
            raise StaleError("Somebody changed this incident.")
        self.acted.append((incident, act, who, version, text))
        return found

    def destinations(self) -> Sequence[DestinationView]:
        return ()

    async def times(self, _scope: ScopePath, _days: int) -> Sequence[LevelTimes]:
        return ()

    def windows(self, _scope: ScopePath) -> Sequence[Window]:
        return ()

    async def add_window(self, window: Window) -> Window:
        raise ActError(window.id)

    async def end_window(self, window: str, *, who: str) -> Window:
        raise LookupError(window, who)
