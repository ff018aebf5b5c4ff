"""Errors as RFC 9457 problem documents: one sentence that says what, where and how to mend it."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from controller.store.protocols import StoreError
from controller.trust.entries import LedgerError

log = logging.getLogger(__name__)

LEDGER_RETRY_SECONDS = "5"
MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """Raised by a route; becomes a problem document with its status."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra or {}


def problem_response(
    status: int,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    extra: dict[str, object] | None = None,
) -> JSONResponse:
    """A problem document. ``type`` is about:blank, so ``title`` is the status phrase (4.2.1)."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(extra or {}),
    }
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def not_found(what: str, name: str) -> Problem:
    """404 in the same words whether it does not exist or lies outside the caller's scope."""
    return Problem(404, f"There is no {what} {name!r} that you may see.")


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""

    async def on_problem(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, Problem):  # pragma: no cover - registered for Problem alone
            raise error
        return problem_response(
            error.status, error.detail, headers=error.headers, extra=error.extra
        )

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, HTTPException):  # pragma: no cover - registered for it alone
            raise error
        return problem_response(
            error.status_code,
            _sentence(request, error),
            headers=dict(error.headers) if error.headers else None,
        )

    async def on_validation(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):  # pragma: no cover - the same
            raise error
        return problem_response(422, _what_is_wrong(error.errors()[0]))

    async def on_store(_request: Request, error: Exception) -> JSONResponse:
        log.error("%s", error)
        return problem_response(503, f"{error}.")

    async def on_crash(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem_response(
            500, "The controller failed on this request; its log says why, under this time."
        )

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(StoreError, on_store)
    app.add_exception_handler(LedgerError, _on_ledger)
    app.add_exception_handler(Exception, on_crash)


async def _on_ledger(_request: Request, error: Exception) -> JSONResponse:
    headers = {"Retry-After": LEDGER_RETRY_SECONDS}
    return problem_response(503, f"This was not done: {error}.", headers=headers)


_PLACES = {"body": "The body", "query": "The query", "path": "The path", "header": "The header"}


def _what_is_wrong(found: Mapping[str, Any]) -> str:
    """One of pydantic's findings as a sentence: where, what, and how to mend it."""
    where, *inside = found["loc"]
    place, name = _PLACES.get(str(where), str(where)), ".".join(map(str, inside))[:64]
    context = found.get("ctx") or {}
    match found["type"]:
        case "missing" if inside:
            return f"{place} lacks {name!r}: send it too."
        case "missing":
            return f"{place} is missing: send one."
        case "extra_forbidden":
            return f"{place} has {name!r}, which is not taken here: leave it out."
        case "string_pattern_mismatch":
            return f"{place}: {name!r} does not have the form {context['pattern']}."
        case "json_invalid":
            return f"{place} is no JSON: {context.get('error', 'it cannot be read')}."
        case _:
            said = str(found["msg"])
            told = f" {name!r}" if inside else ""
            return f"{place}:{told} {said[:1].lower()}{said[1:]}."


def _sentence(request: Request, error: HTTPException) -> str:
    path = request.url.path
    match error.status_code:
        case 404:
            return f"There is nothing at {path}."
        case 405:
            return f"{path} does not take {request.method}."
        case _:
            return error.detail if error.detail.endswith(".") else f"{error.detail}."
