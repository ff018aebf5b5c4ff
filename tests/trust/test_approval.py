"""The approval document: what it binds, and what is refused."""

import dataclasses
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tenone.blocks.seal import key_id
from tenone.trust.approval import (
    LIFE_MS,
    TOLERANCE_MS,
    Approval,
    Pins,
    Refusal,
    Refused,
    Risk,
    SignedApproval,
    check_persons,
    check_place,
    check_plan,
    check_state,
    check_time,
    plan_hash,
    state_hash,
)
from tests.trust.approving import (
    KEY,
    LINES,
    NOW_MS,
    PINS,
    PUBLIC,
    STATE,
    approval,
    signed,
)


def refusal(check: Callable[[], object]) -> Refusal:
    with pytest.raises(Refused) as refused:
        check()
    sentence = str(refused.value)
    assert sentence
    assert "\n" not in sentence
    return refused.value.why


def test_what_was_signed_is_read_back_and_good() -> None:
    document = signed()
    read = document.approval(PINS)
    assert read == approval()
    assert Approval.parse(read.text).text == document.text
    check_place(read, city="c", school="no1")
    check_persons(read)
    check_time(read, NOW_MS)
    check_plan(read, LINES)
    check_state(read, STATE)


@pytest.mark.parametrize(
    ("why", "check"),
    [
        (Refusal.OTHER_CITY, lambda: check_place(approval(), city="d", school="no1")),
        (Refusal.OTHER_SCHOOL, lambda: check_place(approval(), city="c", school="no2")),
        (Refusal.PERSONS, lambda: check_persons(approval(approvers=("account:li",)))),
        (
            Refusal.PERSONS,
            lambda: check_persons(approval(approvers=("account:li", "account:wang"))),
        ),
        (Refusal.PERSONS, lambda: check_persons(approval(risk=Risk.HIGH))),
        (Refusal.PERSONS, lambda: check_persons(approval(), at_least=2)),
        (Refusal.TOO_LONG, lambda: check_time(approval(expires_ms=NOW_MS + LIFE_MS + 1), NOW_MS)),
        (Refusal.NOT_YET, lambda: check_time(approval(), NOW_MS - TOLERANCE_MS - 1)),
        (Refusal.EXPIRED, lambda: check_time(approval(), NOW_MS + LIFE_MS)),
        (Refusal.OTHER_PLAN, lambda: check_plan(approval(), (*LINES, "shutdown"))),
        (Refusal.OTHER_PLAN, lambda: check_plan(approval(), LINES[::-1])),
        (Refusal.OTHER_PLAN, lambda: check_plan(approval(), ())),
        (Refusal.OTHER_STATE, lambda: check_state(approval(), STATE | {"GE1/0/1 speed": "1000"})),
        (Refusal.OTHER_STATE, lambda: check_state(approval(), {})),
        (Refusal.UNKNOWN_KEY, lambda: signed().approval(Pins(bytes(32)))),
        (
            Refusal.SIGNATURE,
            lambda: SignedApproval(signed().text, signed(action="a-2").signature).approval(PINS),
        ),
        (Refusal.SIGNATURE, lambda: SignedApproval(signed().text, b"").approval(PINS)),
        (Refusal.MALFORMED, lambda: approval(school="No1")),
        (Refusal.MALFORMED, lambda: approval(action="../a")),
        (Refusal.MALFORMED, lambda: approval(requester="account:li\nrisk ordinary")),
        (Refusal.MALFORMED, lambda: approval(approvers=())),
        (Refusal.MALFORMED, lambda: approval(approvers=("account:b", "account:a"))),
        (Refusal.MALFORMED, lambda: approval(approvers=("account:a", "account:a"))),
        (Refusal.MALFORMED, lambda: approval(approvers=("a\nb",))),
        (Refusal.MALFORMED, lambda: approval(parameters={"Port": "1"})),
        (Refusal.MALFORMED, lambda: approval(parameters={"port": "1" * 513})),
        (Refusal.MALFORMED, lambda: approval(parameters={f"p{n}": "" for n in range(33)})),
        (Refusal.MALFORMED, lambda: approval(expires_ms=NOW_MS)),
        (Refusal.MALFORMED, lambda: approval(plan=b"")),
        (Refusal.MALFORMED, lambda: approval(nonce="0" * 31)),
    ],
)
def test_each_refusal_has_its_code_and_a_sentence(
    why: Refusal, check: Callable[[], object]
) -> None:
    assert refusal(check) is why


@pytest.mark.parametrize(("at_ms"), [-TOLERANCE_MS, 0, LIFE_MS - 1])
def test_the_times_at_which_it_is_good(at_ms: int) -> None:
    check_time(approval(), NOW_MS + at_ms)


def test_two_people_approve_what_is_of_high_risk() -> None:
    check_persons(approval(risk=Risk.HIGH, approvers=("account:wang", "account:zhao")), at_least=2)


def test_a_document_of_the_next_key_is_as_good() -> None:
    following = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = following.public_key().public_bytes_raw()
    document = SignedApproval.sign(approval(key_id=key_id(public)), following)
    assert document.approval(Pins(PUBLIC, public)).key_id == key_id(public)
    assert refusal(lambda: document.approval(PINS)) is Refusal.UNKNOWN_KEY


def test_a_key_cannot_sign_in_the_name_of_another() -> None:
    other = Ed25519PrivateKey.generate()
    document = SignedApproval.sign(approval(), other)
    assert refusal(lambda: document.approval(PINS)) is Refusal.SIGNATURE


def outcome(text: str, signature: bytes) -> Refusal | None:
    try:
        SignedApproval(text, signature).approval(PINS)
    except Refused as refused:
        return refused.why
    return None


def test_abuse_24_a_document_edited_at_any_byte_is_refused() -> None:
    """Every byte of text and signature, each changed in eight ways, left out, and doubled."""
    document = signed()
    tried = good = 0
    data = document.text.encode()
    for at in range(len(data)):
        changes = [data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :] for bit in range(8)]
        changes += [data[:at] + data[at + 1 :], data[: at + 1] + data[at:]]
        for changed in changes:
            tried += 1
            good += outcome(changed.decode("latin-1"), document.signature) is None
    for at in range(len(document.signature)):
        for bit in range(8):
            signature = bytearray(document.signature)
            signature[at] ^= 1 << bit
            tried += 1
            good += outcome(document.text, bytes(signature)) is None
    print(f"\napproval edited by one byte: {tried} documents, accepted {good}")
    assert (tried, good) == (10 * len(data) + 512, 0)


@given(st.data())
def test_whatever_else_stands_in_a_place_is_refused(data: st.DataObject) -> None:
    document = signed()
    start = data.draw(st.integers(0, len(document.text)))
    end = data.draw(st.integers(start, len(document.text)))
    text = document.text[:start] + data.draw(st.text(max_size=40)) + document.text[end:]
    if text != document.text:
        assert outcome(text, document.signature) is not None


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    for one in (text, "tenone-approval 1\n" + text, "tenone-approval 1\n" + text + "\n"):
        assert refusal(lambda one=one: Approval.parse(one)) is Refusal.MALFORMED  # type: ignore[misc]  # binds the loop's value


VALUES = st.text(st.characters(exclude_categories=()), max_size=60)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True), VALUES, max_size=5))
def test_parameters_of_any_text_have_one_spelling(parameters: dict[str, str]) -> None:
    made = approval(parameters=parameters)
    assert made.text.isascii()
    assert Approval.parse(made.text).text == made.text
    assert dict(Approval.parse(made.text).parameters) == parameters


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n",
        lambda text: text + "approver account:zhao\n",
        lambda text: text.replace('"GE1/0/1"', '"GE1\\/0/1"'),
        lambda text: text.replace('"GE1/0/1"', ' "GE1/0/1"'),
        lambda text: text.replace("issued_ms 1", "issued_ms 01"),
        lambda text: text.replace("plan ", "plan  "),
        lambda text: text.replace("risk ordinary\n", ""),
        lambda text: text.replace("risk ordinary\n", "risk ordinary\nrisk ordinary\n"),
        lambda text: text.replace("risk ordinary\n", "risk none\n"),
        lambda text: text.replace("with port", "with port null\nwith p"),
        lambda text: text.replace("school no1\naction a-1", "action a-1\nschool no1"),
    ],
)
def test_a_key_that_signs_other_spellings_is_refused_as_well(change: Callable[[str], str]) -> None:
    """Not even the city itself can give one approval two texts."""
    text = change(signed().text)
    assert text != signed().text
    assert outcome(text, KEY.sign(text.encode())) is Refusal.MALFORMED


@given(st.lists(st.text(max_size=20), max_size=5), st.lists(st.text(max_size=20), max_size=5))
def test_no_two_plans_share_a_hash(one: list[str], other: list[str]) -> None:
    assert (plan_hash(one) == plan_hash(other)) is (one == other)


@given(
    st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4),
    st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4),
)
def test_no_two_states_share_a_hash(one: dict[str, str], other: dict[str, str]) -> None:
    assert (state_hash(one) == state_hash(other)) is (one == other)
    assert state_hash(dict(reversed(one.items()))) == state_hash(one)
    assert state_hash(one) != plan_hash([part for item in sorted(one.items()) for part in item])


def test_fields_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        approval().risk = Risk.HIGH  # type: ignore[misc]  # that it cannot is the point
