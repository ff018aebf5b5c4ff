"""The pages of people: sign-in, set-up, the own account, and accounts for who keeps them."""

import math
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.api.access import Caller, Here, exists, need, reach_of
from controller.api.people_access import in_problems, people_of
from controller.api.problems import Problem
from controller.api.routers.sessions import (
    SignIn,
    browser_of,
    clear_cookie,
    leave,
    opened,
    set_browser,
    set_cookie,
)
from controller.api.routers.users import state_of
from controller.api.security import HOME_OF, SET_UP_PATH, SIGN_IN_PATH, WELCOME_PATH, local_path
from controller.api.services import Services
from controller.api.sessions import Session, SessionKind, TooManyAttemptsError, WrongCodeError
from controller.trust.people import second
from controller.trust.people.desk import People
from controller.trust.people.door import name_of
from controller.trust.people.model import Account
from controller.trust.people.open_sessions import OpenSessions
from dashboards.ops.people_words import PeopleWords
from dashboards.ops.render import Renderer
from tenone.vocabulary.roles import Grant, Permission, Role
from tenone.vocabulary.scope import IdentifierError, ScopePath

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Form(max_length=1024)]


@router.get(SIGN_IN_PATH)
async def sign_in_page(
    request: Request,
    services: Here,
    next: str = "/",  # noqa: A002 - the query's name
    refused: str = "",
) -> Response:
    """The form; whoever has a session already goes on."""
    session: Session | None = getattr(request.state, "session", None)
    if session is not None:
        return RedirectResponse(HOME_OF.get(session.kind, local_path(next)), 303)
    # What the identity provider's way back came to; any other word says nothing.
    refusal = refused if refused in {"provider", "away"} else ""
    return await _sign_in_form(request, services, local_path(next), refusal)


