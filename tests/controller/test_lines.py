"""Line protocol: what is known, escaped, typed; nothing of what is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.store.lines import LineWriter, tag
from tenone.blocks.block import Block
from tenone.blocks.columns import Value
from tenone.blocks.layout import Layout

from .conftest import NOON_NS, FakeJournal


def lines(block: Block, layout: Layout) -> list[str]:
    text = LineWriter("binhai").lines(block, layout, district="east", school="no1")
    assert text.endswith("\n") or not text
    return text.splitlines()


def test_a_sweep_is_a_line_a_port() -> None:
    journal = FakeJournal()
    block = journal.ports(ports=("GE1", "XGE1"), duplex=[None, 3])
    first, second = lines(block, journal.made[0][1])
    assert first == (
        "port_state,city=binhai,district=east,school=no1,device=switch-sw1,row=GE1 "
        f"if_index=1i,admin=1i,oper=1i,speed_mbps=1000i,last_change_ticks=0i {NOON_NS}"
    )
    assert "duplex=3i" in second


def test_every_type_has_its_spelling() -> None:
    journal = FakeJournal()
    layout = Layout("port-counters", ("in_octets", "if_alias"), ("a", "b"))
    values: dict[str, list[Value | None]] = {
        "in_octets": [2**64 - 1, None],
        "if_alias": ['say "hi"\\\n', None],
    }
    block = journal.block(layout, "no1/switch/sw1", values)
    (line,) = lines(block, journal.made[-1][1])
    assert 'in_octets=18446744073709551615u,if_alias="say \\"hi\\"\\\\\\n" ' in line
    ratios = [0.5, float("nan")]
    boards = journal.boards(["b1", "b2"], online=[1, 0], cpu_ratio=ratios, rssi_dbm=[-60, None])
    one, two = lines(boards, journal.made[-1][1])
    assert "cpu_ratio=0.5," in one
    assert "rssi_dbm=-60i" in one
    assert "cpu_ratio" not in two


def test_a_block_of_which_nothing_is_known_has_no_line() -> None:
    journal = FakeJournal()
    layout = Layout("port-state", ("oper",), ("GE1", "GE2"))
    block = journal.block(layout, "no1/switch/sw1", {})
    assert lines(block, layout) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gi0/1", "Gi0/1"),
        ("a b,c=d", r"a\ b\,c\=d"),
        ("", "_"),
        ("two\nlines", r"two\nlines"),
        ("ends\\", "ends\\_"),
        ("\\,", r"\_\,"),
        ("a\\b", r"a\b"),
        ("\\\\", r"\_\_"),
    ],
)
def test_tags_are_escaped(text: str, expected: str) -> None:
    assert tag(text) == expected


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique=True))
def test_no_name_can_make_a_line_of_its_own(names: list[str]) -> None:
    journal = FakeJournal()
    layout = Layout("port-state", ("oper",), tuple(names))
    block = journal.block(layout, "no1/switch/sw1", {"oper": [1] * len(names)})
    text = LineWriter("binhai").lines(block, layout, district="east", school="no1")
    assert text.count("\n") == len(names)
    # Beginning and end of each line are ours, and no unescaped space lies in the tags.
    for line in text.split("\n")[:-1]:
        head, _, rest = line.partition(",row=")
        assert head == "port_state,city=binhai,district=east,school=no1,device=switch-sw1"
        row, fields = re.fullmatch(r"((?:\\.|[^\\ ,=])+) (oper=1i \d+)", rest, re.DOTALL).groups()  # type: ignore[union-attr]  # no match fails the test
        assert row
        assert fields == f"oper=1i {NOON_NS}"
