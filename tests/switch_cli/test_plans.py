"""Plans: what each intent makes of a port, and that a rendering that strays is never shown."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import Ask, Change, Dialect, Line, PortMode, PortSettings
from drivers.cli.dialects.huawei_vrp5 import HuaweiVrp5
from drivers.cli.dialects.registry import DIALECTS
from drivers.cli.errors import BadPortError, CannotError, UnsafePlanError
from drivers.cli.grammar import HUAWEI_VRP5
from drivers.cli.plans import back, is_between, plan
from drivers.cli.settings import differences, same, set_all
from tenone.vocabulary.intents import MEANINGS, Intent
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.states import Duplex
from tests.switch_cli.hostile import attack_names, names
from tests.switch_cli.test_huawei_vrp5 import ALLOWED

PORT = "GigabitEthernet0/0/3"
PORTS = {
    Name.HUAWEI_VRP5: PORT,
    Name.HUAWEI_VRP8: "GE1/0/3",
    Name.COMWARE: "GigabitEthernet1/0/3",
}
VRP5 = HuaweiVrp5()
FULL = Duplex.FULL
FORCED = PortSettings(negotiation=False, speed_mbps=100, duplex=FULL)
QUARANTINED = PortSettings(access_vlan=99)
BRACKETED = st.sampled_from([DIALECTS[name] for name in PORTS])

vlans = st.none() | st.integers(2, 4094)
wires = st.just((True, None, None)) | st.tuples(
    st.sampled_from([False]),
    st.sampled_from([10, 100, 1000]),
    st.sampled_from([None, Duplex.HALF, FULL]),
)


@st.composite
def settings(draw: st.DrawFn, *, unset: bool = False) -> PortSettings:
    """Any port a bracketed dialect can set."""
    negotiation, speed, duplex = draw(wires)
    mode = draw(st.sampled_from([PortMode.ACCESS, *([PortMode.UNSET] if unset else [])]))
    return PortSettings(
        enabled=draw(st.booleans()),
        negotiation=negotiation,
        speed_mbps=speed,
        duplex=duplex,
        mode=mode,
        access_vlan=draw(vlans) if mode is PortMode.ACCESS else None,
        poe=draw(st.booleans()),
        trust=draw(st.booleans()),
        other=tuple(draw(st.lists(st.text(max_size=20), max_size=2))),
    )


@given(BRACKETED, settings(), settings())
def test_lines_read_back_mean_the_difference(
    dialect: Dialect, before: PortSettings, after: PortSettings
) -> None:
    port = PORTS[dialect.name]
    read = dialect.meant([line.text for line in dialect.set_port(port, before, after)])
    assert read.strange == ()
    assert not read.saves
    assert same(set_all(before, read.sets), after)
    assert bool(read.sets) == bool(differences(before, after))
    assert read.ports == ({port} if differences(before, after) else set())
    # what is said of an attribute that does not differ is what it is
    changed = {name for name, _ in differences(before, after)}
    assert all(same(set_all(before, [one]), before) for one in read.sets if one[0] not in changed)


def all_settings(*, unset: bool) -> list[PortSettings]:
    """Every kind of value with every other."""
    links = [(True, None, None), (False, 100, None), (False, 100, Duplex.HALF), (False, 100, FULL)]
    places = [(PortMode.ACCESS, None), (PortMode.ACCESS, 20), (PortMode.ACCESS, 99)]
    places += [(PortMode.UNSET, None)] if unset else []
    switches = product((True, False), repeat=3)
    return [
        PortSettings(
            enabled=enabled, poe=poe, trust=trust, negotiation=negotiation, speed_mbps=speed,
            duplex=duplex, mode=mode, access_vlan=vlan,
        )
        for (enabled, poe, trust), (negotiation, speed, duplex), (mode, vlan) in product(
            switches, links, places
        )
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(PORTS))
def test_all_pairs_of_settings(name: Name) -> None:
    dialect, port = DIALECTS[name], PORTS[name]
    kinds = all_settings(unset=name is Name.HUAWEI_VRP5)
    for before, after in product(kinds, kinds):
        read = dialect.meant([line.text for line in dialect.set_port(port, before, after)])
        assert (read.strange, read.saves) == ((), False)
        assert same(set_all(before, read.sets), after)
        changed = {name for name, _ in differences(before, after)}
        assert changed <= {name for name, _ in read.sets}
        assert read.ports == ({port} if changed else set())
    print(f"{name.value}: {len(kinds) ** 2} pairs")


@given(settings(unset=True), settings(unset=True))
def test_the_way_back_from_anywhere(now: PortSettings, before: PortSettings) -> None:
    lines = back(VRP5, PORT, now, before)
    assert same(set_all(now, VRP5.meant([line.text for line in lines]).sets), before)
    assert bool(lines) == is_between(now, before, before)


@given(BRACKETED, settings(), st.sampled_from(list(Intent)))
def test_every_plan_is_cut_anywhere_and_found_back(
    dialect: Dialect, before: PortSettings, intent: Intent
) -> None:
    port = PORTS[dialect.name]
    try:
        change = plan(dialect, intent, port, before, quarantine_vlan=99)
    except CannotError:
        return
    assert MEANINGS[intent].configures == bool(change.keep) or intent is Intent.SAVE_CONFIGURATION
    texts = [line.text for line in change.apply]
    for cut in range(len(texts) + 1):
        now = set_all(before, dialect.meant(texts[:cut]).sets)
        undone = set_all(now, dialect.meant([line.text for line in change.undo]).sets)
        assert same(undone, before)
        lines = back(dialect, port, now, before)
        assert same(set_all(now, dialect.meant([line.text for line in lines]).sets), before)


@pytest.mark.parametrize(
    ("intent", "before", "after"),
    [
        (Intent.RESTORE_NEGOTIATION, FORCED, PortSettings()),
        (Intent.ENABLE_PORT, PortSettings(enabled=False, trust=True), PortSettings(trust=True)),
        (Intent.BOUNCE_PORT, FORCED, FORCED),
        (Intent.CYCLE_POE, FORCED, FORCED),
        (Intent.EXAM_PRIORITY, FORCED, replace(FORCED, trust=True)),
        (Intent.QUARANTINE, PortSettings(), QUARANTINED),
        (Intent.QUARANTINE, PortSettings(mode=PortMode.UNSET), QUARANTINED),
        (Intent.RELEASE, QUARANTINED, PortSettings()),
        (Intent.CABLE_DIAGNOSIS, FORCED, FORCED),
    ],
)
def test_what_an_intent_makes_of_a_port(
    intent: Intent, before: PortSettings, after: PortSettings
) -> None:
    change = plan(VRP5, intent, "GE0/0/3", before, quarantine_vlan=99)
    assert (change.intent, change.port) == (intent, PORT)
    assert (change.before, change.after) == (before, after)


def test_saving_concerns_no_port() -> None:
    change = plan(VRP5, Intent.SAVE_CONFIGURATION, "", None)
    assert change.lines == ("keep: save",)
    assert (change.port, change.before, change.after) == ("", None, None)


@pytest.mark.parametrize(
    ("remembered", "after"),
    [
        (None, PortSettings()),
        (PortSettings(access_vlan=20, trust=True), PortSettings(access_vlan=20)),
        (PortSettings(mode=PortMode.UNSET), PortSettings(mode=PortMode.UNSET)),
    ],
)
def test_a_release_takes_back_the_vlan_and_nothing_else(
    remembered: PortSettings | None, after: PortSettings
) -> None:
    change = plan(
        VRP5, Intent.RELEASE, PORT, QUARANTINED, quarantine_vlan=99, remembered=remembered
    )
    assert change.after == after


OPEN = PortSettings()


@pytest.mark.parametrize(
    ("intent", "before", "vlan", "words"),
    [
        (Intent.RESTORE_NEGOTIATION, OPEN, 99, "is set so already"),
        (Intent.ENABLE_PORT, OPEN, 99, "is set so already"),
        (Intent.EXAM_PRIORITY, PortSettings(trust=True), 99, "is set so already"),
        (Intent.QUARANTINE, QUARANTINED, 99, "is set so already"),
        (Intent.RESTORE_NEGOTIATION, replace(FORCED, enabled=False), 99, "is shut by its config"),
        (Intent.BOUNCE_PORT, PortSettings(enabled=False), 99, "is shut by its configuration"),
        (Intent.CYCLE_POE, PortSettings(poe=False), 99, "is set to give no power"),
        (Intent.QUARANTINE, PortSettings(mode=PortMode.TRUNK), 99, "is a trunk port"),
        (Intent.QUARANTINE, PortSettings(mode=PortMode.HYBRID), 99, "is a hybrid port"),
        (Intent.QUARANTINE, PortSettings(mode=PortMode.ROUTED), 99, "is a routed port"),
        (Intent.QUARANTINE, OPEN, None, "has no 'quarantine_vlan' in school.yaml"),
        (Intent.QUARANTINE, OPEN, 1, "cannot be the quarantine"),
        (Intent.RELEASE, OPEN, None, "has no 'quarantine_vlan' in school.yaml"),
        (Intent.RELEASE, OPEN, 99, "is not in the quarantine VLAN 99"),
        (
            Intent.RELEASE,
            PortSettings(mode=PortMode.TRUNK, access_vlan=99),
            99,
            "is not in the quarantine VLAN",
        ),
        (
            Intent.RESTORE_NEGOTIATION,
            replace(FORCED, other=("description x", "eth-trunk 7")),
            99,
            "has the line 'eth-trunk 7'",
        ),
        (
            Intent.RESTORE_NEGOTIATION,
            PortSettings(other=("auto speed 10 100",)),
            99,
            "has the line 'auto speed 10 100'",
        ),
        (Intent.QUARANTINE, PortSettings(other=("dot1x enable",)), 99, "the line 'dot1x enable'"),
        (
            Intent.QUARANTINE,
            PortSettings(other=("port hybrid untagged vlan 8",)),
            99,
            "the line 'port hybrid untagged vlan 8'",
        ),
        (Intent.EXAM_PRIORITY, PortSettings(other=("trust 8021p",)), 99, "the line 'trust 8021p'"),
        (Intent.BOUNCE_PORT, PortSettings(other=("loopback internal",)), 99, "loopback internal"),
        (
            Intent.QUARANTINE,
            PortSettings(other=("port-security mac-address sticky 0-0-1 vlan 1",)),
            99,
            "port-security mac-address sticky",
        ),
        (Intent.BOUNCE_PORT, None, 99, "is not known"),
    ],
)
def test_what_is_not_done_is_told_in_one_sentence(
    intent: Intent, before: PortSettings | None, vlan: int | None, words: str
) -> None:
    with pytest.raises(CannotError, match=re.escape(words)) as told:
        plan(VRP5, intent, PORT, before, quarantine_vlan=vlan)
    assert "\n" not in str(told.value)


def test_a_release_to_what_was_no_access_port_is_refused() -> None:
    remembered = PortSettings(mode=PortMode.TRUNK)
    with pytest.raises(CannotError, match="trunk port"):
        plan(VRP5, Intent.RELEASE, PORT, QUARANTINED, quarantine_vlan=99, remembered=remembered)


def test_a_description_hinders_nobody() -> None:
    before = replace(
        FORCED,
        other=(
            "description eth-trunk 7 dot1x trust loopback",
            "loopback-detect enable",
            "port-isolate enable group 1",
            "port-security enable",
            "stp edged-port enable",
        ),
    )
    for intent in (Intent.RESTORE_NEGOTIATION, Intent.QUARANTINE, Intent.EXAM_PRIORITY):
        assert plan(VRP5, intent, PORT, before, quarantine_vlan=99).apply


def test_a_line_with_letters_of_no_sentence_is_told_escaped() -> None:
    before = replace(FORCED, other=("speed \x1b[2J\nshutdown",))
    with pytest.raises(CannotError) as told:
        plan(VRP5, Intent.RESTORE_NEGOTIATION, PORT, before)
    assert str(told.value).isprintable()


@pytest.mark.parametrize("port", ["", "GE0/0/3\nshutdown", "Vlanif1", "GE0/0/3 GE0/0/4"])
def test_what_is_no_port_is_never_planned(port: str) -> None:
    for intent in Intent:
        if intent is Intent.SAVE_CONFIGURATION:
            continue
        with pytest.raises(BadPortError):
            plan(VRP5, intent, port, FORCED, quarantine_vlan=99)
    with pytest.raises(BadPortError):
        back(VRP5, port, FORCED, OPEN)


@pytest.mark.parametrize(
    ("now", "between"),
    [
        (FORCED, False),
        (OPEN, False),
        (replace(OPEN, other=("description x",)), False),
        (replace(FORCED, duplex=None), True),
        (replace(OPEN, enabled=False), True),
    ],
)
def test_between(now: PortSettings, between: bool) -> None:
    assert is_between(now, FORCED, OPEN) == between


class Strays(HuaweiVrp5):
    """VRP5, but its changes are what a case makes of them."""

    def __init__(self, spoil: Callable[[Change], Change]) -> None:
        self.spoil = spoil

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        return self.spoil(super().change(intent, port, before, after))

    def save(self) -> tuple[Line, ...]:
        return (Line("save"),)


def lines(*texts: str) -> tuple[Line, ...]:
    return tuple(Line(text) for text in texts)


def inside(*texts: str, port: str = PORT) -> tuple[Line, ...]:
    return lines("system-view", f"interface {port}", *texts, "return")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda c: replace(c, apply=()), id="does nothing"),
        pytest.param(lambda c: replace(c, apply=inside()), id="sets nothing"),
        pytest.param(
            lambda c: replace(c, apply=(*c.apply, *inside("negotiation auto", port="Vlanif1"))),
            id="enters what is no port",
        ),
        pytest.param(
            lambda c: replace(
                c, apply=(*c.apply, *inside("shutdown", port="GigabitEthernet0/0/4"))
            ),
            id="another port",
        ),
        pytest.param(
            lambda c: replace(
                c, apply=(*c.apply, *inside("negotiation auto", port="GigabitEthernet0/0/4"))
            ),
            id="another port, the same",
        ),
        pytest.param(
            lambda c: replace(c, apply=inside("negotiation auto", "trust dscp")), id="one more"
        ),
        pytest.param(
            lambda c: replace(c, apply=inside("shutdown", "negotiation auto", "undo shutdown")),
            id="shuts it on the way",
        ),
        pytest.param(
            lambda c: replace(c, apply=inside("speed 10", "negotiation auto")), id="another rate"
        ),
        pytest.param(lambda c: replace(c, apply=lines("negotiation auto")), id="in no view"),
        pytest.param(
            lambda c: replace(c, apply=(*c.apply, Line("reboot"))), id="a line nobody knows"
        ),
        pytest.param(
            lambda c: replace(c, undo=(*c.undo, Line("reboot"))), id="such a line in the undo"
        ),
        pytest.param(lambda c: replace(c, prepare=lines("reboot")), id="such a line before"),
        pytest.param(lambda c: replace(c, confirm=lines("reboot")), id="such a line behind"),
        pytest.param(lambda c: replace(c, keep=lines("save", "reboot")), id="such a line at last"),
        pytest.param(lambda c: replace(c, undo=()), id="no way back"),
        pytest.param(lambda c: replace(c, undo=c.apply), id="a way back that leads on"),
        pytest.param(
            lambda c: replace(c, undo=inside("undo negotiation auto", "speed 10", "duplex full")),
            id="a way back to somewhere else",
        ),
        pytest.param(lambda c: replace(c, apply=(*c.apply, Line("save"))), id="saves at once"),
        pytest.param(lambda c: replace(c, undo=(*c.undo, Line("save"))), id="saves the undo"),
        pytest.param(lambda c: replace(c, prepare=lines("save")), id="saves before"),
        pytest.param(lambda c: replace(c, confirm=lines("save")), id="saves before keeping"),
        pytest.param(lambda c: replace(c, keep=()), id="does not save"),
        pytest.param(lambda c: replace(c, keep=inside("save")), id="saves in a port's view"),
        pytest.param(lambda c: replace(c, prepare=inside("shutdown")), id="sets before"),
        pytest.param(lambda c: replace(c, confirm=inside()), id="enters behind"),
        pytest.param(
            lambda c: replace(c, apply=(Line("system-view\nreboot"), *c.apply[1:])),
            id="two lines in one",
        ),
        pytest.param(
            lambda c: replace(c, apply=(Line("system-view\u3000"), *c.apply[1:])), id="not ASCII"
        ),
        pytest.param(
            lambda c: replace(c, apply=(Line("system-view" + " " * 300), *c.apply[1:])),
            id="too long",
        ),
        pytest.param(
            lambda c: replace(
                c, apply=(Line("system-view", (Ask("sure", "reboot"),)), *c.apply[1:])
            ),
            id="an answer that is a command",
        ),
    ],
)
def test_a_change_that_strays_is_never_shown(spoil: Callable[[Change], Change]) -> None:
    right = plan(Strays(lambda change: change), Intent.RESTORE_NEGOTIATION, PORT, FORCED)
    assert right.apply
    with pytest.raises(UnsafePlanError) as told:
        plan(Strays(spoil), Intent.RESTORE_NEGOTIATION, PORT, FORCED)
    assert str(told.value).isprintable()


@pytest.mark.parametrize(
    "apply",
    [
        inside("undo shutdown", "shutdown"),
        inside("shutdown"),
        inside("undo shutdown"),
        inside("shutdown", "undo shutdown", "shutdown", "undo shutdown"),
        inside("shutdown", "undo poe enable", "poe enable", "undo shutdown"),
    ],
)
def test_a_bounce_shuts_and_opens_and_nothing_else(apply: tuple[Line, ...]) -> None:
    strays = Strays(lambda change: replace(change, apply=apply))
    with pytest.raises(UnsafePlanError):
        plan(strays, Intent.BOUNCE_PORT, PORT, OPEN)


class Gullible(Strays):
    """One that knows whatever begins like a line it knows."""

    vocabulary = replace(HuaweiVrp5.vocabulary, passing=re.compile(r"(?s)system-view.*"))


@pytest.mark.parametrize("more", ["\nreboot", "\r", "\x7f", "\u3000", "\uff11", " " * 300])
def test_letters_are_looked_at_whatever_the_dialect_knows(more: str) -> None:
    for group in ("prepare", "apply", "confirm", "undo", "keep"):

        def spoil(change: Change, group: str = group, more: str = more) -> Change:
            longer = (Line(f"system-view{more}"), *getattr(change, group))
            changes: dict[str, Any] = {group: longer}
            return replace(change, **changes)

        right = plan(Gullible(partial(spoil, more=" x")), Intent.RESTORE_NEGOTIATION, PORT, FORCED)
        assert any("system-view x" in line for line in right.lines)
        with pytest.raises(UnsafePlanError, match="no line that may be typed"):
            plan(Gullible(spoil), Intent.RESTORE_NEGOTIATION, PORT, FORCED)


class Measures(HuaweiVrp5):
    """VRP5 whose cable test is ``spoiled``."""

    def __init__(self, spoiled: tuple[Line, ...]) -> None:
        self.spoiled = spoiled

    def test_cable(self, port: str) -> tuple[Line, ...]:
        del port
        return self.spoiled


@pytest.mark.parametrize(
    "spoiled",
    [(), lines("system-view", "return"), inside("shutdown"), inside("shutdown", "undo shutdown")],
)
def test_a_cable_test_measures_one_port_and_sets_nothing(spoiled: tuple[Line, ...]) -> None:
    with pytest.raises(UnsafePlanError):
        plan(Measures(spoiled), Intent.CABLE_DIAGNOSIS, PORT, FORCED)


class WrongBack(HuaweiVrp5):
    """VRP5 whose way back is ``spoiled``."""

    def __init__(self, spoiled: tuple[Line, ...]) -> None:
        self.spoiled = spoiled

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        del port, before, after
        return self.spoiled


@pytest.mark.parametrize(
    "spoiled",
    [
        (),
        inside("negotiation auto", "shutdown"),
        (*inside("negotiation auto"), Line("save")),
        inside("negotiation auto", port="GigabitEthernet0/0/4"),
        lines("reboot"),
    ],
)
def test_a_way_back_that_strays_is_never_typed(spoiled: tuple[Line, ...]) -> None:
    assert back(WrongBack(inside("negotiation auto")), PORT, FORCED, OPEN)
    with pytest.raises(UnsafePlanError):
        back(WrongBack(spoiled), PORT, FORCED, OPEN)


class Leaky(HuaweiVrp5):
    """A dialect that types whatever name it read."""

    def check_port(self, port: str) -> str:
        return port


def test_a_dialect_that_types_what_it_read_is_stopped_by_the_reading_back() -> None:
    with pytest.raises(UnsafePlanError):
        attack_names(Leaky(), (PORT,), ALLOWED, count=100, seed=1)
    for name in names((PORT,), 500, 2):
        if not HUAWEI_VRP5.is_typed(name):
            with pytest.raises(UnsafePlanError):
                plan(Leaky(), Intent.RESTORE_NEGOTIATION, name, FORCED)


def test_the_attack_tells_a_line_that_is_not_on_the_list() -> None:
    allowed = re.compile(ALLOWED.pattern.replace("trust dscp|", ""))
    assert attack_names(VRP5, (PORT,), allowed, count=1_000, seed=1).outside > 0
    assert attack_names(VRP5, (PORT,), ALLOWED, count=1_000, seed=1).outside == 0


def test_every_dialect_is_spoken() -> None:
    assert set(DIALECTS) <= set(Name)
    assert all(DIALECTS[name].name is name for name in DIALECTS)
