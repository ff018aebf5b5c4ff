"""Where counters lie in blocks of every layout a device may make."""

import numpy as np
import pytest

from controller.state.position import START
from controller.state.samples import COUNTERS, CounterCut, no_samples
from tenone.blocks.layout import Layout
from tenone.vocabulary.metrics import PORT_COUNTERS

from .conftest import FakeJournal

PORTS = ("a", "b", "c")


@pytest.mark.parametrize(
    ("columns", "runs"),
    [
        (PORT_COUNTERS, 1),
        (("in_octets", "narrow_counters", "out_octets"), 2),
        (("out_octets", "in_octets", "narrow_counters"), 2),
        (("narrow_counters", "in_errors"), 1),
        (("oper", "in_octets", "out_octets", "in_discards", "narrow_counters"), 2),
    ],
)
def test_values_find_their_places(columns: tuple[str, ...], runs: int) -> None:
    layout = Layout("port-counters", columns, PORTS)
    journal = FakeJournal()
    values = {
        name: [100 * place + row if row != 1 else None for row in range(3)]
        for place, name in enumerate(columns)
        if name in COUNTERS
    }
    block = journal.block(layout, "no1/switch/sw1", {**values, "narrow_counters": [0, 3, None]})
    cut = CounterCut.of(layout, {7: 2, 5: 0, 6: 1})
    assert (cut.links.tolist(), cut.every, len(cut.runs)) == ([5, 6, 7], True, runs)
    sample = no_samples(3)
    sample.known[:] = True
    sample.values[:] = 99
    cut.read(sample, slice(None), journal.arrival(block), START)
    for number, name in enumerate(COUNTERS):
        if name in values:
            first = values[name][0]
            assert sample.known[number].tolist() == [True, False, False], "no width, no reading"
            assert sample.values[number, 0] == first
        else:
            assert not sample.known[number].any(), "an absent column is no reading"
    assert sample.narrow_rows()[:, 1].tolist() == [True, True, *[False] * 10]


@pytest.mark.parametrize(
    "columns", [("in_octets", "out_octets"), ("oper", "speed_mbps"), ("if_name", "in_octets")]
)
def test_a_layout_without_widths_is_no_reading(columns: tuple[str, ...]) -> None:
    cut = CounterCut.of(Layout("port-counters", columns, PORTS), {5: 0})
    assert len(cut.links) == 0


def test_some_of_the_rows() -> None:
    layout = Layout("port-counters", PORT_COUNTERS, PORTS)
    journal = FakeJournal()
    block = journal.block(
        layout,
        "no1/switch/sw1",
        {"in_octets": [1, 2, 3], "narrow_counters": [0] * 3, "discontinuity_ticks": [4, None, 6]},
    )
    cut = CounterCut.of(layout, {1: 2, 0: 1})
    sample = no_samples(2)
    cut.read(sample, slice(None), journal.arrival(block), START)
    assert not cut.every
    assert sample.values[0].tolist() == [2, 3]
    assert sample.discontinuity.tolist() == [-1, 6]
    assert np.array_equal(sample.known[0], [True, True])
