"""Samples become columns: one place that knows which field of a sample is which column."""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

from drivers.probe.dns import DnsSample
from drivers.probe.http import HttpSample
from drivers.probe.path import HopSample
from drivers.probe.sender import Sample
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import Layout, layout
from tenone.config.probes import NetworkOwner, Probes
from tenone.vocabulary.probes import (
    DNS_SAMPLES,
    HTTP_SAMPLES,
    PATH_HOPS,
    PROBE_BURST,
    PROBE_SAMPLES,
    PROBE_TARGETS,
    ProbeOutcome,
)

SUBJECT: Final = "gateway/probe"
BURST_PART: Final = 250
"""Rows of one block of a burst: 5 s of it."""
BURST_LAYOUT: Final = layout("probe-burst", PROBE_BURST, [str(row) for row in range(BURST_PART)])
_MOST_UINT32 = 2**32 - 1

Row = Sample | ProbeOutcome | None
"""A packet; or why there was none; or None where none was due."""


def dns_rows(probes: Probes) -> list[str]:
    """``name@resolver``, with the type where it is not A."""
    return [
        f"{probe.name}{'' if probe.type == 'A' else f'/{probe.type}'}@{resolver}"
        for probe in probes.dns
        for resolver in probe.resolvers
    ]


def path_rows(probes: Probes) -> list[str]:
    """``platform/ttl/k``."""
    return [
        f"{platform.id}/{ttl}/{number}"
        for platform in probes.platforms
        if platform.path
        for ttl in range(1, probes.path_hops + 1)
        for number in range(probes.path_packets)
    ]


def layouts(probes: Probes, rows: Sequence[str]) -> list[Layout]:
    """The streams this configuration makes; ``rows`` are those of the samples."""
    found: list[Layout] = []
    if probes.targets:
        names = [target.name for target in probes.targets]
        found += [
            layout("probe-samples", PROBE_SAMPLES, rows),
            BURST_LAYOUT,
            layout("probe-targets", PROBE_TARGETS, names),
        ]
    if probes.dns:
        found.append(layout("dns-samples", DNS_SAMPLES, dns_rows(probes)))
    if probes.platforms:
        names = [platform.id for platform in probes.platforms]
        found.append(layout("http-samples", HTTP_SAMPLES, names))
    if any(platform.path for platform in probes.platforms):
        found.append(layout("path-hops", PATH_HOPS, path_rows(probes)))
    return found


def sample_columns(rows: Sequence[Row], start_ns: int) -> list[Column]:
    """``PROBE_SAMPLES``; offsets count from ``start_ns``, monotonic."""
    outcomes = [row.outcome if isinstance(row, Sample) else row for row in rows]
    sent = [row if isinstance(row, Sample) else None for row in rows]

    def of(field: Callable[[Sample], int | None]) -> list[int | None]:
        return [None if sample is None else field(sample) for sample in sent]

    values: dict[str, Sequence[int | None]] = {
        "probe_sequence": of(lambda sample: sample.sequence),
        "probe_offset_us": of(lambda sample: max(sample.sent_ns - start_ns, 0) // 1000),
        "probe_outcome": outcomes,
        "probe_away_ns": of(lambda sample: sample.away_ns),
        "probe_held_ns": of(lambda sample: sample.held_ns),
        "probe_forward_ns": of(lambda sample: sample.forward_ns),
        "probe_dscp_sent": of(lambda sample: sample.dscp_sent),
        "probe_dscp_there": of(lambda sample: sample.dscp_there),
        "probe_dscp_back": of(lambda sample: sample.dscp_back),
        "probe_duplicates": of(lambda sample: sample.duplicates),
    }
    return [Column.of(name, values[name]) for name in PROBE_SAMPLES]


def burst_columns(target: str, samples: Sequence[Sample], start_ns: int) -> list[Column]:
    """``PROBE_BURST`` of at most :data:`BURST_PART` packets; the rows after them are unknown."""
    rows: list[Row] = [*samples, *[None] * (BURST_PART - len(samples))]
    names = Column.of("probe_target", [None if row is None else target for row in rows])
    return [names, *sample_columns(rows, start_ns)]


def target_columns(targets: Sequence[tuple[str | None, str]]) -> list[Column]:
    """``PROBE_TARGETS`` of (address, error) each."""
    addresses, errors = zip(*targets, strict=True)
    return [Column.of("probe_address", addresses), Column.of("probe_error", errors)]


def dns_columns(samples: Sequence[DnsSample]) -> list[Column]:
    """``DNS_SAMPLES``."""
    values: dict[str, list[Value | None]] = {
        "dns_outcome": [sample.outcome for sample in samples],
        "dns_time_us": [_us(sample.time_ns) for sample in samples],
        "dns_rcode": [sample.rcode for sample in samples],
        "dns_answers": [sample.answers for sample in samples],
        "dns_answer": [sample.answer for sample in samples],
    }
    return [Column.of(name, values[name]) for name in DNS_SAMPLES]


def http_columns(samples: Sequence[HttpSample]) -> list[Column]:
    """``HTTP_SAMPLES``."""
    values: dict[str, list[Value | None]] = {
        "http_outcome": [sample.outcome for sample in samples],
        "http_status": [sample.status for sample in samples],
        "http_dns_us": [_us(sample.dns_ns) for sample in samples],
        "http_connect_us": [_us(sample.connect_ns) for sample in samples],
        "http_tls_us": [_us(sample.tls_ns) for sample in samples],
        "http_first_byte_us": [_us(sample.first_byte_ns) for sample in samples],
        "http_total_us": [_us(sample.total_ns) for sample in samples],
        "http_redirects": [sample.redirects for sample in samples],
        "http_body_bytes": [sample.body_bytes for sample in samples],
        "http_error": [sample.error for sample in samples],
    }
    return [Column.of(name, values[name]) for name in HTTP_SAMPLES]


def hop_columns(samples: Sequence[HopSample], owners: Sequence[NetworkOwner]) -> list[Column]:
    """``PATH_HOPS``, with the owner of each address by the narrowest network that holds it."""
    label = Owners(owners)
    values: dict[str, list[Value | None]] = {
        "hop_outcome": [sample.outcome for sample in samples],
        "hop_address": [sample.address for sample in samples],
        "hop_rtt_us": [_us(sample.rtt_ns) for sample in samples],
        "hop_owner": [label.of(sample.address) for sample in samples],
    }
    return [Column.of(name, values[name]) for name in PATH_HOPS]


class Owners:
    """Who runs an address, as the configuration says."""

    def __init__(self, owners: Sequence[NetworkOwner]) -> None:
        named = [(ipaddress.ip_network(one.network), one.owner) for one in owners]
        self._named = sorted(named, key=lambda pair: -pair[0].prefixlen)

    def of(self, address: str | None) -> str | None:
        """None where nobody is named."""
        if address is None:
            return None
        found = ipaddress.ip_address(address)
        return next((owner for network, owner in self._named if found in network), None)


def _us(value_ns: int | None) -> int | None:
    return None if value_ns is None else min(max(value_ns, 0) // 1000, _MOST_UINT32)
