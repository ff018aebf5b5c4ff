"""Sealing and opening, without a socket: what is believed, and what is not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.snmp.ber import Tag, encode_oid
from drivers.snmp.errors import (
    DecodeError,
    Distrusted,
    NotInTimeWindow,
    SecurityError,
    UnknownContext,
    UnknownEngine,
    UnknownUser,
    UnsupportedLevel,
    WrongAuthPassword,
    WrongPrivPassword,
)
from drivers.snmp.message import Envelope, Message, PduType, VarBind, Version, build_request
from drivers.snmp.v3.frame import enveloped, is_v3, read_frame
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.peer import WINDOW_SECONDS, Peer
from drivers.snmp.v3.reports import Report, Why, error_of, why_of
from drivers.snmp.v3.user import User
from firmware_sims.switch import ber, message, usm
from tenone.runtime.clock import ManualClock

SECOND = 1_000_000_000
NUMBER = 0x1234_5678
NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
REQUEST = build_request(Envelope(Version.V2C, b""), PduType.GET, (encode_oid(NAME),))
VALUE = b"a switch with a name of some length, so that blocks are filled" * 5
LEVELS = [(None, None), (Auth.SHA1, None), (Auth.SHA256, Priv.AES128), (Auth.MD5, Priv.DES),
          (Auth.SHA512, Priv.AES256), (Auth.SHA1, Priv.AES256C)]  # fmt: skip


def user(auth: Auth | None, priv: Priv | None, **more: object) -> User:
    return User(
        name="bob",
        auth=auth,
        auth_password="password1" if auth else "",
        priv=priv,
        priv_password="password2" if priv else "",
        **more,  # type: ignore[arg-type] # the tests' own few
    )


class Pair:
    """One of ours and the simulated engine it asks."""

    def __init__(self, auth: Auth | None, priv: Priv | None, **more: object) -> None:
        self.peer = Peer(user(auth, priv, **more), "sw")
        text = "bob" + (f":{auth.text}:password1" if auth else "")
        text += f":{priv.text}:password2" if priv else ""
        self.engine = usm.Engine([usm.V3User.parse(text)], name="sw", clock=ManualClock(), boots=3)

    def meet(self, now_ns: int = 0) -> None:
        """Discovery."""
        asked = self.peer.seal(REQUEST, NUMBER, now_ns)
        with pytest.raises(usm.UsmFault) as caught:
            self.engine.open(asked, usm.parse(asked))
        said = self.take(self.engine.report(usm.parse(asked), caught.value.stat), now_ns)
        assert isinstance(said, Report)
        assert said.why is Why.UNKNOWN_ENGINE
        assert self.peer.heard(said, now_ns) is None

    def take(self, data: bytes, now_ns: int = 0) -> bytes | Report:
        """The quick way where it takes it, else the full one; both must say the same."""
        assert is_v3(data)
        quick = self.peer.glance(data, now_ns)
        opened = self.peer.open(read_frame(data), data, now_ns)
        assert quick is None or quick == opened
        return opened

    def answer(self, now_ns: int = 0, number: int = NUMBER, late: int = 0) -> bytes:
        """The engine's answer to our request."""
        asked = self.peer.seal(REQUEST, number, now_ns)
        scoped = self.engine.open(asked, usm.parse(asked))
        whole = ber.tlv(ber.SEQUENCE, ber.integer(1) + ber.tlv(4, b"") + scoped.pdu)
        value = ber.tlv(ber.SEQUENCE, ber.oid(NAME) + ber.tlv(4, VALUE))
        reply = message.response(message.parse(whole), value)
        return self.engine.seal(scoped.asked, scoped.level, message.pdu_of(reply), late=late)


@pytest.mark.parametrize(("auth", "priv"), LEVELS)
def test_an_answer_opens_to_what_v2c_would_have_said(auth: Auth | None, priv: Priv | None) -> None:
    pair = Pair(auth, priv)
    pair.meet()
    opened = pair.take(pair.answer())
    assert isinstance(opened, bytes)
    assert Message.decode(opened) == Message(
        version=Version.V2C,
        community=b"",
        pdu_type=PduType.RESPONSE,
        request_id=NUMBER,
        varbinds=(VarBind(NAME, Tag.OCTET_STRING, VALUE),),
    )
    assert pair.peer.boots == 3
    assert pair.peer.trusted == (auth is not None)
    assert pair.peer.unproved is False


