"""The three IOS-like dialects by properties: rendered, read back, shown, read again."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import Dialect, PortMode, PortSettings
from drivers.cli.dialects import ios_like
from drivers.cli.dialects.cisco_ios import CiscoIos
from drivers.cli.dialects.ios_like import IosLike
from drivers.cli.dialects.ruijie import Ruijie
from drivers.cli.dialects.zte import Zte
from drivers.cli.errors import BadPortError, CannotError, UnreadableError
from drivers.cli.plans import back, plan
from drivers.cli.settings import same, set_all
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli.hostile import attack_descriptions, attack_names

PORTS: dict[type[IosLike], str] = {
    CiscoIos: "GigabitEthernet1/0/3",
    Ruijie: "GigabitEthernet 0/3",
    Zte: "gei-0/1/1/3",
}
MODES = {
    CiscoIos: [PortMode.ACCESS, PortMode.UNSET],
    Ruijie: [PortMode.ACCESS],
    Zte: [PortMode.ACCESS],
}
KINDS = pytest.mark.parametrize("kind", PORTS)
ODD = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=60)
"""What a person may have typed as a port's description, and worse."""


def wires(kind: type[IosLike]) -> list[PortSettings]:
    """Negotiated, forced, and what of both a vendor has in between."""
    speeds: list[int | None] = [10, 100, 1000, 2500, 10_000]
    duplexes: list[Duplex | None] = [Duplex.FULL, Duplex.HALF]
    if kind is not Zte:
        speeds, duplexes = [*speeds, None], [*duplexes, None]
    return [
        PortSettings(negotiation=speed is duplex is None, speed_mbps=speed, duplex=duplex)
        for speed in (*speeds, None)
        for duplex in (*duplexes, None)
        if kind is not Zte or (speed is None) == (duplex is None)
    ]


@st.composite
def settings_of(draw: st.DrawFn, kind: type[IosLike]) -> PortSettings:
    described = draw(ODD).strip(" \r")
    return replace(
        draw(st.sampled_from(wires(kind))),
        enabled=draw(st.booleans()),
        mode=draw(st.sampled_from(MODES[kind])),
        access_vlan=draw(st.none() | st.integers(2, 4094)),
        poe=kind is Zte or draw(st.booleans()),
        trust=kind is not Zte and draw(st.booleans()),
        other=(f"description {described}",) if described else (),
    )


def shown(kind: type[IosLike], port: str, now: PortSettings) -> str:
    """The section as the vendor's switch shows it, by a hand of its own."""
    wire = [*now.other]
    if now.speed_mbps is not None:
        wire.append(f"speed {now.speed_mbps}")
    if now.duplex is not None:
        wire.append(f"duplex {now.duplex.name.lower()}")
    vlan = [f"switchport access vlan {now.access_vlan}"] if now.access_vlan is not None else []
    if kind is Zte:
        wire.append("no shutdown" if now.enabled else "shutdown")
        if not now.negotiation:
            wire.append("no negotiation auto")
        return "\n".join(
            [
                "!<if-intf>", f"interface {port}", *(f"  {line}" for line in wire), "$",
                "!</if-intf>", "!<switchvlan>", "switchvlan-configuration",
                f"  interface {port}", "    switchport mode access",
                *(f"    {line}" for line in vlan), "  $", "$", "!</switchvlan>",
            ]
        )  # fmt: skip
    if now.mode is PortMode.ACCESS:
        vlan.append("switchport mode access")
    if not now.enabled:
        wire.append("shutdown")
    if not now.poe:
        wire.append("power inline never" if kind is CiscoIos else "no poe enable")
    if now.trust:
        wire.append("mls qos trust dscp")
        if kind is CiscoIos:
            wire.append("priority-queue out")
    head = ["Building configuration...", "", "Current configuration : 109 bytes", "!"]
    return "\n".join([*head, f"interface {port}", *(f" {x}" for x in vlan + wire), "end", ""])


@KINDS
@given(data=st.data())
def test_lines_mean_what_differs(kind: type[IosLike], data: st.DataObject) -> None:
    dialect, port = kind(), PORTS[kind]
    before, after = (data.draw(settings_of(kind)) for _ in range(2))
    lines = dialect.set_port(port, before, after)
    read = dialect.meant([line.text for line in lines])
    assert read.strange == ()
    assert not read.saves
    assert same(set_all(before, read.sets), after)
    assert read.ports == (set() if same(before, after) else {port})
    assert lines == back(dialect, port, before, after)  # which checks each step on the way


@KINDS
@given(data=st.data())
def test_what_is_shown_is_read(kind: type[IosLike], data: st.DataObject) -> None:
    dialect, port = kind(), PORTS[kind]
    now = data.draw(settings_of(kind))
    read = dialect.read_port(port, [shown(kind, port, now)])
    assert same(read, now)
    assert read.other == now.other


