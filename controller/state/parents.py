"""Which links carry which, as far as nobody knows better: a school's uplinks carry the others."""

from collections.abc import Collection, Mapping

import numpy as np

from controller.sla.further import Parents
from controller.state.numbering import Numbering
from tenone.vocabulary.states import Tier


def by_uplink(numbering: Numbering) -> Parents:
    """Every link that is no uplink hangs on all uplinks of its school."""
    uplinks: dict[str, list[int]] = {}
    for number, link in enumerate(numbering.links):
        if link.tier is Tier.UPLINK:
            uplinks.setdefault(link.school, []).append(number)
    pairs = [
        (number, uplink)
        for number, link in enumerate(numbering.links)
        if link.tier is not Tier.UPLINK
        for uplink in uplinks.get(link.school, ())
    ]
    return _parents(pairs)


def by_name(numbering: Numbering, parents: Mapping[str, Collection[str]]) -> Parents:
    """Of a mapping link id -> ids of the links that carry it, each of which is enough.

    A link that is not in the mapping has no parents known; ids nobody numbered are left out.
    """
    number_of = numbering.link_number
    pairs = [
        (number_of[child], number_of[parent])
        for child, carriers in parents.items()
        for parent in sorted(carriers)
        if child in number_of and parent in number_of and child != parent
    ]
    return _parents(pairs)


def _parents(pairs: list[tuple[int, int]]) -> Parents:
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return Parents(child=table[:, 0].copy(), parent=table[:, 1].copy())
