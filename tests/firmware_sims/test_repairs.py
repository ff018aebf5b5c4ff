"""What of the demo's city is repaired, and how far by itself."""

from firmware_sims import city, repairs
from firmware_sims.repairs import AUTOMATIC, Care, ConsoleAt
from tenone.config.enforcement import Enforcement
from tenone.config.switch_cli import SwitchCli
from tenone.vocabulary.intents import Intent, Mode

AT = ConsoleAt(host="127.0.0.1", port=2022, dialect="comware", host_key="x")


def test_a_city_of_twelve_has_each_of_them() -> None:
    cares = [school.care for school in city.plan().schools]
    assert cares.count(Care.MENDS) == cares.count(Care.ASKS) == 2
    assert cares[0] is Care.MENDS, "a demo of one school repairs, too"


def test_who_consents_is_who_mends() -> None:
    for care in Care:
        made = SwitchCli.model_validate(repairs.cli_yaml(AT, care))
        assert bool(made.automatic) == (care is Care.MENDS)
        assert made.port == AT.port
    rules = Enforcement.model_validate(
        repairs.enforcement_yaml(
            {"c/east/a": Care.MENDS, "c/west/b": Care.ASKS, "c/x/d": Care.TEACHES}
        )
    )
    assert [rule.scope for rule in rules.modes] == ["c/east/a", "c/west/b"]
    assert {rule.mode for rule in rules.modes} == {Mode.AUTO}
    assert set(rules.modes[0].actions) == {Intent(one) for one in AUTOMATIC}
    assert rules.mode is Mode.PROPOSE
