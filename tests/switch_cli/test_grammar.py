"""Names of ports: every recorded one is taken, nothing else."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.errors import BadPortError
from drivers.cli.grammar import (
    CISCO_IOS,
    COMWARE,
    HUAWEI_VRP5,
    HUAWEI_VRP8,
    RUIJIE,
    ZTE,
    PortGrammar,
    linux,
)

GRAMMARS = (HUAWEI_VRP5, HUAWEI_VRP8, COMWARE, CISCO_IOS, RUIJIE, ZTE)
CAPTURES = Path(os.environ.get("TENONE_CAPTURES", Path(__file__).parents[3] / "shared" / "data"))
NONE_OF_OURS = re.compile(
    r"(?i)vlan|null|(?:in)?loop|console|stack|po\d|port-channel|ag\d|aggr|bagg|ragg|bridge|route-|tunnel|"
    r"nu\d|lo\d|vl\d|dialer|cellular|wlan|wl\d|eth-trunk|eth-channel|aux|reg\d|register|"
    r".*\.\d+$|.*\(v\)$|mgmt_eth"
)
"""Not sockets of a switch, or (ZTE's mgmt_eth) never anything to repair through."""
SCRUBBED = {"GigabitEthernet0/0/00", "GigabitEthernet0/0/01"}
"""One capture has numbers no switch prints: whoever gave it changed them."""


@pytest.mark.parametrize(
    ("grammar", "polled", "typed"),
    [
        (HUAWEI_VRP5, "GE0/0/1", "GigabitEthernet0/0/1"),
        (HUAWEI_VRP5, "XGE0/0/1", "XGigabitEthernet0/0/1"),
        (HUAWEI_VRP5, "GigabitEthernet0/0/24", "GigabitEthernet0/0/24"),
        (HUAWEI_VRP5, "ethernet0/0/47", "Ethernet0/0/47"),
        (HUAWEI_VRP5, "40GE0/0/1", "40GE0/0/1"),
        (HUAWEI_VRP5, "MultiGE0/0/1", "MultiGE0/0/1"),
        (HUAWEI_VRP8, "GE1/0/3", "GE1/0/3"),
        (HUAWEI_VRP8, "10GE1/0/1", "10GE1/0/1"),
        (HUAWEI_VRP8, "XGE1/0/1", "10GE1/0/1"),
        (HUAWEI_VRP8, "25GE1/0/1:2", "25GE1/0/1:2"),
        (HUAWEI_VRP8, "GigabitEthernet0/1/0", "GigabitEthernet0/1/0"),
        (COMWARE, "GE1/0/1", "GigabitEthernet1/0/1"),
        (COMWARE, "XGE1/0/49", "Ten-GigabitEthernet1/0/49"),
        (COMWARE, "GigabitEthernet1/1/0/48", "GigabitEthernet1/1/0/48"),
        (COMWARE, "FGE7/0/49", "FortyGigE7/0/49"),
        (CISCO_IOS, "Gi0/3", "GigabitEthernet0/3"),
        (CISCO_IOS, "Gi1/0/3", "GigabitEthernet1/0/3"),
        (CISCO_IOS, "Te1/1/8", "TenGigabitEthernet1/1/8"),
        (CISCO_IOS, "Twe1/0/1", "TwentyFiveGigE1/0/1"),
        (CISCO_IOS, "Fa0", "FastEthernet0"),
        (CISCO_IOS, "Gig 1/0/1", "GigabitEthernet1/0/1"),
        (RUIJIE, "Te0/1", "TenGigabitEthernet 0/1"),
        (RUIJIE, "GigabitEthernet 0/24", "GigabitEthernet 0/24"),
        (RUIJIE, "Mg 0", "Mgmt 0"),
        (ZTE, "gei-0/1/1/1 Management", "gei-0/1/1/1"),
        (ZTE, "xgei-0/1/1/26 <empty>", "xgei-0/1/1/26"),
        (ZTE, "gei-0/1/1/1 " + "x" * 243, "gei-0/1/1/1"),
        (ZTE, "gei_1/1", "gei_1/1"),
        (ZTE, "1/48", "1/48"),
    ],
)
def test_what_is_polled_becomes_what_is_typed(
    grammar: PortGrammar, polled: str, typed: str
) -> None:
    assert grammar.typed(polled) == typed
    assert grammar.typed(typed) == typed
    assert grammar.is_typed(typed)
    assert grammar.same(polled, typed)


@pytest.mark.parametrize(
    ("grammar", "name"),
    [
        (HUAWEI_VRP5, ""),
        (HUAWEI_VRP5, "GE"),
        (HUAWEI_VRP5, "0/0/1"),
        (HUAWEI_VRP5, "GE0/0"),
        (HUAWEI_VRP5, "GE0/0/1/2/3"),
        (HUAWEI_VRP5, "GE0/0/01"),
        (HUAWEI_VRP5, "GE0/0/99999"),
        (HUAWEI_VRP5, "GE0/0/1:1"),
        (HUAWEI_VRP5, "GE 0/0/1"),
        (HUAWEI_VRP5, " GE0/0/1"),
        (HUAWEI_VRP5, "GE0/0/1 "),
        (HUAWEI_VRP5, "GE0/0/1\n"),
        (HUAWEI_VRP5, "GE0/0/1\nshutdown"),
        (HUAWEI_VRP5, "GE0/0/1;shutdown"),
        (HUAWEI_VRP5, "GE0/0/1 to GE0/0/9"),
        (HUAWEI_VRP5, "GE0/0/\uff11"),
        (HUAWEI_VRP5, "GE0/0/\u0661"),
        (HUAWEI_VRP5, "G\u0415" + "0/0/1"),
        (HUAWEI_VRP5, "GigabitEthernet0/0/2.1"),
        (HUAWEI_VRP5, "Vlanif210"),
        (HUAWEI_VRP5, "Eth-Trunk2"),
        (HUAWEI_VRP5, "NULL0"),
        (HUAWEI_VRP8, "GE1/0/1:9"),
        (HUAWEI_VRP8, "Stack-Port1/1"),
        (COMWARE, "Vlan-interface10"),
        (COMWARE, "Bridge-Aggregation1"),
        (CISCO_IOS, "Gi1/0/1 | include x"),
        (CISCO_IOS, "Po1"),
        (CISCO_IOS, "range Gi1/0/1"),
        (CISCO_IOS, "Gi1/0/1.7"),
        (RUIJIE, "AggregatePort 1"),
        (RUIJIE, "Mgmt 0/1"),
        (RUIJIE, "VLAN 1"),
        (ZTE, "vlan55 MGMT"),
        (ZTE, "gei-0/1/1/1\tx"),
        (ZTE, "gei-0/1/1/1 x\ry"),
        (ZTE, "gei-0/1/1/1 \u2028"),
        (ZTE, "gei-0/1/1/1 " + "x" * 244),
        (ZTE, "-1/1"),
        (ZTE, "gei0/1"),
        (COMWARE, "GigabitEthernet1/0/" + "1" * 10_000),
    ],
)
def test_what_is_no_port_is_refused_in_one_plain_line(grammar: PortGrammar, name: str) -> None:
    with pytest.raises(BadPortError) as told:
        grammar.typed(name)
    sentence = str(told.value)
    assert sentence.isascii()
    assert sentence.isprintable()
    assert len(sentence) < 400
    assert not grammar.is_typed(name)
    assert not grammar.same(name, name)


@given(st.text(max_size=80))
def test_only_plain_letters_come_out(name: str) -> None:
    for grammar in GRAMMARS:
        try:
            typed = grammar.typed(name)
        except BadPortError:
            continue
        assert re.fullmatch(r"[A-Za-z0-9/ :_-]{1,64}", typed)


@pytest.mark.parametrize("name", ["c1", "eth0", "enp3s0", "br-lan", "eth0.5", "a" * 15])
def test_linux_names(name: str) -> None:
    assert linux(name) == name


@pytest.mark.parametrize(
    "name", ["", "a" * 16, "eth0;reboot", "-c", "eth 0", "../x", "eth0\n", "é"]
)
def test_what_is_no_linux_name(name: str) -> None:
    with pytest.raises(BadPortError):
        linux(name)


def recorded() -> list[tuple[PortGrammar, str]]:
    """(grammar, name) of every port that a device of the vendor reported over SNMP or printed."""
    found: set[tuple[int, str]] = set()
    for number, pattern in enumerate(
        ("vrp_*", "yunshan_*", "comware_*", "ios*", "ruijie*", "zxr10_*")
    ):
        for path in (CAPTURES / "snmp").glob(f"{pattern}.truth.json"):
            truth = json.loads(path.read_text(encoding="utf-8"))
            columns = [truth["port_columns"].index(name) for name in ("ifName", "ifDescr")]
            found |= {(number, port[column]) for port in truth["ports"] for column in columns}
    for number, folder in (
        (0, "huawei_vrp"),
        (2, "hp_comware"),
        (3, "cisco_ios"),
        (5, "zte_zxros"),
    ):
        for path in (CAPTURES / "cli" / folder).glob("*interface*/*.yml"):
            text = path.read_text(encoding="utf-8")
            names = re.findall(r"(?m)^\s*-? ?(?:interface|port): \"?([^\"\n]+)\"?\s*$", text)
            found |= {(number, name) for name in names}
    for number, file in (
        (0, "huawei-s5720"),
        (2, "h3c-e528-2"),
        (3, "cisco-c3560"),
        (4, "ruijie-s5750-24gt12sfp"),
        (5, "zte-zxr10-5250"),
    ):
        path = CAPTURES / "snmp-full" / f"{file}.snmprec"
        for line in path.read_text(encoding="latin-1").splitlines() if path.exists() else ():
            oid, kind, value = line.split("|", 2)
            if re.fullmatch(r"1\.3\.6\.1\.2\.1\.(?:2\.2\.1\.2|31\.1\.1\.1\.1)\.\d+", oid):
                name = bytes.fromhex(value).decode("latin-1") if kind.endswith("x") else value
                found.add((number, name))
    return [(GRAMMARS[number], name) for number, name in sorted(found)]


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no recordings in {CAPTURES}: TENONE_CAPTURES")
def test_every_recorded_port_is_taken() -> None:
    names = recorded()
    ports = [(grammar, name) for grammar, name in names if not NONE_OF_OURS.match(name)]
    refused = []
    for grammar, name in ports:
        try:
            grammar.typed(name)
        except BadPortError:
            # 10GE and the like are printed by CloudEngine too, whose recordings are among VRP's
            vrp8 = grammar is HUAWEI_VRP5 and HUAWEI_VRP8.is_typed(name)
            if not vrp8 and name not in SCRUBBED:
                refused.append((grammar.vendor, name))
    print(f"{len(ports)} recorded names of ports taken, {len(names) - len(ports)} are none")
    assert refused == []
    assert len(ports) > 400
    others = [(grammar, name) for grammar, name in names if NONE_OF_OURS.match(name)]
    for grammar, name in others:
        with pytest.raises(BadPortError):
            grammar.typed(name)
