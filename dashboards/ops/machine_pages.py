"""What the pages of machines show: every school's gateway and every device, found and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.api.access import SCHOOL_DEPTH, may, reach_of
from controller.api.services import Services
from controller.api.sessions import Session
from controller.store.protocols import NS
from controller.trust.machine_standing import Cut, CutState, Refusal, Word, late
from controller.trust.registry import Machine
from dashboards.ops.keeping_phrases import STATES
from dashboards.ops.language import Language
from dashboards.ops.words import natural
from tenone.trust.names import MachineKind, MachineName
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import IdentifierError, ScopePath

ROWS = 50
_ORDER = {state: place for place, state in enumerate(STATES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One machine, or a school that was never invited."""

    id: str
    kind: MachineKind
    school: str
    """As people call it; the name of what belongs to no school."""
    district: str
    """As people call it; empty where it belongs to none."""
    scope: ScopePath
    state: str
    machine: Machine | None
    cut: Cut | None = None

    @property
    def until(self) -> int | None:
        """When its newest certificate ends, or ended."""
        newest = None if self.machine is None else self.machine.newest
        return None if newest is None else newest.not_after

    @property
    def renewed(self) -> float | None:
        """When it renewed itself last; None: never since it was enrolled."""
        one = self.machine
        if one is None or one.newest is None or one.newest.issued_ns == one.enrolled_ns:
            return None
        return one.newest.issued_ns / NS

    @property
    def enrolled(self) -> float | None:
        """When it was enrolled last."""
        one = self.machine
        return None if one is None or one.enrolled_ns is None else one.enrolled_ns / NS

    @property
    def stands(self) -> int:
        """Changes with every enrolment and revocation, not with renewals: what a form is about."""
        one = self.machine
        return 0 if one is None else max(one.enrolled_ns or 0, one.revoked_ns or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFilter:
    """What the list is narrowed to."""

    state: str = ""
    district: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "MachineFilter":
        """From an address; what is not understood filters nothing."""
        state, page = query.get("state", ""), query.get("page", "")
        return cls(
            state=state if state in STATES else "",
            district=query.get("district", "")[:32],
            text=query.get("q", "").strip()[:64],
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1,  # noqa: PLR2004 - digits
        )

    def keeps(self, row: Row, names: str) -> bool:
        """Whether the list shows it; ``names``: all that people may type to find it."""
        district = row.scope.parts[1:2]
        return (not self.district or district == (self.district,)) and (
            not self.text or self.text.casefold() in names
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesPage:
    """The list, one page of it."""

    rows: Sequence[Row]
    found: int
    pages: int
    counts: Mapping[str, int]
    """By state, of all that is kept, or of what is searched for."""
    all_counts: dict[str, int]
    districts: Sequence[tuple[str, str]]
    filter: MachineFilter


class Places:
    """Schools and districts by their names, as far as somebody keeps their machines."""

    def __init__(self, services: Services, session: Session, language: Language) -> None:
        self._city = services.city
        self.reach = reach_of(session, Permission.KEEP_MACHINES)
        districts = services.city.districts(ScopePath())
        self.districts = {
            view.scope.parts[1]: (language.name_of(view), f"{view.name} {view.name_zh or ''}")
            for view in districts
            if len(view.scope.parts) > 1
        }
        self.schools: dict[str, tuple[ScopePath, str, str]] = {
            view.id: (view.scope, language.name_of(view), f"{view.name} {view.name_zh or ''}")
            for scope in self.reach
            for view in services.city.school_names(scope)
        }

    def row(self, services: Services, machine: Machine, now: float) -> Row:
        """A machine with the names of where it is."""
        name = machine.parsed
        state = "late" if late(machine, now) else machine.state(now).value
        return Row(
            id=machine.name,
            kind=name.kind,
            school=self._school(name),
            district=self._district(machine.scope),
            scope=machine.scope,
            state=state,
            machine=machine,
            cut=services.machine_sessions.cut_of(machine),
        )

    def absent(self, school: str) -> Row:
        """A school that has no gateway yet."""
        scope, called, _ = self.schools[school]
        return Row(
            id=f"agent:{school}",
            kind=MachineKind.AGENT,
            school=called,
            district=self._district(scope),
            scope=scope,
            state="absent",
            machine=None,
        )

    def typed(self, row: Row) -> str:
        """All that people may type to find a row, in both languages."""
        school = row.id.partition(":")[2].partition("/")[0]
        known = self.schools.get(school)
        district = self.districts.get(row.scope.parts[1], ("", "")) if row.scope.parts[1:] else ()
        return " ".join([row.id, known[2] if known else "", *district]).casefold()

    def _school(self, name: MachineName) -> str:
        known = self.schools.get(name.path[0]) if name.school is not None else None
        return name.path[0] if known is None else known[1]

    def _district(self, scope: ScopePath) -> str:
        if len(scope.parts) < SCHOOL_DEPTH:
            return ""
        return self.districts.get(scope.parts[1], (scope.parts[1], ""))[0]


def all_rows(services: Services, places: Places, now: float) -> list[Row]:
    """Everything that is kept, what asks for somebody first."""
    rows = [
        places.row(services, one, now)
        for one in services.machines.machines()
        if any(scope.covers(one.scope) for scope in places.reach)
    ]
    present = {row.id for row in rows}
    rows += [places.absent(school) for school in places.schools if f"agent:{school}" not in present]
    return sorted(
        rows, key=lambda row: (_ORDER[row.state], row.district, natural(row.school), row.id)
    )


def machines_page(
    services: Services, session: Session, language: Language, chosen: MachineFilter
) -> MachinesPage:
    """Gather the list."""
    places = Places(services, session, language)
    every = all_rows(services, places, services.now())
    kept = [row for row in every if chosen.keeps(row, places.typed(row))]
    shown = [row for row in kept if not chosen.state or row.state == chosen.state]
    pages = max(1, -(-len(shown) // ROWS))
    page = min(chosen.page, pages)
    return MachinesPage(
        rows=shown[(page - 1) * ROWS : page * ROWS],
        found=len(shown),
        pages=pages,
        counts=counted(kept),
        all_counts=counted(every),
        districts=[
            (slug, names[0])
            for slug, names in places.districts.items()
            if any(row.scope.parts[1:2] == (slug,) for row in every)
        ],
        filter=MachineFilter(
            state=chosen.state, district=chosen.district, text=chosen.text, page=page
        ),
    )


def counted(rows: Sequence[Row]) -> dict[str, int]:
    """How many stand how."""
    counts = dict.fromkeys(STATES, 0)
    for row in rows:
        counts[row.state] += 1
    return counts


def uncut(rows: Sequence[Row]) -> int:
    """Revoked gateways whose session is not known to be over."""
    doubtful = {CutState.WAITING, CutState.UNKNOWN}
    return sum(row.cut is not None and row.cut.state in doubtful for row in rows)


def one_row(
    services: Services, session: Session, language: Language, name: str, now: float
) -> Row | None:
    """One machine, or a school's gateway that was never invited; None: not there, or not theirs."""
    found = next((one for one in services.machines.machines() if one.name == name), None)
    try:
        parsed = MachineName.parse(name)
    except IdentifierError:
        return None
    if found is not None:
        if not may(session, Permission.KEEP_MACHINES, found.scope):
            return None
        return Places(services, session, language).row(services, found, now)
    scope = services.city.scope_of_school(parsed.path[0])
    is_gateway = parsed.kind is MachineKind.AGENT and scope is not None
    if not is_gateway or scope is None or not may(session, Permission.KEEP_MACHINES, scope):
        return None
    return Places(services, session, language).absent(parsed.path[0])


def why_late(services: Services, row: Row) -> tuple[Word | None, list[Refusal]]:
    """What the gateway itself says, and renewals of it that were refused lately."""
    if row.machine is None or row.state not in {"late", "expired"}:
        return None, []
    refusals = [
        one for one in services.machines.standing().refusals if one.machine == row.machine.name
    ]
    return services.machines.word(row.machine), refusals
