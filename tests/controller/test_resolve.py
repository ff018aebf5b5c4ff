"""Which port a binding means."""

import pytest

from controller.state.resolve import names_of, resolve
from controller.store.records import PortFacts


def facts(port: str, name: str, descr: str, alias: str) -> PortFacts:
    return PortFacts(
        port=port, if_index=1, if_name=name, if_descr=descr, if_alias=alias, if_type=6, mtu=None,
        mac=None,
    )  # fmt: skip


FACTS = [
    facts("GE1", "Gi0/1", "Gigabit 1", "3-1"),
    facts("GE2", "Gi0/2", "Gigabit 2", "3-1"),
    facts("dup#5", "dup", "d5", ""),
    facts("dup#6", "dup", "d6", ""),
    facts("gone", "Gi0/9", "Gigabit 9", "old"),
]
KEYS = {"GE1": 1, "GE2": 2, "dup#5": 5, "dup#6": 6}


@pytest.mark.parametrize(
    ("bound", "number"),
    [
        ("GE1", 1),
        ("Gi0/2", 2),
        ("Gigabit 1", 1),
        ("d6", 6),
        ("3-1", None),  # two ports have this alias
        ("dup", None),
        ("dup#5", 5),
        ("Gi0/9", None),  # known once, not shown now
        ("", None),
        ("ge1", None),
    ],
)
def test_by_key_then_by_the_one_name(bound: str, number: int | None) -> None:
    assert resolve(bound, KEYS, names_of(FACTS)) == number
