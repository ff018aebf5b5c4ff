"""Huawei VRP5: S2700 to S7700 of before YunShan OS. What is typed is in force at once.

There is neither a candidate configuration nor a way back on the switch itself, so each change is
its own ordered steps, and its undo the inverse ones. Commands and sources: see
:mod:`drivers.cli.dialects.vrp`. None of it was run on real hardware.
"""

import re
from collections.abc import Sequence

from drivers.cli import grammar, reading
from drivers.cli.dialect import Change, Line, Meant, Pair, PortMode, PortSettings
from drivers.cli.dialects import vrp
from drivers.cli.plans import TRANSIENT
from tenone.vocabulary.intents import MEANINGS, Intent
from tenone.vocabulary.intents import Dialect as Name

_GRAMMAR = grammar.HUAWEI_VRP5
_VOCABULARY = reading.Vocabulary(
    enters=re.compile(r"interface (\S+)", re.ASCII),
    is_typed=_GRAMMAR.is_typed,
    rules=vrp.TYPED_RULES,
    leaves=frozenset({"quit", "return"}),
    passing=re.compile(r"system-view"),
    saves=frozenset({"save"}),
)
_SWITCHED = {"enabled": ("shutdown", "undo shutdown"), "poe": ("undo poe enable", "poe enable")}
_PAUSES = {"enabled": vrp.BOUNCE_SECONDS, "poe": vrp.POE_SECONDS}


class HuaweiVrp5:
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.HUAWEI_VRP5
    device_type = "huawei"
    prompt = vrp.PROMPT
    refusals = vrp.REFUSALS
    quiet = vrp.QUIET
    leave: tuple[Line, ...] = (Line("return", optional=True),)
    hinders = vrp.HINDERS

    def check_port(self, port: str) -> str:
        """``GE0/0/1`` and ``XGE0/0/1`` become the long words."""
        return _GRAMMAR.typed(port)

    def show_port(self, port: str) -> tuple[Line, ...]:
        """One command, allowed in every view."""
        return (Line(f"display current-configuration interface {self.check_port(port)}"),)

    def read_port(self, port: str, answers: Sequence[str]) -> PortSettings:
        """Without ``port link-type``, what the port is differs by series and release: unset."""
        lines = reading.section(
            answers[0] if answers else "",
            lambda name: _GRAMMAR.same(name, port),
            refusals=self.refusals,
            ends=vrp.ENDS,
        )
        start = PortSettings(mode=PortMode.UNSET)
        return reading.settings_of(lines, vrp.section_rules(lines), start)

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """In force line by line."""
        inside = vrp.inside(before, after, PortMode.UNSET)
        return self._in_port(port, [Line(line) for line in inside]) if inside else ()

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        """The lines, and the inverse ones."""
        switched = TRANSIENT.get(intent)
        if switched is None:
            apply = self.set_port(port, before, after)
            undo = self.set_port(port, after, before)
        else:
            off, on = _SWITCHED[switched]
            apply = self._in_port(port, (Line(off, pause=_PAUSES[switched]), Line(on)))
            undo = self._in_port(port, (Line(on),))
        return Change(
            intent=intent,
            port=port,
            before=before,
            after=after,
            apply=apply,
            undo=undo,
            keep=self.save() if MEANINGS[intent].configures else (),
        )

    def save(self) -> tuple[Line, ...]:
        """``save`` asks whether to write, sometimes under which name, sometimes over what."""
        return (Line("save", (vrp.FILE_NAME, vrp.YES_NO), vrp.SAVE_SECONDS),)

    def show_configuration(self) -> tuple[Line, ...]:
        """The whole running configuration."""
        return (Line("display current-configuration", seconds=60.0),)

    def test_cable(self, port: str) -> tuple[Line, ...]:
        """Takes the link down for some seconds, and asks whether it may."""
        test = Line("virtual-cable-test", (vrp.YES_NO,), vrp.CABLE_SECONDS)
        return self._in_port(port, (test,))

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """Four pairs."""
        return vrp.read_cable(answers)

    def meant(self, lines: Sequence[str]) -> Meant:
        """By the table of rules, in the view each line is typed in."""
        return reading.meant(_VOCABULARY, lines)

    def _in_port(self, port: str, lines: Sequence[Line]) -> tuple[Line, ...]:
        return (
            Line("system-view"),
            Line(f"interface {self.check_port(port)}"),
            *lines,
            Line("return"),
        )
