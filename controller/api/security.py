"""Deny by default, in one place: what passes without a session, and what answers carry.

Pure ASGI, so that streams are not wrapped. What is not named in :data:`OPEN_PATHS` or
:data:`OPEN_PREFIXES` needs a session, whether a route for it exists or not.
"""

import hmac
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.api.problems import problem_response
from controller.api.sessions import Session, SessionKind, Sessions
from controller.store.protocols import StoreError
from controller.trust.entries import LedgerError
from controller.trust.keys.desk import KeyRefusedError, Keys, shown_key
from tenone.config.quantities import is_loopback
from tenone.trust.masked import Secret

SIGN_IN_PATH = "/sign-in"
METRICS_PREFIX = "/metrics"
PROVIDER_PATHS = ("/sign-in/oidc", "/sign-in/oidc/return", "/sign-in/oidc/logout")
"""To the identity provider, back from it, and what it posts itself."""
OPEN_PATHS = frozenset(
    {
        "/healthz",
        "/readyz",
        SIGN_IN_PATH,
        *PROVIDER_PATHS,
        "/favicon.ico",
        "/api/v1/ca",
        "/api/v1/crl",
    }
)
OPEN_PREFIXES = ("/static/", "/language/", "/api/v1/crl/")
OPEN_REQUESTS = frozenset(
    {("POST", "/api/v1/sessions"), ("POST", "/api/v1/enrolments"), ("POST", "/api/v1/renewals")}
)
"""Signing in by program; machines that prove themselves by token or key."""
TOO_MANY = 429
SET_UP_PATH = "/set-up"
WELCOME_PATH = "/welcome"
HOME_OF: Mapping[SessionKind, str] = MappingProxyType(
    {SessionKind.SET_UP: SET_UP_PATH, SessionKind.ENROL: WELCOME_PATH}
)
"""The one page of a session that is for one thing only."""
ALL_OF: Mapping[SessionKind, frozenset[str]] = MappingProxyType(
    {
        SessionKind.SET_UP: frozenset({SET_UP_PATH, "/api/v1/users/first"}),
        SessionKind.ENROL: frozenset({WELCOME_PATH, "/api/v1/users/current/enrol"}),
    }
)
LEAVING = frozenset({"/sign-out", "/api/v1/sessions", "/api/v1/sessions/current"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
API_PREFIX = "/api/v1/"
CARE_PATHS = frozenset({"/healthz", "/readyz"})
NOT_FOR_KEYS = ("/api/v1/sessions", "/api/v1/events", "/api/v1/users")
"""A key opens no session and no stream, and has no account of its own."""
WATCHING_PATHS = frozenset({"/api/v1/events"})
"""Requests that a page makes by itself: they do not keep an idle session alive."""

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with it browsers send "Origin: null" on forms, which we refuse.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def cookie_name(*, secure: bool) -> str:
    """``__Host-`` makes browsers insist on Secure, no Domain and path / (RFC 6265bis 4.1.3.2)."""
    return "__Host-tenone" if secure else "tenone"


def browser_cookie_name(*, secure: bool) -> str:
    """Of the cookie by which accounts know a browser again."""
    return "__Host-tenone-browser" if secure else "tenone-browser"


class SecurityHeaders:
    """Adds the headers above to every answer, whoever makes it."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if secure:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


class Gate:
    """Finds the session, refuses what has none, and refuses unsafe requests of other sites."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        sessions: Sessions,
        secure: bool,
        hosts: Iterable[str] = (),
        metrics_token: Secret | str | None = None,
        keys: Keys | None = None,
        max_body_bytes: int = 64 * 1024,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._cookie = cookie_name(secure=secure)
        self._hosts = frozenset(hosts)
        self._metrics_token = None if metrics_token is None else Secret.of(metrics_token)
        self._keys = keys
        self._max_body_bytes = max_body_bytes
        self._too_large = f"The request body is larger than {max_body_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no WebSocket is served
            await send({"type": "websocket.close", "code": 1008})
            return
        connection = HTTPConnection(scope)
        refusal = self._misshapen(connection.headers)
        shown = (
            None
            if _is_scrape(scope["path"])
            else shown_key(connection.headers.get("authorization", ""))
        )
        if refusal is None and shown is not None:
            refusal = await self._by_key(scope, shown)
        elif refusal is None:
            try:
                refusal = self._refusal(scope, connection)
            except StoreError as error:
                refusal = problem_response(503, f"{error}; nothing was done.")
        if refusal is None:
            await self._app(scope, self._counted(receive), send)
        else:
            await refusal(scope, receive, send)

    def _misshapen(self, headers: Headers) -> Response | None:
        if self._hosts and host_name(headers.get("host", "")) not in self._hosts:
            return problem_response(
                421, "This controller does not answer to that host name: see http.hosts."
            )
        length = headers.get("content-length", "0")
        digits = length.isascii() and length.isdigit()
        if not digits or int(length[:12]) > self._max_body_bytes:
            return problem_response(413, self._too_large)
        return None

    def _counted(self, receive: Receive) -> Receive:
        """Holds a body that came without a length to the same limit."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_body_bytes:
                raise HTTPException(413, self._too_large)
            return message

        return counted

    def _refusal(self, scope: Scope, connection: HTTPConnection) -> Response | None:
        """None lets the request pass, with its session in ``request.state.session``."""
        headers = connection.headers
        path: str = scope["path"]
        session = self._session(connection, touch=path not in WATCHING_PATHS)
        scope.setdefault("state", {})["session"] = session
        by_provider = (scope["method"], path) == ("POST", PROVIDER_PATHS[2]) and no_browser(headers)
        if scope["method"] not in SAFE_METHODS and not by_provider and not same_origin(headers):
            return problem_response(
                403,
                "This request did not come from a page of this controller: "
                "send an Origin header that equals its own address.",
            )
        if _is_scrape(path):
            return None if self._may_scrape(scope, headers) else _no_token()
        is_open = path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)
        if is_open or (scope["method"], path) in OPEN_REQUESTS:
            return None
        if session is None:
            return _sign_in_first(scope, headers)
        return _only_this(session.kind, scope, headers)

    async def _by_key(self, scope: Scope, shown: str) -> Response | None:
        """A program's key instead of a cookie. Browsers send none by themselves: no origin rule."""
        client = scope.get("client")
        if self._keys is None:
            return _no_key(KeyRefusedError(401, "This controller keeps no keys."))
        try:
            session = await self._keys.admit(shown, client[0] if client else "unknown")
        except KeyRefusedError as error:
            return _no_key(error)
        except (LedgerError, StoreError) as error:
            return problem_response(503, f"{error}; nothing was done.")
        scope.setdefault("state", {})["session"] = session
        path: str = scope["path"]
        is_api = path in CARE_PATHS or (
            path.startswith(API_PREFIX) and not path.startswith(NOT_FOR_KEYS)
        )
        if is_api or (scope["method"], path) == ("GET", "/api/v1/sessions/current"):
            return None
        return problem_response(
            403, "A key is for the API alone: it opens no page, no session and no stream."
        )

    def _session(self, connection: HTTPConnection, *, touch: bool) -> Session | None:
        token = connection.cookies.get(self._cookie)
        return None if not token else self._sessions.find(token, touch=touch)

    def _may_scrape(self, scope: Scope, headers: Headers) -> bool:
        """Loopback without a proxy in between, or the bearer token."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if self._metrics_token and scheme.lower() == "bearer":
            expected = self._metrics_token.use().encode()
            return hmac.compare_digest(token.encode(errors="replace"), expected)
        client = scope.get("client")
        forwarded = "forwarded" in headers or "x-forwarded-for" in headers
        # The host test is against names of other sites that resolve to 127.0.0.1.
        own_name = is_loopback(host_name(headers.get("host", "")))
        return client is not None and not forwarded and own_name and is_loopback(client[0])


def _is_scrape(path: str) -> bool:
    return path == METRICS_PREFIX or path.startswith(METRICS_PREFIX + "/")


def host_name(host: str) -> str:
    """The host of a Host header, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def same_origin(headers: Headers) -> bool:
    """Whether a browser says the request came from our own page (Origin, else Sec-Fetch-Site).

    The scheme is not compared: behind a TLS proxy ours is http and the page's https.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") in {"same-origin", "none"}
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False


def no_browser(headers: Headers) -> bool:
    """Whether none of what browsers send by themselves is there."""
    return not {"origin", "sec-fetch-site", "cookie", "referer"} & set(headers.keys())


def local_path(text: str | None, default: str = "/") -> str:
    """``text`` if it is a path on this site, so that a link cannot send people elsewhere."""
    if not text or not text.startswith("/") or text[1:2] in {"/", "\\"}:
        return default
    if any(ord(character) < 0x20 or character == "\\" for character in text):  # noqa: PLR2004 - control characters
        return default
    return text


def _sign_in_first(scope: Scope, headers: Headers) -> Response:
    query: bytes = scope.get("query_string", b"")
    here = scope["path"] + (f"?{query.decode('latin-1')}" if query else "")
    if scope["method"] not in SAFE_METHODS:
        here = "/"
    there = SIGN_IN_PATH if here == "/" else f"{SIGN_IN_PATH}?next={quote(here)}"
    if "hx-request" in headers:
        return Response(status_code=401, headers={"HX-Redirect": SIGN_IN_PATH})
    if scope["path"].startswith("/api/") or "text/html" not in headers.get("accept", ""):
        return problem_response(
            401,
            "Sign in first: POST name, password and code to /api/v1/sessions.",
            headers={"WWW-Authenticate": 'TenOne-Session realm="TenOne"'},
        )
    return RedirectResponse(there, 303)


def _only_this(kind: SessionKind, scope: Scope, headers: Headers) -> Response | None:
    """None for what a session of this kind is for."""
    if kind is SessionKind.USE or scope["path"] in ALL_OF[kind] | LEAVING:
        return None
    home = HOME_OF[kind]
    if scope["path"].startswith("/api/") or "text/html" not in headers.get("accept", ""):
        return problem_response(403, f"This sign-in is for {home} and nothing else.")
    return RedirectResponse(home, 303)


def _no_token() -> Response:
    return problem_response(
        401,
        "Metrics are open on loopback; from elsewhere send the bearer token of http.metrics_token.",
        headers={"WWW-Authenticate": 'Bearer realm="TenOne metrics"'},
    )


def _no_key(error: KeyRefusedError) -> Response:
    """RFC 6750 section 3.1; RFC 6585 section 4."""
    if error.status == TOO_MANY:
        return problem_response(429, str(error), headers={"Retry-After": str(error.wait)})
    return problem_response(
        401,
        str(error),
        headers={"WWW-Authenticate": 'Bearer realm="TenOne", error="invalid_token"'},
    )
