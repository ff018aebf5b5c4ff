"""Configurations as lines that differ only where something was set."""

import pytest

from drivers.cli.care.masks import mask
from drivers.cli.care.text import (
    MOST_BYTES,
    Difference,
    NotAConfigurationError,
    as_text,
    differences,
    lines_of,
)
from tenone.vocabulary.intents import Dialect

HUAWEI = """\
<core>display current-configuration
!Software Version V200R019C10SPC500
!Last configuration was updated at 2026-11-21 03:12:44+08:00 by admin
!Last configuration was saved at 2026-11-21 03:12:51+08:00
#
sysname core
#
interface GigabitEthernet0/0/3
 description "to <room> 302]"
 port link-type access
#
return
<core>"""
CISCO = """\
Building configuration...

Current configuration : 3412 bytes
!
! Last configuration change at 08:12:01 CST Sat Nov 21 2026 by admin
!
hostname sw-1
interface GigabitEthernet1/0/3
 switchport access vlan 20\r
\x1b[16D  --More--         \x08\x08\x08 spanning-tree portfast
ntp clock-period 36029056
end
sw-1#"""


@pytest.mark.parametrize(
    ("dialect", "text", "first", "last", "count"),
    [
        (Dialect.HUAWEI_VRP5, HUAWEI, "#", "return", 8),
        (Dialect.CISCO_IOS, CISCO, "!", "end", 7),
    ],
)
def test_noise_is_left_out(dialect: Dialect, text: str, first: str, last: str, count: int) -> None:
    lines = lines_of(dialect, text)
    assert (lines[0], lines[-1], len(lines)) == (first, last, count)
    assert not any("Last configuration" in line or "clock-period" in line for line in lines)


def test_the_same_configuration_an_hour_later_is_no_difference() -> None:
    later = HUAWEI.replace("03:12", "04:44").replace("by admin", "by night")
    assert not differences(
        lines_of(Dialect.HUAWEI_VRP5, HUAWEI), lines_of(Dialect.HUAWEI_VRP5, later)
    )


@pytest.mark.parametrize(
    ("dialect", "stamp"),
    [
        (Dialect.HUAWEI_VRP8, "2018-03-14 19:43:44.320 +01:00\n"),
        (Dialect.HUAWEI_VRP5, "2018-03-14 19:43:44+08:00\n"),
        (
            Dialect.CISCO_IOS,
            "Load for five secs: 4%/0%; one minute: 5%\nTime source is NTP, 15:48:03.125 CST\n\n",
        ),
    ],
)
def test_the_time_of_an_answer_is_noise(dialect: Dialect, stamp: str) -> None:
    text = "sysname a\n description 2018-03-14 19:43:44\n"
    assert lines_of(dialect, stamp + text) == lines_of(dialect, text)


def test_a_difference_names_its_section() -> None:
    before = lines_of(Dialect.HUAWEI_VRP5, HUAWEI)
    after = lines_of(
        Dialect.HUAWEI_VRP5,
        HUAWEI.replace(" port link-type access\n", " port link-type access\n shutdown\n"),
    )
    found = differences(before, after)
    assert found == (Difference("interface GigabitEthernet0/0/3", (), ("shutdown",)),)
    assert as_text(found) == "@ interface GigabitEthernet0/0/3\n+ shutdown"
    (back,) = differences(after, before)
    assert back == Difference("interface GigabitEthernet0/0/3", ("shutdown",), ())


def test_a_line_of_no_section_is_indented_on_comware() -> None:
    before = (
        "#",
        "local-user admin class manage",
        " service-type ssh",
        "#",
        " version 7.1.070",
        "#",
    )
    after = (*before, " telnet server enable", "#")
    assert differences(before, after) == (Difference("", (), ("telnet server enable",)),)


@pytest.mark.parametrize("text", ["", "\n\n", "sw-1#", "!\n!\n", "x" * (MOST_BYTES + 1)])
def test_what_is_no_configuration_is_said(text: str) -> None:
    with pytest.raises(NotAConfigurationError):
        lines_of(Dialect.CISCO_IOS, text)


ZTE = """\
!<mim>
!configuration has not been saved since system starting
!configuration saved at 13:59:37 Thu Oct 16 2025 by write zdb
!configuration was loaded by txt that saved at 16:43:13 Thu Nov 6 2025
!last configuration change at 20:37:10 Mon Nov 17 2025 by NULL
!</mim>
!<snmp>
snmp-server community encrypted *31*RNZdUtVWwH0DwdHkGmYSMhpmEjIaZhIyGmYSMqvXYv2q
Bl3JaaQ4tKNvsOvR1MLTx4fAfLuBZnnwSlKBT1p3TBOUoqobCClcVUblDQ== view AllView rw
traffic-profile 500M cir 550000 cbs 98304 pir 550000 pbs 98304 color-mode blind{}
policer-type enhanced_mef coupling-flag enable
$
!</snmp>
""".replace("{}", " ")
"""As such switches print it: each line is broken after 80 characters."""


def test_zte_breaks_its_lines_and_says_when_it_was_changed() -> None:
    lines = lines_of(Dialect.ZTE, ZTE)
    community, profile, end = lines
    assert community.endswith(
        "XYv2qBl3JaaQ4tKNvsOvR1MLTx4fAfLuBZnnwSlKBT1p3TBOUoqobCClcVUblDQ== view AllView rw"
    )
    assert profile.endswith(" color-mode blind policer-type enhanced_mef coupling-flag enable")
    assert end == "$"
    (shown, *_) = mask(lines, b"k").lines
    assert shown.startswith("snmp-server community encrypted <secret:")
    assert shown.endswith("> view AllView rw")
    assert lines_of(Dialect.ZTE, ZTE.replace("20:37:10 Mon", "03:02:01 Tue")) == lines
