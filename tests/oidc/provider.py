"""An identity provider that does as it is told, in a process of its own: ``python provider.py``.

``/authorize`` hands out codes; ``/token`` holds them to client, address and PKCE as a real one does
(RFC 6749 4.1.3, RFC 7636 4.6) and signs an ID token. ``/tamper`` says what shall be wrong with the
next ones.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Request
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.responses import JSONResponse, RedirectResponse

CLIENT, SECRET = "tenone", "a secret of the test"
OTHER = RSAKey.generate_key(2048, {"kid": "other", "use": "sig"})


def provider(issuer: str) -> FastAPI:
    app = FastAPI()
    keys: dict[str, Any] = {
        "RS256": RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}),
        "ES256": ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"}),
    }
    codes: dict[str, dict[str, str]] = {}
    wrong: dict[str, Any] = {}
    asked = {"keys": 0}

    @app.get("/.well-known/openid-configuration")
    def about() -> dict[str, Any]:
        said: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
        }
        more: dict[str, Any] = wrong.get("about", {})
        return said | more

    @app.get("/keys")
    def public() -> Any:
        asked["keys"] += 1
        return KeySet(list(keys.values())).as_dict(private=False)

    @app.get("/asked")
    def counts() -> dict[str, int]:
        return asked

    @app.post("/tamper")
    async def tamper(request: Request) -> dict[str, str]:
        wrong.clear()
        wrong.update(await request.json())
        if "new_key" in wrong:
            keys["RS256"] = RSAKey.generate_key(2048, {"kid": wrong["new_key"], "use": "sig"})
        return {}

    @app.get("/authorize")
    def authorize(request: Request) -> RedirectResponse:
        query = dict(request.query_params)
        code = secrets.token_urlsafe(16)
        if "code_challenge" in wrong:
            query["code_challenge"] = wrong["code_challenge"]
        codes[code] = query
        return RedirectResponse(f"{query['redirect_uri']}?code={code}&state={query['state']}", 303)

    @app.post("/token")
    def token(
        request: Request,
        code: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "invalid_client"}, 401)
        query = codes.pop(code, None)
        hashed = hashlib.sha256(code_verifier.encode()).digest()
        proof = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
        if (
            query is None
            or query["redirect_uri"] != redirect_uri
            or query.get("code_challenge_method") != "S256"
            or query.get("code_challenge") != proof
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "x", "id_token": signed(query["nonce"])})

    @app.get("/logout-token")
    def logout_token() -> dict[str, str]:
        return {"token": signed(None)}

    def signed(nonce: str | None) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": issuer, "sub": "subject-li", "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": nonce, "groups": ["it"], "amr": ["otp"],
        }  # fmt: skip
        if nonce is None:
            del claims["nonce"]
            claims["jti"] = secrets.token_hex(8)
            claims["events"] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        for name, value in wrong.get("shift", {}).items():
            claims[name] = now + value
        claims |= wrong.get("claims", {})
        for name in wrong.get("without", ()):
            claims.pop(name, None)
        algorithm = wrong.get("alg", "RS256")
        key: Any = keys.get(algorithm, keys["RS256"])
        header = {"alg": algorithm, "kid": key.kid} | wrong.get("header", {})
        header = {name: value for name, value in header.items() if value is not None}
        payload = json.dumps(claims).encode()
        if algorithm == "none":
            return ".".join((_b64(json.dumps(header).encode()), _b64(payload), ""))
        if algorithm == "HS256":  # with the public key, as it lies open, for a secret
            pem = keys["RS256"].as_pem(private=False)
            return _hmac(header, payload, pem)
        if wrong.get("key") == "other":
            key = OTHER
        made = jws.serialize_compact(header, payload, key, algorithms=[algorithm])
        if wrong.get("tampered"):
            head, _, signature = made.split(".")
            payload = json.dumps(claims | {"sub": "subject-wang"}).encode()
            made = ".".join((head, _b64(payload), signature))
        return made

    return app


def _hmac(header: dict[str, Any], payload: bytes, secret: bytes) -> str:
    first = f"{_b64(json.dumps(header).encode())}.{_b64(payload)}"
    return f"{first}.{_b64(hmac.digest(secret, first.encode(), 'sha256'))}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(provider(f"http://127.0.0.1:{port}"), port=port, log_level="error")
