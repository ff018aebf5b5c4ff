"""What a link's page says of its measures: value, window, age, and nothing that is not known."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.views import LinkView
from dashboards.ops.language import mark
from dashboards.ops.words import MINUTE, Words

UNKNOWN = "–"
MILLIONTH = 1e-6
SMALL = 0.001
"""Smaller shares are said as so many of a million."""

IN, OUT = mark("Load inwards"), mark("Load outwards")
BUSY = mark("Busy five minutes (P95)")
ERRORS, DISCARDS = mark("Frame errors"), mark("Frames discarded")
LOSS, ROUND_TRIP, JITTER = mark("Packet loss"), mark("Round trip"), mark("Jitter")
FLAPS = mark("Short breaks")
OVER_SECONDS, OVER_MINUTES = mark("over %(n)s s"), mark("over %(n)s min")
OVER_HOURS = mark("over 8 h")
OF_PACKETS = mark("of %(n)s packets")
MEDIAN, P95 = mark("median"), mark("P95")
PER_MILLION = mark("%(n)s of a million")
SINCE_START = mark("seen between polls")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. ``age_seconds`` None: nothing was measured."""

    label: str
    value: str
    window: str
    age_seconds: float | None


def figures(w: Words, link: LinkView) -> list[Figure]:
    """What is measured of ``link``, counters first; a measure that was never made has no line."""
    said, _ = link.measured, w.language.text
    interval = _over(_, said.interval_seconds)
    frames = _over(_, said.error_window_seconds)
    counted, probed = said.counters_age_seconds, said.probes_age_seconds
    packets = "" if said.loss_packets is None else _(OF_PACKETS, n=said.loss_packets)
    lines = [
        Figure(_(IN), _share(_, said.utilisation_in_ratio), interval, counted),
        Figure(_(OUT), _share(_, said.utilisation_out_ratio), interval, counted),
        Figure(_(BUSY), _share(_, said.utilisation_p95_ratio), _(OVER_HOURS), counted),
        Figure(_(ERRORS), _share(_, said.error_ratio), frames, counted),
        Figure(_(DISCARDS), _share(_, said.discard_ratio), frames, counted),
        Figure(_(LOSS), _share(_, said.loss_ratio), packets, probed),
        Figure(_(ROUND_TRIP), _delay(said.rtt_seconds), _(MEDIAN), probed),
        Figure(_(JITTER), _delay(said.jitter_seconds), _(P95), probed),
    ]
    if said.flaps:
        lines.append(Figure(_(FLAPS), str(said.flaps), _(SINCE_START), counted or 0.0))
    return [line for line in lines if line.age_seconds is not None]


def _share(_: Callable[..., str], ratio: float | None) -> str:
    if ratio is None:
        return UNKNOWN
    if 0 < ratio < SMALL:
        return _(PER_MILLION, n=max(1, round(ratio / MILLIONTH)))
    return f"{ratio * 100:.1f} %"


def _delay(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else f"{seconds * 1000:.1f} ms"


def _over(_: Callable[..., str], seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 2 * MINUTE:
        return _(OVER_SECONDS, n=round(seconds))
    return _(OVER_MINUTES, n=round(seconds / MINUTE))
