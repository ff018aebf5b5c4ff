"""Abuse case 7: what is no slug never becomes a machine's name, in whatever dress."""

import os
import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenone.trust.names import MachineKind, MachineName, shown
from tenone.vocabulary.scope import IdentifierError

FULL = os.environ.get("TENONE_EXAMPLES") == "full"
GRAMMAR = re.compile(
    r"(agent|server|service):[a-z0-9-]{1,32}"
    r"|device:[a-z0-9-]{1,32}/[a-z]+/[a-z0-9-]{1,32}",
    re.ASCII,
)
GOOD = (
    ("agent:no3", "no3", "urn:tenone:binhai:agent:no3"),
    ("agent:" + "a" * 32, "a" * 32, "urn:tenone:binhai:agent:" + "a" * 32),
    (
        "device:no3/board/b-0301",
        "no3/board/b-0301",
        "urn:tenone:binhai:device:no3:board:b-0301",
    ),
    ("server:web", "server:web", "urn:tenone:binhai:server:web"),
    ("service:tenone", "service:tenone", "urn:tenone:binhai:service:tenone"),
)
BAD = (
    "", ":", "agent:", "agent", "no3", "Agent:no3", "agent:No3", "agent:no3/x", "agent:" + "a" * 33,
    "agent:+", "agent:#", "agent:no3/#", "agent:$SYS", "agent:$share", "agent:no3\0", "agent:no3\n",
    "agent: no3", "agent:no3 ", "agent:n\u0301o3", "agent:\u202eno3", "agent:\u200bno3",
    "agent:\uff4e\uff4f\uff13", "agent:no\u00b3", "agent:n\u03bf3", "agent:\u0660", "agent:\ud800",
    "agent:no_3", "agent:no.3", "agent:../x", "agent:no3%2e", "device:no3", "device:no3/board",
    "device:no3/board/", "device:no3/toaster/t1", "device:no3/board/b/1", "device:no3//b",
    "root:no3", "agent:agent:no3", "server:a/b", "a" * 10_000,
)  # fmt: skip


@pytest.mark.parametrize(("text", "common_name", "urn"), GOOD)
def test_a_name_there_and_back(text: str, common_name: str, urn: str) -> None:
    name = MachineName.parse(text)
    assert str(name) == text
    assert name.common_name == common_name
    assert name.urn("binhai") == urn
    assert MachineName.of_urn(urn) == ("binhai", name)


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_name_is_refused_in_printable_words(text: str) -> None:
    with pytest.raises(IdentifierError) as refused:
        MachineName.parse(text)
    said = str(refused.value)
    assert said.isascii()
    assert said.isprintable()
    assert len(said) < 400


def _overlong(text: str) -> str:
    """What a lax decoder would make of overlong UTF-8 of ``text`` (RFC 3629, section 3)."""
    raw = b"".join(bytes((0xC0 | byte >> 6, 0x80 | byte & 0x3F)) for byte in text.encode("ascii"))
    return raw.decode("utf-8", "surrogateescape")


ids = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="abz09-/:+#$\0\n\u202e\u0301\u00b3\uff11\u212a.%_ ", max_size=36),
    st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True),
    st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True).map(_overlong),
)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@settings(max_examples=25_000 if FULL else 2_000, deadline=None)  # each makes four names
@given(ids)
def test_every_id_at_length(text: str) -> None:
    _check(text)


@settings(max_examples=300)
@given(ids)
@example("\u212a")  # KELVIN SIGN, whose lower case is an ASCII k
def test_every_id(text: str) -> None:
    _check(text)


def _check(text: str) -> None:
    for whole in (f"agent:{text}", f"device:no3/board/{text}", f"device:{text}/board/b1", text):
        try:
            name = MachineName.parse(whole)
        except IdentifierError:
            assert not GRAMMAR.fullmatch(whole) or whole.startswith("device:"), "a kind unknown"
            continue
        assert GRAMMAR.fullmatch(whole)
        assert str(name) == whole
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            assert unicodedata.normalize(form, whole) == whole
        assert not set(name.common_name) & set("+#$\0*%\\\n")
        assert len(name.common_name) <= 64
        if name.kind is not MachineKind.AGENT:
            assert not re.fullmatch(r"[a-z0-9-]{1,32}", name.common_name), "taken for an agent"


def test_a_device_whose_name_is_too_long_for_a_subject_still_has_its_own() -> None:
    long = MachineName.device("a" * 32, "sensor", "b" * 32)
    other = MachineName.device("a" * 32, "sensor", "c" * 32)
    assert long.common_name.startswith("sha256:")
    assert len(long.common_name) <= 64
    assert long.common_name != other.common_name


@pytest.mark.parametrize(
    "urn", ["", "urn:tenone:", "urn:tenone:binhai:agent", "urn:x:binhai:agent:no3",
            "urn:tenone:Bin:agent:no3", "urn:tenone:b:device:no3:board"],
)  # fmt: skip
def test_other_urns_name_nobody(urn: str) -> None:
    with pytest.raises(IdentifierError):
        MachineName.of_urn(urn)


def test_foreign_text_is_shown_escaped_and_cut() -> None:
    assert shown("a\n\x1b]0;") == "'a\\n\\x1b]0;'"
    assert len(shown("x" * 1000)) < 80
