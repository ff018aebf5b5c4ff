"""One school's network: cables come and go, twins are kept apart, differences are named."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.plan import LinkPlan
from controller.topology.drift import Drift, DriftKind, find_drift, sentences
from controller.topology.model import Heard, Identity, Place
from controller.topology.net import MISSES, Ports, SchoolNet
from controller.topology.views import topology_json
from tenone.vocabulary.states import Tier

MACS = {"core": "02:00:00:00:00:01", "f1": "02:00:00:00:00:02", "f2": "02:00:00:00:00:03"}


def link(name: str, tier: Tier, switch: str, port: str, room: str | None = None) -> LinkPlan:
    return LinkPlan(
        school="no1",
        link=name,
        name=f"Link {name}",
        tier=tier,
        room=room,
        contract_mbps=1000,
        switch=switch,
        port=port,
    )


LINKS = (
    link("up", Tier.UPLINK, "core", "X1"),
    link("bb1", Tier.BACKBONE, "core", "X2"),
    link("c11", Tier.CLASS, "f1", "G1", "r11"),
    link("c21", Tier.CLASS, "f2", "G1", "r21"),
)


def heard(switch: str, port: str, whom: str, remote: str | None = None, **more: str) -> Heard:
    """``whom``: a switch of MACS, an address, or a name without one."""
    mac = MACS.get(whom, whom if ":" in whom else None)
    return Heard(
        switch=switch,
        port=port,
        protocol="lldp",
        mac=mac,
        chassis_id=mac,
        name=more.get("name", whom),
        remote_port=remote,
        capabilities=frozenset({more.get("can", "bridge")}),
    )


CABLES = {
    "core": [heard("core", "X2", "f1", "X1"), heard("core", "X3", "f2", "X1")],
    "f1": [heard("f1", "X1", "core", "X2")],
    "f2": [heard("f2", "X1", "core", "X3")],
}
BOARD, BOARD_ID = "02:00:00:00:0b:11", "no1/board/b-11"
PORTS = ("X1", "X2", "X3", "G1", "G2")


@pytest.fixture
def net() -> SchoolNet:
    """core - f1, core - f2, all told."""
    hosts = {name: f"10.0.0.{number}" for number, name in enumerate(MACS, start=1)}
    net = SchoolNet(
        "no1", hosts=hosts, links=LINKS, devices={"b-11": "no1/board/b-11", BOARD: BOARD_ID}
    )
    for switch, mac in MACS.items():
        identity = Identity(serial=f"S-{switch}", base_mac=mac, chassis_id=mac)
        net.take_identity(switch, identity, 1)
        net.take_ports(switch, Ports(keys=frozenset(PORTS)))
        net.take_neighbours(switch, CABLES[switch], 1)
    return net


def kinds(net: SchoolNet) -> list[tuple[str, str]]:
    return sorted((one.kind.value, one.subject) for one in find_drift(net).values())


def test_who_hangs_on_whom(net: SchoolNet) -> None:
    carriers = net.carriers()
    assert carriers["core"] == ()
    # The backbone link is bound at the near end of the only cable to f1; none is to f2.
    assert carriers["f1"] == (("link/bb1",), ("switch/core",))
    assert carriers["f2"] == (("switch/core",),)
    assert net.shadow("core") == {"f1", "f2"}
    assert net.shadow("f1") == frozenset()
    assert kinds(net) == []


def test_a_second_cable_makes_the_backbone_link_no_lone_carrier(net: SchoolNet) -> None:
    net.take_neighbours("core", [*CABLES["core"], heard("core", "G2", "f1", "X2")], 2)
    assert net.carriers()["f1"] == (("switch/core",),)


def test_a_second_cable_that_only_the_far_end_hears_counts(net: SchoolNet) -> None:
    net.take_neighbours("f1", [*CABLES["f1"], heard("f1", "X2", "core", "G2")], 2)
    assert net.carriers()["f1"] == (("switch/core",),)


def test_nothing_is_carried_where_nothing_is_known() -> None:
    net = SchoolNet("no1", hosts={"core": "a", "f1": "b"}, links=LINKS, devices={})
    assert net.carriers() == {"core": (), "f1": ()}
    assert kinds(net) == []


def test_a_cable_is_gone_after_misses_or_when_its_port_shows_another(net: SchoolNet) -> None:
    only = [CABLES["core"][1]]
    for reading in range(1, MISSES):
        assert net.take_neighbours("core", only, 1 + reading) == []
    kept = net.take_neighbours("core", only, 9)
    assert [(one.key, one.values) for one in kept] == [(("core", "X2", MACS["f1"]), None)]
    # f1 still hears core: the cable is known from its end.
    assert net.tree.parents("switch/f1") == ("switch/core",)
    other = heard("core", "X3", "02:00:00:00:00:99", name="other")
    kept = net.take_neighbours("core", [other], 10)
    assert [(one.key[2], one.values is None) for one in kept] == [
        (MACS["f2"], True),
        ("02:00:00:00:00:99", False),
    ]


def test_one_missing_reading_is_forgiven(net: SchoolNet) -> None:
    for reading in range(10):
        net.take_neighbours("core", CABLES["core"] if reading % 2 else [], 2 + reading)
    assert len(net.edges) == 4


def test_that_nobody_is_heard_is_said_once_and_counted_on(net: SchoolNet) -> None:
    """An agent sends an empty stream once; every pass after it is another miss."""
    at_ns = 10
    for reading in range(1, MISSES + 2):
        at_ns += 10
        net.passed("core", at_ns)
        if reading == 1:
            assert net.is_new("core", "neighbours", at_ns + 1)
            net.take_neighbours("core", (), at_ns + 1)
        assert any(edge.heard.switch == "core" for edge in net.edges.values()) is (
            reading <= MISSES
        )


def test_old_readings_are_left_out(net: SchoolNet) -> None:
    assert net.is_new("core", "neighbours", 100)
    assert not net.is_new("core", "neighbours", 99)
    assert net.is_new("core", "stations", 99)
    assert not net.is_new("somebody else's", "neighbours", 1)


def test_six_hundred_switches_of_one_name_stay_six_hundred_devices() -> None:
    count = 600
    hosts = {f"sw{number}": "" for number in range(count)}
    net = SchoolNet("no1", hosts=hosts, links=[link("up", Tier.UPLINK, "sw0", "X1")], devices={})
    macs = [f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}" for number in range(count)]
    for number in range(count):
        net.take_identity(f"sw{number}", Identity(base_mac=macs[number]), 1)
    for number in range(1, count):
        parent = (number - 1) // 4
        seen = heard(f"sw{number}", "X1", macs[parent], name="HUAWEI")
        net.take_neighbours(f"sw{number}", [seen], 1)
    tree = net.tree
    assert len(tree.distance) == count
    for number in range(1, count):
        assert tree.parents(f"switch/sw{number}") == (f"switch/sw{(number - 1) // 4}",)
    assert kinds(net) == []


def test_twins_by_name_without_address_are_two_things(net: SchoolNet) -> None:
    for switch in ("f1", "f2"):
        net.take_neighbours(switch, [*CABLES[switch], heard(switch, "G2", "HUAWEI")], 2)
    nodes = {net.directory.node_of(edge.heard) for edge in net.edges.values()}
    assert {"heard/f1/G2/HUAWEI", "heard/f2/G2/HUAWEI"} <= nodes


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["G1", "G2", "X1"]), st.integers(1, 3), max_size=3),
        max_size=12,
    )
)
def test_cables_are_those_a_plain_count_of_misses_gives(readings: list[dict[str, int]]) -> None:
    net = SchoolNet("no1", hosts={"core": ""}, links=(), devices={})
    standing: dict[tuple[str, int], tuple[int, int]] = {}
    for at_ns, reading in enumerate(readings, start=1):
        for (port, whom), (since, missed) in list(standing.items()):
            if reading.get(port) == whom:
                standing[port, whom] = (since, 0)
            elif port in reading or missed + 1 >= MISSES:
                del standing[port, whom]
            else:
                standing[port, whom] = (since, missed + 1)
        for port, whom in reading.items():
            standing.setdefault((port, whom), (at_ns, 0))
        seen = [heard("core", port, f"02:00:00:00:01:0{whom}") for port, whom in reading.items()]
        net.take_neighbours("core", seen, at_ns)
        found = {
            (edge.heard.port, int((edge.heard.mac or "")[-1])): edge.since_ns
            for edge in net.edges.values()
        }
        assert found == {key: since for key, (since, _) in standing.items()}


# -- drift


def test_a_configured_port_that_does_not_exist(net: SchoolNet) -> None:
    net.take_ports("f1", Ports(keys=frozenset({"X1", "X2"})))
    assert kinds(net) == [("port-missing", "no1/c11")]
    net.take_ports(
        "f1",
        Ports(keys=frozenset({"X1", "GigabitEthernet0/0/1"}), names={"G1": "GigabitEthernet0/0/1"}),
    )
    assert kinds(net) == []  # the binding means the port by its description


@pytest.mark.parametrize(
    ("now", "differs"),
    [
        (Identity(serial="S-f1", base_mac="02:00:00:00:00:aa"), False),
        (Identity(serial="S-new", base_mac=MACS["f1"]), True),
        (Identity(base_mac="02:00:00:00:00:aa"), True),
        (Identity(model="other"), False),
    ],
)
def test_a_switch_replaced(net: SchoolNet, now: Identity, differs: bool) -> None:
    net.take_identity("f1", now, 2)
    replaced = [one for one in kinds(net) if one[0] == "switch-replaced"]
    assert replaced == ([("switch-replaced", "f1")] if differs else [])
    net.adopt("accepted", "f1", 3)
    assert ("switch-replaced", "f1") not in kinds(net)


def see(net: SchoolNet, at_ns: int, **stations: Sequence[str]) -> None:
    """``f1=["G1"]``: the board's address is learnt on these ports."""
    for switch in MACS:
        net.take_stations(
            switch, dict.fromkeys([BOARD], *stations[switch]) if switch in stations else {}
        )
    net.settle(at_ns)


