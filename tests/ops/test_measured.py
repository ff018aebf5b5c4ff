"""What a link's page says of its measures: every figure with its window and age, or nothing."""

import httpx
import pytest

from controller.views import MeasuredView
from dashboards.ops.language import load
from dashboards.ops.measured import figures
from dashboards.ops.words import Words
from tests.api.fake_city import link

NOW = 1_790_000_000.0
COUNTED = MeasuredView(
    utilisation_in_ratio=0.3214,
    utilisation_out_ratio=None,
    interval_seconds=60.2,
    error_ratio=0.00004,
    error_window_seconds=300.0,
    discard_ratio=0.0,
    counters_age_seconds=12.0,
)
PROBED = MeasuredView(
    loss_ratio=0.0021,
    loss_packets=1024,
    rtt_seconds=0.0123,
    jitter_seconds=None,
    probes_age_seconds=7.0,
    flaps=2,
)


@pytest.mark.parametrize(
    ("measured", "language", "expected"),
    [
        (MeasuredView(), "en", []),
        (
            COUNTED,
            "en",
            [
                ("Load inwards", "32.1 %", "over 60 s", 12.0),
                ("Load outwards", "–", "over 60 s", 12.0),
                ("Busy five minutes (P95)", "–", "over 8 h", 12.0),
                ("Frame errors", "40 of a million", "over 5 min", 12.0),
                ("Frames discarded", "0.0 %", "over 5 min", 12.0),
            ],
        ),
        (
            PROBED,
            "zh-CN",
            [
                ("丢包", "0.2 %", "共 1024 个包", 7.0),
                ("往返时延", "12.3 ms", "中位数", 7.0),
                ("抖动", "–", "第 95 百分位", 7.0),
                ("瞬断", "2", "两次轮询之间发现", 0.0),
            ],
        ),
    ],
)
def test_figures(
    measured: MeasuredView, language: str, expected: list[tuple[str, str, str, float]]
) -> None:
    words = Words(load()[language], NOW)
    view = link("no1", "c-1-1", "1-1", NOW, measured=measured)
    seen = [
        (line.label, line.value, line.window, line.age_seconds) for line in figures(words, view)
    ]
    assert seen == expected


async def test_the_part_is_fetched_again_and_cut_to_the_scope(
    operator: httpx.AsyncClient, east: httpx.AsyncClient
) -> None:
    page = await operator.get("/links/no3/c-3-2")
    assert 'hx-get="/parts/measured/no3/c-3-2"' in page.text
    part = await east.get("/parts/measured/no3/c-3-2")
    assert part.status_code == 200
    assert part.text.count("<section") == 1
    for path in ("/parts/measured/no3/c-99", "/parts/measured/no5/c-1-1"):
        assert (await east.get(path)).status_code == 404
