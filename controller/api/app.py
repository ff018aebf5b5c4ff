"""Puts the HTTP side together: routers, gate, headers, problems."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from controller.api import problems
from controller.api.routers import (
    actions,
    audit,
    bindings,
    care,
    class_minutes,
    configurations,
    devices,
    drift,
    duty,
    enforcement,
    enrolments,
    events,
    incidents,
    keys,
    links,
    machines,
    maintenance,
    oidc,
    open_sessions,
    overview,
    ports,
    reports,
    schools,
    scopes,
    sessions,
    tickets,
    topology,
    users,
)
from controller.api.schemas import ProblemOut
from controller.api.security import Gate, SecurityHeaders
from controller.api.services import Services

PREFIX = "/api/v1"
RESOURCES = (
    audit,
    enforcement,  # its fixed paths before the actions' own
    actions,
    overview,
    scopes,
    schools,
    links,
    bindings,
    ports,
    devices,
    events,
    sessions,
    class_minutes,
    incidents,
    maintenance,
    tickets,
    duty,
    topology,
    configurations,
    drift,
    reports,
    enrolments,
    machines,
    open_sessions,
    users,
    keys,
)
_MEANINGS: dict[int | str, str] = {
    400: "A parameter is wrong",
    401: "No session",
    403: "The role, the code or the origin does not allow it",
    404: "Not there, or outside the session's scope",
    409: "It does not go with how things stand; nothing was done",
    413: "The body is too large",
    429: "Too often; Retry-After says when to come back",
    503: "It cannot be kept or ledgered at this moment; nothing was done",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}},
        },
    }
    for status, text in _MEANINGS.items()
}
"""By reference: with the model FastAPI builds it anew for each of eight statuses of each route."""
NAMED: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": text} for status, text in _MEANINGS.items()
}
"""By the model, which puts what the references name into the description; of one router."""


class TenOneApp(FastAPI):
    """FastAPI with our headers around everything, the answers to crashes included."""

    secure_cookies = False

    def build_middleware_stack(self) -> ASGIApp:
        """See Starlette: what it returns is the whole application."""
        return SecurityHeaders(super().build_middleware_stack(), secure=self.secure_cookies)


def create_app(services: Services) -> FastAPI:
    """The JSON API, stream, metrics and health; pages are mounted by ``dashboards.ops.site``."""
    config = services.config
    app = TenOneApp(
        title="TenOne",
        summary="The promise '10G to every school, 1G to every class', link by link.",
        version="1",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # Swagger's page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # the redirect would lead to whatever Host says
    )
    app.secure_cookies = config.secure_cookies
    app.state.services = services
    problems.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router, prefix=PREFIX, responses=PROBLEMS)
    app.include_router(care.router, responses=NAMED)
    app.include_router(oidc.router)
    app.add_middleware(
        Gate,
        sessions=services.sessions,
        secure=config.secure_cookies,
        hosts=config.hosts,
        metrics_token=config.metrics_token,
        keys=services.keys,
        max_body_bytes=config.max_body_bytes,
    )
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    return app
