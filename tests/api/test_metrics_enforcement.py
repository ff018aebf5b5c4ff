"""Repairs in /metrics."""

import httpx

from controller.api.metrics_enforcement import enforcement_families
from controller.api.services import Services
from controller.enforcement.figures import Figures
from controller.enforcement.model import Stop
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tests.api.fake_enforcement import STANDING, FakeEnforcement


def test_the_histogram_is_cumulative() -> None:
    figures = Figures()
    for seconds in (0.5, 3.5, 3.6, 1e6):
        figures.proved(seconds)
    figures.ended("bounce-port", "proved")
    found = {one.name: one for one in enforcement_families(figures, STANDING)}
    samples = {
        one.labels.get("le", one.name): one.value for one in found["tenone_repair_seconds"].samples
    }
    assert samples["1.0"] == 1
    assert samples["3.0"] == 1
    assert samples["5.0"] == 3
    assert samples["3600.0"] == 3
    assert samples["+Inf"] == samples["tenone_repair_seconds_count"] == 4
    (one,) = found["tenone_repairs"].samples
    assert one.labels == {"intent": "bounce-port", "outcome": "proved"}
    assert "tenone_enforcement_oldest_stop_timestamp_seconds" not in found


async def test_stops_are_told(
    operator: httpx.AsyncClient, services: Services, clock: ManualClock
) -> None:
    services.enforcement = repairs = FakeEnforcement(clock.wall_ns() / 1e9)
    repairs.stops = [
        Stop(scope=ScopePath.parse("binhai/east"), by="x", at=at, reason="") for at in (9.0, 5.0)
    ]
    text = (await operator.get("/metrics")).text
    assert "tenone_enforcement_stops 2.0" in text
    assert "tenone_enforcement_oldest_stop_timestamp_seconds 5.0" in text
    assert "tenone_enforcement_under_way 1.0" in text
