"""Sign-in by OpenID Connect: authorization code with PKCE, state and nonce.

The provider says who somebody is. What they may do is granted to the account that is linked to the
subject here; an account disabled here is out, whatever the provider says.
"""

import asyncio
import base64
import hashlib
import json
import logging
import secrets
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from controller.api.sessions import Session
from controller.trust.oidc_tokens import (
    TokenError,
    check_id_token,
    check_logout_token,
    groups_of,
    header_of,
    signed_claims,
)
from controller.trust.outward import Outward
from controller.trust.people.desk import People
from controller.trust.people.door import NOBODY
from controller.trust.people.model import SignInError
from tenone.config.oidc import Oidc
from tenone.config.quantities import is_loopback
from tenone.runtime.clock import Clock
from tenone.trust.masked import Secret

log = logging.getLogger(__name__)

RETURN_PATH = "/sign-in/oidc/return"
BEGIN_PATH = "/sign-in/oidc"
LOGOUT_PATH = "/sign-in/oidc/logout"
PENDING_SECONDS = 600.0
MOST_PENDING = 2000
DISCOVERY_SECONDS = 3600.0
REFETCH_SECONDS = 10.0
"""Keys are asked for again, for a key id nobody knows, at most so often."""
MOST_BYTES = 262_144
MOST_SPENT = 10_000


