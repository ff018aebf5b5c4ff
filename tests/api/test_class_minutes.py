"""Class-minutes and calendars over HTTP and in /metrics, cut to the session's scope."""

import httpx
import pytest

from controller.api.schemas_minutes import CalendarPage, ClassMinutesPage, MinuteTallyOut
from controller.api.services import NoClassMinutes, Services
from controller.sla.class_minutes import Tally
from tests.api.fake_minutes import Counted
from tests.api.test_metrics import one, scrape

API = "/api/v1"


@pytest.fixture(autouse=True)
def counted(services: Services) -> None:
    services.minutes = Counted()


async def test_every_school_in_its_words(operator: httpx.AsyncClient) -> None:
    page = ClassMinutesPage.model_validate((await operator.get(f"{API}/class-minutes")).json())
    no3, no5 = page.items
    assert (no3.good, no3.bad, no3.unknown) == (90, 10, 5)
    assert no3.bad_by_cause == {"uplink": 7, "speed": 3}
    assert no3.sle_ratio == 0.9
    assert no3.coverage == pytest.approx(100 / 105)
    assert no3.burn["1h"].verdict == "unknown"
    assert (no5.taught, no5.sle_ratio, no5.coverage) == (None, None, None)
    page = ClassMinutesPage.model_validate(
        (await operator.get(f"{API}/class-minutes?state=no-calendar")).json()
    )
    assert [one.id for one in page.items] == ["no5"]


async def test_calendars_say_what_today_is(operator: httpx.AsyncClient) -> None:
    page = CalendarPage.model_validate((await operator.get(f"{API}/calendars")).json())
    assert page.items[0].lessons == [(8 * 3600.0, 17 * 3600.0)]
    assert page.items[0].unknown_days[0].reason == "Not announced."
    assert (page.items[1].has_calendar, page.items[1].hours) == (False, None)


async def test_a_district_sees_its_own(east: httpx.AsyncClient) -> None:
    for path in ("class-minutes", "calendars"):
        items = (await east.get(f"{API}/{path}")).json()["items"]
        assert [one["id"] for one in items] == ["no3"]
    whole = MinuteTallyOut.model_validate((await east.get(f"{API}/class-minutes/total")).json())
    assert whole.good == 90
    assert (await east.get(f"{API}/class-minutes/total?scope=binhai/west")).status_code == 404


async def test_metrics_of_what_is_known(anyone: httpx.AsyncClient) -> None:
    _, samples = await scrape(anyone)
    no3 = {"district": "east", "school": "no3"}
    assert one(samples, "tenone_class_minutes_total", **no3, quality="good") == 90
    assert one(samples, "tenone_class_minutes_bad_total", **no3, cause="uplink") == 7
    slo = {**no3, "slo": "class-minutes", "alert": "1h"}
    assert one(samples, "tenone_slo_burn_rate", **slo, window="long") == 10
    assert one(samples, "tenone_slo_burn_threshold", **slo) == 4.4
    assert one(samples, "tenone_slo_burn_alert", **slo) == -1
    assert not any(
        name == "tenone_slo_burn_rate" and ("window", "short") in labels for name, labels in samples
    )
    link = {**no3, "link": "no3/c-3-2", "tier": "class"}
    assert one(samples, "tenone_link_availability_ratio", **link) == 0.875
    assert one(samples, "tenone_link_coverage_ratio", **link) == 0.5


async def test_without_a_count_there_is_nothing(
    services: Services, operator: httpx.AsyncClient
) -> None:
    services.minutes = NoClassMinutes()
    assert (await operator.get(f"{API}/class-minutes")).json()["items"] == []
    whole = (await operator.get(f"{API}/class-minutes/total")).json()
    assert (whole["good"], whole["sle_ratio"]) == (0, None)
    assert services.minutes.total("no3") == Tally()