@KINDS
@pytest.mark.parametrize("intent", Intent)
@given(data=st.data())
def test_every_intent_is_whole_or_refused_in_a_sentence(
    kind: type[IosLike], intent: Intent, data: st.DataObject
) -> None:
    before = data.draw(settings_of(kind))
    if intent is Intent.RELEASE:
        before = replace(before, mode=PortMode.ACCESS, access_vlan=99)
    try:
        change = plan(kind(), intent, PORTS[kind], before, quarantine_vlan=99)
    except CannotError:
        return
    texts = [line.text for group in (change.apply, change.undo) for line in group]
    for text in texts:
        assert not any(part in text for part in before.other if part.strip())


@KINDS
def test_another_ports_section_is_refused(kind: type[IosLike]) -> None:
    dialect, port = kind(), PORTS[kind]
    other = port[:-1] + "4"
    with pytest.raises(UnreadableError, match="another port"):
        dialect.read_port(port, [shown(kind, other, PortSettings(mode=PortMode.ACCESS))])


@KINDS
@pytest.mark.parametrize(
    "answer",
    ["", "Building configuration...\n", "% Invalid input detected at '^' marker.\n",
     "%Error 20200: Invalid input detected at '^' marker. Invalid command\n"],
)  # fmt: skip
def test_no_section_is_no_settings(kind: type[IosLike], answer: str) -> None:
    with pytest.raises(UnreadableError):
        kind().read_port(PORTS[kind], [answer])
    with pytest.raises(UnreadableError):
        kind().read_port(PORTS[kind], [])


@KINDS
@pytest.mark.parametrize(
    "prompt",
    ["SW-3F>", "SW-3F#", "SW-3F(config)#", "SW-3F(config-if)#",
     "SW(config-if-GigabitEthernet 0/1)#", "ZXR10(config-swvlan-if-gei-0/1/1/1)#",
     "三楼(config)#", "a.b_c-d:1# "],
)  # fmt: skip
def test_prompts(kind: type[IosLike], prompt: str) -> None:
    found = kind.prompt.search(f"some\nanswer\n{prompt}")
    assert found is not None
    assert found.end() == len(f"some\nanswer\n{prompt}")


@KINDS
@pytest.mark.parametrize(
    "line", [" description look#here", "interface GigabitEthernet1/0/1", "SW# show", "(config)#"]
)
def test_no_prompts(kind: type[IosLike], line: str) -> None:
    assert kind.prompt.search(f"answer\n{line}") is None


@pytest.mark.parametrize("kind", [CiscoIos, Ruijie])
@pytest.mark.parametrize("blank", ["", " "])
def test_a_vlan_that_is_made_is_no_refusal(kind: type[IosLike], blank: str) -> None:
    answer = f"%{blank}Access VLAN does not exist. Creating vlan 99\n"
    assert not any(pattern.search(answer) for pattern in kind.refusals)


@KINDS
@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("            ^\n% Invalid input detected at '^' marker.\n", True),
        ("% Incomplete command.\n", True),
        ("%Turn config archive on before using Rollback Confirmed Change\n", True),
        ("%Error 20202: Invalid parameter\n", True),
        ("\n% Unknown command.\n", True),
        ("", False),
        ("%LINK-3-UPDOWN: Interface GigabitEthernet1/0/3, changed state to down\n", False),
        ("*Nov 22 10:00:00.123: %LINEPROTO-5-UPDOWN: Line protocol, changed state\n", False),
        ("interface GigabitEthernet1/0/3\n description % Invalid input detected\nend\n", False),
        ("Building configuration...\n[OK]\n", False),
        ("%LINK-SW1-3-UPDOWN: Interface GigabitEthernet2/0/3, changed state to up\n", False),
        ("%Warning: portfast should only be enabled on ports connected to a host\n", False),
        ("% Warning: portfast should only be enabled on ports connected to a host\n", False),
    ],
)
def test_refusals(kind: type[IosLike], answer: str, refused: bool) -> None:
    assert any(pattern.search(answer) for pattern in kind.refusals) == refused


@KINDS
def test_out_of_any_view_and_harmless_at_the_login(kind: type[IosLike]) -> None:
    lines = kind.leave
    assert [line.text for line in lines] == ["configure terminal", "end"]
    assert lines[0].optional


@KINDS
def test_contradictions_are_not_guessed(kind: type[IosLike]) -> None:
    section = shown(kind, PORTS[kind], PortSettings(mode=PortMode.ACCESS, access_vlan=7))
    twice = section.replace("switchport access vlan 7", "switchport access vlan 8\n     X", 1)
    twice = twice.replace("X", "switchport access vlan 9")
    with pytest.raises(UnreadableError, match="contradict"):
        kind().read_port(PORTS[kind], [twice])


@KINDS
@pytest.mark.parametrize(
    "after",
    [
        PortSettings(mode=PortMode.TRUNK),
        PortSettings(mode=PortMode.ROUTED),
        PortSettings(mode=PortMode.ACCESS, negotiation=True, speed_mbps=100),
        PortSettings(mode=PortMode.ACCESS, negotiation=False, speed_mbps=9, duplex=Duplex.UNKNOWN),
    ],
)
def test_what_cannot_be_set_is_a_sentence(kind: type[IosLike], after: PortSettings) -> None:
    with pytest.raises(CannotError):
        kind().set_port(PORTS[kind], PortSettings(mode=PortMode.ACCESS), after)


