"""The scope filter, in one place: what a session may see and do, and what a request asks for."""

from collections.abc import Collection, Iterable
from typing import Annotated

from fastapi import Depends, Request

from controller.api.problems import Problem, not_found
from controller.api.services import Services
from controller.api.sessions import Session
from controller.views import LinkView
from tenone.vocabulary.roles import Grant, Permission, allowed, reach
from tenone.vocabulary.scope import IdentifierError, ScopePath

SCHOOL_DEPTH = 3


def services_of(request: Request) -> Services:
    """The container ``create_app`` was given."""
    services: Services = request.app.state.services
    return services


def session_of(request: Request) -> Session:
    """The caller's session; the gate has already refused requests without one."""
    session: Session | None = getattr(request.state, "session", None)
    if session is None:
        raise Problem(401, "Sign in first.")
    return session


Here = Annotated[Services, Depends(services_of)]
Caller = Annotated[Session, Depends(session_of)]


def grants_of(session: Session) -> tuple[Grant, ...]:
    """What the session's holder was granted."""
    return session.grants


def actor_of(session: Session) -> str:
    """Who acts, as the ledger names them."""
    return session.actor


def may(session: Session, permission: Permission, scope: ScopePath) -> bool:
    """Whether a grant of the session allows ``permission`` on something at ``scope``."""
    return allowed(session.grants, permission, scope)


def reach_of(session: Session, permission: Permission) -> tuple[ScopePath, ...]:
    """The scopes inside which the session may; none lies inside another."""
    return reach(session.grants, permission)


def granted_inside(grants: Iterable[Grant], scopes: Collection[ScopePath]) -> bool:
    """Whether one of ``grants`` is held inside ``scopes``; the whole city has everybody's."""
    whole = ScopePath() in scopes
    return whole or any(scope.covers(grant.scope) for grant in grants for scope in scopes)


def may_anywhere(session: Session, permission: Permission) -> bool:
    """Whether there is any scope at all where it may: for menus, never for a decision."""
    return bool(reach(session.grants, permission))


def need(session: Session, permission: Permission, scope: ScopePath) -> None:
    """403 unless a grant of the session allows ``permission`` at ``scope``.

    ``scope`` is where the thing touched stands, never the session's own: whoever operates one
    school and views a district must not act in the district.
    """
    if not may(session, permission, scope):
        raise Problem(403, f"None of your roles allows {permission.value!r} there.")


def visible(session: Session, scope: ScopePath) -> bool:
    """Whether something at ``scope`` lies inside what the session may see."""
    return may(session, Permission.LOOK, scope)


def asked_scopes(
    services: Services,
    session: Session,
    text: str | None,
    permission: Permission = Permission.LOOK,
) -> tuple[ScopePath, ...]:
    """The scopes a list answers for: the one named, else all where ``permission`` is granted.

    None lies inside another. 403 where it is granted nowhere, 404 outside of that or where
    nothing is.
    """
    inside = reach(session.grants, permission)
    if not inside:
        raise Problem(403, f"None of your roles allows {permission.value!r}.")
    if not text:
        return inside
    try:
        scope = ScopePath.parse(text)
    except IdentifierError as error:
        raise Problem(400, f"scope: {error}.") from None
    if not may(session, permission, scope) or not exists(services, scope):
        raise not_found("scope", text)
    return (scope,)


def asked_scope(
    services: Services,
    session: Session,
    text: str | None,
    permission: Permission = Permission.LOOK,
) -> ScopePath:
    """The one scope a request is about; 400 where it names none and the session has several."""
    scopes = asked_scopes(services, session, text, permission)
    if len(scopes) > 1:
        named = ", ".join(str(scope) for scope in scopes)
        raise Problem(400, f"scope: this is about one scope: name one of {named}.")
    return scopes[0]


def exists(services: Services, scope: ScopePath) -> bool:
    """Whether the city knows ``scope``: everything, a city, a district, a school or inside one."""
    if len(scope.parts) >= SCHOOL_DEPTH:
        found = services.city.scope_of_school(scope.parts[SCHOOL_DEPTH - 1])
        return found is not None and found.covers(scope)
    return not scope.parts or any(
        scope.covers(district.scope) for district in services.city.districts(ScopePath())
    )


def link_seen_by(services: Services, session: Session, link_id: str) -> LinkView:
    """The link, or 404 where the session may not see it."""
    found = services.city.link(link_id)
    if found is None or not visible(session, found[0]):
        raise not_found("link", link_id)
    return found[1]


def scope_of(services: Services, school: str) -> ScopePath:
    """Where a school stands; 404 where there is none of that name."""
    found = services.city.scope_of_school(school)
    if found is None:
        raise not_found("school", school)
    return found
