from typing import Any

import pytest

from firmware_sims.switch.agent import Agent
from firmware_sims.switch.mib import ModelTree
from firmware_sims.switch.model import Neighbour, Quirk, Switch
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock

IF = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IFX = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
DUPLEX = (1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19)
SYSTEM = (1, 3, 6, 1, 2, 1, 1)
LLDP_REMOTE = (1, 0, 8802, 1, 1, 2, 1, 4, 1, 1)


class Bench:
    """A live switch and pysnmp's view of it."""

    def __init__(self, oracle: Any, **options: Any) -> None:
        self.clock = ManualClock()
        settings: dict[str, Any] = {
            "name": "sw1",
            "vendor": Vendor.H3C,
            "ports": 4,
            "uplinks": 1,
        }
        self.switch = Switch(clock=self.clock, **{**settings, **options})
        tree = ModelTree(self.switch)
        self.agent = Agent(tree, begin=tree.begin, max_reply=65_507)
        self._oracle = oracle

    def get(self, *oids: tuple[int, ...]) -> list[Any]:
        """Values, or the name of the exception."""
        _, _, bound = self._oracle.reply(self.agent.answer(self._oracle.request("Get", [*oids])))
        return [
            kind if kind.startswith("NoSuch") else value.prettyPrint() for _, kind, value in bound
        ]

    def column(self, oid: tuple[int, ...]) -> dict[int, str]:
        """Row index -> value."""
        request = self._oracle.request("GetBulk", [oid], max_repetitions=100)
        _, _, bound = self._oracle.reply(self.agent.answer(request))
        return {
            name[-1]: value.prettyPrint() for name, _, value in bound if name[: len(oid)] == oid
        }


@pytest.fixture
def bench(v2c: Any) -> Any:
    return lambda **options: Bench(v2c, **options)


def test_identity_and_tables_of_a_fresh_switch(bench: Any) -> None:
    seen = bench()
    assert seen.get((*SYSTEM, 2, 0), (*SYSTEM, 5, 0)) == ["1.3.6.1.4.1.25506.1.578", "sw1"]
    assert seen.column((*IFX, 1)) == {
        **{n: f"GigabitEthernet1/0/{n}" for n in range(1, 5)},
        5: "Ten-GigabitEthernet1/0/5",
        6: "Vlan-interface1",
    }
    assert seen.column((*IF, 5)) == dict.fromkeys(range(1, 5), "1000000000") | {
        5: "4294967295",
        6: "0",
    }
    assert seen.column((*IFX, 15)) == dict.fromkeys(range(1, 5), "1000") | {5: "10000", 6: "0"}
    assert seen.column(DUPLEX) == dict.fromkeys(range(1, 6), "3")
    assert seen.column((*IF, 8)) == dict.fromkeys(range(1, 7), "1")


def test_a_change_shows_in_the_next_answer(bench: Any) -> None:
    seen = bench()
    name = "GigabitEthernet1/0/2"
    asked = [(*IF, 5, 2), (*IFX, 15, 2), (*DUPLEX, 2), (*IF, 8, 2), (*IFX, 18, 2)]
    assert seen.get(*asked) == ["1000000000", "1000", "3", "1", ""]
    seen.switch.set_port(name, {"speed_mbps": 100, "duplex": "half", "alias": "3-2 class"})
    assert seen.get(*asked) == ["100000000", "100", "2", "1", "3-2 class"]
    seen.switch.set_port(name, {"oper": "down"})
    assert seen.get((*IF, 8, 2), (*IF, 7, 2)) == ["2", "1"]


@pytest.mark.parametrize(
    ("vendor", "if_speed", "if_high_speed"),
    [
        (Vendor.HUAWEI, "1000000000", "1000"),
        (Vendor.H3C, "1000000000", "0"),
        (Vendor.RUIJIE, "1000000000", "1000"),
        (Vendor.ZTE, "10000000", "10"),
    ],
)
def test_what_a_down_port_says_of_its_speed(
    bench: Any, vendor: Vendor, if_speed: str, if_high_speed: str
) -> None:
    seen = bench(vendor=vendor)
    port = seen.switch.sockets[0]
    seen.switch.set_port(port.name, {"oper": "down"})
    index = port.if_index
    assert seen.get((*IF, 5, index), (*IFX, 15, index)) == [if_speed, if_high_speed]