class AwayError(Exception):
    """The provider cannot be asked, or says what it must not; one sentence for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A sign-in that somebody began."""

    browser: str
    """SHA-256 of what the browser's cookie holds."""
    nonce: str
    verifier: str
    goal: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where the browser goes, and the cookie by which it is known when it comes back."""

    address: str
    cookie: str


class OidcDoor:
    """See the module."""

    def __init__(
        self,
        config: Oidc,
        people: People,
        clock: Clock,
        *,
        secret: Secret | None,
        outward: Outward,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.config = config
        self._people = people
        self._clock = clock
        self._secret = secret
        self._outward = outward
        self._trust = ssl.create_default_context() if trust is None else trust
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._spent: OrderedDict[str, None] = OrderedDict()
        """Logout tokens that did their work."""
        self._about: Mapping[str, Any] = {}
        self._about_until = 0.0
        self._keys: KeySet | None = None
        self._keys_at = float("-inf")
        self._asking = asyncio.Lock()

    @property
    def provider(self) -> str:
        """By which its accounts are linked: another issuer's subjects are other people."""
        return provider_id(self.config.issuer)

    async def begin(self, goal: str) -> Begun:
        """Remember a sign-in; raises AwayError."""
        about = await self._discovered()
        now = self._now()
        while self._pending and next(iter(self._pending.values())).until <= now:
            self._pending.popitem(last=False)
        if len(self._pending) >= MOST_PENDING:
            raise AwayError("too many sign-ins are under way")
        state, nonce, verifier, cookie = (secrets.token_urlsafe(32) for _ in range(4))
        self._pending[state] = Pending(
            browser=_digest(cookie), nonce=nonce, verifier=verifier, goal=goal,
            until=now + PENDING_SECONDS,
        )  # fmt: skip
        query = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self._redirect,
            "scope": " ".join(self.config.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return Begun(address=f"{about['authorization_endpoint']}?{urlencode(query)}", cookie=cookie)

    async def finish(
        self, query: Mapping[str, str], cookie: str, client: str, instead_of: Session | None
    ) -> tuple[str, Session, str]:
        """Session id, session and goal; raises SignInError, AwayError, LedgerError, StoreError."""
        try:
            pending = self._take(query, cookie)
            token = await self._exchange(query.get("code", ""), pending.verifier)
            claims = await self._believed(token)
            subject = check_id_token(
                claims,
                issuer=self.config.issuer,
                client_id=self.config.client_id,
                nonce=pending.nonce,
                now=self._now(),
            )
            self._check_groups(claims)
            account = await self._people.signed_in_by(self.provider, subject, claims)
            has_second = self._has_second(claims)
            if self._people.must_have_second(account) and not has_second:
                raise TokenError("no second factor")  # noqa: TRY301 - one way out for all of them
        except (TokenError, SignInError) as error:
            why = error.why if isinstance(error, TokenError) else "no account is linked"
            await self._people.parts.noted(
                "session.refused", NOBODY, "", client=client, why=f"oidc: {why}"
            )
            log.warning("a sign-in by %s was refused: %s", self.config.issuer, why)
            raise SignInError("The identity provider's answer was not accepted.") from error
        how = "oidc with second factor" if has_second else "oidc"
        opened, session = await self._people.door.let_in(
            account, client, how, instead_of=instead_of
        )
        return opened, session, pending.goal

    async def logout(self, token: str, client: str) -> None:
        """The provider signs somebody out (back channel); raises SignInError, AwayError."""
        parts = self._people.parts
        try:
            claims = await self._believed(token)
            subject, unique = check_logout_token(
                claims,
                issuer=self.config.issuer,
                client_id=self.config.client_id,
                now=self._now(),
            )
            if unique in self._spent:
                raise TokenError("replayed")  # noqa: TRY301 - one way out for all of them
            account = await self._people.signed_in_by(self.provider, subject, claims)
        except (TokenError, SignInError) as error:
            why = error.why if isinstance(error, TokenError) else "no account is linked"
            await parts.noted("session.close", NOBODY, "", client=client, why=f"oidc: {why}")
            raise SignInError("The logout token was not accepted.") from error
        self._spent[unique] = None
        while len(self._spent) > MOST_SPENT:
            self._spent.popitem(last=False)
        self._people.sessions.close_all_of(account.actor)
        self._people.on_closed()
        await parts.told("session.close", account.actor, account.name, client=client, by="oidc")

    # -- inside

    def _take(self, query: Mapping[str, str], cookie: str) -> Pending:
        pending = self._pending.pop(query.get("state", ""), None)
        if pending is None or pending.until <= self._now():
            raise TokenError("state")
        if not secrets.compare_digest(pending.browser, _digest(cookie)):
            raise TokenError("another browser")
        said = query.get("iss")  # RFC 9207: which provider answers
        must = self._about.get("authorization_response_iss_parameter_supported") is True
        if (said is not None or must) and said != self.config.issuer:
            raise TokenError("mixed-up issuer")
        if "error" in query:
            raise TokenError(f"provider says {query['error'][:40]!a}")
        return pending

    async def _exchange(self, code: str, verifier: str) -> str:
        if not code:
            raise TokenError("no code")
        about = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
            "client_id": self.config.client_id,
        }
        auth = None
        if self._secret is not None:
            auth = httpx.BasicAuth(self.config.client_id, self._secret.use())
            del form["client_id"]
        status, body = await self._ask("POST", about["token_endpoint"], data=form, auth=auth)
        if status != httpx.codes.OK:
            raise TokenError(f"code refused ({str(body.get('error'))[:40]!a})")
        token = body.get("id_token")
        if not isinstance(token, str):
            raise TokenError("no id_token")
        return token

    async def _believed(self, token: str) -> dict[str, Any]:
        kid = header_of(token).get("kid")
        keys = await self._known_keys()
        fresh_enough = self._monotonic() - self._keys_at < REFETCH_SECONDS
        if kid is not None and not fresh_enough and kid not in {one.kid for one in keys.keys}:
            keys = await self._known_keys(again=True)
        return signed_claims(token, keys)

    def _check_groups(self, claims: Mapping[str, Any]) -> None:
        allowed = frozenset(self.config.allowed_groups)
        if allowed and not allowed & groups_of(claims, self.config.groups_claim):
            raise TokenError("not in an allowed group")

    def _has_second(self, claims: Mapping[str, Any]) -> bool:
        said = groups_of(claims, "amr") | groups_of(claims, "acr")
        return bool(said & frozenset(self.config.second_factor))

    async def _discovered(self) -> Mapping[str, Any]:
        async with self._asking:
            if self._monotonic() < self._about_until:
                return self._about
            issuer = self.config.issuer
            where = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
            status, about = await self._ask("GET", where)
            if status != httpx.codes.OK or about.get("issuer") != issuer:
                raise AwayError(f"{where} is not the discovery document of {issuer}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                self._check_endpoint(name, about.get(name))
            methods = about.get("code_challenge_methods_supported")
            if isinstance(methods, list) and "S256" not in methods:
                raise AwayError(f"{issuer} does not offer PKCE with S256")
            self._about, self._about_until = about, self._monotonic() + DISCOVERY_SECONDS
            return about

    def _check_endpoint(self, name: str, address: object) -> None:
        own = urlsplit(self.config.issuer)
        try:
            parts = urlsplit(address if isinstance(address, str) else "")
        except ValueError:
            parts = urlsplit("")
        host = parts.hostname or ""
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not safe or host not in {own.hostname, *self.config.hosts} or parts.username:
            raise AwayError(
                f"the provider's {name} is on no host of its own: list it in auth.oidc.hosts"
            )

    async def _known_keys(self, *, again: bool = False) -> KeySet:
        about = await self._discovered()
        async with self._asking:
            if self._keys is not None and not again:
                return self._keys
            self._keys_at = self._monotonic()
            status, body = await self._ask("GET", about["jwks_uri"])
            listed = body.get("keys")
            if status != httpx.codes.OK or not isinstance(listed, list):
                raise AwayError("the provider's keys cannot be read")
            usable = [one for one in listed if isinstance(one, dict) and _verifies(one)]
            try:
                self._keys = KeySet.import_key_set({"keys": usable})
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise AwayError(f"the provider's keys cannot be read: {error}") from error
            return self._keys

    async def _ask(self, method: str, address: str, **more: Any) -> tuple[int, Mapping[str, Any]]:
        try:
            async with (
                self._outward.client(verify=self._trust) as client,
                client.stream(method, address, **more) as answer,
            ):
                taken = bytearray()
                async for part in answer.aiter_bytes():
                    taken += part
                    if len(taken) > MOST_BYTES:
                        raise AwayError(f"{address} answers with more than {MOST_BYTES} bytes")
                body = json.loads(taken or b"{}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise AwayError(f"{address} cannot be asked: {error}") from error
        except (ValueError, RecursionError) as error:
            raise AwayError(f"{address} does not answer in JSON") from error
        return answer.status_code, body if isinstance(body, dict) else {}

    @property
    def _redirect(self) -> str:
        return self.config.url.rstrip("/") + RETURN_PATH

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9

    def _monotonic(self) -> float:
        return self._clock.monotonic_ns() / 1e9


def oidc_door(config: Oidc | None, people: People, clock: Clock) -> OidcDoor | None:
    """The door of a configuration; raises SecretError, OSError and ssl.SSLError of its files."""
    if config is None:
        return None
    trust = None if config.ca is None else ssl.create_default_context(cafile=config.ca)
    secret = None if config.client_secret is None else config.client_secret.fetch()
    return OidcDoor(
        config, people, clock, secret=secret, outward=Outward(config.networks), trust=trust
    )


def challenge(verifier: str) -> str:
    """``S256`` of RFC 7636 section 4.2."""
    hashed = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed).decode("ascii").rstrip("=")


def provider_id(issuer: str) -> str:
    """What accounts keep of an issuer: short, and nobody else's."""
    return f"oidc:{hashlib.sha256(issuer.encode()).hexdigest()[:32]}"


def _verifies(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
