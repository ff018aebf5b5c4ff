"""The steps of a repair as they travel."""

import pytest

from tenone.vocabulary.metrics import METRICS
from tenone.vocabulary.repairs import REPAIRS, RepairStep

FINAL = {RepairStep.DONE, RepairStep.UNDONE, RepairStep.STUCK, RepairStep.ENDED}


@pytest.mark.parametrize("step", RepairStep)
def test_what_ends_an_action_is_final(step: RepairStep) -> None:
    assert step.final is (step in FINAL)


def test_the_stream_is_in_the_catalogue() -> None:
    assert set(REPAIRS) <= set(METRICS)
    assert len(set(REPAIRS)) == len(REPAIRS)
