import pytest

from firmware_sims.switch.cable import (
    COPPER_MBPS,
    FIBRE_MBPS,
    Cable,
    PairFault,
    PairState,
    Partner,
    Result,
    Wish,
    agree,
)
from tenone.vocabulary.states import Duplex

FULL, HALF = Duplex.FULL, Duplex.HALF
AUTO = Wish(negotiates=True, speeds=COPPER_MBPS)
PARTNER = Partner(speeds=COPPER_MBPS)
FORCED_100 = Partner(speeds=frozenset({100}), negotiates=False)


def forced(mbps: int, duplex: Duplex = FULL) -> Wish:
    return Wish(negotiates=False, speeds=frozenset({mbps}), duplex=duplex)


@pytest.mark.parametrize(
    ("wish", "partner", "expected"),
    [
        (AUTO, PARTNER, Result(1000, FULL)),
        (AUTO, Partner(speeds=frozenset({10, 100})), Result(100, FULL)),
        (AUTO, Partner(speeds=COPPER_MBPS, duplex=HALF), Result(100, HALF)),
        (AUTO, Partner(speeds=frozenset({1000}), duplex=HALF), None),
        (AUTO, Partner(speeds=frozenset({10_000})), None),
        # Parallel detection (802.3 clause 28.2.3.1): the speed is seen, the duplex is not.
        (AUTO, FORCED_100, Result(100, HALF, mismatch=True)),
        (AUTO, Partner(speeds=frozenset({100}), negotiates=False, duplex=HALF), Result(100, HALF)),
        (AUTO, Partner(speeds=frozenset({1000}), negotiates=False), None),
        (forced(100), PARTNER, Result(100, FULL, mismatch=True)),
        (forced(100, HALF), PARTNER, Result(100, HALF)),
        (forced(1000), PARTNER, Result(1000, FULL)),
        (forced(1000), Partner(speeds=frozenset({10, 100})), None),
        (forced(100), FORCED_100, Result(100, FULL)),
        (forced(100, HALF), FORCED_100, Result(100, HALF, mismatch=True)),
        (forced(10), FORCED_100, None),
        (
            Wish(negotiates=True, speeds=FIBRE_MBPS),
            Partner(speeds=FIBRE_MBPS),
            Result(10_000, FULL),
        ),
    ],
)
def test_what_two_ends_come_to(wish: Wish, partner: Partner, expected: Result | None) -> None:
    assert agree(wish, Cable(partner=partner)) == expected


@pytest.mark.parametrize("pair", "ABCD")
@pytest.mark.parametrize("state", [PairState.OPEN, PairState.SHORT])
def test_a_bad_pair(pair: str, state: PairState) -> None:
    """Two pairs carry 100 Mbit/s, four 1 Gbit/s: forced to 1 Gbit/s such a link dies."""
    cable = Cable(partner=PARTNER, faults=((pair, PairFault(state, 12)),))
    slow = Result(100, FULL) if pair in "CD" else None
    assert agree(AUTO, cable) == slow
    assert agree(forced(1000), cable) is None
    assert (agree(forced(100), cable) is None) == (pair in "AB")
    assert cable.fault(pair) == PairFault(state, 12)
