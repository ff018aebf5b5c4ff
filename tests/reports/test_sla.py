import pytest

from dashboards.reports.sla import length, moment, percent
from dashboards.reports.words import Lang


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, "unknown"),
        (1.0, "100.000 %"),
        (0.999999, "99.999 %"),  # cut, never rounded up
        (0.98, "98.000 %"),
        (0.979999999, "97.999 %"),
        (0.0, "0.000 %"),
    ],
)
def test_percentages_are_cut(ratio: float | None, text: str) -> None:
    assert percent(ratio, Lang.EN) == text


def test_lengths_and_moments() -> None:
    assert length(3725.4, Lang.EN) == "1:02:05"
    assert length(None, Lang.ZH) == "无"
    assert moment(1_790_078_400_000_000_000, "Asia/Shanghai") == "2026-09-22 20:00:00"
