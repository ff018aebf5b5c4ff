"""Signing in by the identity provider: away to it, back from it, and signed out by it."""

import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from controller.api.access import Here
from controller.api.problems import Problem
from controller.api.routers.sessions import client_address, placed, set_cookie
from controller.api.security import SIGN_IN_PATH, local_path
from controller.api.services import Services
from controller.store.protocols import StoreError
from controller.trust.entries import LedgerError
from controller.trust.oidc import (
    BEGIN_PATH,
    LOGOUT_PATH,
    PENDING_SECONDS,
    RETURN_PATH,
    AwayError,
    OidcDoor,
)
from controller.trust.people.model import SignInError

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)


def _door(services: Services) -> OidcDoor:
    if services.oidc is None:
        raise Problem(404, "This controller asks no identity provider.")
    return services.oidc


def _cookie(services: Services) -> str:
    return "__Host-tenone-oidc" if services.config.secure_cookies else "tenone-oidc"


@router.get(BEGIN_PATH)
async def begin(services: Here, next: str = "/") -> Response:  # noqa: A002 - the query's name
    """To the provider, and known again by a cookie on the way back."""
    try:
        begun = await _door(services).begin(local_path(next))
    except AwayError as error:
        log.warning("sign-in by the identity provider: %s", error)
        return RedirectResponse(f"{SIGN_IN_PATH}?refused=away", 303)
    response = RedirectResponse(begun.address, 303)
    # Lax: it must come along when the provider sends the browser back.
    response.set_cookie(
        _cookie(services), begun.cookie, max_age=int(PENDING_SECONDS), path="/",
        secure=services.config.secure_cookies, httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get(RETURN_PATH)
async def come_back(request: Request, services: Here) -> Response:
    """A session, if the provider's word holds."""
    door = _door(services)
    cookie = _cookie(services)
    query = dict(request.query_params)
    if len(query) != len(request.query_params.multi_items()):
        query = {}  # a parameter twice: RFC 6749 3.1 refuses it
    try:
        token, session, goal = await door.finish(
            query,
            request.cookies.get(cookie, ""),
            client_address(request),
            request.state.session,
        )
    except SignInError:
        response: Response = RedirectResponse(f"{SIGN_IN_PATH}?refused=provider", 303)
    except (AwayError, LedgerError, StoreError) as error:
        log.warning("sign-in by the identity provider: %s", error)
        response = RedirectResponse(f"{SIGN_IN_PATH}?refused=away", 303)
    else:
        placed(services, request, session)
        response = RedirectResponse(goal, 303)
        set_cookie(services, response, token)
    response.delete_cookie(
        cookie, path="/", secure=services.config.secure_cookies, httponly=True, samesite="lax"
    )
    return response


@router.post(LOGOUT_PATH)
async def logout(
    request: Request, services: Here, logout_token: Annotated[str, Form(max_length=65_536)]
) -> Response:
    """Back-Channel Logout 1.0: the provider ends the sessions of one of its people here."""
    try:
        await _door(services).logout(logout_token, client_address(request))
    except SignInError as error:
        raise Problem(400, str(error)) from None
    except (AwayError, LedgerError, StoreError) as error:
        raise Problem(503, f"{error}.") from None
    return Response(status_code=200)
