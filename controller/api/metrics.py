"""/metrics: the city as Prometheus sees it (CONTRACT "Prometheus").

Base units: bytes a second even for link speeds, seconds, ``_total`` for counters. What
later parts measure (burn rate, class minutes, incidents, actions) is absent until it is true.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from controller.api.gathering import by_school
from controller.api.metrics_incidents import incident_families
from controller.api.metrics_minutes import minute_families
from controller.api.services import Services
from controller.views import City, LinkView, SchoolView
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BYTES_PER_MEGABIT = 125_000.0
Availability = Callable[[str], tuple[float | None, float | None]]
LINK_LABELS = ("district", "school", "link", "tier")
MEASURED = (
    (
        "tenone_link_utilisation_in_ratio",
        "Share of the line used inwards, between the two newest readings of the counters.",
        "utilisation_in_ratio",
    ),
    ("tenone_link_utilisation_out_ratio", "The same outwards.", "utilisation_out_ratio"),
    (
        "tenone_link_error_ratio",
        "Broken frames among all, over the newest 10,000 or more.",
        "error_ratio",
    ),
    ("tenone_link_discard_ratio", "Discarded frames among all, likewise.", "discard_ratio"),
    ("tenone_link_loss_ratio", "Probe packets lost, over the window that decides.", "loss_ratio"),
    ("tenone_link_rtt_seconds", "Median round trip of probes.", "rtt_seconds"),
    ("tenone_link_jitter_seconds", "P95 of the probes' |ipdv|.", "jitter_seconds"),
)
"""Gauge, help, field of :class:`controller.views.MeasuredView`; absent where it is unknown."""
SCHOOL_LABELS = ("district", "school")


async def city_metrics(services: Services) -> bytes:
    """Aggregates of every school, links that are not good, the controller itself.

    Views are taken school by school on the loop; writing them out, the longer half, is done
    in a thread.
    """
    schools: list[SchoolView] = []
    links: list[tuple[str, LinkView]] = []

    def look_at(school: SchoolView) -> Iterator[tuple[str, LinkView]]:
        schools.append(school)
        return _not_good(services.city, school)

    async for found in by_school(services.city, [ScopePath()], look_at):
        links += found
    own = [
        *_own_families(services),
        *minute_families(services.minutes),
        *incident_families(services.incidents),
    ]
    now = services.now()
    available = services.minutes.availability

    def written() -> bytes:
        return _text((*_school_families(schools, now), *_link_families(links, available), *own))

    return await run_in_threadpool(written)


async def district_metrics(services: Services, district: ScopePath) -> bytes:
    """All links of one district."""
    slug = str(district.parts[-1])
    links: list[tuple[str, LinkView]] = []
    city = services.city
    async for found in by_school(city, [district], lambda school: city.links(school.scope)):
        links += ((slug, link) for link in found)
    available = services.minutes.availability
    return await run_in_threadpool(lambda: _text(_link_families(links, available)))


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _text(families: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    return generate_latest(registry)


def _not_good(city: City, school: SchoolView) -> Iterator[tuple[str, LinkView]]:
    """Links not good, looking only into schools that have one."""
    if any(tally.good < tally.total for tally in school.tallies):
        for link in city.links(school.scope):
            if link.verdict is not Verdict.GOOD:
                yield str(school.scope.parts[1]), link


def _link_families(
    links: Iterable[tuple[str, LinkView]], available: Availability
) -> Iterator[Metric]:
    verdict = GaugeMetricFamily(
        "tenone_link_verdict", "1 good, 0 bad, -1 unknown.", labels=LINK_LABELS
    )
    speed = GaugeMetricFamily(
        "tenone_link_speed_bytes_per_second",
        "Negotiated speed; absent where it is unknown.",
        labels=LINK_LABELS,
    )
    contract = GaugeMetricFamily(
        "tenone_link_contract_bytes_per_second", "Speed promised.", labels=LINK_LABELS
    )
    evidence_age = GaugeMetricFamily(
        "tenone_link_evidence_age_seconds",
        "Age of the newest evidence for the verdict.",
        labels=LINK_LABELS,
    )
    availability = GaugeMetricFamily(
        "tenone_link_availability_ratio",
        "Share of the month's known service time so far in which the link was not down.",
        labels=LINK_LABELS,
    )
    coverage = GaugeMetricFamily(
        "tenone_link_coverage_ratio",
        "Share of the month's service time so far of which anything is known.",
        labels=LINK_LABELS,
    )
    measured = [
        (GaugeMetricFamily(name, text, labels=LINK_LABELS), field) for name, text, field in MEASURED
    ]
    for district, link in links:
        labels = (district, link.school, link.id, link.tier.value)
        for gauge, field in measured:
            value = getattr(link.measured, field)
            if value is not None:
                gauge.add_metric(labels, value)
        for family, ratio in zip((availability, coverage), available(link.id), strict=True):
            if ratio is not None:
                family.add_metric(labels, ratio)
        verdict.add_metric(labels, link.verdict.value)
        contract.add_metric(labels, link.contract_mbps * BYTES_PER_MEGABIT)
        if link.negotiated_mbps is not None:
            speed.add_metric(labels, link.negotiated_mbps * BYTES_PER_MEGABIT)
        if link.evidence:
            evidence_age.add_metric(labels, min(item.age_seconds for item in link.evidence))
    yield from (verdict, speed, contract, evidence_age, availability, coverage)
    yield from (gauge for gauge, _ in measured)


def _school_families(schools: Iterable[SchoolView], now: float) -> Iterator[Metric]:
    links = GaugeMetricFamily(
        "tenone_links", "Links by verdict.", labels=(*SCHOOL_LABELS, "tier", "verdict")
    )
    unverified = GaugeMetricFamily(
        "tenone_links_unverified",
        "Links good by negotiation only, neither probed nor tested.",
        labels=(*SCHOOL_LABELS, "tier"),
    )
    boards = GaugeMetricFamily("tenone_boards", "Class boards known.", labels=SCHOOL_LABELS)
    online = GaugeMetricFamily(
        "tenone_boards_online", "Class boards connected.", labels=SCHOOL_LABELS
    )
    up = GaugeMetricFamily(
        "tenone_agent_up", "1 while the school's agent is connected.", labels=SCHOOL_LABELS
    )
    report = GaugeMetricFamily(
        "tenone_agent_last_report_timestamp_seconds",
        "When the agent was last heard; absent where never.",
        labels=SCHOOL_LABELS,
    )
    outbox = GaugeMetricFamily(
        "tenone_outbox_bytes", "Bytes the agent keeps for a receipt.", labels=SCHOOL_LABELS
    )
    for school in schools:
        labels = (str(school.scope.parts[1]), school.id)
        for tally in school.tallies:
            for name, count in (
                ("good", tally.good),
                ("bad", tally.bad),
                ("unknown", tally.unknown),
            ):
                links.add_metric((*labels, tally.tier.value, name), count)
            unverified.add_metric((*labels, tally.tier.value), tally.unverified)
        boards.add_metric(labels, school.boards_total)
        online.add_metric(labels, school.boards_online)
        agent = school.agent
        up.add_metric(labels, float(agent.online))
        if agent.last_report_age_seconds is not None:
            report.add_metric(labels, now - agent.last_report_age_seconds)
        if agent.outbox_bytes is not None:
            outbox.add_metric(labels, agent.outbox_bytes)
    yield from (links, unverified, boards, online, up, report, outbox)


def _own_families(services: Services) -> Iterator[Metric]:
    ingest = services.ingest()
    hub = services.hub
    for name, text, value in (
        ("tenone_ingest_samples", "Values committed.", ingest.samples_total),
        ("tenone_ingest_blocks", "Blocks committed.", ingest.blocks_total),
        ("tenone_ingest_duplicates", "Blocks folded as resent.", ingest.duplicates_total),
        ("tenone_ingest_refused", "Payloads refused.", ingest.refused_total),
        (
            "tenone_ingest_base_skipped",
            "Sequence numbers forgotten by an agent and never committed here.",
            ingest.base_skipped_total,
        ),
        ("tenone_ingest_receipts", "Receipts sent.", ingest.receipts_total),
        ("tenone_stream_changes", "Changes sent to live pages.", hub.figures.changes),
        ("tenone_stream_batches", "Batches of changes.", hub.figures.batches),
        (
            "tenone_stream_dropped",
            "Live pages dropped for reading too slowly.",
            hub.figures.dropped,
        ),
        ("tenone_stream_refused", "Live pages refused for want of room.", hub.figures.refused),
        ("tenone_stream_snapshots", "Snapshots sent.", hub.figures.snapshots),
    ):
        yield CounterMetricFamily(name, text, value=float(value))
    if ingest.lag_seconds is not None:
        yield GaugeMetricFamily(
            "tenone_ingest_lag_seconds",
            "Age of the newest block when it was committed.",
            value=ingest.lag_seconds,
        )
    yield GaugeMetricFamily("tenone_stream_clients", "Live pages open.", value=hub.clients)
    yield GaugeMetricFamily("tenone_sessions", "Sessions open.", value=services.sessions.count())
