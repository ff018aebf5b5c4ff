from controller.api.trend import SAMPLE_SECONDS, SAMPLES, Trend
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict
from tests.api.fake_city import FakeCity


def test_every_level_adds_up(clock: ManualClock, city: FakeCity) -> None:
    trend = Trend(clock, city)
    trend.sample()
    (sample,) = trend.of(ScopePath.parse("binhai/east/no3"))
    assert (sample.good, sample.bad, sample.unknown) == (16, 2, 1)
    (district,) = trend.of(ScopePath.parse("binhai/east"))
    assert (district.good, district.bad, district.unknown) == (16 + 7 + 41, 2, 1)
    assert trend.of(ScopePath.parse("binhai")) == trend.of(ScopePath())
    assert trend.of(ScopePath.parse("nowhere")) == []


def test_a_ring_begins_with_the_first_link_that_is_judged(
    clock: ManualClock, city: FakeCity
) -> None:
    trend = Trend(clock, city)
    silent = ScopePath.parse("binhai/west/no6")
    trend.sample()
    assert trend.of(silent) == []
    city.set_link("no6/uplink", verdict=Verdict.GOOD)
    trend.sample()
    city.set_link("no6/uplink", verdict=Verdict.UNKNOWN)
    trend.sample()
    assert [(one.good, one.unknown) for one in trend.of(silent)] == [(1, 4), (0, 5)]


def test_the_ring_keeps_half_an_hour_and_forgets_schools_that_went(
    clock: ManualClock, city: FakeCity
) -> None:
    trend = Trend(clock, city)
    start = clock.wall_ns() / 1e9
    for _ in range(SAMPLES + 5):
        trend.sample()
        clock.advance(SAMPLE_SECONDS)
    samples = trend.of(ScopePath())
    assert len(samples) == SAMPLES
    assert samples[0].at == start + 5 * SAMPLE_SECONDS
    del city.schools_by_id["no3"]
    trend.sample()
    assert trend.of(ScopePath.parse("binhai/east/no3")) == []
