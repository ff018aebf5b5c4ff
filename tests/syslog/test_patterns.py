"""Lines as the makes' manuals print them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.syslog.line import MAX_BYTES, Line, read_line
from drivers.syslog.patterns import PatternError, hint_of, patterns, read_patterns
from tenone.vocabulary.hints import Hint, HintKind

UP, DOWN, STARTED = HintKind.LINK_UP, HintKind.LINK_DOWN, HintKind.STARTED

LINES = [
    (
        (
            "<188>Nov 22 2026 HUAWEI %%01IFNET/4/IF_STATE(l)[0]:Interface "
            "GigabitEthernet0/0/1 has turned into DOWN state."
        ),
        Hint(DOWN, "GigabitEthernet0/0/1"),
    ),
    (
        (
            "<188>Nov 22 2026 core %%01IFPDT/4/IF_STATE(l)[12]:Interface 10GE1/0/1 has turned "
            "into UP state."
        ),
        Hint(UP, "10GE1/0/1"),
    ),
    (
        (
            "<188>Nov 22 2026 core %%01IFNET/4/LINK_STATE(l)[5]:The line protocol IP on the "
            "interface Vlanif10 has entered the DOWN state."
        ),
        Hint(DOWN, "Vlanif10"),
    ),
    (
        (
            "<185>Nov 22 2026 core %%01PHY/1/PHY(l)[1]:    XGigabitEthernet0/0/1: change "
            "status to up"
        ),
        Hint(UP, "XGigabitEthernet0/0/1"),
    ),
    ("<187>Nov 22 2026 core %%01SNMP/4/WARMSTART(l)[3]:Warm startup.", Hint(STARTED)),
    (
        (
            "<187>Nov 22 2026 H3C %%10IFNET/3/PHY_UPDOWN: -DevIP=10.1.1.2; Physical state on "
            "the interface GigabitEthernet1/0/1 changed to down."
        ),
        Hint(DOWN, "GigabitEthernet1/0/1"),
    ),
    (
        (
            "<189>Nov 22 2026 H3C %%10IFNET/5/LINK_UPDOWN: Line protocol state on the "
            "interface Ten-GigabitEthernet1/0/49 changed to up."
        ),
        Hint(UP, "Ten-GigabitEthernet1/0/49"),
    ),
    (
        (
            "<187>Nov 22 2026 H3C %%10IFNET/3/LINK_UPDOWN(l): GigabitEthernet1/0/24 link "
            "status is DOWN."
        ),
        Hint(DOWN, "GigabitEthernet1/0/24"),
    ),
    (
        ("<187>*Nov 22: sw1 %LINK-3-UPDOWN: Interface GigabitEthernet 0/1, changed state to down."),
        Hint(DOWN, "GigabitEthernet 0/1"),
    ),
    (
        (
            "<189>*Nov 22: %LINEPROTO-5-UPDOWN: Line protocol on Interface TenGigabitEthernet "
            "0/25, changed state to up."
        ),
        Hint(UP, "TenGigabitEthernet 0/25"),
    ),
    (
        (
            "<189>45: *Nov 22 09:12:00.123: %LINK-5-CHANGED: Interface GigabitEthernet0/3, changed "
            "state to administratively down"
        ),
        Hint(DOWN, "GigabitEthernet0/3"),
    ),
    (
        (
            "<189>: 2026 Nov 22: %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/7 "
            "is down (Link failure)"
        ),
        Hint(DOWN, "Ethernet1/7"),
    ),
    ("<190>2026 H3C %%10SYSLOG/6/SYSLOG_RESTART: System restarted --", Hint(STARTED)),
    ("<189>12: %SYS-5-RESTART: System restarted --", Hint(STARTED)),
    ("<189>sw Interface GigabitEthernet 0/9 link down.", Hint(DOWN, "GigabitEthernet 0/9")),
    ("<189>sshd: accepted password for admin", Hint(HintKind.OTHER)),
    ("<189>%LINK-3-UPDOWN: Interface , changed state to sideways", Hint(HintKind.OTHER)),
]


@pytest.mark.parametrize(("text", "hint"), LINES)
def test_lines_of_the_makes(text: str, hint: Hint) -> None:
    assert hint_of(read_line(text.encode())) == hint


def test_every_pattern_is_met_by_a_line() -> None:
    met = {
        pattern.pattern
        for pattern in patterns()
        for text, _ in LINES
        if pattern.search(read_line(text.encode()).text)
    }
    assert {pattern.pattern for pattern in patterns()} == met


@given(st.text(max_size=400))
def test_any_text_is_some_hint(text: str) -> None:
    assert hint_of(Line(None, text)).kind in HintKind


@pytest.mark.parametrize(
    "text",
    [
        "Interface " * (MAX_BYTES // 10),
        "IF_STATE" * (MAX_BYTES // 8),
        "%LINK-3-UPDOWN: Interface " * (MAX_BYTES // 26),
        "PHY " * (MAX_BYTES // 4),
        "LINK_STATE line protocol on the interface " * (MAX_BYTES // 42),
        "A" * MAX_BYTES,
        "Interface " + "-" * MAX_BYTES,
    ],
)
def test_no_line_makes_a_pattern_slow(text: str) -> None:
    # A pattern that tries everything takes hours here: the suite's own time limit ends it.
    assert hint_of(Line(None, text)) == Hint(HintKind.OTHER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "line = 5",
        "[[line]]\npattern = '('\nsource = 'x'",
        "[[line]]\npattern = 'x'\nsource = 'x'",
        "[[line]]\npattern = '(?P<start>x)'",
        "[[line]]\npattern = '(?P<start>x)'\nsource = ''",
    ],
)
def test_vendor_files_that_cannot_be_used(text: str) -> None:
    with pytest.raises(PatternError, match="acme"):
        list(read_patterns("acme.toml", text))
