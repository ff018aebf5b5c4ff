"""The measures of one link as a value for the screens."""

from typing import Any

import numpy as np
import numpy.typing as npt

from controller.state.columns import NEVER, Links
from controller.state.measures import Measures
from controller.store.protocols import NS
from controller.views import MeasuredView
from tenone.vocabulary.states import Verdict

_HOLDS = {Verdict.GOOD: True, Verdict.BAD: False, Verdict.UNKNOWN: None}


def measured_view(measures: Measures, links: Links, number: int, now_ns: int) -> MeasuredView:
    """``now_ns``: monotonic."""
    probed = measures.probed_ns[number] != NEVER
    return MeasuredView(
        utilisation_in_ratio=_value(measures.utilisation_in_ratio, number),
        utilisation_out_ratio=_value(measures.utilisation_out_ratio, number),
        utilisation_ratio=_value(measures.utilisation_ratio, number),
        interval_seconds=_value(measures.interval_seconds, number),
        utilisation_p95_ratio=_value(measures.p95_ratio, number),
        error_ratio=_value(measures.error_ratio, number),
        discard_ratio=_value(measures.discard_ratio, number),
        error_window_seconds=_value(measures.error_window_seconds, number),
        counters_age_seconds=_age(measures.counters_ns, number, now_ns),
        loss_ratio=_value(measures.loss_ratio, number),
        loss_packets=int(measures.loss_packets[number]) if probed else None,
        loss_verdict=Verdict(int(measures.loss[number])),
        rtt_seconds=_value(measures.rtt_ms, number, 1e-3),
        jitter_seconds=_value(measures.ipdv_p95_ms, number, 1e-3),
        probes_age_seconds=_age(measures.probed_ns, number, now_ns),
        dns_answers=_HOLDS[Verdict(int(measures.dns[number]))],
        dns_age_seconds=_age(measures.dns_ns, number, now_ns),
        flaps=int(links.flaps[number]),
    )


def _value(column: npt.NDArray[np.float64], number: int, scale: float = 1.0) -> float | None:
    value = float(column[number])
    return None if value != value else value * scale  # noqa: PLR0124 - NaN is not itself


def _age(column: npt.NDArray[Any], number: int, now_ns: int) -> float | None:
    moment_ns = int(column[number])
    return None if moment_ns == NEVER else max(now_ns - moment_ns, 0) / NS
