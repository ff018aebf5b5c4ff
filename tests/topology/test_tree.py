"""Next hops and shadows, over trees and graphs made at random."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.topology.tree import adjacency, distances, grow

Edges = list[tuple[str, str]]


@st.composite
def trees(draw: st.DrawFn) -> dict[int, int]:
    """Child -> parent; 0 is the root."""
    size = draw(st.integers(2, 30))
    return {child: draw(st.integers(0, child - 1)) for child in range(1, size)}


@st.composite
def graphs(draw: st.DrawFn) -> Edges:
    size = draw(st.integers(2, 14))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    return [(str(a), str(b)) for a, b in draw(st.lists(pairs, max_size=40))]


def subtree(parents: Mapping[int, int], top: int) -> set[str]:
    found = {top}
    for child in sorted(parents):
        if parents[child] in found:
            found.add(child)
    return {str(one) for one in found - {top}}


@given(trees())
def test_in_a_tree_parents_are_the_parents_and_the_shadow_is_the_subtree(
    parents: dict[int, int],
) -> None:
    graph = adjacency((str(a), str(b)) for a, b in parents.items())
    tree = grow(graph, ["0"])
    for child, parent in parents.items():
        assert tree.parents(str(child)) == (str(parent),)
        assert tree.groups[str(child)] == ((str(parent),),)
    for node in range(len(parents) + 1):
        assert tree.shadow[str(node)] == subtree(parents, node)


@given(graphs(), st.sets(st.sampled_from("012"), min_size=1))
def test_in_any_graph_groups_are_sound_and_have_no_circles(edges: Edges, roots: set[str]) -> None:
    graph = adjacency(edges, roots)
    tree = grow(graph, roots)
    reached = distances(graph, roots)
    assert set(tree.groups) == set(reached)
    for node, groups in tree.groups.items():
        for group in groups:
            # Each member is nearer to a root: following groups upwards always ends.
            assert group
            assert all(reached[one] < reached[node] for one in group)
            assert node not in distances(graph, roots, group)
    for node, lost in tree.shadow.items():
        left = distances(graph, roots, [node])
        assert lost == {other for other in reached if other not in left} - {node}


@given(graphs())
def test_every_lone_carrier_is_found(edges: Edges) -> None:
    """Whatever single node cuts another off is among the carriers above it."""
    graph = adjacency(edges, ["0"])
    tree = grow(graph, ["0"])
    for killer, lost in tree.shadow.items():
        for node in lost:
            above: set[str] = set()
            queue = [node]
            while queue:
                for group in tree.groups[queue.pop()]:
                    if len(group) == 1 and group[0] not in above:
                        above.add(group[0])
                        queue.append(group[0])
            assert killer in above


@pytest.mark.parametrize(
    ("edges", "node", "groups"),
    [
        ([("r", "a"), ("a", "b")], "b", (("a",),)),
        ([("r", "a"), ("r", "b"), ("a", "c"), ("b", "c")], "c", (("a", "b"), ("r",))),
        # A ring: c still has the way over d when a dies.
        ([("r", "a"), ("a", "c"), ("c", "d"), ("d", "b"), ("b", "r")], "c", (("r",),)),
        ([("x", "y")], "x", None),
    ],
)
def test_by_hand(edges: Edges, node: str, groups: tuple[tuple[str, ...], ...] | None) -> None:
    assert grow(adjacency(edges, ["r"]), ["r"]).groups.get(node) == groups


def test_what_nobody_configured_carries_and_is_not_named() -> None:
    """A small switch without a name between two others: its child hangs on the one above it."""
    graph = adjacency([("r", "a"), ("a", "heard"), ("heard", "b")])
    assert grow(graph, ["r"], carriers={"r", "a", "b"}).groups["b"] == (("a",),)