def test_counters_move_with_the_clock_and_agree(bench: Any) -> None:
    seen = bench()
    asked = [(*IFX, 6, 1), (*IF, 10, 1), (*IFX, 7, 1), (*IF, 14, 1)]
    before = [int(value) for value in seen.get(*asked)]
    seen.switch.set_port("GigabitEthernet1/0/1", {"errors_per_second": 2})
    assert [int(value) for value in seen.get(*asked)] == before
    seen.clock.advance(100)
    after = [int(value) for value in seen.get(*asked)]
    assert after[0] - before[0] > 10**6
    assert after[1] == after[0] % 2**32
    assert after[2] > before[2]
    assert after[3] - before[3] == 200


def test_reboot_resets_uptime_and_renumbers_rows(bench: Any) -> None:
    seen = bench()
    before = seen.column((*IFX, 1))
    seen.switch.reboot(0, renumber=True)
    seen.clock.advance(1)
    after = seen.column((*IFX, 1))
    assert seen.get((*SYSTEM, 3, 0)) == ["100"]
    assert sorted(before.values()) == sorted(after.values())
    assert not {*before.items()} & {*after.items()}
    assert seen.column((*IF, 1)) == {index: str(index) for index in after}


def test_a_silent_switch_answers_nothing(bench: Any, v2c: Any) -> None:
    seen = bench()
    seen.switch.silent = True
    assert seen.agent.answer(v2c.request("Get", [(*SYSTEM, 3, 0)])) is None
    seen.switch.silent = False
    assert seen.agent.answer(v2c.request("Get", [(*SYSTEM, 3, 0)])) is not None


def test_neighbours_stand_in_the_lldp_table(bench: Any) -> None:
    seen = bench()
    heard = Neighbour("GigabitEthernet1/0/3", "core", "GigabitEthernet0/0/7", bytes(6))
    seen.switch.set_neighbours((heard,))
    assert seen.get((*LLDP_REMOTE, 9, 0, 3, 1), (*LLDP_REMOTE, 7, 0, 3, 1)) == [
        "core",
        "GigabitEthernet0/0/7",
    ]


@pytest.mark.parametrize(
    ("quirk", "oid", "values"),
    [
        (Quirk.DUPLICATE_IF_NAME, (*IFX, 1, 2), ["GigabitEthernet1/0/1"]),
        (Quirk.SPEED_MODULO, (*IF, 5, 5), ["1410065408"]),
        (Quirk.SPEED_MODULO, (*IFX, 15, 5), ["1410"]),
        (Quirk.NO_IFX, (*IFX, 1, 1), ["NoSuchObject"]),
        (Quirk.NO_IFX, (*IF, 5, 5), ["4294967295"]),
        (Quirk.NO_HIGH_SPEED, (*IFX, 15, 1), ["NoSuchObject"]),
        (Quirk.NO_HIGH_SPEED, (*IFX, 1, 1), ["GigabitEthernet1/0/1"]),
        (Quirk.SPEED_IN_MBPS, (*IF, 5, 5), ["10000"]),
        (Quirk.SPEED_ZERO, (*IFX, 15, 1), ["0"]),
        (Quirk.HIGH_SPEED_ABSURD, (*IFX, 15, 1), ["2147483649"]),
        (Quirk.HALF_AT_GIGABIT, (*DUPLEX, 1), ["2"]),
        (Quirk.NO_DUPLEX, (*DUPLEX, 1), ["NoSuchObject"]),
        (Quirk.HC_STUCK, (*IFX, 6, 1), ["0"]),
    ],
)
def test_quirks_of_value(bench: Any, quirk: Quirk, oid: tuple[int, ...], values: list[str]) -> None:
    assert bench(quirks=frozenset({quirk})).get(oid) == values


def test_stuck_64_bit_counters_leave_the_32_bit_ones_moving(bench: Any) -> None:
    seen = bench(quirks=frozenset({Quirk.HC_STUCK}))
    before = seen.get((*IF, 10, 1))
    seen.clock.advance(5)
    assert seen.get((*IF, 10, 1)) != before


def test_a_partial_walk_loses_ports_and_finds_them_again(bench: Any) -> None:
    seen = bench(quirks=frozenset({Quirk.PARTIAL_WALK}))
    sizes = []
    for _ in range(4):
        sizes.append(len(seen.column((*IFX, 1))))
        seen.clock.advance(7)
    assert sizes == [6, 4, 6, 4]


def test_a_known_column_without_the_row_is_no_such_instance(bench: Any) -> None:
    assert bench().get((*IFX, 1, 99), (*IF, 12, 1), (*DUPLEX, 6)) == [
        "NoSuchInstance",
        "NoSuchObject",
        "NoSuchInstance",
    ]
