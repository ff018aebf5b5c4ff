"""Which port a binding means."""

from dataclasses import replace

import pytest

from controller.state.resolve import VIRTUAL, bindings_of, is_virtual, names_of, resolve
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


@pytest.mark.parametrize(
    ("if_type", "name", "virtual"),
    [
        (6, "GE1", False),
        (None, "Vlanif1", False),  # nobody has said what it is
        (1, "10GE1/0/1", False),
        (24, "LoopBack0", True),
        (131, "Tunnel1", True),
        (135, "GE0/0/1.100", True),
        (136, "Vlan1", True),
        (53, "Vlanif1", True),
        (53, "polan", True),
        (53, "Port-channel1", False),
        (53, "Po1", False),
        (53, "Eth-Trunk10", False),
        (53, "Bridge-Aggregation1", False),
        (161, "Eth-Trunk1", False),
    ],
)
def test_what_is_no_socket(if_type: int | None, name: str, *, virtual: bool) -> None:
    assert is_virtual(replace(facts("p", name, "", ""), if_type=if_type)) is virtual


def test_no_binding_means_an_interface_that_is_no_socket() -> None:
    vlan = replace(facts("Vlanif1", "Vlanif1", "", "301"), if_type=136)
    both = replace(facts("Vlanif2", "Vlanif2", "", "3-2"), if_type=136)
    names = bindings_of([*FACTS, vlan, both, facts("GE4", "Gi0/4", "", "3-2")])
    keys = KEYS | {"Vlanif1": 7, "Vlanif2": 8, "GE4": 4}
    assert [resolve(one, keys, names) for one in ("Vlanif1", "301", "Vlanif2", "3-2")] == [None] * 4
    assert [names.get(one) for one in ("Vlanif1", "301", "3-2")] == [VIRTUAL, VIRTUAL, None]
    assert resolve("Gi0/4", keys, names) == 4
