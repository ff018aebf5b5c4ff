"""Which node hangs on which: next hops and shadows in a graph with roots. Pure.

A node is *cut off* when no path leads from it to a root. What carries a node is said as groups:
it is cut off when all of one group are dead. Every member of a group is nearer to a root than
the node, so the relation has no circles; and a group is said only if its death does cut the
node off, so nothing that a second path still reaches is taken for dead.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Adjacency = Mapping[str, Collection[str]]


def adjacency(edges: Iterable[tuple[str, str]], nodes: Iterable[str] = ()) -> dict[str, set[str]]:
    """An undirected graph; an edge from a node to itself says nothing and is left out."""
    graph: dict[str, set[str]] = {node: set() for node in nodes}
    for one, other in edges:
        graph.setdefault(one, set())
        graph.setdefault(other, set())
        if one != other:
            graph[one].add(other)
            graph[other].add(one)
    return graph


def distances(
    graph: Adjacency, roots: Collection[str], dead: Collection[str] = ()
) -> dict[str, int]:
    """Steps to the nearest living root, of every node a root reaches without the dead."""
    gone = set(dead)
    found = {root: 0 for root in roots if root in graph and root not in gone}
    queue = deque(found)
    while queue:
        node = queue.popleft()
        for other in graph[node]:
            if other not in found and other not in gone:
                found[other] = found[node] + 1
                queue.append(other)
    return found


@dataclass(frozen=True, slots=True)
class Tree:
    """What :func:`grow` found. A node that no root reaches is in none of the three."""

    distance: Mapping[str, int]
    groups: Mapping[str, tuple[tuple[str, ...], ...]]
    """Node -> groups that carry it, nearest first."""
    shadow: Mapping[str, frozenset[str]]
    """Node -> what is cut off when it alone is dead, itself left out."""

    def parents(self, node: str) -> tuple[str, ...]:
        """The next hops towards the roots, sorted; empty for a root and where nothing is known."""
        return self.groups[node][0] if self.groups.get(node) else ()


def grow(graph: Adjacency, roots: Collection[str], carriers: Collection[str] | None = None) -> Tree:
    """The tree of ``graph``. Only members of ``carriers`` (all, if None) may stand in groups.

    Takes one search a node that has more than one neighbour.
    """
    distance = distances(graph, roots)
    may = set(graph if carriers is None else carriers)
    shadow: dict[str, frozenset[str]] = {}
    for node in distance:
        lost: Collection[str] = ()
        if len(graph[node]) > 1 or distance[node] == 0:
            left = distances(graph, roots, (node,))
            lost = [other for other in distance if other not in left and other != node]
        shadow[node] = frozenset(lost)
    nearest: dict[str, str] = {}
    for node in sorted(distance, key=lambda one: (distance[one], one)):
        if node in may:
            # Later ones are farther out, and the farthest dominator is the nearest to the child.
            nearest.update(dict.fromkeys(shadow[node], node))
    groups = {
        node: _groups(graph, roots, distance, node, may=may, dominator=nearest.get(node))
        for node in distance
    }
    return Tree(distance, groups, shadow)


def _groups(
    graph: Adjacency,
    roots: Collection[str],
    distance: Mapping[str, int],
    node: str,
    *,
    may: Collection[str],
    dominator: str | None,
) -> tuple[tuple[str, ...], ...]:
    if distance[node] == 0:
        return ()
    hops = tuple(sorted(o for o in graph[node] if distance.get(o, -1) == distance[node] - 1))
    found: list[tuple[str, ...]] = []
    if all(hop in may for hop in hops) and (
        hops == (dominator,) or node not in distances(graph, roots, hops)
    ):
        found.append(hops)
    if dominator is not None and (dominator,) not in found:
        found.append((dominator,))
    return tuple(found)
