"""All answers of a sweep at once: the same numbers as one at a time, whatever their widths."""

from struct import unpack

from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp import portplan
from drivers.snmp.ber import Missing, Oid, Tag, Value, encode_oid
from drivers.snmp.layout import Answer, Expected, Layout, learn
from drivers.snmp.message import Message, PduType, VarBind, Version, decode_head
from drivers.snmp.portplan import COUNTER_OBJECTS, SCALARS
from drivers.snmp.sheet import Board, Shape, Sheet

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
    sheet = Sheet([one.layout for one in answers], Shape(first))
    matter = sheet.read(answers)
    assert [matter.value(slot) for slot in range(first)] == slowly(answers, first)
    assert matter.slots == slowly(answers, first)
    assert matter.slots is matter.slots


@given(st.lists(WIDE | ABSENT, min_size=3 * 13, max_size=3 * 13))
def test_columns_are_those_of_the_slots(values: list[Typed]) -> None:
    scalars: list[Typed] = [(int(Tag.TIME_TICKS), 5)] * len(SCALARS)
    one = answer([*scalars, *values], 0)
    sheet = Sheet([one.layout], Shape(len(SCALARS) + len(values), len(SCALARS), 13))
    matter = sheet.read([one])
    told = portplan.counter_columns(matter)
    assert told == portplan.counter_columns(slowly([one], len(SCALARS) + len(values)))
    assert len(told) == len(COUNTER_OBJECTS)
    assert portplan.counter_columns(matter, told) == told


def test_only_columns_that_have_moved_are_made_anew() -> None:
    many = len(SCALARS) + 3 * len(COUNTER_OBJECTS)
    values: list[Typed] = [(int(Tag.COUNTER64), 1000 + n) for n in range(many)]
    one = answer(values, 0)
    values[len(SCALARS) + 1] = (int(Tag.COUNTER64), 999)
    other = answer(values, 0)
    sheet = Sheet([one.layout], Shape(many, len(SCALARS), len(COUNTER_OBJECTS)))
    before = portplan.counter_columns(sheet.read([one]))
    after = portplan.counter_columns(sheet.read([other]), before)
    assert [old is new for old, new in zip(before, after, strict=True)] == [
        place != 1 for place in range(len(COUNTER_OBJECTS))
    ]
    assert after == portplan.counter_columns(slowly([other], many))


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
    assert read.slots == [2**40] * 16 + [2**40 + 1] * 16
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
    wide = int(Tag.COUNTER64)
    values: list[Typed] = [(wide, 100 + slot) for slot in range(20)]
    values[7] = (int(Tag.NO_SUCH_INSTANCE), Missing.NO_SUCH_INSTANCE)
    one = answer(values, 0)
    # Two scalars, then rows of three from slot 2 on: (102, 103, 104), (105, 106, nothing), ...
    matter = Sheet([one.layout], Shape(20, 2, 3)).read([one])
    rows, columns, valid = matter.columns()
    assert rows == 6
    assert [list(unpack("<6Q", column)) for column in columns] == [
        [102, 105, 108, 111, 114, 117],
        [103, 106, 109, 112, 115, 118],
        [104, 0, 110, 113, 116, 119],
    ]
    assert valid == (b"\x3f", b"\x3f", b"\x3d")
    assert matter.value(7) is None
    assert [matter.value(slot) for slot in (0, 1, 8, 19)] == [100, 101, 108, 119]
    assert matter.slots == slowly([one], 20)
