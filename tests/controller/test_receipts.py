"""Receipts: once a second a node, at once after a big step, again when the node missed one."""

from controller.ingest.receipts import BIG_STEP, INTERVAL_NS, ReceiptBook
from controller.store.protocols import ChainKey
from drivers.wire.topics import NodeId
from tenone.vocabulary.states import PriorityClass

NODE, OTHER = NodeId("east", "no1"), NodeId("east", "no2")
P1, P2 = (ChainKey(bytes(16), priority) for priority in (PriorityClass.P1, PriorityClass.P2))


def test_one_message_a_second_and_node_holds_all_its_chains() -> None:
    book = ReceiptBook()
    book.note(NODE, P1, 3, again=False)
    book.note(NODE, P2, 1, again=False)
    book.note(OTHER, P1, 9, again=False)
    assert book.take(0) == [(NODE, {P1: 3, P2: 1}), (OTHER, {P1: 9})]
    book.note(NODE, P1, 4, again=False)
    assert book.take(INTERVAL_NS - 1) == []
    book.note(NODE, P1, 5, again=False)
    assert book.take(INTERVAL_NS) == [(NODE, {P1: 5})]
    assert book.take(9 * INTERVAL_NS) == []


def test_what_was_told_is_not_told_again_unless_it_was_missed() -> None:
    book = ReceiptBook()
    book.note(NODE, P1, 3, again=False)
    book.take(0)
    book.note(NODE, P1, 3, again=False)
    assert book.take(5 * INTERVAL_NS) == []
    book.note(NODE, P1, 3, again=True)
    assert book.take(6 * INTERVAL_NS) == [(NODE, {P1: 3})]


def test_a_big_step_does_not_wait() -> None:
    book = ReceiptBook()
    book.note(NODE, P1, 1, again=False)
    book.take(0)
    book.note(NODE, P1, BIG_STEP, again=False)
    assert book.take(1) == []
    book.note(NODE, P1, BIG_STEP + 1, again=False)
    assert book.take(2) == [(NODE, {P1: BIG_STEP + 1})]


def test_nothing_durable_is_no_receipt() -> None:
    book = ReceiptBook()
    book.note(NODE, P1, 0, again=True)
    assert book.take(0) == []


def test_after_a_birth_or_a_failure_it_is_told_anew() -> None:
    book = ReceiptBook()
    book.note(NODE, P1, 3, again=False)
    ((node, due),) = book.take(0)
    book.failed(node, due.items())
    assert book.take(INTERVAL_NS) == [(NODE, {P1: 3})]
    book.forget(NODE)
    book.forget(OTHER)
    book.note(NODE, P1, 3, again=False)
    assert book.take(3 * INTERVAL_NS) == [(NODE, {P1: 3})]
