"""/metrics: the city as Prometheus sees it (CONTRACT "Prometheus").

Base units: bytes a second even for link speeds, seconds, ``_total`` for counters. What
later parts measure (burn rate, class minutes, incidents, actions) is absent until it is true.
"""

from collections.abc import AsyncIterator, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import iterate_in_threadpool

from controller.api.gathering import by_school
from controller.api.metrics_actions import action_families
from controller.api.metrics_configurations import configuration_families
from controller.api.metrics_enforcement import enforcement_families
from controller.api.metrics_incidents import incident_families
from controller.api.metrics_ledger import ledger_families
from controller.api.metrics_links import link_text
from controller.api.metrics_minutes import minute_families
from controller.api.services import Services
from controller.views import SchoolView
from tenone.vocabulary.scope import ScopePath

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SCHOOL_LABELS = ("district", "school")


async def city_metrics(services: Services) -> AsyncIterator[bytes]:
    """Aggregates of every school, links that are not good, the controller itself; in pieces.

    Views of schools are taken school by school on the loop, figures of links as columns;
    writing them out, the longer part by far, is done piece by piece in a thread.
    """
    schools: list[SchoolView] = []
    async for found in by_school(services.city, [ScopePath()], lambda school: (school,)):
        schools += found
    own = [
        *_own_families(services),
        *minute_families(services.minutes),
        *incident_families(services.incidents),
    ]
    now = services.now()
    figures = services.city.figures(ScopePath(), good=False)

    def text() -> Iterator[bytes]:
        yield _text((*_school_families(schools, now), *own))
        yield from link_text(figures, services.minutes.availability)

    async for piece in iterate_in_threadpool(text()):
        yield piece


async def district_metrics(services: Services, district: ScopePath) -> AsyncIterator[bytes]:
    """All links of one district; in pieces."""
    figures = services.city.figures(district, good=True)
    async for piece in iterate_in_threadpool(link_text(figures, services.minutes.availability)):
        yield piece


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _text(families: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    return generate_latest(registry)


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
    yield from ledger_families(services.audit.figures())
    yield from action_families(services.approvals.outcomes())
    everywhere = services.enforcement.standing(ScopePath())
    yield from enforcement_families(services.enforcement.figures, everywhere)
    yield from configuration_families(services.configurations.configurations(ScopePath()))
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
