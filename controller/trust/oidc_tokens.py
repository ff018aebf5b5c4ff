"""What an identity provider signs: read with its keys, and believed claim by claim.

Sources: OpenID Connect Core 1.0 section 3.1.3.7 (ID tokens), Back-Channel Logout 1.0 section 2.6,
RFC 8725 (JWT best current practice: algorithms are ours to choose, not the token's).
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
    "EdDSA",
)  # fmt: skip
"""Signatures by a key that only the provider has; no ``none``, no HMAC."""
SKEW_SECONDS = 60.0
OLDEST_SECONDS = 600.0
MOST_TOKEN = 65_536
MOST_SUBJECT = 255
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class TokenError(Exception):
    """A token that is not believed; ``why`` is short and for the ledger."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def header_of(token: str) -> Mapping[str, Any]:
    """The header, believed in nothing yet."""
    if len(token) > MOST_TOKEN:
        raise TokenError("token too long")
    try:
        return jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise TokenError("no token") from error


def signed_claims(token: str, keys: KeySet) -> dict[str, Any]:
    """The claims, if one of ``keys`` signed them."""
    header = header_of(token)
    if header.get("alg") not in ALGORITHMS:
        raise TokenError(f"algorithm {str(header.get('alg'))[:20]}")
    if "crit" in header or "b64" in header:
        raise TokenError("unknown critical header")
    kid = header.get("kid")
    if kid is None and len(keys.keys) != 1:
        raise TokenError("no kid")
    found = [one for one in keys.keys if kid in {None, one.kid}]
    if not found:
        raise TokenError("unknown kid")
    if found[0].key_type not in {"RSA", "EC", "OKP"}:
        raise TokenError("key is not a public one")
    try:
        read = jws.deserialize_compact(token.encode(), found[0], algorithms=list(ALGORITHMS))
        claims = json.loads(read.payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenError("signature") from error
    if not isinstance(claims, dict):
        raise TokenError("no claims")
    return claims


def check_id_token(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: float
) -> str:
    """The subject, if the token was made for us, now, and for this very sign-in."""
    _for_us(claims, issuer, client_id, now)
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise TokenError("nonce")
    if _number(claims, "exp") <= now - SKEW_SECONDS:
        raise TokenError("expired")
    return _subject(claims)


def check_logout_token(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, now: float
) -> tuple[str, str]:
    """The subject to sign out, and the token's id, good once."""
    _for_us(claims, issuer, client_id, now)
    events = claims.get("events")
    if "nonce" in claims or not isinstance(events, dict) or LOGOUT_EVENT not in events:
        raise TokenError("not a logout token")
    unique = claims.get("jti")
    if not isinstance(unique, str) or not 1 <= len(unique) <= MOST_SUBJECT:
        raise TokenError("jti")
    return _subject(claims), unique


def groups_of(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The texts of a claim that is one, or a list of them."""
    found = claims.get(claim)
    listed: Sequence[object] = found if isinstance(found, list) else [found]
    return frozenset(one for one in listed if isinstance(one, str))


def _for_us(claims: Mapping[str, Any], issuer: str, client_id: str, now: float) -> None:
    if claims.get("iss") != issuer:
        raise TokenError("issuer")
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if client_id not in listed:
        raise TokenError("audience")
    if (len(listed) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise TokenError("authorised party")
    issued = _number(claims, "iat")
    if issued > now + SKEW_SECONDS:
        raise TokenError("issued in the future")
    if issued < now - OLDEST_SECONDS:
        raise TokenError("issued too long ago")
    if "nbf" in claims and _number(claims, "nbf") > now + SKEW_SECONDS:
        raise TokenError("not valid yet")


def _number(claims: Mapping[str, Any], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < 1e12:  # noqa: PLR2004 - beyond any moment
        raise TokenError(f"{name} is no moment")
    return float(found)


def _subject(claims: Mapping[str, Any]) -> str:
    found = claims.get("sub")
    if not isinstance(found, str) or not 1 <= len(found) <= MOST_SUBJECT or not found.isprintable():
        raise TokenError("subject")
    return found
