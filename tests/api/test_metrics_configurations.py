"""Configurations in /metrics."""

from controller.api.metrics_configurations import configuration_families
from controller.configurations.model import Configuration


def known(school: str, switch: str, found: str | None) -> Configuration:
    return Configuration(school=school, switch=switch, at_ms=1, hash=found, accepted="a")


def test_switches_are_counted_by_school_and_state() -> None:
    (family,) = configuration_families(
        [
            known("no1", "a", "a"),
            known("no1", "b", "a"),
            known("no1", "c", "b"),
            known("no2", "a", None),
        ]
    )
    found = {tuple(sample.labels.values()): sample.value for sample in family.samples}
    assert found == {("no1", "accepted"): 2, ("no1", "drifted"): 1, ("no2", "unknown"): 1}


def test_nothing_known_is_absent() -> None:
    assert list(configuration_families([])) == []
