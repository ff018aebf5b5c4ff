"""The simulated engine's key arithmetic and its users, by the standard's own examples."""

import pytest

from firmware_sims.switch.usm import (
    HASHES,
    KEY_OCTETS,
    Engine,
    Level,
    Parsed,
    Stat,
    UsmFault,
    V3User,
    localised,
    parse,
)
from tenone.runtime.clock import SystemClock

PDU = b"\xa0\x0a\x05\x00\x05\x00\x05\x00\x05\x00\x05\x00"
ENGINE = bytes.fromhex("000000000000000000000002")


def test_the_examples_of_rfc_3414_a_3() -> None:
    md5 = "526f5eed9fcce26f8964c2930787d82b"
    sha1 = "6695febc9288e36282235fc7151f128497b38f3f"
    assert localised(b"maplesyrup", "md5", ENGINE).hex() == md5
    assert localised(b"maplesyrup", "sha1", ENGINE).hex() == sha1


def test_a_user_in_words() -> None:
    user = V3User.parse("bob:sha256:password1:aes128:password2")
    assert user.level == Level.AUTH | Level.PRIV
    assert V3User.parse("bob:sha1:password1").level == Level.AUTH
    assert V3User.parse("bob").level == Level(0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bob:sha256", "is no SNMPv3 user"),
        ("", "is no SNMPv3 user"),
        ("bob:sha2:password1", "unknown protocol"),
        ("bob:sha256:password1:rc4:password2", "unknown protocol"),
        ("bob:sha256:short", "at least 8"),
    ],
)
def test_what_is_no_user(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        V3User.parse(text)


@pytest.mark.parametrize("auth", HASHES)
@pytest.mark.parametrize("priv", KEY_OCTETS)
def test_what_it_seals_it_opens(auth: str, priv: str) -> None:
    user = V3User(
        name="bob", auth=auth, auth_password="password1", priv=priv, priv_password="password2"
    )
    engine = Engine([user], name="sw", clock=SystemClock(), boots=7)
    asked = Parsed(b"\x02\x01\x05", Level(3), b"", 0, 0, b"bob", (0, 0), b"", b"")
    sealed = engine.seal(asked, Level.AUTH | Level.PRIV, PDU)
    found = parse(sealed)
    assert (found.boots, found.engine_id, found.user) == (7, engine.engine_id, b"bob")
    assert PDU not in sealed
    assert engine.open(sealed, found).pdu == PDU
    # The next message under the same key looks different.
    assert engine.seal(asked, Level.AUTH | Level.PRIV, PDU)[-24:] != sealed[-24:]
    broken = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    with pytest.raises(UsmFault) as caught:
        engine.open(broken, parse(broken))
    assert caught.value.stat is Stat.DIGEST
    engine.jump(151)
    with pytest.raises(UsmFault) as caught:
        engine.open(sealed, found)
    assert caught.value.stat is Stat.TIME
