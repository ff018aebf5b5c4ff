"""``enforcement`` of city.yaml."""

import pytest
from pydantic import ValidationError

from tenone.config.enforcement import Enforcement
from tenone.vocabulary.intents import Mode


def test_nothing_is_done_by_itself_unless_somebody_says_so() -> None:
    plain = Enforcement()
    assert plain.mode is Mode.PROPOSE
    assert plain.in_class == "never"
    assert plain.exam_freeze
    assert not plain.nothing
    assert Enforcement(mode=Mode.OFF).nothing


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"modes": [{"actions": ["quarantine"], "mode": "auto"}]}, "never 'auto'"),
        ({"modes": [{"actions": [], "mode": "off"}]}, "at least 1"),
        ({"modes": [{"actions": ["reboot"], "mode": "off"}]}, "bounce-port"),
        ({"modes": [{"scope": "A b", "actions": ["bounce-port"], "mode": "off"}]}, "binhai/east"),
        (
            {"freezes": [{"first": "2027-06-08", "last": "2027-06-07", "why": "exam"}]},
            "ends before it begins",
        ),
        ({"freezes": [{"first": "2027-06-07", "last": "2027-06-08", "why": "", "x": 1}]}, "x"),
        ({"caps": {"at_once_in_a_district": 0}}, "1"),
        ({"in_class": "always"}, "dark"),
    ],
)
def test_a_fault_is_said(written: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Enforcement.model_validate(written)
    assert said in str(caught.value)


def test_the_scope_of_a_freeze_is_one() -> None:
    with pytest.raises(ValidationError, match="binhai/east"):
        Enforcement.model_validate(
            {
                "freezes": [
                    {"first": "2027-06-07", "last": "2027-06-08", "why": "exam", "scope": "Bad Place"}
                ]
            }
        )
