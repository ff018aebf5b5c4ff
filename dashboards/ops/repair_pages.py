"""What the pages of repairs show: actions sorted by where they stand, proposals, stops, rights."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from controller.api.access import SCHOOL_DEPTH, may, reach_of, visible
from controller.api.routers.enforcement import MAY_RESUME, MAY_STOP, MAY_TRY, may_any, proposals_in
from controller.api.services import Services
from controller.api.sessions import Session
from controller.enforcement.model import Course, Proposal, Stop
from controller.incidents.views import IncidentView
from controller.trust.approval_model import FINAL, Action, ActionState
from controller.views import LinkView
from dashboards.ops.language import Language
from dashboards.ops.pages import DISTRICT_DEPTH, name_of
from tenone.vocabulary.intents import MEANINGS, Intent, Mode
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

RECENT = 10
MOST_WAITING = 50
MOST_PROPOSALS = 100
LINK_INTENTS = tuple(intent for intent in Intent if "port" in MEANINGS[intent].parameters)
"""What may be tried from the page of a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One action with what the caller may do about it."""

    action: Action
    course: Course | None
    school: str
    link: str
    """Name of the link, or empty."""
    may_approve: bool = False
    may_refuse: bool = False
    may_withdraw: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProposal:
    """What would help one link."""

    proposal: Proposal
    school: str
    link: str
    may_try: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStop:
    """A red stop that stands."""

    stop: Stop
    place: str
    may_resume: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairsPage:
    """All of it."""

    waiting: Sequence[Shown]
    under_way: Sequence[Shown]
    recent: Sequence[Shown]
    proposals: Sequence[ShownProposal]
    proposed: int
    stops: Sequence[ShownStop]
    stopped: str
    """The place this page shows, where a stop covers all of it."""
    may_stop: Sequence[tuple[str, str]]
    """Scopes and names of what the caller may stop from here."""
    modes: Sequence[tuple[Intent, Mode]]
    changes_today: int
    failures_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRepairs:
    """What the page of a link says of repairs."""

    proposal: Proposal | None
    may_try: bool
    intents: Sequence[Intent] = LINK_INTENTS


async def repairs_page(
    services: Services, session: Session, where: Sequence[ScopePath], language: Language
) -> RepairsPage:
    """Gather the page of some scopes."""
    teller = _Teller(services, session, language)
    actions = await services.approvals.newest(where)
    waiting = [one for one in actions if one.state is ActionState.WAITING]
    busy = [one for one in actions if one.state in {ActionState.GRANTED, ActionState.STARTED}]
    over = [one for one in actions if one.state in FINAL]
    over.sort(key=lambda one: -one.changed_ns)
    proposals = proposals_in(services, tuple(where))
    standings = [services.enforcement.standing(scope) for scope in where]
    stops = {str(stop.scope): stop for standing in standings for stop in standing.stops}
    stopped = [scope for scope in where if _covered(services, scope, stops.values())]
    return RepairsPage(
        waiting=[
            await teller.shown(one)
            for one in sorted(waiting, key=lambda one: one.ends_ns)[:MOST_WAITING]
        ],
        under_way=[await teller.shown(one) for one in busy],
        recent=[await teller.shown(one) for one in over[:RECENT]],
        proposals=[teller.proposal(one) for one in proposals[:MOST_PROPOSALS]],
        proposed=len(proposals),
        stops=[teller.stop(one) for _, one in sorted(stops.items())],
        stopped=teller.place(stopped[0]) if len(stopped) == len(where) else "",
        may_stop=[(str(scope), teller.place(scope)) for scope in stoppable(session, where)],
        modes=sorted(standings[0].modes.items(), key=lambda one: list(Intent).index(one[0]))
        if len(standings) == 1
        else (),
        changes_today=sum(one.changes_today for one in standings),
        failures_today=sum(one.failures_today for one in standings),
    )


def _covered(services: Services, scope: ScopePath, stops: Collection[Stop]) -> bool:
    """Whether nothing is begun anywhere in ``scope``."""
    if any(stop.scope.covers(scope) for stop in stops):
        return True
    inside = services.city.districts(scope) if len(scope.parts) < DISTRICT_DEPTH else ()
    return bool(inside) and all(
        any(stop.scope.covers(one.scope) for stop in stops) for one in inside
    )


def stoppable(session: Session, where: Sequence[ScopePath]) -> list[ScopePath]:
    """What of these scopes, or inside them, the caller may stop."""
    found: list[ScopePath] = []
    for scope in where:
        if may_any(session, MAY_STOP, scope):
            found.append(scope)
            continue
        reached = {one for right in MAY_STOP for one in reach_of(session, right)}
        found += sorted(
            one
            for one in reached
            if scope.covers(one) and len(one.parts) <= SCHOOL_DEPTH and visible(session, one)
        )
    return found


async def shown_one(
    services: Services, session: Session, action: Action, language: Language
) -> Shown:
    """One action."""
    return await _Teller(services, session, language).shown(action)


async def of_incident(
    services: Services, session: Session, view: IncidentView, language: Language
) -> tuple[list[Shown], list[ShownProposal]]:
    """What was done about an incident, newest first, and what would help."""
    teller = _Teller(services, session, language)
    scope = ScopePath(view.scope.parts[:SCHOOL_DEPTH])
    proposals = [one for one in services.enforcement.proposals(scope) if one.incident == view.id]
    named = {one.action for one in proposals}
    actions = [
        one
        for one in await services.approvals.newest((scope,))
        if one.id in named or one.parameters.get("incident") == view.id
    ]
    actions.sort(key=lambda one: -one.made_ns)
    return (
        [await teller.shown(one) for one in actions[:RECENT]],
        [teller.proposal(one) for one in proposals],
    )


def of_link(services: Services, session: Session, scope: ScopePath, link: LinkView) -> LinkRepairs:
    """What would help a link, and whether the caller may try something."""
    school = ScopePath(scope.parts[:SCHOOL_DEPTH])
    proposals = (one for one in services.enforcement.proposals(school) if one.link == link.id)
    return LinkRepairs(
        proposal=next(proposals, None),
        may_try=link.binding is not None and may_any(session, MAY_TRY, scope),
    )


def stopped_of(services: Services, session: Session | None) -> int | None:
    """How many red stops stand where the caller may press one; None: no business of theirs."""
    if session is None:
        return None
    reached = {one for right in MAY_STOP for one in reach_of(session, right)}
    if not reached:
        return None
    stops = {stop for scope in reached for stop in services.enforcement.standing(scope).stops}
    return len(stops)


class _Teller:
    """Puts names and rights to what is shown."""

    def __init__(self, services: Services, session: Session, language: Language) -> None:
        self._services = services
        self._session = session
        self._language = language
        self._account = services.account_of(session.actor)

    async def shown(self, action: Action) -> Shown:
        """An action as the caller meets it."""
        waits = action.state is ActionState.WAITING
        own = self._account is not None and action.requester == self._account
        voiced = any(voice.account == self._account for voice in action.voices)
        decides = waits and may(self._session, Permission.APPROVE_ACTIONS, action.scope)
        known = self._account is not None
        return Shown(
            action=action,
            course=None if waits else await self._services.enforcement.course(action.id),
            school=self.place(action.scope),
            link=self._link(action.parameters.get("link", "")),
            may_approve=decides and known and not own and not voiced,
            may_refuse=decides and known,
            may_withdraw=waits
            and own
            and may(self._session, Permission.REQUEST_ACTIONS, action.scope),
            own=own,
        )

    def proposal(self, one: Proposal) -> ShownProposal:
        """A proposal as the caller meets it."""
        return ShownProposal(
            proposal=one,
            school=self.place(one.scope),
            link=self._link(one.link),
            may_try=one.intent is not None and may_any(self._session, MAY_TRY, one.scope),
        )

    def stop(self, one: Stop) -> ShownStop:
        """A stop as the caller meets it."""
        return ShownStop(
            stop=one,
            place=self.place(one.scope),
            may_resume=may_any(self._session, MAY_RESUME, one.scope),
        )

    def place(self, scope: ScopePath) -> str:
        """What people call a scope."""
        return name_of(self._services, scope, self._language)

    def _link(self, link: str) -> str:
        found = self._services.city.link(link) if link else None
        return "" if found is None or not visible(self._session, found[0]) else found[1].name
