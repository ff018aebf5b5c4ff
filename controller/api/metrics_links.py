"""Links in /metrics, written from columns piece by piece: a whole city may be bad at once."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from prometheus_client.utils import floatToGoString

from controller.arrays import F64
from controller.views import LinkFigures, LinkLabel

BYTES_PER_MEGABIT = 125_000.0
LINES_AT_ONCE = 2000
"""Some 200 kB: what is compressed and sent in one go."""
Availability = Callable[[str], tuple[float | None, float | None]]
FAMILIES = (
    ("tenone_link_verdict", "1 good, 0 bad, -1 unknown.", "verdict", 1.0),
    (
        "tenone_link_speed_bytes_per_second",
        "Negotiated speed; absent where it is unknown.",
        "negotiated_mbps",
        BYTES_PER_MEGABIT,
    ),
    (
        "tenone_link_contract_bytes_per_second",
        "Speed promised.",
        "contract_mbps",
        BYTES_PER_MEGABIT,
    ),
    (
        "tenone_link_evidence_age_seconds",
        "Age of the newest evidence for the verdict.",
        "evidence_age_seconds",
        1.0,
    ),
    (
        "tenone_link_utilisation_in_ratio",
        "Share of the line used inwards, between the two newest readings of the counters.",
        "utilisation_in_ratio",
        1.0,
    ),
    ("tenone_link_utilisation_out_ratio", "The same outwards.", "utilisation_out_ratio", 1.0),
    (
        "tenone_link_error_ratio",
        "Broken frames among all, over the newest 10,000 or more.",
        "error_ratio",
        1.0,
    ),
    ("tenone_link_discard_ratio", "Discarded frames among all, likewise.", "discard_ratio", 1.0),
    (
        "tenone_link_loss_ratio",
        "Probe packets lost, over the window that decides.",
        "loss_ratio",
        1.0,
    ),
    ("tenone_link_rtt_seconds", "Median round trip of probes.", "rtt_seconds", 1.0),
    ("tenone_link_jitter_seconds", "P95 of the probes' |ipdv|.", "jitter_seconds", 1.0),
)
"""Gauge, help, column of :class:`controller.views.LinkFigures`, factor; absent where unknown."""
AVAILABLE = (
    (
        "tenone_link_availability_ratio",
        "Share of the month's known service time so far in which the link was not down.",
    ),
    (
        "tenone_link_coverage_ratio",
        "Share of the month's service time so far of which anything is known.",
    ),
)


def link_text(figures: LinkFigures, available: Availability) -> Iterator[bytes]:
    """The families of links as Prometheus' text, in pieces.

    For a thread: of live state it asks only ``available``, whose columns are replaced as a whole.
    """
    labels = [_labels(one) for one in figures.labels]
    for name, text, column, factor in FAMILIES:
        yield from _family(name, text, labels, figures.columns[column] * factor)
    ratios = np.array([available(link) for _, _, link, _ in figures.labels], np.float64)
    for number, (name, text) in enumerate(AVAILABLE):
        yield from _family(name, text, labels, ratios[:, number] if len(ratios) else ratios)


def _family(name: str, text: str, labels: list[str], values: F64) -> Iterator[bytes]:
    yield f"# HELP {name} {text}\n# TYPE {name} gauge\n".encode()
    for first in range(0, len(labels), LINES_AT_ONCE):
        part = slice(first, first + LINES_AT_ONCE)
        lines = [
            f"{name}{{{label}}} {_number(value)}\n"
            for label, value in zip(labels[part], values[part].tolist(), strict=True)
            if value == value  # noqa: PLR0124 - NaN alone is not itself: unknown
        ]
        if lines:
            yield "".join(lines).encode()


@lru_cache(maxsize=4096)
def _number(value: float) -> str:
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call] # as it ships
    return text


def _labels(label: LinkLabel) -> str:
    district, school, link, tier = map(_escaped, label)
    return f'district="{district}",link="{link}",school="{school}",tier="{tier}"'


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
