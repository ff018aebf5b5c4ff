"""Huawei VRP5: S2700 to S7700 of before YunShan OS. What is typed is in force at once.

There is neither a candidate configuration nor a way back on the switch itself, so each change is
its own ordered steps, and its undo the inverse ones. Commands and sources: see
:mod:`drivers.cli.dialects.vrp`. None of it was run on real hardware.
"""

import re

from drivers.cli.dialect import PortMode, PortSettings
from drivers.cli.dialects.bracketed import ENTERS
from drivers.cli.dialects.vrp import TYPED_RULES, Vrp
from drivers.cli.grammar import HUAWEI_VRP5
from drivers.cli.reading import Vocabulary, rule
from tenone.vocabulary.intents import Dialect as Name


class HuaweiVrp5(Vrp):
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.HUAWEI_VRP5
    device_type = "huawei"
    grammar = HUAWEI_VRP5
    vocabulary = Vocabulary(
        enters=ENTERS,
        is_typed=HUAWEI_VRP5.is_typed,
        rules=(*TYPED_RULES, rule(r"undo port link-type", mode="unset")),
        leaves=frozenset({"return"}),
        passing=re.compile(r"system-view"),
        saves=frozenset({"save"}),
    )
    start = PortSettings(mode=PortMode.UNSET)
    """Without ``port link-type`` a port is hybrid or negotiates it, by series and release."""
    movable = frozenset({PortMode.ACCESS, PortMode.UNSET})
