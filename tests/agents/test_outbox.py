from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.outbox import Due, LiveQueue, Outbox
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import layout
from tenone.vocabulary.metrics import AGENT_HEALTH
from tenone.vocabulary.states import PriorityClass

P0, P1, P2, P3 = PriorityClass
SECOND = 10**9
NONE = dict.fromkeys(PriorityClass, 0)
LAYOUT = layout("agent-health", AGENT_HEALTH, ["agent"])


def outbox(window: int = 100, resend: float = 10) -> Outbox:
    made = Outbox(window_bytes=window, resend_seconds=resend)
    made.begin(NONE)
    return made


def due(box: Outbox, now: float = 0, **heads: int) -> Due | None:
    return box.due(
        NONE | {PriorityClass[name]: head for name, head in heads.items()}, int(now * SECOND)
    )


def test_nothing_kept_nothing_due() -> None:
    assert due(outbox()) is None


def test_the_most_urgent_class_goes_first_then_the_oldest() -> None:
    box = outbox()
    assert due(box, P3=5, P1=2) == Due(P1, 0, 100)
    box.sent(P1, 1, 10, 0)
    assert due(box, P3=5, P1=2) == Due(P1, 1, 90)
    box.sent(P1, 2, 10, 0)
    assert due(box, P3=5, P1=2) == Due(P3, 0, 80)
    assert due(box, P3=5, P1=2, P0=1) == Due(P0, 0, 80)


def test_a_class_waits_for_the_more_urgent_ones() -> None:
    box = outbox(window=20)
    box.sent(P1, 1, 15, 0)
    box.sent(P1, 2, 15, 0)
    assert due(box, P1=9, P2=1) is None
    assert due(box, P1=2, P2=1) is None, "the window is one for all"
    box.receipt(P1, 1, 0)
    assert due(box, P1=9, P2=1) == Due(P1, 2, 5)


def test_a_class_that_stalls_holds_up_nobody() -> None:
    box = outbox(window=20, resend=10)
    box.sent(P1, 1, 20, 0)
    assert due(box, 9, P1=2, P2=1) is None
    assert due(box, 10, P1=2, P2=1) == Due(P1, 0, 20)
    box.sent(P1, 1, 20, 10 * SECOND)
    assert due(box, 11, P1=2, P2=1) == Due(P2, 0, 20)
    box.receipt(P1, 1, 12 * SECOND)
    assert due(box, 12, P1=2, P2=1) == Due(P1, 1, 20)


def test_live_blocks_take_nothing_of_the_window_and_are_sent_again_too() -> None:
    box = outbox(window=20, resend=10)
    box.sent(P1, 1, 0, 0)
    assert due(box, 9, P1=1, P2=1) == Due(P2, 0, 20)
    assert due(box, 10, P1=1, P2=1) == Due(P1, 0, 20)


def test_what_was_sent_live_is_not_sent_again() -> None:
    box = outbox()
    box.sent(P1, 7, 1, 0)
    assert due(box, P1=7) == Due(P1, 0, 99)
    assert [box.is_sent(P1, seq) for seq in (6, 7)] == [False, True]
    for seq in range(1, 7):
        box.sent(P1, seq, 1, 0)
    assert due(box, P1=7) is None


def test_a_stalled_class_is_sent_again_from_its_watermark() -> None:
    box = outbox(resend=10)
    for seq in range(1, 5):
        box.sent(P1, seq, 1, 0)
    box.receipt(P1, 2, SECOND)
    assert due(box, 10.9, P1=4) is None
    assert due(box, 11, P1=4) == Due(P1, 2, 100)
    box.sent(P1, 3, 1, 11 * SECOND)
    assert due(box, 12, P1=4) == Due(P1, 3, 99)


def test_progress_puts_the_resend_off() -> None:
    box = outbox(resend=10)
    for seq in range(1, 9):
        box.sent(P1, seq, 1, 0)
    for second in range(1, 8):
        box.receipt(P1, second, second * 5 * SECOND)
        assert due(box, second * 5 + 9, P1=8) is None


def test_a_receipt_that_says_nothing_new_is_no_progress() -> None:
    box = outbox(resend=10)
    box.sent(P1, 1, 1, 0)
    box.sent(P1, 2, 1, 0)
    assert box.receipt(P1, 1, 0)
    assert not box.receipt(P1, 1, 9 * SECOND)
    assert due(box, 10, P1=2) == Due(P1, 1, 100)