def test_the_quick_way_takes_the_second_answer_and_no_spoilt_one() -> None:
    pair = Pair(Auth.SHA256, Priv.AES128)
    pair.meet()
    assert pair.peer.glance(pair.answer(), 0) is None
    opened = pair.take(pair.answer())
    answer = pair.answer()
    assert pair.peer.glance(answer, 0) == opened
    for place in range(len(answer)):
        spoilt = bytearray(answer)
        spoilt[place] ^= 1 << place % 8
        assert pair.peer.glance(bytes(spoilt), 0) is None, place
    assert pair.peer.glance(answer[:-1], 0) is None
    assert pair.peer.glance(answer + b"x", 0) is None
    # Another time is read, one behind the window is not; another boot is for the full way.
    pair.engine.jump(100)
    pair.peer.heard(Report(Why.NOT_IN_TIME, (), pair.engine.engine_id, 3, 100, False), 0)  # noqa: FBT003 - in order
    assert isinstance(pair.take(pair.answer()), bytes)
    assert pair.peer.glance(pair.answer(late=100), 0) is not None
    assert pair.peer.glance(pair.answer(), (WINDOW_SECONDS + 1) * SECOND) is None
    # A signed answer with less security, or a report, is never taken.
    asked = usm.parse(pair.peer.seal(REQUEST, NUMBER, 0))
    assert isinstance(opened, bytes)
    pdu = message.pdu_of(opened)
    for level, kind in ((usm.Level.AUTH, 0xA2), (usm.Level(3), 0xA8), (usm.Level(3), 0xA0)):
        data = pair.engine.seal(asked, level, bytes((kind,)) + pdu[1:])
        assert pair.peer.glance(data, 0) is None
    assert pair.peer.glance(pair.engine.seal(asked, usm.Level(3), pdu, context=b"x"), 0) is None


def test_requests_never_look_the_same() -> None:
    pair = Pair(Auth.SHA256, Priv.AES128)
    pair.meet()
    sealed = {pair.peer.seal(REQUEST, NUMBER, 0)[-60:] for _ in range(100)}
    assert len(sealed) == 100
    assert not any(encode_oid(NAME) in one for one in sealed)


@settings(max_examples=300)
@given(st.data())
def test_no_changed_byte_is_believed(data: st.DataObject) -> None:
    """Signed answers: one octet changed, cut or added anywhere, and it is no answer."""
    pair = PAIRS[data.draw(st.integers(0, len(PAIRS) - 1))]
    answer = pair.answer()
    place = data.draw(st.integers(0, len(answer) - 1))
    change = data.draw(st.sampled_from(("flip", "cut", "add")))
    octet = data.draw(st.integers(0, 255))
    spoilt = bytearray(answer)
    match change:
        case "flip":
            spoilt[place] ^= octet or 1
        case "cut":
            del spoilt[place:]
        case _:
            spoilt.insert(place, octet)
    try:
        opened = pair.take(bytes(spoilt)) if is_v3(bytes(spoilt)) else None
    except (DecodeError, Distrusted):
        return
    assert not isinstance(opened, bytes) or bytes(spoilt) == answer


PAIRS = [Pair(auth, priv) for auth, priv in LEVELS if auth is not None]
for one in PAIRS:
    one.meet()


