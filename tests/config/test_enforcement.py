"""``enforcement`` of city.yaml."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tenone.config import ConfigError, load_city
from tenone.config.enforcement import Enforcement
from tenone.vocabulary.intents import Mode

Values = dict[str, Any]
Write = Callable[[str, Values | str], Path]


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
                    {
                        "first": "2027-06-07",
                        "last": "2027-06-08",
                        "why": "exam",
                        "scope": "Bad Place",
                    }
                ]
            }
        )


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ({"modes": [{"scope": "binhai/north", "actions": ["bounce-port"], "mode": "off"}]},
         "modes[0].scope"),
        ({"modes": [{"scope": "binhai/west/no3", "actions": ["bounce-port"], "mode": "off"}]},
         "modes[0].scope"),
        ({"freezes": [{"first": "2027-06-07", "last": "2027-06-08", "why": "exam",
                       "scope": "haibin"}]}, "freezes[0].scope"),
        ({"allowed_links": ["no3/uplink", "no3/c999"]}, "allowed_links[1]"),
    ],
)  # fmt: skip
def test_a_rule_about_what_does_not_exist_is_a_mistake(
    school: Values, city: Values, write: Write, written: Values, path: str
) -> None:
    write("schools/no3.yaml", school)
    with pytest.raises(ConfigError) as caught:
        load_city(write("city.yaml", city | {"enforcement": written}))
    (problem,) = caught.value.problems
    assert path in str(problem)
    assert "in the city" in problem.what


def test_rules_about_what_exists(school: Values, city: Values, write: Write) -> None:
    write("schools/no3.yaml", school)
    lines = [
        {"scope": scope, "actions": ["bounce-port"], "mode": "auto"}
        for scope in ("binhai", "binhai/west", "binhai/east/no3")
    ]
    rules = {"modes": lines, "allowed_links": ["no3/uplink"]}
    found = load_city(write("city.yaml", city | {"enforcement": rules}))
    assert len(found.enforcement.modes) == 3