def test_the_resend_clock_starts_with_what_is_under_way_not_with_the_last_receipt() -> None:
    box = outbox(resend=10)
    box.sent(P1, 1, 1, 0)
    box.receipt(P1, 1, 0)
    box.sent(P1, 2, 1, 60 * SECOND)
    assert due(box, 69, P1=2) is None
    assert due(box, 70, P1=2) == Due(P1, 1, 100)


def test_a_new_session_sends_all_that_is_not_receipted() -> None:
    box = outbox()
    for seq in range(1, 9):
        box.sent(P1, seq, 1, 0)
    box.begin(NONE | {P1: 3})
    assert due(box, P1=8) == Due(P1, 3, 100)
    assert not box.is_sent(P1, 4)


def test_what_was_evicted_is_not_waited_for() -> None:
    box = outbox(window=4)
    for seq in range(1, 5):
        box.sent(P1, seq, 1, 0)
    assert due(box, P1=9) is None
    box.evicted(P1, 6)
    assert due(box, P1=9) == Due(P1, 6, 4)


@settings(max_examples=200)
@given(st.data())
def test_over_a_lossy_wire_everything_arrives(data: st.DataObject) -> None:
    """A host that loses any message still ends with every block, and the window holds."""
    heads = {one: data.draw(st.integers(0, 12), label=one.name) for one in PriorityClass}
    bases = {one: data.draw(st.integers(0, heads[one])) for one in PriorityClass}
    lossy = data.draw(st.lists(st.booleans(), max_size=60))
    losses: Iterator[bool] = iter(lossy)
    box = Outbox(window_bytes=3, resend_seconds=5)
    box.begin(bases)
    arrived = {one: set(range(1, bases[one] + 1)) for one in PriorityClass}
    now = 0
    for _ in range(400):
        now += SECOND
        wanted = box.due(heads, now)
        if wanted is not None:
            seq = wanted.after_seq + 1
            while box.is_sent(wanted.priority, seq):
                seq += 1
            assert seq <= heads[wanted.priority]
            box.sent(wanted.priority, seq, 1, now)
            if not next(losses, False):
                arrived[wanted.priority].add(seq)
        for one in PriorityClass:
            through = 0
            while through + 1 in arrived[one]:
                through += 1
            box.receipt(one, through, now)
    assert {one: len(arrived[one]) for one in PriorityClass} == heads
    assert not box.unreceipted()


def block(priority: PriorityClass, seq: int) -> Block:
    stamp = Stamp(
        agent="a", subject="a/gateway/agent", boot_id=bytes(16), wall_ns=0, monotonic_ns=0
    )
    values: list[int | float | str | None] = ["v", 1.0, 1, 1, 1, "", 1, 0, 0, 0, "", None, None]
    values += [None] * (len(AGENT_HEALTH) - len(values))
    columns = [Column.of(name, [value]) for name, value in zip(AGENT_HEALTH, values, strict=True)]
    return Draft.of(LAYOUT, stamp, columns, priority).seal(bytes(16), seq, FIRST_PREVIOUS)


def test_live_blocks_leave_by_class() -> None:
    queue = LiveQueue()
    for priority, seq in [(P3, 1), (P1, 1), (P0, 1), (P1, 2)]:
        queue.push(block(priority, seq), LAYOUT)
    order = []
    while queue:
        one, _ = queue.pop()
        order.append((one.priority, one.seq))
    assert order == [(P0, 1), (P1, 1), (P1, 2), (P3, 1)]
    with pytest.raises(IndexError):
        queue.pop()


def test_a_slow_connection_costs_bounded_memory_and_the_urgent_stay() -> None:
    size = len(block(P1, 1).data)
    queue = LiveQueue(limit_bytes=3 * size)
    queue.push(block(P0, 1), LAYOUT)
    for seq in range(1, 6):
        queue.push(block(P3, seq), LAYOUT)
    left = []
    while queue:
        one, _ = queue.pop()
        left.append((one.priority, one.seq))
    assert left == [(P0, 1), (P3, 4), (P3, 5)]


def test_a_cleared_queue_is_empty() -> None:
    queue = LiveQueue()
    queue.push(block(P0, 1), LAYOUT)
    queue.clear()
    assert not queue
