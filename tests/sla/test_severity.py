"""How severe each cause is."""

import numpy as np

from controller.sla.class_minutes import PRICED
from controller.sla.severity import SEVERITIES, severity
from tenone.vocabulary.states import Cause, Severity


def test_every_cause_has_its_severity() -> None:
    assert set(SEVERITIES) == set(PRICED)
    for own, shared in SEVERITIES.values():
        assert Severity.NONE < own <= shared


def test_severity_is_that_of_the_worst_cause() -> None:
    causes = np.array([1 << Cause.DNS | 1 << Cause.ENDPOINT, 1 << Cause.CONGESTION], np.uint64)
    bad = np.array([True, True])
    assert severity(causes, bad, np.array([False, True])).tolist() == [2, 2]
    assert severity(causes, ~bad, bad).tolist() == [0, 0]
