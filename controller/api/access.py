"""The scope filter, in one place: what a session may see, and what a request asks for."""

from typing import Annotated

from fastapi import Depends, Request

from controller.api.problems import Problem, not_found
from controller.api.services import Services
from controller.api.sessions import Role, Session
from controller.views import LinkView
from tenone.vocabulary.roles import Grant, Permission, allowed
from tenone.vocabulary.roles import Role as GrantedRole
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


def visible(session: Session, scope: ScopePath) -> bool:
    """Whether something at ``scope`` lies inside what the session may see."""
    return session.scope.covers(scope)


def asked_scope(services: Services, session: Session, text: str | None) -> ScopePath:
    """The scope a request names, or the session's own; 404 outside it or where nothing is."""
    if not text:
        return session.scope
    try:
        scope = ScopePath.parse(text)
    except IdentifierError as error:
        raise Problem(400, f"scope: {error}.") from None
    if not visible(session, scope) or not exists(services, scope):
        raise not_found("scope", text)
    return scope


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


def need_operator(session: Session, what: str = "ask agents to poll") -> None:
    """403 unless the session may do ``what``."""
    if session.role is not Role.OPERATOR:
        raise Problem(403, f"Your role may look but not {what}: an operator can.")


def grants_of(session: Session) -> tuple[Grant, ...]:
    """What the session's holder was granted."""
    return (Grant(GrantedRole(session.role.value), session.scope),)


def actor_of(session: Session) -> str:
    """Who acts, as the ledger names them."""
    return f"session:{session.key[:8]}"


def need(session: Session, permission: Permission, scope: ScopePath) -> None:
    """403 unless a grant of the session allows ``permission`` at ``scope``."""
    if not allowed(grants_of(session), permission, scope):
        raise Problem(403, f"None of your roles allows {permission.value!r} there.")
