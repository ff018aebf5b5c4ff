"""``care`` of school.yaml and the file of rules."""

from pathlib import Path

import pytest

from tenone.config import ConfigError
from tenone.config.compliance import Care, load_compliance

RULE = "  - {id: a, dialects: [zte], en: x, zh: y, must: ['ntp']}\n"


def test_our_own_rules_are_good_and_explained_in_both_languages() -> None:
    for rule in load_compliance().rules:
        assert rule.en.endswith(".")
        assert rule.zh.endswith("。")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE * 2, "two rules are called 'a'"),
        (RULE.replace("'ntp'", "'('"), "no regular expression"),
        (RULE.replace("must: ['ntp']", "severity: info"), "asks for nothing"),
        (RULE.replace("zte", "junos"), "huawei-vrp5"),
        (RULE.replace(", zh: y", ""), "'zh' is missing"),
    ],
)
def test_a_fault_is_said(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(f"schema_version: 1\nrules:\n{text}")
    with pytest.raises(ConfigError) as caught:
        load_compliance(file)
    assert said in "\n".join(map(str, caught.value.problems))


def test_the_hour_of_the_night() -> None:
    assert Care.model_validate({"nightly": "03:05"}).nightly == 185
    with pytest.raises(ValueError, match="02:40"):
        Care.model_validate({"nightly": "late"})