@KINDS
def test_is_a_dialect(kind: type[IosLike]) -> None:
    dialect: Dialect = kind()
    with pytest.raises(BadPortError):
        dialect.check_port("Gi1/0/1\nshutdown")
    assert dialect.show_configuration()[0].text == "show running-config"
    assert kind.quiet[0].text == "terminal length 0"
    with pytest.raises(CannotError):
        dialect.change(Intent.CABLE_DIAGNOSIS, PORTS[kind], PortSettings(), PortSettings())


@KINDS
@pytest.mark.parametrize(
    "lines",
    [
        ["shutdown"],
        ["configure terminal", "interface Vlan1", "shutdown", "end"],
        ["configure terminal", "no ip address", "end"],
        ["configure terminal", "interface GigabitEthernet1/0/1 ; reload"],
        ["reload"],
        ["interface  GigabitEthernet1/0/1"],
        [""],
    ],
)
def test_lines_of_nobody_are_strange(kind: type[IosLike], lines: list[str]) -> None:
    assert kind().meant(lines).strange


def test_half_duplex_never_meets_the_top_rate() -> None:
    slow = PortSettings(negotiation=False, speed_mbps=100, duplex=Duplex.HALF)
    fast = PortSettings(negotiation=False, speed_mbps=1000, duplex=Duplex.FULL)
    assert ios_like.negotiation(slow, fast) == ["duplex full", "speed 1000"]
    assert ios_like.negotiation(fast, slow) == ["speed 100", "duplex half"]
    assert ios_like.negotiation(PortSettings(), slow) == ["speed 100", "duplex half"]


SAME = r"|configure terminal|interface PORT|end|(?:no )?shutdown|y|"
WIRE = r"(?:speed|duplex) auto|speed (?:10|100|1000|2500|10000)|duplex (?:full|half)|no speed|"
VLAN = r"switchport access vlan \d{1,4}|no switchport access vlan|"
ALLOWED = {
    CiscoIos: SAME + WIRE + VLAN + (
        r"switchport mode access|no switchport mode|power inline (?:never|auto)|"
        r"speed nonegotiate|no speed nonegotiate|mls qos trust dscp|no mls qos trust|"
        r"(?:no )?priority-queue out|configure terminal revert timer 5|configure confirm|"
        r"write memory|(?:test|show) cable-diagnostics tdr interface PORT|"
        r"show running-config interface PORT|"
        r"show running-config \| include \^archive\|\^ path \|\^mls qos\$"
    ),
    Ruijie: SAME + WIRE + VLAN + (
        r"(?:no )?poe enable|mls qos trust dscp|no mls qos trust|write|line-detect|"
        r"show running-config interface PORT"
    ),
    Zte: SAME + (
        r"(?:no )?negotiation auto|speed (?:10|100|1000|2500|10000)|duplex (?:full|half)|exit|"
        r"switchvlan-configuration|switchport access vlan \d{1,4}|write|"
        r"show running-config-interface PORT|show interface PORT"
    ),
}  # fmt: skip
"""By hand: every line that may ever be typed."""
REPORTED = {
    CiscoIos: ("Gi1/0/3", "GigabitEthernet1/0/3", "TenGigabitEthernet1/1/8", "Fa0/13"),
    Ruijie: ("Gi0/3", "GigabitEthernet 0/3", "TenGigabitEthernet 0/31"),
    Zte: ("gei-0/1/1/3", "gei-0/1/1/3 Management", "xgei-0/1/1/25"),
}


def attack(kind: type[IosLike], count: int) -> str:
    """Half of it names, half descriptions; a sentence where one line was none of the plan's."""

    def described(description: str) -> Sequence[str]:
        now = PortSettings(mode=PortMode.ACCESS, negotiation=False, speed_mbps=100, duplex=None)
        now = replace(now, other=(f"description {description}",))
        if kind is Zte:
            now = replace(now, duplex=Duplex.FULL)
        return [shown(kind, PORTS[kind], now), f"archive\n path flash:x\n{description}\nmls qos\n"]

    allowed = re.compile(ALLOWED[kind])
    for figures in (
        attack_names(kind(), REPORTED[kind], allowed, count=count // 2, seed=count),
        attack_descriptions(
            kind(), PORTS[kind], described, allowed, count=count // 2, seed=count + 1
        ),
    ):
        print(f"{kind.__name__}: {figures}")
        assert figures.planned > figures.tried // 100
        if figures.outside:
            return figures.example
    return ""


@KINDS
def test_hostile_text(kind: type[IosLike]) -> None:
    assert attack(kind, 1_000) == ""


@pytest.mark.slow
@KINDS
def test_a_lot_of_hostile_text(kind: type[IosLike]) -> None:
    assert attack(kind, 25_000) == ""