def test_a_patch_cord_moved_and_put_back(net: SchoolNet) -> None:
    # Learnt on the trunks of the others too, as any address is.
    see(net, 1, f1=["G1"], core=["X2"], f2=["X1"])
    assert net.homes == {BOARD: Place("f1", "G1")}
    assert kinds(net) == []
    see(net, 2, f2=["G1"], core=["X3"], f1=["X1"])
    assert kinds(net) == [("moved", BOARD_ID)]
    (drift,) = find_drift(net).values()
    english, chinese = sentences(drift)
    assert (drift.link, drift.expected, drift.seen) == ("no1/c11", "f1 G1", "f2 G1")
    assert english.startswith("no1/board/b-11 belongs to f1 G1")
    assert "a patch cord was moved" in english
    assert "f2 G1" in chinese
    assert "跳线被移动" in chinese
    see(net, 3, core=["X3"])
    assert kinds(net) == []  # seen nowhere: unknown, not moved
    see(net, 4, f1=["G1"])
    assert kinds(net) == []


def test_moving_is_accepted_or_bound_anew(net: SchoolNet) -> None:
    see(net, 1, f1=["G1"])
    see(net, 2, f1=["G2"])
    assert kinds(net) == [("moved", BOARD_ID)]
    # The inventory follows: the link is bound to G2 now, so its old port binds nobody.
    net.links = [link("c11", Tier.CLASS, "f1", "G2", "r11")]
    assert kinds(net) == []
    net.settle(3)
    assert net.homes[BOARD] == Place("f1", "G2")
    see(net, 4, f1=["G1"])
    assert kinds(net) == [("moved", BOARD_ID)]
    net.adopt("home", BOARD_ID, 5)
    assert kinds(net) == []


