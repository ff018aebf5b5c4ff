"""Rules that configurations are held against."""

import pytest

from drivers.cli.care.masks import mask
from drivers.cli.care.rules import broken, sections
from tenone.config.compliance import Compliance, load_compliance
from tenone.vocabulary.intents import Dialect
from tenone.vocabulary.states import Severity

OURS = load_compliance().rules
GOOD = {
    Dialect.HUAWEI_VRP5: ["ntp-service unicast-server 10.0.0.1", "stelnet server enable"],
    Dialect.COMWARE: ["ntp-service enable", "ntp-service unicast-server 10.0.0.1"],
    Dialect.CISCO_IOS: ["ntp server 10.0.0.1", "line vty 0 4", " transport input ssh"],
    Dialect.RUIJIE: ["sntp server 10.0.0.1", "line vty 0 4", " transport input ssh"],
    Dialect.ZTE: ["ntp server 10.0.0.1 priority 1", "line vty 0 4", " transport input ssh"],
}
BAD = [
    (Dialect.HUAWEI_VRP5, "telnet server enable", "no-telnet"),
    (Dialect.COMWARE, "telnet server enable", "no-telnet"),
    (Dialect.HUAWEI_VRP5, "snmp-agent community read cipher public", "no-default-community"),
    (Dialect.COMWARE, "snmp-agent community write simple x9", "no-snmp-write"),
    (Dialect.CISCO_IOS, "snmp-server community public RO", "no-default-community"),
    (Dialect.RUIJIE, "snmp-server community Zf81 rw", "no-snmp-write"),
    (Dialect.COMWARE, " password simple admin", "no-plain-passwords"),
    (Dialect.CISCO_IOS, "enable password 0 admin", "no-plain-passwords-ios"),
    (Dialect.CISCO_IOS, "username a privilege 15 password 0 admin", "no-plain-passwords-ios"),
    (Dialect.RUIJIE, "username a password admin", "no-plain-passwords-ios"),
    (Dialect.ZTE, "snmp-server community public view AllView ro", "no-default-community"),
    (Dialect.CISCO_IOS, "ip http server", "no-web-management"),
]


@pytest.mark.parametrize("dialect", GOOD)
def test_a_good_configuration_breaks_nothing(dialect: Dialect) -> None:
    assert broken(OURS, dialect, GOOD[dialect], hide=str) == ()


@pytest.mark.parametrize(("dialect", "line", "rule"), BAD)
def test_a_bad_line_is_found_and_shown(dialect: Dialect, line: str, rule: str) -> None:
    (found,) = broken(OURS, dialect, [*GOOD[dialect], line], hide=str)
    assert (found.rule, found.where) == (rule, (line.strip(),))
    assert found.en
    assert found.zh


def test_a_secret_is_looked_at_and_not_told() -> None:
    lines = [*GOOD[Dialect.CISCO_IOS], "snmp-server community public RO"]
    (found,) = broken(OURS, Dialect.CISCO_IOS, lines, hide=lambda line: mask([line], b"k").lines[0])
    assert found.rule == "no-default-community"
    assert found.where[0].startswith("snmp-server community <secret:")


@pytest.mark.parametrize(
    ("dialect", "line"),
    [
        (Dialect.CISCO_IOS, "username a privilege 15 password 7 0822455D0A16"),
        (Dialect.CISCO_IOS, "username a secret 9 $9$abc"),
        (Dialect.CISCO_IOS, "enable password level 15 7 0822455D0A16"),
        (Dialect.RUIJIE, "enable password 7 0822455D0A16"),
        (Dialect.RUIJIE, "username a password encrypted x"),
        (Dialect.ZTE, "snmp-server community encrypted *31*RNZdUtVW view AllView ro"),
        (Dialect.HUAWEI_VRP8, "ntp unicast-server 10.0.0.1"),
    ],
)
def test_what_is_right_is_not_blamed(dialect: Dialect, line: str) -> None:
    good = GOOD.get(dialect, [])
    assert broken(OURS, dialect, [*good, line], hide=str) == ()


def test_what_is_missing_has_no_place_and_what_is_in_a_section_has_its_name() -> None:
    first, second = broken(
        OURS, Dialect.CISCO_IOS, ["line vty 5 15", " transport input telnet ssh"], hide=str
    )
    assert (first.rule, first.where, first.severity) == (
        "no-telnet-lines", ("line vty 5 15",), Severity.CRITICAL,
    )  # fmt: skip
    assert (second.rule, second.where) == ("clock-is-set-ios", ())


def test_sections() -> None:
    lines = ["a", " b", "  c", "d", "e", " f"]
    assert list(sections(lines)) == [("a", ("b", "c")), ("d", ()), ("e", ("f",))]
    assert list(sections([])) == []


def test_rules_of_other_dialects_do_not_count() -> None:
    rules = Compliance.model_validate(
        {
            "rules": [
                {"id": "x", "dialects": ["zte"], "en": "x", "zh": "x", "must_not": [".*"]},
            ]
        }
    ).rules
    assert broken(rules, Dialect.COMWARE, ["anything"], hide=str) == ()