def test_noise_is_an_error_of_ours() -> None:
    chance = random.Random(3)
    pair = PAIRS[1]
    answer = pair.answer()
    for _ in range(20_000):
        spoilt = bytearray(answer)
        for _ in range(chance.randint(1, 6)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        try:
            read_frame(bytes(spoilt))
            pair.take(bytes(spoilt))
        except (AssertionError, DecodeError, Distrusted):
            continue


def test_less_security_than_asked_is_not_believed() -> None:
    pair = Pair(Auth.SHA256, Priv.AES128)
    pair.meet()
    answer = pair.answer()
    asked = pair.peer.seal(REQUEST, NUMBER, 0)
    pdu = message.pdu_of(pair.take(answer))  # type: ignore[arg-type] # an answer, as above
    for level in (usm.Level(0), usm.Level.AUTH):
        with pytest.raises(Distrusted, match="less security"):
            pair.take(pair.engine.seal(usm.parse(asked), level, pdu))
    other = pair.engine.seal(usm.parse(asked), usm.Level(3), pdu, context=b"vlan-1")
    with pytest.raises(Distrusted, match="another context"):
        pair.take(other)


def test_a_clock_within_the_window_is_followed_and_one_outside_is_not_believed() -> None:
    pair = Pair(Auth.SHA256, None)
    pair.meet()
    pair.engine.jump(10_000)
    pair.peer.heard(Report(Why.NOT_IN_TIME, (), pair.engine.engine_id, 3, 10_000, False), 0)  # noqa: FBT003 - in order
    assert isinstance(pair.take(pair.answer()), bytes)
    assert pair.peer.clock(5 * SECOND) == (3, 10_005)
    assert isinstance(pair.take(pair.answer(late=WINDOW_SECONDS)), bytes)
    stale = pair.take(pair.answer(late=WINDOW_SECONDS + 1))
    assert isinstance(stale, Report)
    assert stale.why is Why.NOT_IN_TIME
    # A little ahead is newer, and becomes the clock.
    pair.engine.jump(100)
    assert isinstance(pair.take(pair.answer()), bytes)
    assert pair.peer.clock(0) == (3, 10_100)


def test_a_reboot_and_a_leap_are_learnt_from_a_signed_report() -> None:
    pair = Pair(Auth.SHA256, Priv.AES128)
    pair.meet()
    pair.take(pair.answer())
    for change in (pair.engine.reboot, lambda: pair.engine.jump(100_000)):
        change()
        asked = pair.peer.seal(REQUEST, NUMBER, 0)
        with pytest.raises(usm.UsmFault) as caught:
            pair.engine.open(asked, usm.parse(asked))
        report = pair.take(pair.engine.report(usm.parse(asked), caught.value.stat))
        assert isinstance(report, Report)
        assert (report.why, report.authentic) == (Why.NOT_IN_TIME, True)
        assert pair.peer.heard(report, 0) is None
        assert isinstance(pair.take(pair.answer()), bytes)
    assert pair.peer.boots == 4


def test_a_pinned_engine_is_not_exchanged() -> None:
    pair = Pair(Auth.SHA256, None, engine_id=b"\x80\x00\x00\x00\x01")
    asked = pair.peer.seal(REQUEST, NUMBER, 0)
    assert usm.parse(asked).engine_id == b"\x80\x00\x00\x00\x01"
    report = pair.take(pair.engine.report(usm.parse(asked), usm.Stat.ENGINE))
    assert isinstance(report, Report)
    error = pair.peer.heard(report, 0)
    assert isinstance(error, UnknownEngine)
    assert "pinned" in str(error)
    assert pair.peer.engine_id == b"\x80\x00\x00\x00\x01"


@pytest.mark.parametrize(
    ("why", "kind", "said"),
    [
        (Why.UNKNOWN_USER, UnknownUser, "knows no SNMPv3 user 'bob'"),
        (Why.WRONG_DIGEST, WrongAuthPassword, "another protocol than sha256"),
        (Why.DECRYPTION, WrongPrivPassword, "another protocol than aes128"),
        (Why.UNSUPPORTED_LEVEL, UnsupportedLevel, "by authPriv (sha256"),
        (Why.NOT_IN_TIME, NotInTimeWindow, "boots 3, 7 s"),
        (Why.UNKNOWN_ENGINE, UnknownEngine, "engine id"),
        (Why.UNKNOWN_CONTEXT, UnknownContext, "no SNMPv3 context ''"),
        (Why.INVALID, SecurityError, "the report invalid"),
        (None, SecurityError, "the report 1.3"),
    ],
)
def test_each_report_is_an_error_with_a_sentence(
    why: Why | None, kind: type[SecurityError], said: str
) -> None:
    report = Report(why, (1, 3), b"12345", 3, 7, authentic=False)
    error = error_of(report, user(Auth.SHA256, Priv.AES128), "sw:161")
    assert type(error) is kind
    assert str(error).startswith("sw:161 ")
    assert said in str(error)
    assert "password1" not in str(error)


def test_reports_are_told_by_name() -> None:
    assert {why_of((*why.value, 0)) for why in Why} == set(Why)
    assert why_of((1, 3, 6)) is why_of(()) is None


@given(st.binary(max_size=70_000))
def test_the_envelope_holds_any_pdu(contents: bytes) -> None:
    pdu = ber.tlv(0xA2, contents)
    whole = enveloped(pdu)
    assert message.pdu_of(whole) == pdu
