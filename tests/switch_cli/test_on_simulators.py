"""Every dialect against the simulated command line of its vendor, cut after each line in turn.

The simulators are ours too (another hand, from the same manuals), and this has neither SSH nor a
loop around it: it shows that the two readings of the manuals agree, and that no cut leaves a port
between before and after.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from drivers.cli.dialect import CableState, Change, Dialect, Line, PortSettings
from drivers.cli.dialects.registry import DIALECTS
from drivers.cli.errors import CannotError, LineRefusedError
from drivers.cli.plans import back, is_between, plan
from drivers.cli.settings import differences, same
from firmware_sims.switch.console.line import SHELLS, CommandLine
from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.settings import PortSettings as Simulated
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex

VENDORS = {
    Name.HUAWEI_VRP5: Vendor.HUAWEI,
    Name.HUAWEI_VRP8: Vendor.HUAWEI_CE,
    Name.COMWARE: Vendor.H3C,
    Name.RUIJIE: Vendor.RUIJIE,
    Name.ZTE: Vendor.ZTE,
    Name.CISCO_IOS: Vendor.CISCO,
}
QUARANTINE = 99
"""One port's settings in the simulator's words, from which each intent starts."""
STARTS: dict[Intent, Simulated] = {
    Intent.RESTORE_NEGOTIATION: Simulated(auto=False, speed_mbps=100, duplex=Duplex.FULL),
    Intent.BOUNCE_PORT: Simulated(description="return # quit ! end"),
    Intent.ENABLE_PORT: Simulated(shutdown=True),
    Intent.CYCLE_POE: Simulated(),
    Intent.EXAM_PRIORITY: Simulated(),
    Intent.QUARANTINE: Simulated(vlan=7),
    Intent.RELEASE: Simulated(vlan=QUARANTINE),
    Intent.SAVE_CONFIGURATION: Simulated(),
    Intent.CABLE_DIAGNOSIS: Simulated(),
}
UNKNOWN = {(Name.ZTE, Intent.CYCLE_POE), (Name.ZTE, Intent.EXAM_PRIORITY),
           (Name.ZTE, Intent.CABLE_DIAGNOSIS)}  # fmt: skip
"""Refused with a sentence: see the dialect's module."""
MOST_ANSWERS = 8


class Cut(Exception):  # noqa: N818 - no error: what the test does
    """The session ends here."""


class Bench:
    """A switch, whoever logs in to it, and what is typed."""

    def __init__(self, name: Name, start: Simulated) -> None:
        self.clock = ManualClock()
        self.dialect: Dialect = DIALECTS[name]
        self.switch = Switch(name="SW-3F", vendor=VENDORS[name], clock=self.clock, ports=4)
        self.port: Port = self.switch.sockets[2]
        if name is not Name.HUAWEI_VRP5 and name is not Name.HUAWEI_VRP8 and name is not Name.ZTE:
            start = replace(start, auto=None)
        config = self.switch.wiring.running()
        config = replace(
            config,
            vlans=config.vlans | {7},
            lines=("mls qos", "archive", " path flash:before") if name is Name.CISCO_IOS else (),
        )
        self.switch.wiring.load(config.with_port(self.port.name, start))
        self.switch.wiring.rewire(self.port, {"draws": True})
        self.log_in()
        self.run(self.dialect.quiet)

    def log_in(self) -> None:
        self.console = CommandLine(self.switch, self.dialect.name)
        self.shows(self.console.greeting)

    def shows(self, text: str) -> str:
        """What stands before the prompt."""
        found = self.dialect.prompt.search(text)
        assert found is not None, text
        assert found.end() == len(text)
        return text[: found.start()]

    def run(self, lines: Sequence[Line], *, cut: int | None = None) -> list[str]:
        """Type them as a session does; ``cut``: the session ends before that line."""
        answers = []
        for number, line in enumerate(lines):
            if number == cut:
                self.console.close()
                raise Cut
            printed = self.console.type(line.text)
            answer = printed
            for _ in range(MOST_ANSWERS):
                ask = next((ask for ask in line.asks if re.search(ask.pattern, printed)), None)
                if ask is None:
                    break
                printed = self.console.type(ask.answer)
                answer += "\n" + printed  # what was typed is shown, and its end
            answer = self.shows(answer)
            if not line.optional:
                for refusal in self.dialect.refusals:
                    if found := refusal.search(answer):
                        raise LineRefusedError(number, f"{line.text}: {found[0]}")
            answers.append(answer)
        if cut == len(lines):
            self.console.close()
            raise Cut
        return answers

    def read(self) -> PortSettings:
        lines = self.dialect.show_port(self.port.name)
        return self.dialect.read_port(self.port.name, self.run(lines))

    def plan(self, intent: Intent) -> Change:
        before = None if intent is Intent.SAVE_CONFIGURATION else self.read()
        return plan(self.dialect, intent, self.port.name, before, quarantine_vlan=QUARANTINE)


