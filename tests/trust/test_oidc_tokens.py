"""Claims, one by one, without a network; the rest against a provider in tests/oidc."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey

from controller.trust.oidc_tokens import (
    LOGOUT_EVENT,
    TokenError,
    check_id_token,
    check_logout_token,
    groups_of,
    header_of,
    signed_claims,
)

NOW = 1_800_000_000.0
KEY = ECKey.generate_key("P-256", {"kid": "k"})
GOOD: dict[str, Any] = {
    "iss": "https://i", "aud": "c", "sub": "s", "iat": NOW, "exp": NOW + 60, "nonce": "n",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def believed(claims: dict[str, Any]) -> str:
    return check_id_token(claims, issuer="https://i", client_id="c", nonce="n", now=NOW)


def test_the_good_one_is_believed() -> None:
    assert believed(GOOD) == "s"
    assert believed(GOOD | {"aud": ["c", "d"], "azp": "c"}) == "s"


@given(st.sampled_from(sorted(GOOD)), JSON)
def test_another_value_of_any_claim_is_refused(name: str, value: Any) -> None:
    if name in {"iat", "exp", "sub"} or (name == "aud" and value == ["c"]) or value == GOOD[name]:
        return
    with pytest.raises(TokenError):
        believed(GOOD | {name: value})


@given(st.sampled_from(["iat", "exp", "nbf", "sub", "azp", "aud", "events", "groups"]), JSON)
def test_whatever_a_claim_is_nothing_else_is_raised(name: str, value: Any) -> None:
    for check in (
        believed,
        lambda c: check_logout_token(c, issuer="https://i", client_id="c", now=NOW),
        lambda c: groups_of(c, "groups"),
    ):
        with contextlib.suppress(TokenError):
            check(GOOD | {name: value})


@pytest.mark.parametrize("edge", [("exp", -59.0, True), ("exp", -60.0, False), ("iat", 60.0, True),
                                  ("iat", 61.0, False), ("iat", -600.0, True),
                                  ("iat", -601.0, False)])  # fmt: skip
def test_moments_at_their_edges(edge: tuple[str, float, bool]) -> None:
    name, shift, good = edge
    claims = GOOD | {name: NOW + shift}
    if good:
        assert believed(claims) == "s"
    else:
        with pytest.raises(TokenError):
            believed(claims)


def test_a_logout_token_is_no_id_token_and_the_other_way_round() -> None:
    out = {key: value for key, value in GOOD.items() if key != "nonce"}
    out |= {"jti": "j", "events": {LOGOUT_EVENT: {}}}
    assert check_logout_token(out, issuer="https://i", client_id="c", now=NOW) == ("s", "j")
    with pytest.raises(TokenError, match="nonce"):
        believed(out)
    with pytest.raises(TokenError, match="not a logout token"):
        check_logout_token(GOOD, issuer="https://i", client_id="c", now=NOW)


def signed(header: dict[str, Any], key: Any = KEY) -> str:
    return jws.serialize_compact(header, json.dumps(GOOD).encode(), key, algorithms=[header["alg"]])


def test_signatures() -> None:
    keys = KeySet([KEY])
    token = signed({"alg": "ES256", "kid": "k"})
    assert signed_claims(token, keys)["sub"] == "s"
    assert signed_claims(signed({"alg": "ES256"}), keys)["sub"] == "s", "there is one key only"
    edwards = OKPKey.generate_key("Ed25519", {"kid": "e"})
    assert signed_claims(signed({"alg": "Ed25519", "kid": "e"}, edwards), KeySet([edwards]))
    secret = OctKey.import_key("0" * 32, {"kid": "k"})
    for wrong, held in (
        (signed({"alg": "HS256", "kid": "k"}, secret), KeySet([secret])),
        (token, KeySet([ECKey.generate_key("P-256", {"kid": "k"})])),
        (token, KeySet([secret])),
        (token[:-4] + "AAAA", keys),
        (token.rsplit(".", 1)[0] + ".", keys),
    ):
        with pytest.raises(TokenError):
            signed_claims(wrong, held)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (header_of, lambda one: signed_claims(one, KeySet([KEY]))):
        with pytest.raises(TokenError):
            read(text)
