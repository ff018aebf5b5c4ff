"""Whose packets are no proof yet; held equal to the controller's own arithmetic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.probe_plan import Lane
from agents.probe_proofs import LONG_PROOF, Proofs
from controller.sla.loss_window import decide
from tenone.vocabulary.probes import PROOF_LOSSES, PROOF_PACKETS
from tenone.vocabulary.states import Verdict

MINUTE_NS = 60 * 10**9
LIMIT = 0.005


def lane(name: str, *, class_time_only: bool = True) -> Lane:
    return Lane(
        target=name,
        dscp=0,
        every_ns=15 * 10**9,
        first_ns=0,
        class_time_only=class_time_only,
        first_row=0,
        stride=1,
        witness=True,
    )


A, B, CORE = lane("a"), lane("b"), lane("core", class_time_only=False)


def always(_lane: Lane) -> bool:
    return True


def prove(proofs: Proofs, now_ns: int = 0, *, most: int = 250) -> list[tuple[str, int]]:
    """Answer every burst at once; who was sent how many packets, proof by proof."""
    sent: dict[str, int] = {}
    while due := proofs.due(now_ns, most=most, ready=always):
        one, packets = due
        assert 0 < packets <= most
        sent[one.target] = sent.get(one.target, 0) + packets
        proofs.saw(one, [False] * packets, now_ns=now_ns)
    return list(sent.items())


def test_one_target_after_the_other_and_classes_first() -> None:
    proofs = Proofs([CORE, A, B])
    assert proofs.due(0, most=250, ready=always) is None, "nobody has answered yet"
    for one in (CORE, A, B):
        proofs.saw(one, [False], now_ns=0)
    sent = prove(proofs)
    assert sent == [("a", 1059), ("b", 1059), ("core", 1059)]
    assert prove(proofs) == []


def test_a_school_is_proved_within_twenty_minutes() -> None:
    """50 classes at 50 a second, and a quarter of a second after each part."""
    classes = [lane(f"c{number}") for number in range(50)]
    proofs = Proofs(classes)
    for one in classes:
        proofs.saw(one, [False], now_ns=0)
    seconds = sum(packets / 50 + 5 * 0.25 for _, packets in prove(proofs))
    assert seconds <= 20 * 60


def test_not_while_it_loses_and_the_newest_recovered_first() -> None:
    proofs = Proofs([A, B])
    proofs.saw(A, [False], now_ns=0)
    proofs.saw(B, [False] * 10 + [True] * 5, now_ns=0)
    due = proofs.due(0, most=250, ready=always)
    assert due == (A, 250)
    proofs.saw(B, [False] * 3, now_ns=MINUTE_NS)
    assert proofs.due(MINUTE_NS, most=250, ready=always) == (A, 250), "it answers, but not for long"
    proofs.saw(B, [False], now_ns=MINUTE_NS)
    assert proofs.due(MINUTE_NS, most=250, ready=always) == (B, 250)
    assert proofs.due(MINUTE_NS, most=250, ready=lambda one: one is A) == (A, 250)


def test_a_target_that_comes_and_goes_eats_little() -> None:
    proofs = Proofs([A])
    packets = began = 0
    for minute in range(24 * 60):
        now_ns = minute * MINUTE_NS
        proofs.saw(A, [False] * 8 if minute % 3 else [True] * 8, now_ns=now_ns)
        cost = sum(count for _, count in prove(proofs, now_ns))
        packets += cost
        began += cost > 0
    assert began <= 8
    assert packets <= 8 * PROOF_PACKETS


def test_what_is_not_sent_is_not_asked_for_again_at_once() -> None:
    proofs = Proofs([A])
    proofs.saw(A, [False], now_ns=0)
    asked = 0
    while due := proofs.due(0, most=250, ready=always):
        asked += due[1]  # the gateway's own system refuses: nothing is seen
    assert asked == LONG_PROOF


def test_the_arithmetic_agrees_on_the_numbers() -> None:
    """The agent may not import the controller: this test holds the two together."""
    some = [True] * PROOF_LOSSES
    assert decide([False] * PROOF_PACKETS, limit=LIMIT).verdict is Verdict.GOOD
    assert decide([False] * (PROOF_PACKETS - 1), limit=LIMIT).verdict is Verdict.UNKNOWN
    early = [False] * 500 + some
    assert (
        decide([*early, *[False] * (LONG_PROOF - len(early) - 1)], limit=LIMIT).verdict
        is Verdict.GOOD
    ), "by the newest 1,060"
    late = [False] * (LONG_PROOF - 700 - len(some)) + some + [False] * 700
    assert decide(late, limit=LIMIT).verdict is Verdict.GOOD
    assert decide(late[1:], limit=LIMIT).verdict is Verdict.UNKNOWN
    assert decide([True, *late[1:]], limit=LIMIT).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("chunk", [250, 37])
@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([1, 3, 5, 400, 700, 1059]), st.integers(0, 6)), max_size=5)
)
def test_after_a_proof_the_controller_decides(chunk: int, parts: list[tuple[int, int]]) -> None:
    """Whatever came before, losses only in the past: nothing is missing when it has decided."""
    fates = [lost for good, bad in parts for lost in [False] * good + [True] * bad] + [False] * 4
    proofs = Proofs([A])
    proofs.saw(A, fates, now_ns=0)
    asked = 0
    while due := proofs.due(0, most=chunk, ready=always):
        proofs.saw(A, [False] * due[1], now_ns=0)
        asked += due[1]
    fates += [False] * asked
    assert decide(fates, limit=LIMIT).verdict is not Verdict.UNKNOWN
    if asked:
        assert decide(fates[:-1], limit=LIMIT).verdict is not Verdict.GOOD, "and not one too many"
