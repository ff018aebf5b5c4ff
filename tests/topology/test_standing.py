"""What is in force of a school, taken up or closed."""

from controller.topology.drift import Drift, DriftKind, DriftView
from controller.topology.model import Edge, Heard, Identity, Place
from controller.topology.net import SchoolNet
from controller.topology.standing import Standing


def standing() -> Standing:
    def edge(switch: str) -> Edge:
        return Edge(heard=Heard(switch=switch, port="G1", protocol="lldp", name="x"), since_ns=1)

    drift = Drift(
        school="no1",
        kind=DriftKind.MOVED,
        subject="mac",
        link=None,
        place="old",
        expected="a",
        seen="b",
    )
    edges = [edge("core"), edge("old")]
    return Standing(
        edges={one.heard.key: one for one in edges},
        identities={"core": Identity(serial="1"), "old": Identity(serial="2")},
        accepted={"old": Identity(serial="2")},
        homes={"m1": Place("core", "G2"), "m2": Place("old", "G2")},
        drifts=[DriftView(drift=drift, since_ns=1)],
    )


def test_keys_are_of_everything() -> None:
    keys = standing().keys()
    assert len(keys) == len(set(keys)) == 8
    assert ("drift", ("moved", "mac")) in keys


def test_a_net_takes_up_what_the_configuration_still_has() -> None:
    net = SchoolNet("no1", hosts={"core": ""}, links=(), devices={})
    gone = net.restore(standing())
    assert sorted(gone) == [
        ("baseline", ("accepted", "old")),
        ("baseline", ("home", "m2")),
        ("baseline", ("identity", "old")),
        ("edge", ("old", "G1", "x")),
    ]
    assert set(net.edges) == {("core", "G1", "x")}
    assert net.identities == {"core": Identity(serial="1")}
    assert net.homes == {"m1": Place("core", "G2")}
