"""How many packets prove a loss of 0.5 %, and how seldom the proof is wrong."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.loss_window import LONGEST, LossDecision, decide, since_outage, window_lengths
from controller.sla.statistics import at_least, at_most
from tenone.vocabulary.probes import PROOF_PACKETS
from tenone.vocabulary.states import Verdict

LIMIT = 0.005


def lost(*parts: tuple[int, int]) -> list[bool]:
    """(how many, lost or not), oldest first."""
    return [bool(fate) for count, fate in parts for _ in range(count)]


@pytest.mark.parametrize(
    ("longest", "lengths"),
    [
        (0, []),
        (1, [1]),
        (4, [4]),
        (5, [4, 5]),
        (64, [4, 8, 16, 32, 64]),
        (70, [4, 8, 17, 35, 70]),
        (LONGEST, [4, 8, 16, 33, 66, 132, 265, 530, 1060, 2120]),
    ],
)
def test_lengths(longest: int, lengths: list[int]) -> None:
    assert window_lengths(longest) == lengths


@pytest.mark.parametrize(
    ("packets", "verdict", "used"),
    [
        (lost(), Verdict.UNKNOWN, 0),
        (lost((4, 1)), Verdict.BAD, 4),  # silence is proved within a minute
        (lost((1000, 0), (2, 1), (2, 0)), Verdict.BAD, 4),  # two of four are no chance
        (lost((7, 0), (1, 1)), Verdict.UNKNOWN, 8),  # one of eight may be
        (lost((PROOF_PACKETS - 1, 0)), Verdict.UNKNOWN, PROOF_PACKETS - 1),
        (lost((PROOF_PACKETS, 0)), Verdict.GOOD, PROOF_PACKETS),
        (lost((5000, 0)), Verdict.GOOD, PROOF_PACKETS),
        (lost((2072, 0), (1, 1), (47, 0)), Verdict.GOOD, LONGEST),
        (lost((500, 1), (100, 0)), Verdict.UNKNOWN, 100),  # the outage is over
        (lost((500, 1), (4000, 0)), Verdict.GOOD, PROOF_PACKETS),
        (lost(*[(49, 0), (1, 1)] * 20), Verdict.BAD, 265),  # 2 %: six of 265, at the limit 1.3
    ],
)
def test_decide(packets: list[bool], verdict: Verdict, used: int) -> None:
    found = decide(packets, limit=LIMIT, longest=LONGEST)
    assert (found.verdict, found.packets) == (verdict, used)
    assert found.confidence == 0.95


def test_the_longest_window_is_as_long_as_it_must_be() -> None:
    """Ten looks share 5 %: 1,058 packets without a loss are proof, 1,024 are not."""
    looks = len(window_lengths(LONGEST))
    assert looks == 10
    assert at_most(0, 1058, LIMIT) <= 0.05 / looks < at_most(0, 1057, LIMIT)
    assert window_lengths(LONGEST)[-2] == PROOF_PACKETS >= 1058
    assert decide([False] * 5000, limit=LIMIT, longest=1024).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("packets", "rest"),
    [
        (lost((9, 0)), 9),
        (lost((9, 1)), 9),  # it lasts
        (lost((4, 1), (3, 0)), 3),
        (lost((3, 1), (3, 0)), 6),  # too short to be one
        (lost((4, 1), (3, 0), (5, 1), (2, 0)), 2),
        (lost((4, 1), (3, 0), (5, 1)), 8),
        (lost(), 0),
    ],
)
def test_since_outage(packets: list[bool], rest: int) -> None:
    assert since_outage(packets) == packets[len(packets) - rest :]


@pytest.mark.parametrize(("limit", "confidence"), [(0, 0.9), (1, 0.9), (0.1, 0), (0.1, 1)])
def test_what_cannot_be_proved_is_refused(limit: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        decide([], limit=limit, longest=10, confidence=confidence)


@given(
    st.lists(st.booleans(), max_size=80), st.integers(0, 80), st.sampled_from([0.005, 0.05, 0.3])
)
def test_by_its_definition(packets: list[bool], longest: int, limit: float) -> None:
    """The shortest window in which either side is proved at its part of the chance to err."""
    usable = list(since_outage(packets))
    lengths = window_lengths(longest)
    expected: LossDecision | None = None
    for length in lengths:
        if length > len(usable) or expected is not None:
            break
        losses = sum(usable[-length:])
        share = (1 - 0.95) / len(lengths)
        verdict = None
        if at_least(losses, length, limit) <= share:
            verdict = Verdict.BAD
        elif at_most(losses, length, limit) <= share:
            verdict = Verdict.GOOD
        if verdict is not None:
            expected = LossDecision(verdict=verdict, packets=length, lost=losses, confidence=0.95)
    found = decide(packets, limit=limit, longest=longest)
    if expected is None:
        assert found.verdict is Verdict.UNKNOWN
        assert found.packets == min(longest, len(usable))
    else:
        assert found == expected


@pytest.mark.parametrize(("ratio", "wrong"), [(LIMIT, Verdict.BAD), (LIMIT, Verdict.GOOD)])
def test_the_stated_confidence_holds(ratio: float, wrong: Verdict) -> None:
    """At the limit itself, where it is hardest, either wrong word is said in under 5 of 100."""
    random = Random(20261122)
    said = sum(
        decide(
            [random.random() < ratio for _ in range(LONGEST)], limit=LIMIT, longest=LONGEST
        ).verdict
        is wrong
        for _ in range(600)
    )
    assert said / 600 <= 0.05
