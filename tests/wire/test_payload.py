import pytest

from drivers.wire.sparkplug.payload import CodecError, Metric, metrics_by_name

ONE = Metric(name="m", alias=7, value=-2)
TWO = Metric(name="n", value=-2)
NAMELESS = Metric(alias=3)


@pytest.mark.parametrize(
    ("metrics", "names"),
    [
        ((), {}),
        ((NAMELESS, NAMELESS), {}),
        ((ONE, NAMELESS), {"m": ONE}),
        ((TWO, ONE), {"m": ONE, "n": TWO}),
    ],
)
def test_metrics_by_name(metrics: tuple[Metric, ...], names: dict[str, Metric]) -> None:
    assert metrics_by_name(metrics) == names


def test_a_name_occurs_once() -> None:
    with pytest.raises(CodecError, match="metric m occurs twice"):
        metrics_by_name((ONE, NAMELESS, ONE))


def test_metrics_share_no_properties_that_could_be_changed() -> None:
    with pytest.raises(TypeError):
        ONE.properties["Quality"] = None  # type: ignore[index] # the point: nobody can