@router.post(SIGN_IN_PATH)
async def sign_in(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request,
    services: Here,
    name: Text = "",
    password: Secret = "",
    code: Annotated[str, Form(max_length=64)] = "",
    goal: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Open a session and go where the person wanted to go."""
    status, refusal, wait = 403, "wrong-code" if not name else "wrong", 0
    goal = local_path(goal)
    try:
        body = SignIn(name=name.strip()[:64], password=password, code=code)
        browser = browser_of(services, request)
        token, session = await opened(services, request, body, browser)
    except (WrongCodeError, ValidationError):
        pass
    except TooManyAttemptsError as error:
        status, refusal, wait = 429, "too-many", math.ceil(error.retry_seconds)
    except Problem as problem:
        status = problem.status
        refusal = {429: "too-many", 503: "away"}.get(status, refusal)
        wait = int((problem.headers or {}).get("Retry-After", "0"))
    else:
        response = RedirectResponse(HOME_OF.get(session.kind, goal), 303)
        set_cookie(services, response, token)
        set_browser(services, response, browser)
        return response
    answer = await _sign_in_form(request, services, goal, refusal, wait, status)
    if wait:
        answer.headers["retry-after"] = str(wait)
    return answer


@router.post("/sign-out")
async def sign_out(services: Here, session: Caller) -> Response:
    """Close the session."""
    await leave(services, session)
    response = RedirectResponse(SIGN_IN_PATH, 303)
    clear_cookie(services, response)
    return response


@router.get(SET_UP_PATH)
async def set_up_page(request: Request, services: Here, session: Caller) -> Response:
    """The first security administrator, or a new password for one."""
    if session.kind is not SessionKind.SET_UP:
        raise Problem(403, "This needs the one-time code that the controller prints.")
    return await _set_up(request, services, session)


@router.post(SET_UP_PATH)
async def set_up(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller,
    name: Text = "", display: Text = "", password: Secret = "", again: Secret = "",
    code: Annotated[str, Form(max_length=64)] = "",
) -> HTMLResponse:  # fmt: skip
    """Make it, and show the recovery codes once."""
    people, browser = people_of(services), browser_of(services, request)
    typed = {"name": name, "display": display}
    try:
        _same(password, again)
        with in_problems():
            codes = await people.first(
                session, name.strip(), display.strip(), password, code, browser=browser
            )
    except Problem as problem:
        return await _set_up(request, services, session, problem, typed)
    page = _renderer(request).page(request, "codes.html", codes=codes, onward=SIGN_IN_PATH)
    set_browser(services, page, browser)
    return page


@router.get(WELCOME_PATH)
async def welcome_page(request: Request, services: Here, session: Caller) -> HTMLResponse:
    """A new or reset account: password and second factor."""
    return await _welcome(request, services, session)


@router.post(WELCOME_PATH)
async def welcome(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller,
    password: Secret = "", again: Secret = "",
    code: Annotated[str, Form(max_length=64)] = "",
) -> Response:  # fmt: skip
    """Keep them; the recovery codes are shown once."""
    browser = browser_of(services, request)
    try:
        _same(password, again)
        with in_problems():
            codes = await people_of(services).enrol(session, password, code, browser)
    except Problem as problem:
        return await _welcome(request, services, session, problem)
    answer: Response = RedirectResponse(SIGN_IN_PATH, 303)
    if codes:
        answer = _renderer(request).page(request, "codes.html", codes=codes, onward=SIGN_IN_PATH)
    set_browser(services, answer, browser)
    return answer


@router.get("/account")
async def account_page(request: Request, services: Here, session: Caller) -> HTMLResponse:
    """The own account."""
    return await _account(request, services, session)


@router.post("/account/password")
async def change_password(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller,
    current: Secret = "", password: Secret = "", again: Secret = "",
) -> Response:  # fmt: skip
    """Change it; then everybody with this account signs in anew."""
    browser = browser_of(services, request)
    try:
        _same(password, again)
        with in_problems():
            await people_of(services).change_password(session, current, password, browser)
    except Problem as problem:
        return await _account(request, services, session, problem)
    response = RedirectResponse(SIGN_IN_PATH, 303)
    clear_cookie(services, response)
    set_browser(services, response, browser)
    return response


@router.post("/account/second-factor")
async def confirm_second(
    request: Request, services: Here, session: Caller, current: Secret = "",
    code: Annotated[str, Form(max_length=64)] = "",
) -> HTMLResponse:  # fmt: skip
    """Keep the second factor that was shown."""
    try:
        with in_problems():
            codes = await people_of(services).confirm_second(
                session, current, code, browser_of(services, request)
            )
    except Problem as problem:
        return await _account(request, services, session, problem)
    return _renderer(request).page(
        request, "codes.html", codes=codes, onward="/account", session=session
    )


@router.get("/users")
async def users_page(request: Request, services: Here, session: Caller) -> HTMLResponse:
    """All accounts a keeper reaches, and the form for a new one."""
    return await _users(request, services, session)


@router.post("/users")
async def add_user(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller,
    name: Text = "", display: Text = "", role: Text = "", scope: Text = "",
) -> HTMLResponse:  # fmt: skip
    """Make an account; the one-time code is shown once."""
    _keeper(services, session)
    typed = {"name": name, "display": display, "role": role, "scope": scope}
    try:
        grants = (_grant(services, role, scope),) if role else ()
        with in_problems():
            made, code = await people_of(services).create(
                session, name.strip(), display.strip(), grants
            )
    except Problem as problem:
        return await _users(request, services, session, problem, typed)
    return await _user(request, services, session, made, one_time_code=code)


@router.get("/users/{name}")
async def user_page(request: Request, services: Here, session: Caller, name: str) -> HTMLResponse:
    """One account."""
    return await _user(request, services, session, await _found(services, session, name))


@router.post("/users/{name}")
async def change_user(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller, name: str,
    what: Annotated[str, Form(max_length=16)] = "", role: Text = "", scope: Text = "",
    grant: Text = "",
) -> Response:  # fmt: skip
    """What one of the page's buttons does."""
    known = await _found(services, session, name)
    people, code = people_of(services), None
    try:
        with in_problems():
            if what in {"enable", "disable"}:
                await people.edit(session, name, enabled=what == "enable")
            elif what == "grant":
                more = _grant(services, role, scope)
                await people.edit(session, name, grants=(*known.grants, more))
            elif what == "take":
                rest = tuple(one for one in known.grants if f"{one.role}@{one.scope}" != grant)
                await people.edit(session, name, grants=rest)
            elif what in {"reset", "reset-all"}:
                code = await people.reset(session, name, keep_second=what == "reset")
            elif what == "remove":
                await people.remove(session, name)
                return RedirectResponse("/users", 303)
            else:
                known = await _found(services, session, name)
    except Problem as problem:
        return await _user(request, services, session, known, problem=problem)
    if code is None:
        return RedirectResponse(f"/users/{name}", 303)
    return await _user(request, services, session, await people.find(name), one_time_code=code)


# -- the pages


async def _sign_in_form(  # noqa: PLR0917 - all that the form shows
    request: Request, services: Services, goal: str, refusal: str = "", wait: int = 0,
    status: int = 200,
) -> HTMLResponse:  # fmt: skip
    people = services.people
    fresh = people is not None and not await people.has_keeper()
    return _renderer(request).page(
        request,
        "sign_in.html",
        goal=goal,
        refusal=refusal,
        wait=wait,
        status=status,
        accounts=people is not None and not services.config.demo,
        fresh=fresh,
        provider=None if services.oidc is None else services.oidc.config.name,
    )


async def _set_up(
    request: Request, services: Services, session: Session, problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    people = people_of(services)
    with in_problems():
        pending = people.begin_second(session)
        recovery = await people.has_keeper()
    return _renderer(request).page(
        request,
        "set_up.html",
        status=200 if problem is None else problem.status,
        said=_words(request).refusal(problem),
        typed=typed or {"name": "", "display": ""},
        pending=pending,
        picture=second.inline(pending.address),
        recovery=recovery,
    )


async def _welcome(
    request: Request, services: Services, session: Session, problem: Problem | None = None
) -> HTMLResponse:
    people = people_of(services)
    with in_problems():
        account = await people.find(name_of(session.actor))
        pending = None if account.has_second_factor else people.begin_second(session)
    return _renderer(request).page(
        request,
        "welcome.html",
        status=200 if problem is None else problem.status,
        said=_words(request).refusal(problem),
        account=account,
        needed=people.must_have_second(account),
        pending=pending,
        picture="" if pending is None else second.inline(pending.address),
    )


async def _account(
    request: Request, services: Services, session: Session, problem: Problem | None = None
) -> HTMLResponse:
    people = people_of(services)
    with in_problems():
        account = await people.find(name_of(session.actor))
        pending = people.begin_second(session)
        left = await people.parts.in_records(people.parts.records.recovery_left, account.name)
        found = OpenSessions(people).own(session)
    return _renderer(request).page(
        request,
        "account.html",
        status=200 if problem is None else problem.status,
        session=session,
        said=_words(request).refusal(problem),
        account=account,
        left=left,
        open_sessions=found,
        pending=pending,
        picture=second.inline(pending.address),
        p=_words(request),
    )


async def _users(
    request: Request, services: Services, session: Session, problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    people = _keeper(services, session)
    with in_problems():
        found = await people.all(session.grants)
    now = services.now()
    return _renderer(request).page(
        request,
        "users.html",
        status=200 if problem is None else problem.status,
        session=session,
        said=_words(request).refusal(problem),
        typed=typed or {"name": "", "display": "", "role": "", "scope": ""},
        accounts=[(one, state_of(one, now), _lacks(people, one)) for one in found],
        roles=list(Role),
        p=_words(request),
    )


async def _user(
    request: Request, services: Services, session: Session, account: Account, *,
    problem: Problem | None = None, one_time_code: str | None = None,
) -> HTMLResponse:  # fmt: skip
    people = people_of(services)
    return _renderer(request).page(
        request,
        "user.html",
        status=200 if problem is None else problem.status,
        session=session,
        said=_words(request).refusal(problem),
        account=account,
        state=state_of(account, services.now()),
        lacks=_lacks(people, account),
        own=session.actor == account.actor,
        one_time_code=one_time_code,
        open_sessions=people.sessions.of(account.actor),
        roles=list(Role),
        p=_words(request),
    )


async def _found(services: Services, session: Session, name: str) -> Account:
    """404 also for what the keeper does not reach."""
    people = _keeper(services, session)
    with in_problems():
        for one in await people.all(session.grants):
            if one.name == name:
                return one
    raise Problem(404, f"There is no account {name[:80]!r}.")


def _lacks(people: People, account: Account) -> bool:
    return people.must_have_second(account) and not account.has_second_factor


def _keeper(services: Services, session: Session) -> People:
    inside = reach_of(session, Permission.KEEP_USERS)
    need(session, Permission.KEEP_USERS, inside[0] if inside else ScopePath())
    return people_of(services)


def _grant(services: Services, role: str, scope: str) -> Grant:
    try:
        found = Grant(Role(role), ScopePath.parse(scope.strip()))
    except (ValueError, IdentifierError):
        raise Problem(400, "That is no role, or no scope such as binhai/east.") from None
    if not exists(services, found.scope):
        raise Problem(400, "There is no such city, district or school here.")
    return found


def _same(password: str, again: str) -> None:
    if password != again:
        raise Problem(400, "The two passwords are not the same.")


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def _words(request: Request) -> PeopleWords:
    return PeopleWords(_renderer(request).language_of(request))
