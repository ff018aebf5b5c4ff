"""/metrics: names and labels of CONTRACT, figures of the small city, promtool's opinion."""

import asyncio
import shutil
import subprocess

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from controller.api.services import IngestFigures, Services

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(client: httpx.AsyncClient, path: str = "/metrics") -> tuple[str, Samples]:
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: Samples = {}
    for family in text_string_to_metric_families(response.text):
        assert family.documentation, f"{family.name} has no HELP"
        assert family.name.startswith("tenone_")
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return response.text, found


def one(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


async def test_figures_of_the_small_city(services: Services, anyone: httpx.AsyncClient) -> None:
    services.ingest = lambda: IngestFigures(samples_total=1234, lag_seconds=0.5)
    _, samples = await scrape(anyone)
    no3 = {"district": "east", "school": "no3"}
    for verdict, count in (("good", 15), ("bad", 2), ("unknown", 1)):
        assert one(samples, "tenone_links", **no3, tier="class", verdict=verdict) == count
    assert one(samples, "tenone_links_unverified", **no3, tier="uplink") == 1
    slow = {**no3, "link": "no3/c-3-2", "tier": "class"}
    assert one(samples, "tenone_link_verdict", **slow) == 0
    assert one(samples, "tenone_link_speed_bytes_per_second", **slow) == 12.5e6
    assert one(samples, "tenone_link_contract_bytes_per_second", **slow) == 125e6
    uplink = {"district": "west", "school": "no5", "link": "no5/uplink", "tier": "uplink"}
    assert one(samples, "tenone_link_contract_bytes_per_second", **uplink) == 1.25e9
    assert ("tenone_link_speed_bytes_per_second", frozenset(uplink.items())) not in samples
    lost = {**no3, "link": "no3/c-1-8", "tier": "class"}
    assert one(samples, "tenone_link_verdict", **lost) == -1
    assert one(samples, "tenone_agent_up", **no3) == 1
    assert one(samples, "tenone_agent_up", district="west", school="no6") == 0
    assert one(samples, "tenone_outbox_bytes", **no3) == 20480
    now = services.now()
    assert one(samples, "tenone_agent_last_report_timestamp_seconds", **no3) == pytest.approx(
        now - 4
    )
    assert one(samples, "tenone_ingest_samples_total") == 1234
    assert one(samples, "tenone_ingest_lag_seconds") == 0.5
    assert one(samples, "tenone_stream_clients") == 0


async def test_good_links_are_not_in_the_general_scrape(anyone: httpx.AsyncClient) -> None:
    _, samples = await scrape(anyone)
    values = {value for (name, _), value in samples.items() if name == "tenone_link_verdict"}
    assert values == {0, -1}


async def test_what_is_unknown_is_absent_not_zero(anyone: httpx.AsyncClient) -> None:
    text, samples = await scrape(anyone)
    assert not any(name == "tenone_ingest_lag_seconds" for name, _ in samples)
    never = frozenset({("district", "north"), ("school", "no8")})
    assert ("tenone_agent_last_report_timestamp_seconds", never) not in samples
    assert ("tenone_agent_up", never) in samples
    for later in ("burn", "class_minutes", "incidents", "actions"):
        assert later not in text


async def test_all_links_of_one_district(anyone: httpx.AsyncClient) -> None:
    _, samples = await scrape(anyone, "/metrics/links?district=east")
    links = [dict(labels) for name, labels in samples if name == "tenone_link_verdict"]
    assert len(links) == 7 + 19 + 41
    assert {link["district"] for link in links} == {"east"}


@pytest.mark.parametrize("query", ["", "?district=", "?district=nowhere"])
async def test_an_unknown_district_gets_a_sentence(anyone: httpx.AsyncClient, query: str) -> None:
    response = await anyone.get(f"/metrics/links{query}")
    assert response.status_code == 404
    assert "district" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/links?district=north"])
async def test_promtool_has_nothing_to_say(
    services: Services, anyone: httpx.AsyncClient, path: str
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian package prometheus) is not here: its check was not made")
    services.ingest = lambda: IngestFigures(samples_total=1, lag_seconds=0.5)
    text, _ = await scrape(anyone, path)
    done = await asyncio.to_thread(
        subprocess.run,
        [promtool, "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
