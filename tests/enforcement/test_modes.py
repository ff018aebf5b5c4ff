"""The most particular place wins, then the last line."""

import pytest

from controller.enforcement.modes import agreed, mode_of
from tenone.config.enforcement import Enforcement
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.scope import ScopePath

NO1 = ScopePath.parse("binhai/east/no1")
B, C = "bounce-port", "cycle-poe"


@pytest.mark.parametrize(
    ("lines", "mode"),
    [
        ([], Mode.PROPOSE),
        ([(None, [B], "auto")], Mode.AUTO),
        ([(None, [C], "auto")], Mode.PROPOSE),
        ([("binhai", [B], "approve"), (None, [B], "auto")], Mode.APPROVE),
        ([("binhai/east/no1", [B], "off"), ("binhai/east", [B], "auto")], Mode.OFF),
        ([("binhai/east", [B], "off"), ("binhai/east", [B, C], "auto")], Mode.AUTO),
        ([("binhai/west", [B], "auto"), ("binhai/east/no2", [B], "auto")], Mode.PROPOSE),
    ],
)
def test_which_line_holds(lines: list[tuple[str | None, list[str], str]], mode: Mode) -> None:
    rules = Enforcement.model_validate(
        {"modes": [{"scope": where, "actions": what, "mode": how} for where, what, how in lines]}
    )
    assert mode_of(rules, NO1, Intent.BOUNCE_PORT) is mode


def test_auto_takes_the_schools_word() -> None:
    bounce = Intent.BOUNCE_PORT
    assert agreed(Mode.AUTO, bounce, [bounce]) is Mode.AUTO
    assert agreed(Mode.AUTO, bounce, [Intent.CYCLE_POE]) is Mode.APPROVE
    assert agreed(Mode.PROPOSE, bounce, []) is Mode.PROPOSE
