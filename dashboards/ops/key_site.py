"""The page of API keys: what programs hold, what runs out, make one, disable one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.api.access import Caller, Here, need, reach_of
from controller.api.people_access import in_problems
from controller.api.problems import Problem, not_found
from controller.api.routers.keys import KeyIn
from controller.api.routers.users import GrantIn, grants_in
from controller.api.services import Services
from controller.api.sessions import Session
from controller.trust.keys.desk import Keys
from controller.trust.keys.model import (
    DAY,
    DEFAULT_A_MINUTE,
    DEFAULT_DAYS,
    FOR_PEOPLE,
    MOST_A_MINUTE,
    MOST_DAYS,
    ApiKey,
    KeyState,
)
from dashboards.ops import keeping_phrases as k
from dashboards.ops.keeping_words import KeepingWords
from dashboards.ops.render import Renderer
from dashboards.ops.words import Words
from tenone.vocabulary.roles import Permission, Role
from tenone.vocabulary.scope import ScopePath

router = APIRouter(include_in_schema=False)
ROLES = tuple(role for role in Role if role not in FOR_PEOPLE)
GRANT_FIELDS = 3
SOON_DAYS = 14
_ORDER = {"soon": 0, "active": 1, "expired": 2, "disabled": 3}
Text = Annotated[str, Form(max_length=200)]
Number = Annotated[str, Form(max_length=8)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A key and how it stands."""

    key: ApiKey
    state: str


def state_of_key(key: ApiKey, now: float) -> str:
    """``soon``: it is good, and runs out within two weeks."""
    state = key.state(now)
    if state is KeyState.ACTIVE and key.expires_at - now < SOON_DAYS * DAY:
        return "soon"
    return state.value


@router.get("/keys")
async def keys_page(request: Request, services: Here, session: Caller) -> HTMLResponse:
    """The keys a keeper reaches, and the form for a new one."""
    return await _page(request, services, session)


@router.post("/keys")
async def make(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller,
    name: Text = "", role: Annotated[list[str] | None, Form()] = None,
    scope: Annotated[list[str] | None, Form()] = None,
    days: Number = "", a_minute: Number = "", word: Annotated[str, Form(max_length=64)] = "",
) -> HTMLResponse:  # fmt: skip
    """Make one; its text is shown this once. Sent twice it is made once."""
    desk = _keeper(services, session)
    pairs = list(zip(role or [], scope or [], strict=False))[:GRANT_FIELDS]
    typed: dict[str, object] = {
        "name": name, "days": days, "a_minute": a_minute, "grants": pairs,
    }  # fmt: skip
    once = _renderer(request).once
    if not once.take(session.key, word):
        return await _page(request, services, session, Problem(409, k.KEY_SENT_TWICE))
    try:
        body = _body(name, pairs, days, a_minute)
        grants = grants_in(services, body.grants)
        with in_problems():
            made, text = await desk.create(
                session, body.name, grants, days=body.days, a_minute=body.a_minute
            )
    except Problem as problem:
        once.give_back(session.key, word)
        return await _page(request, services, session, problem, typed)
    return await _page(request, services, session, made=made, text=text)


@router.post("/keys/{key}")
async def change(
    request: Request, services: Here, session: Caller, key: str,
    what: Annotated[str, Form(max_length=16)] = "",
) -> Response:  # fmt: skip
    """Disable one for good, or forget one that is over; a second time does nothing."""
    desk = _keeper(services, session)
    with in_problems():
        found = next((one for one in await desk.all(session.grants) if one.id == key), None)
    if found is None:
        if what == "remove":
            return RedirectResponse("/keys", 303)
        raise not_found("key", key[:40])
    try:
        with in_problems():
            if what == "disable" and found.state(services.now()) is KeyState.ACTIVE:
                await desk.disable(session, key)
            elif what == "remove":
                await desk.remove(session, key)
    except Problem as problem:
        return await _page(request, services, session, problem)
    return RedirectResponse("/keys", 303)


def _body(name: str, pairs: Sequence[tuple[str, str]], days: str, a_minute: str) -> KeyIn:
    chosen = [(role, scope) for role, scope in pairs if role]
    try:
        grants = [GrantIn(role=Role(role), scope=scope.strip()) for role, scope in chosen]
        if not grants:
            raise Problem(400, k.NEEDS_GRANT)
        return KeyIn(
            name=name.strip(),
            grants=grants,
            days=int(days or DEFAULT_DAYS),
            a_minute=int(a_minute or DEFAULT_A_MINUTE),
        )
    except (ValueError, ValidationError):  # a ValidationError is a ValueError, said for people
        raise Problem(400, k.KEY_FIELDS) from None


async def _page(
    request: Request,
    services: Services,
    session: Session,
    problem: Problem | None = None,
    typed: dict[str, object] | None = None,
    *,
    made: ApiKey | None = None,
    text: str = "",
) -> HTMLResponse:
    desk = _keeper(services, session)
    with in_problems():
        found = await desk.all(session.grants)
    now = services.now()
    shown = [Shown(one, state_of_key(one, now)) for one in found]
    shown.sort(key=lambda one: (_ORDER[one.state], one.key.expires_at, one.key.name))
    renderer = _renderer(request)
    language = renderer.language_of(request)
    words = KeepingWords(Words(language, now))
    scheme = "https" if services.config.secure_cookies else request.url.scheme
    host = request.headers.get("host", "")
    return renderer.page(
        request,
        "keys.html",
        status=200 if problem is None else problem.status,
        session=session,
        k=words,
        p=words.people,
        keys=shown,
        soon=sum(one.state == "soon" for one in shown),
        said=words.refusal(problem),
        typed={"name": "", "days": "", "a_minute": "", "grants": []} | (typed or {}),
        roles=ROLES,
        scopes=_scopes(services, session, language.name_of),
        fields=GRANT_FIELDS,
        limits={
            "days": DEFAULT_DAYS, "most_days": MOST_DAYS,
            "a_minute": DEFAULT_A_MINUTE, "most_a_minute": MOST_A_MINUTE,
        },
        word=renderer.once.word(),
        made=made,
        text=text,
        line=f'curl -H "Authorization: Bearer {text}" {scheme}://{host}/api/v1/links',
    )  # fmt: skip


def _scopes(services: Services, session: Session, name_of: object) -> list[tuple[str, str]]:
    """What may be chosen without typing: the own scopes and the districts inside them."""
    assert callable(name_of)  # noqa: S101 - for mypy; it is Language.name_of
    inside = reach_of(session, Permission.KEEP_USERS)
    named = {str(scope): str(scope) for scope in inside if scope.parts}
    for view in services.city.districts(ScopePath()):
        if any(scope.covers(view.scope) for scope in inside):
            named[str(view.scope)] = str(name_of(view))
    return sorted(named.items())


def _keeper(services: Services, session: Session) -> Keys:
    inside = reach_of(session, Permission.KEEP_USERS)
    need(session, Permission.KEEP_USERS, inside[0] if inside else ScopePath())
    if services.keys is None:
        raise Problem(404, "This controller keeps no keys.")
    return services.keys


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer
