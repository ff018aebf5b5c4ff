import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.trust.chain import (
    KEYS,
    LONGEST_DETAIL,
    LONGEST_TEXT,
    ZERO,
    Told,
    body_of,
    chained,
    hasher,
    number_of,
)
from controller.trust.entries import Entry, Outcome

TEXT = st.text(st.characters(), max_size=400)
VALUE = st.one_of(TEXT, st.integers(-(2**63), 2**63), st.floats(), st.booleans(), st.none())


@given(
    st.integers(0, 10**17),
    TEXT,
    TEXT,
    TEXT,
    st.sampled_from(Outcome),
    st.dictionaries(TEXT, VALUE, max_size=40),
)
def test_one_ascii_line_that_json_reads_back(
    seq: int, actor: str, scope: str, subject: str, outcome: Outcome, detail: dict[str, str]
) -> None:
    entry = Entry(
        act="a.b", actor=actor, scope=scope, subject=subject, outcome=outcome, detail=detail
    )
    body = body_of(seq, Told(entry, 1, 2), "boot")
    assert all(0x20 <= byte < 0x7F for byte in body)
    read = json.loads(body)
    assert tuple(read) == KEYS
    assert number_of(body) == read["seq"] == seq
    assert read["actor"] == actor[:LONGEST_TEXT]
    assert len(json.dumps(read["detail"], separators=(",", ":"))) <= LONGEST_DETAIL
    if not read["detail"].get("was_cut"):
        assert set(read["detail"]) == set(detail)


def test_the_order_of_details_does_not_matter() -> None:
    one, two = (
        body_of(1, Told(Entry(act="a.b", actor="x", detail=detail), 1, 1), "b")
        for detail in ({"p": 1, "q": 2}, {"q": 2, "p": 1})
    )
    assert one == two


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_json_has_not(value: float) -> None:
    entry = Entry(act="a.b", actor="x", detail={"v": value})
    assert json.loads(body_of(1, Told(entry, 1, 1), "b"))["detail"] == {"v": str(value)}


@pytest.mark.parametrize("act", ["", "a", "A.b", "a.b ", "a.b\n", "a..b", "a.b.c.d", "ä.b", "a/b"])
def test_acts_that_are_none(act: str) -> None:
    with pytest.raises(ValueError, match="is no act"):
        body_of(1, Told(Entry(act=act, actor="x"), 1, 1), "b")


def test_the_hash_is_what_the_documentation_says() -> None:
    body = body_of(1, Told(Entry(act="a.b", actor="x"), 1, 1), "b")
    row = chained(1, body, ZERO, hasher("sha256"))
    assert row.hash == hashlib.sha256(bytes(32) + body).digest()
    assert (
        chained(2, body, row.hash, hasher("sm3")).hash
        == hashlib.new("sm3", row.hash + body).digest()
    )


def test_sm3_is_the_one_of_the_standard() -> None:
    """GB/T 32905-2016, A.1: the digest of ``abc``."""
    digest = hasher("sm3")(b"abc").hex()
    assert digest == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_a_hash_the_library_has_not() -> None:
    with pytest.raises(ValueError, match="use sha256"):
        hasher("no-such-hash")
