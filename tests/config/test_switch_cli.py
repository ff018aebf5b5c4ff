"""``cli`` of a switch."""

import pytest
from pydantic import ValidationError

from tenone.config.switch_cli import SwitchCli
from tenone.vocabulary.intents import Dialect, Intent

WHOLE: dict[str, object] = {
    "dialect": "comware",
    "username": "tenone",
    "password": "env:SWITCH_PASSWORD",
}


def test_what_is_left_out_is_careful() -> None:
    cli = SwitchCli.model_validate(WHOLE)
    assert cli.dialect is Dialect.COMWARE
    assert cli.port == 22
    assert cli.automatic == ()
    assert cli.quarantine_vlan is None
    assert set(cli.intents) == set(Intent)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dialect": "junos"}, "huawei-vrp5"),
        ({"password": "secret"}, "env:NAME"),
        ({"quarantine_vlan": 4095}, "4094"),
        ({"protected": ["GE0/0/1"], "allowed": ["GE0/0/1"]}, "both 'protected' and 'allowed'"),
        ({"automatic": ["quarantine"]}, "never automatic"),
    ],
)
def test_a_fault_is_said(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SwitchCli.model_validate(WHOLE | change)
    assert said in str(caught.value)
