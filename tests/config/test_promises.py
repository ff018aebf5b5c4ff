"""What a tier is judged by, and from where on: defaults of SLA.md, bounds, sentences."""

import pytest
from pydantic import ValidationError

from tenone.config.promises import TierContract


def test_the_defaults_are_those_of_the_promise() -> None:
    tier = TierContract.model_validate({"contract_mbps": "1G"})
    limits = tier.thresholds
    assert (tier.contract_mbps, tier.objectives.clauses) == (1000, None)
    assert (limits.loss_ratio, limits.jitter_seconds, limits.rtt_seconds) == (0.005, 0.02, 0.02)
    assert (limits.error_ratio, limits.discard_ratio, limits.utilisation_ratio) == (
        0.001,
        0.01,
        0.95,
    )


def test_what_a_city_writes() -> None:
    tier = TierContract.model_validate(
        {
            "contract_mbps": "10G",
            "objectives": {"clauses": ["link", "board"]},
            "thresholds": {"rtt_seconds": "5ms", "loss_ratio": 0.01},
        }
    )
    assert tier.objectives.clauses == ("link", "board")
    assert (tier.thresholds.rtt_seconds, tier.thresholds.loss_ratio) == (0.005, 0.01)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ({"objectives": {"clauses": []}}, "the list is empty"),
        ({"objectives": {"clauses": ["link", "link"]}}, "a clause stands twice"),
        ({"objectives": {"clauses": ["delay"]}}, "Input should be"),
        ({"thresholds": {"loss_ratio": 0}}, "greater than 0"),
        ({"thresholds": {"error_ratio": 1}}, "less than 1"),
        ({"thresholds": {"utilisation_ratio": 1.1}}, "less than or equal to 1"),
        ({"thresholds": {"rtt_seconds": "soon"}}, "not a quantity"),
        ({"thresholds": {"rtt": "5ms"}}, "Extra inputs"),
    ],
)
def test_what_is_refused(part: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        TierContract.model_validate({"contract_mbps": "1G", **part})
