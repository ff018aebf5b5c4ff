"""All answers of a sweep at once: the same numbers as one at a time, whatever their widths."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp import portplan
from drivers.snmp.ber import Missing, Oid, Tag, Value, encode_oid
from drivers.snmp.layout import Answer, Expected, Layout, learn
from drivers.snmp.message import Message, PduType, VarBind, Version, decode_head
from drivers.snmp.portplan import COUNTER_OBJECTS, SCALARS
from drivers.snmp.sheet import Board, Matter, Sheet, validities

ROOT: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
Typed = tuple[int, Value]
WIDE = st.tuples(st.just(int(Tag.COUNTER64)), st.integers(0, 64).map(lambda bits: 2**bits - 1))
NARROW = st.tuples(st.just(int(Tag.GAUGE32)), st.integers(0, 32).map(lambda bits: 2**bits - 1))
ABSENT = st.just((int(Tag.NO_SUCH_INSTANCE), Missing.NO_SUCH_INSTANCE))


def answer(values: list[Typed], first: int) -> Answer:
    """An answer about the slots from ``first`` on, of a learnt layout."""
    names = [(*ROOT, row) for row in range(len(values))]
    data = Message(
        version=Version.V2C,
        community=b"public",
        pdu_type=PduType.RESPONSE,
        request_id=0x12345678,
        varbinds=tuple(VarBind(n, *v) for n, v in zip(names, values, strict=True)),
    ).encode()
    encoded = [encode_oid(name) for name in names]
    expected: list[Expected] = [(name, len(name), first + n) for n, name in enumerate(encoded)]
    layout = learn(data, decode_head(data), expected)
    assert layout is not None
    return Answer(layout, data)


def slowly(answers: list[Answer], count: int) -> list[int | None]:
    slots: list[int | None] = [None] * count
    for one in answers:
        one.put(slots)
    return slots


ANSWERS = st.lists(
    st.lists(WIDE | NARROW | ABSENT, min_size=16, max_size=40), min_size=1, max_size=6
)


@given(ANSWERS, st.integers(0, 5))
def test_it_reads_what_one_number_at_a_time_reads(parts: list[list[Typed]], unasked: int) -> None:
    answers, first = [], unasked
    for values in parts:
        answers.append(answer(values, first))
        first += len(values)
    sheet = Sheet([one.layout for one in answers], first)
    assert sheet.slots(sheet.read(answers)) == slowly(answers, first)


@given(st.lists(WIDE | ABSENT, min_size=3 * 13, max_size=3 * 13))
def test_columns_are_those_of_the_slots(values: list[Typed]) -> None:
    scalars: list[Typed] = [(int(Tag.TIME_TICKS), 5)] * len(SCALARS)
    one = answer([*scalars, *values], 0)
    sheet = Sheet([one.layout], len(SCALARS) + len(values))
    matter = sheet.read([one])
    slots = sheet.slots(matter)
    told = portplan.counter_columns(slots, matter)
    assert told == portplan.counter_columns(slots)
    assert len(told) == len(COUNTER_OBJECTS)


def test_a_board_reads_only_whole_sweeps_of_learnt_layouts() -> None:
    one, two = (answer([(int(Tag.COUNTER64), 2**40 + n)] * 16, 16 * n) for n in range(2))
    board = Board()
    assert board.read(["a", "b"], {"a": one}, 32) is None
    assert board.read(["a", "b"], {"a": one, "b": None}, 32) is None
    assert board.read(["a"], {"a": one, "half of b": None}, 32) is None
    assert board.read([], {}, 32) is None
    # Answers come in any order.
    read = board.read(["a", "b"], {"b": two, "a": one}, 32)
    assert read is not None
    assert read[0] == [2**40] * 16 + [2**40 + 1] * 16
    assert board.read(["a", "b"], {"a": two, "b": one}, 32) is not None


def test_a_sheet_that_reads_its_own_example_wrong_is_not_believed() -> None:
    one = answer([(int(Tag.COUNTER64), 2**40 + n) for n in range(16)], 0)
    begin, end = one.layout.spans[3]
    wrong = one.layout._replace(
        spans=(*one.layout.spans[:3], (begin, end - 1), *one.layout.spans[4:])
    )
    assert isinstance(wrong, Layout)
    assert Board().read(["a"], {"a": Answer(wrong, one.data)}, 16) is None
    assert Board().read(["a"], {"a": one}, 16) is not None


def test_a_board_knows_the_same_answers_again() -> None:
    one, two = (answer([(int(Tag.COUNTER64), n)] * 16, 0) for n in range(2))
    board = Board()
    assert not board.same({})
    board.keep({"a": one}, [1], None)
    assert board.same({"a": one})
    assert board.last() == ([1], None)
    assert not board.same({"a": two})
    board.keep({"a": None}, [1], None)
    assert not board.same({"a": None})


def test_columns_and_validity_lie_by_place() -> None:
    known = bytes((1, 1, 0, 1, 1, 1, 0, 0))
    # Rows of two from slot 2 on: (0, 1), (1, 1), (0, 0).
    assert validities(known, 2, 2) == (b"\x02", b"\x03")
    matter = Matter(numbers=np.arange(8, dtype=np.uint64), known=known)
    assert matter.columns(2, 2).tolist() == [[2, 4, 6], [3, 5, 7]]
