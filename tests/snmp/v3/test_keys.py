"""Passwords into keys: the standard's examples, and two other people's arithmetic."""

import hashlib
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.type import univ
from pysnmp.proto.secmod.rfc3414 import localkey, service

from drivers.snmp.v3.keys import Auth, Extension, Priv, localise, password_to_key, priv_key
from firmware_sims.switch.usm import localised

ENGINE = bytes.fromhex("000000000000000000000002")
VECTORS = [
    (
        Auth.MD5,
        "9faf3283884e92834ebc9847d8edd963",
        "526f5eed9fcce26f8964c2930787d82b",
    ),
    (
        Auth.SHA1,
        "9fb5cc0381497b3793528939ff788d5d79145211",
        "6695febc9288e36282235fc7151f128497b38f3f",
    ),
]
"""RFC 3414 A.3.1 and A.3.2: "maplesyrup" as Ku and Kul."""
PYSNMP = cast("Any", service)
OCTETS = cast("Any", univ).OctetString
passwords = st.binary(min_size=8, max_size=40)
engines = st.binary(min_size=5, max_size=32)


@pytest.mark.parametrize(("auth", "key", "local"), VECTORS)
def test_the_examples_of_rfc_3414(auth: Auth, key: str, local: str) -> None:
    assert password_to_key(b"maplesyrup", auth).hex() == key
    assert localise(bytes.fromhex(key), ENGINE, auth).hex() == local


@settings(max_examples=20)
@given(passwords, engines, st.sampled_from(Auth))
def test_pysnmp_and_the_simulator_make_the_same_keys(
    password: bytes, engine: bytes, auth: Auth
) -> None:
    ours = localise(password_to_key(password, auth), engine, auth)
    hashed = localkey.hash_passphrase(password, getattr(hashlib, auth.digest))
    theirs = localkey.localize_key(hashed, OCTETS(engine), getattr(hashlib, auth.digest))
    assert ours == bytes(theirs) == localised(password, auth.digest, engine)


_THEIRS = {
    Priv.AES192: PYSNMP.aes192.AesBlumenthal192,
    Priv.AES256: PYSNMP.aes256.AesBlumenthal256,
    Priv.AES192C: PYSNMP.aes192.Aes192,
    Priv.AES256C: PYSNMP.aes256.Aes256,
}
_SERVICES = {
    Auth.MD5: PYSNMP.hmacmd5.HmacMd5.SERVICE_ID,
    Auth.SHA1: PYSNMP.hmacsha.HmacSha.SERVICE_ID,
    Auth.SHA256: PYSNMP.hmacsha2.HmacSha2.SHA256_SERVICE_ID,
    Auth.SHA512: PYSNMP.hmacsha2.HmacSha2.SHA512_SERVICE_ID,
}


@settings(max_examples=20)
@given(passwords, engines, st.sampled_from(list(_SERVICES)), st.sampled_from(list(_THEIRS)))
def test_pysnmp_makes_the_same_long_keys(
    password: bytes, engine: bytes, auth: Auth, priv: Priv
) -> None:
    hashed = localkey.hash_passphrase(password, getattr(hashlib, auth.digest))
    lengthened = _THEIRS[priv]()
    theirs = lengthened.localize_key(_SERVICES[auth], hashed, OCTETS(engine))
    assert priv_key(password, engine, auth, priv) == bytes(theirs)


def test_names_and_bounds() -> None:
    assert Auth.named("SHA256") is Auth.SHA256
    assert Priv.named("aes256c").extension is Extension.REEDER
    assert {one.text for one in (*Auth, *Priv) if one.old} == {"md5", "sha1", "des"}
    with pytest.raises(ValueError, match="at least 8 characters"):
        password_to_key(b"1234567", Auth.SHA256)
    for kind in (Auth, Priv):
        with pytest.raises(ValueError, match=r"\(old\)"):
            kind.named("rot13")
    for auth in Auth:
        for priv in Priv:
            assert len(priv_key(b"password", ENGINE, auth, priv)) == priv.size
