"""Topology and drift as the API shows them."""

from collections.abc import Mapping

from controller.encode import Json
from controller.plan import LinkPlan
from controller.topology.drift import DriftView, sentences
from controller.topology.model import Edge, Place, switch_node
from controller.topology.net import SchoolNet
from tenone.vocabulary.states import Tier

NS = 1_000_000_000


def drift_json(view: DriftView) -> Json:
    """``GET /api/v1/drift``."""
    drift = view.drift
    english, chinese = sentences(drift)
    return {
        "id": view.id,
        "school": drift.school,
        "kind": drift.kind.value,
        "subject": drift.subject,
        "link": drift.link,
        "place": drift.place,
        "expected": drift.expected,
        "seen": drift.seen,
        "since": view.since_ns / NS,
        "resolved_at": None if view.resolved_ns is None else view.resolved_ns / NS,
        "sentence": english,
        "sentence_zh": chinese,
    }


def topology_json(net: SchoolNet, name: str) -> Json:
    """One school: its nodes, and the edges between them, each with which end is the parent."""
    nodes = {**_own_nodes(net, name), **_heard_nodes(net)}
    edges = [*_cables(net), *_link_edges(net)]
    return {
        "id": net.school,
        "school": net.school,
        "nodes": [nodes[node] for node in sorted(nodes)],
        "edges": edges,
    }


def _own_nodes(net: SchoolNet, name: str) -> dict[str, Json]:
    school = f"school/{net.school}"
    nodes: dict[str, Json] = {school: {"id": school, "kind": "school", "name": name}}
    tree = net.tree
    for switch in net.hosts:
        node = switch_node(switch)
        said = net.identities.get(switch)
        nodes[node] = {
            "id": node,
            "kind": "switch",
            "name": switch,
            "serial": None if said is None else said.serial,
            "mac": None if said is None else said.base_mac,
            "model": None if said is None else said.model,
            "parents": list(tree.parents(node)),
            "distance": tree.distance.get(node),
        }
    for link in net.links:
        if link.room is not None:
            room = f"room/{link.room}"
            nodes[room] = {"id": room, "kind": "room", "name": link.room}
    return nodes


def _heard_nodes(net: SchoolNet) -> dict[str, Json]:
    nodes: dict[str, Json] = {}
    for edge in net.edges.values():
        node = net.directory.node_of(edge.heard)
        kind, _, _ = node.partition("/")
        if kind != "switch":
            nodes[node] = {
                "id": node,
                "kind": "device" if kind == "device" else "neighbour",
                "name": edge.heard.words,
                "mac": edge.heard.mac,
                "address": edge.heard.address,
            }
    return nodes


def _cables(net: SchoolNet) -> list[Json]:
    """Each cable once, though both its ends hear it."""
    shown: list[Json] = []
    done: set[tuple[str, str]] = set()
    bound = net.bound
    for key, edge in sorted(net.edges.items()):
        heard = edge.heard
        other = net.directory.switch_of(heard)
        remote = None if other is None else far_port(net, other, heard.remote_port)
        ends = (f"{heard.switch}|{heard.port}", f"{other}|{remote}" if remote else str(key))
        if ends[::-1] in done:
            continue
        done.add(ends)
        link = bound.get(Place(heard.switch, heard.port))
        shown.append(_cable(net, edge, remote or heard.remote_port, link))
    return shown


def far_port(net: SchoolNet, switch: str, said: str | None) -> str | None:
    """The key of the port a neighbour says it is heard on, where its switch is ours."""
    ports = net.ports.get(switch)
    return None if said is None or ports is None else ports.key_of(said)


def _cable(net: SchoolNet, edge: Edge, remote_port: str | None, link: LinkPlan | None) -> Json:
    a = switch_node(edge.heard.switch)
    b = net.directory.node_of(edge.heard)
    distance: Mapping[str, int] = net.tree.distance
    parent = None
    if a in distance and b in distance and distance[a] != distance[b]:
        parent = a if distance[a] < distance[b] else b
    return {
        "kind": "cable",
        "a": a,
        "a_port": edge.heard.port,
        "b": b,
        "b_port": remote_port,
        "protocol": edge.heard.protocol,
        "link": None if link is None else link.id,
        "parent": parent,
        "since": edge.since_ns / NS,
    }


def _link_edges(net: SchoolNet) -> list[Json]:
    """The promises: from the port that carries each to its room, of an uplink to the school."""
    shown: list[Json] = []
    for link in net.links:
        if link.switch is None or (link.room is None and link.tier is not Tier.UPLINK):
            continue
        up = link.tier is Tier.UPLINK
        node = switch_node(link.switch)
        shown.append(
            {
                "kind": "uplink" if up else "link",
                "a": f"school/{net.school}" if up else node,
                "a_port": None if up else link.port,
                "b": node if up else f"room/{link.room}",
                "b_port": link.port if up else None,
                "protocol": "configuration",
                "link": link.id,
                "parent": f"school/{net.school}" if up else node,
                "since": None,
            }
        )
    return shown
