import pytest

from tenone.vocabulary.states import (
    AdminStatus,
    Cause,
    Duplex,
    OperStatus,
    PriorityClass,
    Severity,
    Verdict,
)


@pytest.mark.parametrize(
    ("state", "code", "label"),
    [
        (AdminStatus.UP, 1, "up"),
        (AdminStatus.TESTING, 3, "testing"),
        (OperStatus.UP, 1, "up"),
        (OperStatus.NOT_PRESENT, 6, "notPresent"),
        (OperStatus.LOWER_LAYER_DOWN, 7, "lowerLayerDown"),
        (Duplex.UNKNOWN, 1, None),
        (Duplex.HALF, 2, "half"),
        (Duplex.FULL, 3, "full"),
        (Verdict.UNKNOWN, -1, "unknown"),
        (Verdict.BAD, 0, "bad"),
        (Verdict.GOOD, 1, "good"),
        (Severity.NONE, 0, None),
        (Severity.CRITICAL, 3, "critical"),
        (Cause.LINK_DOWN, 3, "link-down"),
        (Cause.DNS, 9, "dns"),
        (Cause.AGENT_SILENT, 32, "agent-silent"),
    ],
)
def test_codes_and_labels(state: Verdict, code: int, label: str | None) -> None:
    assert int(state) == code
    assert state.label == label


@pytest.mark.parametrize("kind", [AdminStatus, OperStatus, Cause, Verdict])
def test_labels_are_unique(kind: type[Verdict]) -> None:
    labels = [state.label for state in kind]
    assert len(set(labels)) == len(labels)


def test_causes_keep_the_fixed_priority() -> None:
    priced = [cause.label for cause in sorted(Cause) if cause < Cause.AGENT_SILENT]
    assert priced == [
        "power",
        "uplink",
        "configuration",
        "link-down",
        "speed",
        "duplex",
        "errors",
        "congestion",
        "loss",
        "dns",
        "endpoint",
    ]


def test_a_cause_fits_a_64_bit_mask() -> None:
    assert all(0 <= cause < 64 for cause in Cause)


def test_the_most_urgent_class_sorts_first() -> None:
    assert min(PriorityClass) is PriorityClass.P0