CASES = [(name, intent) for name in SHELLS for intent in Intent if (name, intent) not in UNKNOWN]
EACH = pytest.mark.parametrize(("name", "intent"), CASES)


@EACH
def test_forth_and_back(name: Name, intent: Intent) -> None:
    bench = Bench(name, STARTS[intent])
    change = bench.plan(intent)
    for group in (change.prepare, change.apply):
        bench.run(group)
    if change.after is None or change.before is None:
        bench.run(change.keep)
        assert bench.switch.store.saved_wall_ns is not None
        return
    assert differences(bench.read(), change.after) == ()
    assert bench.read().other == change.before.other
    for _ in range(2):
        bench.run(change.undo)
        assert same(bench.read(), change.before)
    assert bench.switch.store.trial is None


@EACH
def test_forth_and_kept(name: Name, intent: Intent) -> None:
    bench = Bench(name, STARTS[intent])
    change = bench.plan(intent)
    for group in (change.prepare, change.apply, change.confirm, change.keep):
        bench.run(group)
    if change.after is not None:
        assert same(bench.read(), change.after)
    assert (bench.switch.store.saved_wall_ns is not None) == bool(change.keep)
    assert bench.switch.store.trial is None
    bench.clock.advance(3600)
    bench.log_in()
    if change.after is not None:
        assert same(bench.read(), change.after)


@EACH
def test_cut_after_each_line(name: Name, intent: Intent) -> None:
    whole = Bench(name, STARTS[intent]).plan(intent)
    steps = [*whole.prepare, *whole.apply, *whole.confirm]
    if whole.before is None or whole.after is None:
        return
    for cut in range(len(steps) + 1):
        bench = Bench(name, STARTS[intent])
        with pytest.raises(Cut):
            bench.run(steps, cut=cut)
        bench.log_in()
        now = bench.read()
        if not same(now, whole.after) or intent in {Intent.BOUNCE_PORT, Intent.CYCLE_POE}:
            bench.run(back(bench.dialect, bench.port.name, now, whole.before))
            now = bench.read()
            assert same(now, whole.before), cut
        assert not is_between(now, whole.before, whole.after)


@EACH
def test_left_alone_a_switch_with_a_way_back_goes_it(name: Name, intent: Intent) -> None:
    bench = Bench(name, STARTS[intent])
    change = bench.plan(intent)
    if change.before is None or change.revert_seconds is None:
        return
    for group in (change.prepare, change.apply):
        bench.run(group)
    bench.console.close()
    bench.clock.advance(change.revert_seconds + 1)
    bench.log_in()
    assert same(bench.read(), change.before)


@pytest.mark.parametrize("name", [one for one in SHELLS if one is not Name.ZTE])
def test_a_bad_pair_is_found(name: Name) -> None:
    bench = Bench(name, Simulated())
    bench.switch.wiring.rewire(bench.port, {"pairs": {"C": {"state": "open", "metres": 12}}})
    change = bench.plan(Intent.CABLE_DIAGNOSIS)
    pairs = bench.dialect.read_cable(bench.run(change.apply))
    assert [(pair.name, pair.state) for pair in pairs] == [
        ("A", CableState.OK), ("B", CableState.OK), ("C", CableState.OPEN), ("D", CableState.OK),
    ]  # fmt: skip
    assert pairs[2].metres == 12.0


@pytest.mark.parametrize("name", SHELLS)
def test_out_of_any_view(name: Name) -> None:
    bench = Bench(name, Simulated())
    login = bench.console.prompt
    into = bench.dialect.set_port(
        bench.port.name, bench.read(), replace(bench.read(), enabled=False)
    )
    for lines in range(len(into)):
        bench.run(into[:lines])
        bench.run(bench.dialect.leave)
        assert bench.console.prompt == login
        assert not bench.console.closed


@pytest.mark.parametrize("name", SHELLS)
def test_a_line_that_is_none_is_refused(name: Name) -> None:
    bench = Bench(name, Simulated())
    with pytest.raises(LineRefusedError):
        bench.run([Line("colourless green ideas")])


@pytest.mark.parametrize(("name", "intent"), sorted(UNKNOWN))
def test_what_is_not_known_is_refused(name: Name, intent: Intent) -> None:
    with pytest.raises(CannotError):
        Bench(name, STARTS[intent]).plan(intent)
