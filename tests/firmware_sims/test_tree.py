import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sims.switch.ber import Arcs
from firmware_sims.switch.tree import WORD, FixedTree, after, find

SYS_DESCR = (1, 3, 6, 1, 2, 1, 1, 1)
IF_DESCR = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)
ARCS = st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=5).map(tuple)


def key(arcs: Arcs) -> bytes:
    """A sort key made by hand: each arc as a big-endian word."""
    return b"".join(arc.to_bytes(WORD, "big") for arc in arcs)


def tree(*oids: Arcs) -> FixedTree:
    return FixedTree([(key(oid), repr(oid).encode()) for oid in oids])


@given(st.lists(ARCS, unique=True))
def test_variables_come_out_in_the_order_of_their_oids(oids: list[Arcs]) -> None:
    served = tree(*oids)
    assert list(served.keys) == [key(oid) for oid in sorted(oids)]
    for position, oid in enumerate(sorted(oids)):
        assert served.varbind(position) == repr(oid).encode()


@given(st.lists(ARCS, unique=True), ARCS)
def test_find_and_after_say_what_a_look_at_every_key_says(oids: list[Arcs], wanted: Arcs) -> None:
    keys = tree(*oids).keys
    ordered = sorted(oids)
    for oid in (wanted, *oids):
        assert find(keys, key(oid)) == (ordered.index(oid) if oid in oids else None)
        assert after(keys, key(oid)) == sum(other <= oid for other in ordered)


def test_a_walk_by_after_meets_everything_once() -> None:
    served = tree((*IF_DESCR, 10), (*SYS_DESCR, 0), (*IF_DESCR, 9), (*IF_DESCR, 2))
    met, position = [], after(served.keys, key((1, 3)))
    while position < len(served.keys):
        met.append(served.varbind(position))
        position = after(served.keys, served.keys[position])
    oids = [(*SYS_DESCR, 0), (*IF_DESCR, 2), (*IF_DESCR, 9), (*IF_DESCR, 10)]
    assert met == [repr(oid).encode() for oid in oids]


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ((*IF_DESCR, 2), True),  # it is there itself
        ((*IF_DESCR, 77), True),  # noSuchInstance: the column has other rows
        ((*SYS_DESCR, 5), True),
        ((*IF_DESCR, 2, 1), False),  # noSuchObject: no instance is that long
        (IF_DESCR, False),  # the object type itself is no instance
        ((*IF_DESCR[:-1], 3, 1), False),  # the next column, which nothing serves
        ((2, 0), False),  # behind everything
        ((1, 0), False),  # before everything
    ],
)
def test_an_object_is_known_by_its_instances(asked: Arcs, known: bool) -> None:
    served = tree((*SYS_DESCR, 0), (*IF_DESCR, 2), (*IF_DESCR, 3))
    assert served.knows_object(key(asked)) is known
    assert not tree().knows_object(key(asked))
