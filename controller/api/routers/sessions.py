"""Signing in and out by program; people use the pages, which do the same."""

import math

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from controller.api.access import Caller, Here, may_anywhere
from controller.api.browser_names import device_of
from controller.api.people_access import in_problems, people_of
from controller.api.problems import Problem
from controller.api.schemas import SessionOut
from controller.api.security import browser_cookie_name, cookie_name
from controller.api.services import Services
from controller.api.sessions import Session, TooManyAttemptsError, WrongCodeError
from controller.encode import Json
from controller.trust.people.browsers import KEPT_SECONDS, MOST_TOKEN, MOST_TOKENS, Browser
from tenone.vocabulary.roles import Permission

router = APIRouter(prefix="/sessions", tags=["sessions"])
MOST_COOKIE = (MOST_TOKEN + 1) * MOST_TOKENS


class SignIn(BaseModel):
    """Name, password and the code of the second factor; or a one-time code.

    A one-time code without a name is the controller's own, with a name a new or reset account's.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=64)
    password: str = Field(default="", max_length=1024)
    code: str = Field(default="", max_length=64)


def session_json(services: Services, session: Session) -> Json:
    """The caller's own session; its id is in the cookie alone."""
    return {
        "actor": session.actor,
        "name": session.name,
        "grants": [
            {"role": grant.role.value, "scope": str(grant.scope)} for grant in session.grants
        ],
        "permissions": sorted(
            permission.value for permission in Permission if may_anywhere(session, permission)
        ),
        "kind": session.kind.value,
        "opened_at": session.opened_at,
        "ends_at": session.opened_at + services.sessions.absolute_seconds,
    }


def set_cookie(services: Services, response: Response, token: str) -> None:
    """The session cookie: HttpOnly, SameSite=Lax, Secure where browsers come by TLS."""
    secure = services.config.secure_cookies
    response.set_cookie(
        cookie_name(secure=secure),
        token,
        max_age=math.ceil(services.sessions.absolute_seconds),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def browser_of(services: Services, request: Request) -> Browser:
    """The browser of a page's request, by the cookie it shows."""
    name = browser_cookie_name(secure=services.config.secure_cookies)
    return Browser(shown=request.cookies.get(name, "")[:MOST_COOKIE])


def set_browser(services: Services, response: Response, browser: Browser) -> None:
    """Give it the cookie by which it is known: HttpOnly, SameSite=Strict, Secure by TLS."""
    if not browser.given:
        return
    secure = services.config.secure_cookies
    response.set_cookie(
        browser_cookie_name(secure=secure), browser.given, max_age=int(KEPT_SECONDS), path="/",
        secure=secure, httponly=True, samesite="strict",
    )  # fmt: skip


def clear_cookie(services: Services, response: Response) -> None:
    """Take the session cookie back."""
    secure = services.config.secure_cookies
    response.delete_cookie(
        cookie_name(secure=secure), path="/", secure=secure, httponly=True, samesite="lax"
    )


async def leave(services: Services, session: Session) -> None:
    """Sign out, streams and all."""
    services.sessions.close(session)
    services.hub.end(lambda owner: owner == session.key)


def client_address(request: Request) -> str:
    """Who tries to sign in, for the rate limit: the peer, never a header it may write itself."""
    return request.client.host if request.client else "unknown"


@router.post("", status_code=201, responses={201: {"model": SessionOut}})
async def sign_in(services: Here, request: Request, body: SignIn) -> JSONResponse:
    """Open a session; the cookie in the answer is the session."""
    try:
        token, session = await opened(services, request, body)
    except WrongCodeError:
        raise Problem(
            403, "code: this code is wrong, used or too old; the controller prints a new one."
        ) from None
    except TooManyAttemptsError as error:
        wait = math.ceil(error.retry_seconds)
        raise Problem(
            429,
            f"Too many attempts; try again in {wait} s.",
            headers={"Retry-After": str(wait)},
        ) from None
    response = JSONResponse(session_json(services, session), 201)
    set_cookie(services, response, token)
    return response


async def opened(
    services: Services, request: Request, body: SignIn, browser: Browser | None = None
) -> tuple[str, Session]:
    """The session of a sign-in, instead of the one the same browser had.

    ``browser``: of the pages alone. Raises WrongCodeError, TooManyAttemptsError and Problem.
    """
    token, session = await _opened(services, request, body, browser)
    return token, placed(services, request, session)


def placed(services: Services, request: Request, session: Session) -> Session:
    """Note where a session that was just opened came from."""
    device = device_of(request.headers.get("user-agent", ""))
    return services.sessions.came_from(session, client_address(request), device)


async def _opened(
    services: Services, request: Request, body: SignIn, browser: Browser | None
) -> tuple[str, Session]:
    before, client = request.state.session, client_address(request)
    if body.name:
        door = people_of(services).door
        with in_problems():
            if body.password:
                return await door.sign_in(
                    body.name, body.password, body.code, client,
                    instead_of=before, browser=browser,
                )  # fmt: skip
            return await door.enter(body.name, body.code, client, instead_of=before)
    if services.people is not None:
        with in_problems():
            return await services.people.by_code(body.code, client, instead_of=before)
    return services.sessions.sign_in(body.code, client, instead_of=before)


@router.get("/current", responses={200: {"model": SessionOut}})
async def current(services: Here, session: Caller) -> JSONResponse:
    """Who am I, what may I see, until when."""
    return JSONResponse(session_json(services, session))


@router.delete("/current", status_code=204)
async def sign_out(services: Here, session: Caller) -> Response:
    """Close the caller's session; its open streams end."""
    await leave(services, session)
    response = Response(status_code=204)
    clear_cookie(services, response)
    return response