def test_where_the_inventory_knows_the_room_the_first_sight_does_not_decide() -> None:
    net = SchoolNet(
        "no1",
        hosts=dict.fromkeys(MACS, ""),
        links=LINKS,
        devices={BOARD: BOARD_ID},
        rooms={BOARD: "r11"},
    )
    see(net, 1, f2=["G1"])
    assert kinds(net) == [("moved", BOARD_ID)]
    (drift,) = find_drift(net).values()
    assert (drift.expected, drift.seen) == ("f1 G1", "f2 G1")
    assert net.adopt("home", BOARD_ID, 2) == [], "the inventory has to be mended, not the drift"
    see(net, 3, f1=["G1"])
    assert kinds(net) == []


def test_a_switch_on_a_classroom_port(net: SchoolNet) -> None:
    net.take_neighbours("f1", [*CABLES["f1"], heard("f1", "G1", "f2", "X2")], 2)
    assert kinds(net) == [("wrong-neighbour", "no1/c11")]


def test_a_neighbour_nobody_configured(net: SchoolNet) -> None:
    stranger = heard("f1", "G2", "02:00:00:00:00:77", name="tp-link")
    board = heard("f1", "G1", "b-11", can="station-only")
    router = heard("core", "X1", "02:00:00:00:00:88", name="carrier")
    net.take_neighbours("f1", [*CABLES["f1"], stranger, board], 2)
    net.take_neighbours("core", [*CABLES["core"], router], 2)
    assert kinds(net) == [("unknown-neighbour", "f1/G2/02:00:00:00:00:77")]
    (drift,) = find_drift(net).values()
    assert "f1 G2" in sentences(drift)[0]
    # While a switch has not told who it is, the stranger could be that one.
    net.identities["f2"] = Identity()
    assert kinds(net) == []


def test_every_kind_has_its_sentences() -> None:
    for kind in DriftKind:
        drift = Drift(
            school="no1",
            kind=kind,
            subject="subject",
            link="no1/c11",
            place="f1 G1",
            expected="this",
            seen="that",
        )
        english, chinese = sentences(drift)
        assert "f1 G1" in english or "that" in english
        assert "f1 G1" in chinese or "that" in chinese
        assert english.isascii()
        assert not chinese.isascii()


def part(graph: Mapping[str, object], name: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", graph[name])


def test_the_graph_shows_each_cable_once_with_its_parent(net: SchoolNet) -> None:
    graph = topology_json(net, "No. 1")
    cables = [edge for edge in part(graph, "edges") if edge["kind"] == "cable"]
    assert [
        (one["a"], one["a_port"], one["b"], one["b_port"], one["parent"]) for one in cables
    ] == [
        ("switch/core", "X2", "switch/f1", "X1", "switch/core"),
        ("switch/core", "X3", "switch/f2", "X1", "switch/core"),
    ]
    assert {one["link"] for one in cables} == {"no1/bb1", None}
    nodes = {node["id"]: node for node in part(graph, "nodes")}
    assert nodes["switch/f1"]["parents"] == ["switch/core"]
    assert nodes["switch/f1"]["serial"] == "S-f1"
    assert {"school/no1", "room/r11", "room/r21"} <= set(nodes)
    ups = [edge for edge in part(graph, "edges") if edge["kind"] == "uplink"]
    assert [(one["a"], one["b"]) for one in ups] == [("school/no1", "switch/core")]
