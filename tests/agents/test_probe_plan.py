from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.probe_plan import Plan, is_suspect
from tenone.config.probes import Probes, ProbeTarget

SECOND_NS = 10**9


def plan(*targets: Mapping[str, object], window: float = 15.0) -> Plan:
    made = tuple(ProbeTarget.model_validate({"host": "10.0.0.1", **target}) for target in targets)
    return Plan.of(Probes(window_seconds=window, targets=made))


def test_a_core_and_a_class_in_one_window() -> None:
    made = plan({"name": "core", "kind": "core"}, {"name": "c301"})
    assert made.rows == (*(f"core/{n}" for n in range(15)), "c301/0")
    assert Counter(slot.lane.target for slot in made.due(0)) == {"core": 15, "c301": 1}


def test_dscps_take_turns_in_the_rows_of_a_target() -> None:
    made = plan({"name": "core", "kind": "core", "dscp": [0, 46]}, window=3)
    for window in range(5):
        by_row = {slot.row: slot.lane.dscp for slot in made.due(window)}
        assert by_row == {0: 0, 1: 46, 2: 0, 3: 46, 4: 0, 5: 46}


targets: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        interval_seconds=st.floats(0.5, 40),
        dscp=st.lists(st.integers(0, 63), min_size=1, max_size=3, unique=True),
    ),
    min_size=1,
    max_size=6,
)


@given(targets, st.floats(1, 30), st.integers(0, 1000))
def test_every_packet_has_a_row_of_its_own_and_none_is_left_out(
    drawn: list[dict[str, Any]], window: float, first: int
) -> None:
    made = plan(*({"name": f"t{n}", **one} for n, one in enumerate(drawn)), window=window)
    slots = [made.due(number) for number in range(first, first + 4)]
    for number, found in enumerate(slots, start=first):
        rows = [slot.row for slot in found]
        assert len(set(rows)) == len(rows)
        assert all(0 <= row < len(made.rows) for row in rows)
        assert all(made.rows[slot.row].startswith(f"{slot.lane.target}/") for slot in found)
        start_ns = number * made.window_ns
        assert all(start_ns <= slot.at_ns < start_ns + made.window_ns for slot in found)
        assert [slot.at_ns for slot in found] == sorted(slot.at_ns for slot in found)
    for lane in made.lanes:
        times = [slot.at_ns for found in slots for slot in found if slot.lane == lane]
        assert {b - a for a, b in pairwise(times)} <= {lane.every_ns}


def test_a_schools_classes_are_not_asked_all_at_once() -> None:
    made = plan(*({"name": f"c{n}"} for n in range(50)))
    seconds = Counter(slot.at_ns // SECOND_NS for slot in made.due(0))
    assert max(seconds.values()) <= 12


@pytest.mark.parametrize(
    ("lost", "suspect"),
    [
        ("", False),
        ("....................", False),
        ("...x................", False),
        ("...x....x...........", True),
        ("xx", False),
        ("xx..", True),
        ("xxxxxxxxxxx.........", False),
        ("xxxxxxxxxxxxxxxxxxxx", False),
        ("xx" + "." * 20, False),
        ("..................xx", False),  # the beginning of an outage, perhaps
    ],
)
def test_suspicion_is_loss_now_and_then(lost: str, suspect: bool) -> None:
    assert is_suspect([one == "x" for one in lost]) == suspect
